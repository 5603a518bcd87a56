//! Ports of this machine that lead to ports in another: local listeners, and bytes relayed both ways.

use crate::error::{Error, Result};
use crate::provider::tunnels::{Tunnel, Tunnels};
use crate::stream::{self, ByteStream};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is read at once from a local connection.
const CHUNK: usize = 64 * 1024;

/// How long the other end may stay silent after the local one ended its direction, on wires that cannot say that.
const QUIET: Duration = Duration::from_secs(2);

/// From where to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where it listens here.
    pub bind: IpAddr,
    /// The port here; 0 takes a free one.
    pub local: u16,
    /// The host as the machine sees it; empty is the machine itself.
    pub host: String,
    /// The port there.
    pub port: u16,
}

impl Rule {
    /// The same port on both sides, for this machine alone.
    pub fn same(port: u16) -> Self {
        Self { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), local: port, host: String::new(), port }
    }
}

impl FromStr for Rule {
    type Err = String;

    /// `PORT`, `LOCAL:PORT`, `LOCAL:HOST:PORT`, each with `BIND:` in front; an empty LOCAL is a free port. Addresses of
    /// IPv6 are in brackets.
    fn from_str(text: &str) -> Result<Self, String> {
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
        let wrong = || format!("`{text}` is not [[BIND:]LOCAL:][HOST:]PORT");
        let parts = split(text).ok_or_else(wrong)?;
        let local = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u16>().ok() };
        let bind = |text: &str| if text == "localhost" { Some(Ipv4Addr::LOCALHOST.into()) } else { text.parse().ok() };
        let rule = match parts.as_slice() {
            [one] => port(one).map(Self::same),
            [here, there] => local(here).zip(port(there)).map(|(local, port)| Self { local, ..Self::same(port) }),
            [first, second, there] => {
                let there = port(there).ok_or_else(wrong)?;
                match local(first) {
                    Some(local) => Some(Self { local, host: (*second).to_owned(), ..Self::same(there) }),
                    None => {
                        bind(first).zip(local(second)).map(|(bind, local)| Self { bind, local, ..Self::same(there) })
                    }
                }
            }
            [first, here, host, there] => bind(first)
                .zip(local(here))
                .zip(port(there))
                .map(|((bind, local), port)| Self { bind, local, host: (*host).to_owned(), port }),
            _ => None,
        };
        rule.ok_or_else(wrong)
    }
}

/// The parts between colons; those in brackets are one.
fn split(text: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        if let Some(inner) = rest.strip_prefix('[') {
            let (part, after) = inner.split_once(']')?;
            parts.push(part);
            match after.strip_prefix(':') {
                Some(after) => rest = after,
                None => return after.is_empty().then_some(parts),
            }
            continue;
        }
        let Some((part, after)) = rest.split_once(':') else {
            parts.push(rest);
            return Some(parts);
        };
        parts.push(part);
        rest = after;
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.is_empty() { write!(f, "port {}", self.port) } else { write!(f, "{}:{}", self.host, self.port) }
    }
}

/// A rule that listens.
pub struct Listening {
    /// The rule.
    pub rule: Rule,
    /// Where it really listens.
    pub address: SocketAddr,
    listener: TcpListener,
}

impl Listening {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// `Conflict` for a port that is taken, `Forbidden` for one that is not allowed.
    pub async fn new(rule: Rule) -> Result<Self> {
        let wanted = SocketAddr::new(rule.bind, rule.local);
        let listener = TcpListener::bind(wanted).await.map_err(|error| {
            let cannot = |why: &str| format!("cannot listen on {wanted}: {why}");
            match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    Error::conflict(cannot("the port is taken")).hint(format!("`:{}` takes a free one", rule.port))
                }
                std::io::ErrorKind::PermissionDenied => Error::forbidden(cannot("it is not allowed")),
                _ => Error::failure(cannot(&error.to_string())).source(error),
            }
        })?;
        let address = listener.local_addr().map_err(Error::internal)?;
        Ok(Self { rule, address, listener })
    }

    /// Relays every connection until dropped. One that fails is told to `tell` and ends no other.
    pub async fn serve(&self, tunnels: &dyn Tunnels, tell: &dyn Fn(Error)) {
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((local, _)) => running.push(self.connection(tunnels, local)),
                    // Out of files, say: what runs may end and free some.
                    Err(error) => {
                        tell(Error::failure(format!("cannot take a connection on {}: {error}", self.address)));
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                },
                Some(outcome) = running.next() => {
                    if let Err(error) = outcome {
                        tell(error);
                    }
                }
            }
        }
    }

    async fn connection(&self, tunnels: &dyn Tunnels, local: TcpStream) -> Result<()> {
        // A refusal closes the local connection, which is all that TCP can say.
        let tunnel = tunnels.connect(&self.rule.host, self.rule.port).await?;
        let _ = local.set_nodelay(true);
        let (reader, mut writer) = local.into_split();
        let up = stream::unfold(reader, |mut reader| async move {
            let mut buffer = BytesMut::with_capacity(CHUNK);
            match reader.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => Ok(None),
                Ok(_) => Ok(Some((buffer.freeze(), reader))),
            }
        });
        let outcome = relay(tunnel, up, async |chunk: Bytes| {
            writer.write_all(&chunk).await.map_err(|error| Error::failure(error.to_string()))
        })
        .await;
        let _ = writer.shutdown().await;
        outcome
    }
}

