//! Connecting to a unix socket, and saying precisely why not.

use super::fault::{Fault, system_text};
use super::link::Link;
use crate::error::{Error, Result};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;
use tokio::net::UnixStream;

/// The longest path that fits into the system's socket address, in bytes.
const PATH_MAX: usize = 107;

/// Connects. The caller bounds the time.
pub(super) async fn connect(path: &Path) -> Result<Link> {
    let stream = if path.as_os_str().len() > PATH_MAX { connect_long(path).await } else { connect_short(path).await };
    stream.map(|stream| Box::new(stream) as Link).map_err(|error| explain(path, error))
}

async fn connect_short(path: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            // A full backlog: unlike TCP the system does not queue us, so ask again.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => tokio::time::sleep(Duration::from_millis(2)).await,
            result => return result,
        }
    }
}

/// Reaches a socket whose path does not fit into a socket address through a handle to it.
#[cfg(target_os = "linux")]
async fn connect_long(path: &Path) -> io::Result<UnixStream> {
    use rustix::fs::{Mode, OFlags, open};
    use std::os::fd::AsRawFd;
    let handle = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let detour = format!("/proc/self/fd/{}", handle.as_raw_fd());
    if !Path::new(&detour).exists() {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    connect_short(Path::new(&detour)).await
}

#[cfg(not(target_os = "linux"))]
async fn connect_long(_: &Path) -> io::Result<UnixStream> {
    Err(io::ErrorKind::InvalidFilename.into())
}

fn explain(path: &Path, error: io::Error) -> Error {
    use io::ErrorKind as Io;
    let shown = path.display();
    // The system refuses a connection to an ordinary file as if nobody listened there.
    let other_file = || std::fs::metadata(path).is_ok_and(|m| !m.file_type().is_socket());
    let (fault, message) = match error.kind() {
        Io::NotFound | Io::NotADirectory => (Fault::NoSocket, format!("no socket at `{shown}`")),
        Io::PermissionDenied => (Fault::NotPermitted, format!("not permitted to open `{shown}`")),
        Io::InvalidFilename => (
            Fault::PathTooLong,
            format!("the socket path is {} bytes long, more than the system's {PATH_MAX}", path.as_os_str().len()),
        ),
        _ if other_file() => (Fault::NotASocket, format!("`{shown}` is not a socket")),
        Io::ConnectionRefused => {
            (Fault::Refused, format!("connection refused at `{shown}`: nobody listens on the socket"))
        }
        _ => (Fault::Io, format!("cannot connect to `{shown}`: {}", system_text(&error))),
    };
    fault.because(message, error)
}

#[cfg(test)]
mod tests {
    use super::super::fault;
    use super::*;

    #[test]
    fn a_forbidden_socket_and_an_impossible_name_are_told_apart() {
        // Root opens everything, so the system's refusal is taken as given.
        let denied = explain(Path::new("/x"), io::ErrorKind::PermissionDenied.into());
        assert_eq!(fault(&denied), Some(Fault::NotPermitted));
        assert_eq!(denied.to_string(), "not permitted to open `/x`");
        let long = "/x".repeat(100);
        let long = explain(Path::new(&long), io::ErrorKind::InvalidFilename.into());
        assert_eq!(fault(&long), Some(Fault::PathTooLong));
        assert_eq!(long.to_string(), "the socket path is 200 bytes long, more than the system's 107");
    }
}
