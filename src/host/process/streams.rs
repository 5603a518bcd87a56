//! Our ends of the streams of a program.

use crate::provider::exec::TermSize;
use crate::stream::{self, ByteStream};
use bytes::{Bytes, BytesMut};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe::{Receiver, Sender};

/// What a program reads. Dropping it ends a pipe; a terminal ends when both its halves are dropped.
pub enum Input {
    /// A pipe.
    Pipe(Sender),
    /// A terminal; what means "end" to it is a key (Ctrl-D).
    Terminal(Arc<Terminal>),
}

/// What a program writes.
pub enum Output {
    /// A pipe.
    Pipe(Receiver),
    /// A terminal.
    Terminal(Arc<Terminal>),
}

impl Input {
    /// Writes all of it, as fast as the program reads. `false`: nobody reads any more. (A terminal may still take what
    /// nobody will read.)
    pub async fn write(&mut self, mut bytes: &[u8]) -> io::Result<bool> {
        let written = match self {
            Self::Pipe(pipe) => pipe.write_all(bytes).await,
            Self::Terminal(terminal) => {
                while !bytes.is_empty() {
                    match terminal.write(bytes).await {
                        Ok(count) => bytes = &bytes[count..],
                        Err(error) => return gone(Err(error)),
                    }
                }
                Ok(())
            }
        };
        gone(written)
    }
}

/// Whether there is still somebody who reads.
fn gone(written: io::Result<()>) -> io::Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe || hung_up(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A terminal says EIO when its other side is closed.
fn hung_up(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

impl Output {
    /// The next bytes, at most `max`; `None` at the end. Cancel-safe.
    pub async fn read(&mut self, max: usize) -> io::Result<Option<Bytes>> {
        let mut buffer = BytesMut::with_capacity(max);
        let count = match self {
            Self::Pipe(pipe) => pipe.read_buf(&mut buffer).await?,
            Self::Terminal(terminal) => terminal.read(&mut buffer, max).await?,
        };
        Ok((count > 0).then(|| buffer.freeze()))
    }

    /// Everything that comes, in pieces of at most `max` bytes.
    pub fn into_stream(self, max: usize) -> ByteStream {
        stream::unfold(self, move |mut output| async move {
            let read = output.read(max).await;
            let read = read
                .map_err(|error| crate::error::Error::failure("cannot read the output of a program").source(error))?;
            Ok(read.map(|bytes| (bytes, output)))
        })
    }
}

/// How long a terminal that takes no more is left alone.
const FULL: Duration = Duration::from_millis(5);

/// Our side of a terminal.
pub struct Terminal(AsyncFd<OwnedFd>);

impl Terminal {
    /// A new terminal of this size, and the device that the program gets.
    pub(super) fn open(size: TermSize) -> io::Result<(Self, OwnedFd)> {
        use rustix::fs::{Mode, OFlags, open};
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = ptsname(&ours, Vec::new())?;
        let device = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        tcsetwinsize(&device, winsize(size))?;
        rustix::io::ioctl_fionbio(&ours, true)?;
        // SAFETY: an `OwnedFd` names one open file from here to its drop.
        Ok((Self(unsafe { AsyncFd::register(ours) }?), device))
    }

    /// Changes its size, which the program is told by a signal.
    pub(super) fn resize(&self, size: TermSize) -> io::Result<()> {
        Ok(tcsetwinsize(self.0.get_ref(), winsize(size))?)
    }

    async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.0.writable().await?;
            let is_closed = ready.ready().is_write_closed();
            match ready.try_io(|fd| Ok(rustix::io::write(fd.get_ref(), bytes)?)) {
                Ok(written) => return written,
                // Full, and nobody is left who would read: it says that it is ready for ever.
                Err(_) if is_closed => return Err(rustix::io::Errno::IO.into()),
                Err(_) => {}
            }
            // The kernel reports a terminal that took nothing as writable again at once, for as long as the program
            // does not read.
            drop(ready);
            tokio::time::sleep(FULL).await;
        }
    }

    /// Reads into `buffer`, which is empty; 0 at the end.
    async fn read(&self, buffer: &mut BytesMut, max: usize) -> io::Result<usize> {
        buffer.resize(max, 0);
        let count = loop {
            let mut ready = self.0.readable().await?;
            match ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut buffer[..])?)) {
                Ok(Ok(count)) => break count,
                Ok(Err(error)) if hung_up(&error) => break 0,
                Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error),
                Err(_) => {}
            }
        };
        buffer.truncate(count);
        Ok(count)
    }
}

fn winsize(size: TermSize) -> Winsize {
    Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 }
}
