//! Where a server listens: a loopback port or a unix socket, nothing that another machine could reach.

use super::connection::{Raw, Wire};
use super::identity::Identity;
use crate::error::{Error, Result};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixSocket};
use tokio_rustls::TlsAcceptor;

/// How many connections wait to be accepted.
const BACKLOG: u32 = 1024;

/// What a TLS connection begins with: the type of a handshake record. No method of HTTP begins so.
const HANDSHAKE: u8 = 0x16;

/// Something that listens. Dropping it stops that, and removes the file of a unix socket.
pub struct Listener(Kind);

enum Kind {
    Tcp(TcpListener, SocketAddr, Option<TlsAcceptor>),
    Unix(UnixListener, PathBuf),
}

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Somebody on this machine.
    Tcp(SocketAddr),
    /// A process of this machine, as the system vouches for it (`SO_PEERCRED`).
    Unix {
        /// Its user.
        uid: u32,
        /// Its group.
        gid: u32,
        /// Its number, where the system tells.
        pid: Option<i32>,
    },
}

impl Listener {
    /// Listens on 127.0.0.1; port 0 is any free one.
    pub async fn tcp(port: u16) -> Result<Self> {
        Self::bind(port, None).await
    }

    /// The same for TLS and for plain HTTP alike: what a client sends first tells which it speaks.
    pub async fn tls(port: u16, identity: &Identity) -> Result<Self> {
        Self::bind(port, Some(identity.acceptor()?)).await
    }

    async fn bind(port: u16, tls: Option<TlsAcceptor>) -> Result<Self> {
        let cannot = |error| Error::failure(format!("cannot listen on 127.0.0.1 port {port}")).source(error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        Ok(Self(Kind::Tcp(listener, address, tls)))
    }

    /// Listens on a unix socket that is made at `path`, with the permissions `mode`.
    pub fn unix(path: impl Into<PathBuf>, mode: u32) -> Result<Self> {
        let path = path.into();
        let listen = || {
            let socket = UnixSocket::new_stream()?;
            socket.bind(&path)?;
            // Before anybody can connect.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
            socket.listen(BACKLOG)
        };
        match listen() {
            Ok(listener) => Ok(Self(Kind::Unix(listener, path))),
            Err(error) => Err(Error::failure(format!("cannot listen on `{}`", path.display())).source(error)),
        }
    }

    /// The port, unless it is a unix socket.
    pub fn port(&self) -> Option<u16> {
        match &self.0 {
            Kind::Tcp(_, address, _) => Some(address.port()),
            Kind::Unix(..) => None,
        }
    }

    /// The path, if it is a unix socket.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Tcp(..) => None,
            Kind::Unix(_, path) => Some(path),
        }
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<(Accepted, Peer)> {
        match &self.0 {
            Kind::Tcp(listener, _, tls) => {
                let (stream, address) = listener.accept().await?;
                // Answers are written whole; waiting to fill a packet would only delay them.
                stream.set_nodelay(true)?;
                let accepted = match tls {
                    Some(tls) => Accepted::Either(stream, tls.clone()),
                    None => Accepted::Plain(Raw::Tcp(stream)),
                };
                Ok((accepted, Peer::Tcp(address)))
            }
            Kind::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let peer = stream.peer_cred()?;
                let peer = Peer::Unix { uid: peer.uid(), gid: peer.gid(), pid: peer.pid() };
                Ok((Accepted::Plain(Raw::Unix(stream)), peer))
            }
        }
    }
}

/// A connection of which it may not yet be known whether it is for TLS.
pub(super) enum Accepted {
    Plain(Raw),
    Either(TcpStream, TlsAcceptor),
}

impl Accepted {
    /// The connection as it can be served. Waits for the client's first byte, and for the handshake.
    pub(super) async fn open(self) -> io::Result<Wire> {
        let raw = match self {
            Self::Plain(raw) => raw,
            Self::Either(stream, tls) => {
                let mut first = [0];
                stream.peek(&mut first).await?;
                match first {
                    [HANDSHAKE] => Raw::Tls(Box::new(tls.accept(stream).await?)),
                    _ => Raw::Tcp(stream),
                }
            }
        };
        Ok(Wire::new(raw))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Kind::Unix(_, path) = &self.0 {
            // Whoever removed the folder before us did the same.
            let _ = std::fs::remove_file(path);
        }
    }
}
