//! Programs that run on this machine: started with pipes or a terminal, watched, signalled, and all ended in the end.
//!
//! [`Processes`] starts a [`Spec`] and yields a [`Child`]: what it reads and writes, and a [`Running`], the handle that
//! outlives both. Everything happens on the runtime that the caller is on; nothing is buffered beyond what the system
//! itself holds, so a reader that is slow slows the program down.

mod child;
mod processes;
mod shelter;
mod spawn;
mod streams;
#[cfg(test)]
mod tests;
mod tree;

pub use child::{Child, Exit, Running};
pub use processes::{Processes, end_descendants};
pub use spawn::{SpawnError, Stage};
pub use streams::{Input, Output};
pub(super) use tree::adopt;

pub use super::namespace::Within;

use crate::provider::exec::TermSize;
use std::ffi::OsString;
use std::path::PathBuf;

/// What to start, and how.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The file of the program, or a name without `/` that is looked up on the `PATH` of `env`.
    pub program: OsString,
    /// Its first argument, if that is not the program.
    pub arg0: Option<OsString>,
    /// Its other arguments.
    pub args: Vec<OsString>,
    /// Its whole environment; `None` is ours.
    pub env: Option<Vec<(OsString, OsString)>>,
    /// Its working directory; by default ours.
    pub dir: Option<PathBuf>,
    /// Where that is, if not in our view of the file system. `dir` is then relative to it.
    pub within: Option<Within>,
    /// Who it runs as; by default as we do. Another user needs root.
    pub user: Option<User>,
    /// Its umask; by default ours.
    pub umask: Option<u32>,
    /// What it reads and writes.
    pub io: Io,
    /// What it leads.
    pub lead: Lead,
    /// Whether it and all that it starts end with us, even if we are killed, and even what left its group.
    pub sheltered: bool,
}

/// Who a program runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The supplementary groups.
    pub groups: Vec<u32>,
}

/// What a program reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Io {
    /// Its stdin.
    pub stdin: Stream,
    /// Its stdout.
    pub stdout: Stream,
    /// Its stderr.
    pub stderr: Stream,
    /// The size that its terminal has from the beginning, if one of them is a terminal.
    pub size: TermSize,
}

/// What one of the three standard streams is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Ours.
    Inherited,
    /// Nothing: empty to read, swallowing what is written.
    Null,
    /// A pipe whose other end the [`Child`] has.
    Pipe,
    /// The terminal that is made for it, which also becomes the controlling one of its session.
    Terminal,
    /// For stderr: whatever stdout is, in one order.
    Stdout,
}

/// What a program leads, so that it and what it starts can be signalled together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// Nothing: it is a member of our process group.
    Nothing,
    /// Nothing: it is a member of this process group of our session. The one that the terminal belongs to gets Ctrl-C.
    Member(i32),
    /// A process group.
    Group,
    /// A session, and with it a process group, without our terminal. A program with a terminal always does.
    Session,
}

impl Spec {
    /// `program` with pipes, at the head of a session of its own, otherwise as we are.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arg0: None,
            args: Vec::new(),
            env: None,
            dir: None,
            within: None,
            user: None,
            umask: None,
            io: Io::PIPES,
            lead: Lead::Session,
            sheltered: false,
        }
    }

    /// Adds arguments.
    pub fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets what it reads and writes.
    pub fn io(mut self, io: Io) -> Self {
        self.io = io;
        self
    }
}

impl Io {
    /// Ours, all three.
    pub const INHERITED: Self = Self::all(Stream::Inherited);
    /// A pipe each.
    pub const PIPES: Self = Self::all(Stream::Pipe);

    /// A terminal for all three.
    pub const fn terminal(size: TermSize) -> Self {
        Self { size, ..Self::all(Stream::Terminal) }
    }

    const fn all(stream: Stream) -> Self {
        Self { stdin: stream, stdout: stream, stderr: stream, size: TermSize { cols: 80, rows: 24 } }
    }

    fn has_terminal(self) -> bool {
        [self.stdin, self.stdout, self.stderr].contains(&Stream::Terminal)
    }
}
