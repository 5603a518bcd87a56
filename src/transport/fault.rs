//! Why a connection failed, as something code can act on: hints, waiting for a server, conformance.

use super::Address;
use crate::error::{Error, ErrorKind};
use std::fmt;

/// Why a connection failed. It travels as the source of an [`Error`]; [`fault`] finds it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// There is nothing at the socket's path.
    NoSocket,
    /// Nobody listens there.
    Refused,
    /// The system does not let us open the socket.
    NotPermitted,
    /// The path names something else than a socket.
    NotASocket,
    /// The socket's path is longer than the system can connect to.
    PathTooLong,
    /// The host name has no address.
    Unresolved,
    /// No TLS session: a certificate that is not trusted, or no TLS at all.
    Tls,
    /// A deadline of ours passed.
    TimedOut,
    /// The connection ended before the answer did.
    Lost,
    /// Something answers, but it does not speak the protocol.
    Protocol,
    /// Any other failure of the system.
    Io,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSocket => "no such socket",
            Self::Refused => "connection refused",
            Self::NotPermitted => "permission denied",
            Self::NotASocket => "not a socket",
            Self::PathTooLong => "socket path too long",
            Self::Unresolved => "host name not resolved",
            Self::Tls => "no TLS session",
            Self::TimedOut => "deadline passed",
            Self::Lost => "connection lost",
            Self::Protocol => "protocol error",
            Self::Io => "input/output error",
        })
    }
}

impl std::error::Error for Fault {}

/// Why the connection failed, if that is what `error` is about.
pub fn fault(error: &Error) -> Option<Fault> {
    error.parts().source.as_ref()?.downcast_ref().copied()
}

impl Fault {
    /// An error of this fault, without a deeper cause.
    pub(super) fn error(self, message: impl Into<String>) -> Error {
        Error::new(self.kind(), message).source(self)
    }

    /// An error of this fault that keeps the technical `cause` for `-vv`.
    pub(super) fn because(
        self,
        message: impl Into<String>,
        cause: impl std::error::Error + Send + Sync + 'static,
    ) -> Error {
        Error::new(self.kind(), message).source(anyhow::Error::new(cause).context(self))
    }

    fn kind(self) -> ErrorKind {
        if self == Self::TimedOut { ErrorKind::Timeout } else { ErrorKind::Unreachable }
    }
}

/// The fault and words for a system error that no address-specific rule explains.
pub(super) fn from_io(address: &Address, error: std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let (fault, why) = match error.kind() {
        Io::ConnectionRefused => (Fault::Refused, "connection refused".to_owned()),
        Io::PermissionDenied => (Fault::NotPermitted, "permission denied".to_owned()),
        Io::TimedOut => (Fault::TimedOut, "the system's connection timeout passed".to_owned()),
        Io::ConnectionReset | Io::BrokenPipe | Io::UnexpectedEof => (Fault::Lost, "the connection was lost".to_owned()),
        Io::HostUnreachable => (Fault::Io, "the host is unreachable".to_owned()),
        Io::NetworkUnreachable => (Fault::Io, "the network is unreachable".to_owned()),
        _ => (Fault::Io, system_text(&error)),
    };
    fault.because(format!("cannot connect to `{address}`: {why}"), error)
}

/// The system's own words, without Rust's "(os error N)".
pub(super) fn system_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
