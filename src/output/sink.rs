//! The ends that output goes to: the process's descriptors, or memory.

use super::{Fd, lock};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex};

/// Which streams are terminals, and how wide they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminals {
    /// Whether stdin is one.
    pub stdin: bool,
    /// The width of stdout, if it is one.
    pub stdout: Option<u16>,
    /// The width of stderr, if it is one.
    pub stderr: Option<u16>,
}

impl Terminals {
    /// What the process's own streams are; `width` replaces the measured ones.
    pub(super) fn detect(width: Option<u16>) -> Self {
        let measure = |is_terminal: bool, fd: BorrowedFd<'_>| {
            is_terminal.then(|| {
                let measured = || rustix::termios::tcgetwinsize(fd).ok().map(|size| size.ws_col);
                // A terminal that does not know its size says 0.
                width.or_else(measured).filter(|columns| *columns > 0).unwrap_or(80)
            })
        };
        Self {
            stdin: io::stdin().is_terminal(),
            stdout: measure(io::stdout().is_terminal(), rustix::stdio::stdout()),
            stderr: measure(io::stderr().is_terminal(), rustix::stdio::stderr()),
        }
    }
}

/// The two streams that are written to, shared with the writer thread.
pub(super) struct Streams {
    pub(super) stdout: Mutex<Box<dyn Write + Send>>,
    pub(super) stderr: Mutex<Box<dyn Write + Send>>,
}

impl Streams {
    /// Writes bytes as they are. That stderr failed could be said nowhere, so it is no failure.
    pub(super) fn write(&self, fd: Fd, bytes: &[u8]) -> io::Result<()> {
        match fd {
            Fd::Stdout => lock(&self.stdout).write_all(bytes),
            Fd::Stderr => {
                let _ = lock(&self.stderr).write_all(bytes);
                Ok(())
            }
        }
    }

    /// Writes to stdout through one buffer, flushed at the end.
    pub(super) fn print(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut stdout = lock(&self.stdout);
        let mut buffer = BufWriter::with_capacity(64 * 1024, &mut **stdout);
        let outcome = write(&mut buffer).and_then(|()| buffer.flush());
        if outcome.is_err() {
            // What is left in the buffer would be tried again on drop.
            let _ = buffer.into_parts();
        }
        outcome
    }
}

/// A standard stream without std's own buffer, which would break at lines, panic on nothing and keep bytes at exit.
pub(super) struct Descriptor(BorrowedFd<'static>);

pub(super) fn stdout() -> Descriptor {
    Descriptor(rustix::stdio::stdout())
}

pub(super) fn stderr() -> Descriptor {
    Descriptor(rustix::stdio::stderr())
}

impl Write for Descriptor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(self.0, bytes) {
                // Whoever shares the terminal or pipe with us may have made it non-blocking.
                Err(Errno::AGAIN) => match poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                },
                Err(error) => return Err(error.into()),
                Ok(written) => return Ok(written),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard input without a buffer: a prompt must not take more than its line.
pub(super) struct Stdin;

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

/// What an [`Output`](super::Output) wrote into memory.
#[derive(Clone, Default)]
pub struct Captured {
    stdout: Memory,
    stderr: Memory,
}

impl Captured {
    pub(super) fn sinks(&self) -> (Memory, Memory) {
        (self.stdout.clone(), self.stderr.clone())
    }

    /// The text on stdout so far.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout_bytes()).into_owned()
    }

    /// The bytes on stdout so far.
    pub fn stdout_bytes(&self) -> Vec<u8> {
        lock(&self.stdout.0).clone()
    }

    /// The text on stderr so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&lock(&self.stderr.0)).into_owned()
    }
}

/// Bytes that are kept.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whoever read our stdout has closed it: the end of the work, not a failure (U8.4). A type of its own, because a
/// connection to a provider breaks with the same kind of I/O error.
#[derive(Debug)]
pub struct StdoutClosed(pub io::Error);

impl fmt::Display for StdoutClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output was closed")
    }
}

impl std::error::Error for StdoutClosed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