/// Relays until the other end is done. Where the wire cannot end one direction alone, the end of `up` is passed on once
/// the other end has had nothing to say for a while: closing at once would cut its answer off.
///
/// # Errors
///
/// A lost tunnel. That nobody reads `down` any more is an end like any other.
pub async fn relay(tunnel: Tunnel, mut up: ByteStream, mut down: impl AsyncFnMut(Bytes) -> Result<()>) -> Result<()> {
    let Tunnel { mut sink, stream: mut incoming, half_closes } = tunnel;
    let mut sending = true;
    loop {
        let quiet = async {
            if sending || half_closes {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(QUIET).await;
        };
        tokio::select! {
            chunk = incoming.next() => match chunk {
                Some(chunk) => {
                    if down(chunk?).await.is_err() {
                        let _ = sink.close().await;
                        return Ok(());
                    }
                }
                None => return Ok(()),
            },
            chunk = up.next(), if sending => {
                if let Some(chunk) = chunk.transpose()? {
                    sending = sink.write(chunk).await?;
                    continue;
                }
                sending = false;
                if half_closes {
                    sink.close().await?;
                }
            }
            () = quiet => {
                let _ = sink.close().await;
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::tunnels::TunnelSink;
    use std::sync::{Arc, Mutex};

    #[test]
    fn rules_are_read_in_every_form() {
        let read = |text: &str| {
            let rule: Rule = text.parse().ok()?;
            Some(format!("{} {} {} {}", rule.bind, rule.local, rule.host, rule.port))
        };
        for (text, expected) in [
            ("8080", "127.0.0.1 8080  8080"),
            ("80:8080", "127.0.0.1 80  8080"),
            (":8080", "127.0.0.1 0  8080"),
            ("0:8080", "127.0.0.1 0  8080"),
            ("5432:db.internal:5433", "127.0.0.1 5432 db.internal 5433"),
            ("0.0.0.0:80:8080", "0.0.0.0 80  8080"),
            ("[::1]:80:8080", "::1 80  8080"),
            ("[::1]:80:[fdf::1]:8080", "::1 80 fdf::1 8080"),
            ("localhost:80:host:8080", "127.0.0.1 80 host 8080"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "0", "x", "80:", "80:0", "70000", "a:b:c:d:e", "[::1:80:1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    struct Sent(Arc<Mutex<Vec<String>>>);

    #[async_trait::async_trait]
    impl TunnelSink for Sent {
        async fn write(&mut self, chunk: Bytes) -> Result<bool> {
            self.0.lock().unwrap().push(String::from_utf8_lossy(&chunk).into_owned());
            Ok(true)
        }

        async fn close(&mut self) -> Result<()> {
            self.0.lock().unwrap().push("closed".into());
            Ok(())
        }
    }

    /// An other end that answers so long after it was asked, and then says nothing more.
    fn slow(after: Duration) -> ByteStream {
        stream::unfold(0, move |step| async move {
            if step == 1 {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(after).await;
            Ok(Some((Bytes::from_static(b"answer"), step + 1)))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_after_the_end_of_the_question_still_arrives() {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let tunnel =
            Tunnel { sink: Box::new(Sent(sent.clone())), stream: slow(Duration::from_secs(1)), half_closes: false };
        let mut got = Vec::new();
        let up = stream::iter([Ok(Bytes::from_static(b"question"))]);
        relay(tunnel, up, async |chunk: Bytes| {
            got.push(chunk);
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(got, ["answer"]);
        assert_eq!(*sent.lock().unwrap(), ["question", "closed"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wire_that_can_ends_one_direction_at_once() {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let answer = stream::iter([Ok(Bytes::from_static(b"answer"))]);
        let tunnel = Tunnel { sink: Box::new(Sent(sent.clone())), stream: answer, half_closes: true };
        relay(tunnel, stream::iter([]), async |_| Ok(())).await.unwrap();
        let lost = Tunnel {
            sink: Box::new(Sent(sent.clone())),
            stream: stream::fail(Error::unreachable("lost")),
            half_closes: true,
        };
        assert!(relay(lost, stream::iter([]), async |_| Ok(())).await.is_err());
    }
}
