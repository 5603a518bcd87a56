//! Everything esker says: answers on stdout, the rest on stderr (ux sections 4, 5, 7, 8).
//!
//! The only module that writes to the standard streams. It knows values and columns, never a provider, and reads no
//! environment: settings fill [`Options`]. All methods take `&self`, and an [`Output`] is cheap to clone, so that the
//! lanes of a fan-out share one.

mod color;
mod column;
mod csv;
mod diff;
mod document;
mod fields;
pub mod human;
mod lane;
mod list;
mod message;
mod options;
mod progress;
mod prompt;
mod records;
pub mod sanitize;
mod sink;
mod table;
mod talk;
mod watch;
mod yaml;

pub use color::{Tone, tone};
pub use column::{Cell, Column};
pub use diff::diff;
pub use lane::{Fd, Lane, LaneStyle, Lanes, Source};
pub use list::ListOptions;
pub(crate) use message::labelled;
pub use options::{Format, Options, When};
pub use progress::Progress;
pub use prompt::Danger;
pub use sink::{Captured, StdoutClosed, Terminals};
pub use yaml::to_yaml;

use crate::error::{Error, Result};
use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The three standard streams and how to use them.
#[derive(Clone)]
pub struct Output(Arc<Inner>);

struct Inner {
    options: Options,
    terminals: Terminals,
    stdin: Mutex<Box<dyn Read + Send>>,
    streams: Arc<sink::Streams>,
    /// The thread that writes for the lanes of `exec`, once there are any.
    writer: OnceLock<lane::writer::Writer>,
    /// What is on the screen, once something takes long enough.
    bars: OnceLock<indicatif::MultiProgress>,
    /// Notes and warnings that were said already (U12.4).
    said: Mutex<HashSet<String>>,
    /// What was told of a list that is printed again and again.
    watching: OnceLock<Mutex<watch::Watching>>,
    /// Whether our own notices start with `esker:` (U9.5).
    notices_are_marked: AtomicBool,
}

impl Output {
    /// Output to the process's own streams.
    pub fn new(options: Options) -> Self {
        let terminals = Terminals::detect(options.width);
        Self::over(options, terminals, Box::new(sink::Stdin), Box::new(sink::stdout()), Box::new(sink::stderr()))
    }

    /// Output into memory, as if the streams were `terminals`; prompts read `input`.
    pub fn capture(options: Options, terminals: Terminals, input: &str) -> (Self, Captured) {
        let captured = Captured::default();
        let input = io::Cursor::new(input.as_bytes().to_vec());
        let (stdout, stderr) = captured.sinks();
        (Self::over(options, terminals, Box::new(input), Box::new(stdout), Box::new(stderr)), captured)
    }

    fn over(
        options: Options,
        terminals: Terminals,
        stdin: Box<dyn Read + Send>,
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
    ) -> Self {
        Self(Arc::new(Inner {
            options,
            terminals,
            stdin: Mutex::new(stdin),
            streams: Arc::new(sink::Streams { stdout: Mutex::new(stdout), stderr: Mutex::new(stderr) }),
            writer: OnceLock::new(),
            bars: OnceLock::new(),
            said: Mutex::default(),
            watching: OnceLock::new(),
            notices_are_marked: AtomicBool::new(false),
        }))
    }

    /// What was decided about output.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// The format of the answer.
    pub fn format(&self) -> Format {
        self.0.options.format
    }

    /// Whether the answer is for programs: JSON, JSON lines or YAML.
    pub fn is_structured(&self) -> bool {
        self.format().is_structured()
    }

    /// Whether stdin is a terminal.
    pub fn stdin_is_tty(&self) -> bool {
        self.0.terminals.stdin
    }

    /// Whether stdout is a terminal.
    pub fn stdout_is_tty(&self) -> bool {
        self.0.terminals.stdout.is_some()
    }

    /// Whether stderr is a terminal.
    pub fn stderr_is_tty(&self) -> bool {
        self.0.terminals.stderr.is_some()
    }

    /// The width that tables fit; `None` where stdout is no terminal and nothing is shortened.
    pub fn width(&self) -> Option<u16> {
        self.0.terminals.stdout
    }

    /// Whether text on stdout is coloured.
    pub fn stdout_has_colors(&self) -> bool {
        self.0.options.colors(self.stdout_is_tty())
    }

    /// Whether text on stderr is coloured.
    pub fn stderr_has_colors(&self) -> bool {
        self.0.options.colors(self.stderr_is_tty())
    }

    /// A line on stdout, as it is.
    pub fn line(&self, text: &str) -> Result<()> {
        self.print(|out| {
            out.write_all(text.as_bytes())?;
            out.write_all(b"\n")
        })
    }

    /// A line of remote text on stdout: made safe on a terminal, where colours stay; as it is otherwise (U4.12).
    pub fn remote_line(&self, text: &str) -> Result<()> {
        if self.stdout_is_tty() { self.line(&sanitize::log(text, self.stdout_has_colors())) } else { self.line(text) }
    }

    /// Bytes on stdout, as they are.
    pub fn bytes(&self, data: &[u8]) -> Result<()> {
        self.print(|out| out.write_all(data))
    }

    /// Writes to stdout through one buffer, flushed at the end.
    fn print(&self, mut write: impl FnMut(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        self.print_by(&mut write)
    }

    /// The same once for all writers, of which there is one for every type of row.
    fn print_by(&self, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        self.without_bars(|| self.0.streams.print(write)).map_err(stdout_failed)
    }
}

/// The error of a failed write to stdout; a reader that left is told apart in `report` (U8.4).
fn stdout_failed(error: io::Error) -> Error {
    let message = format!("cannot write to standard output: {}", plain(&error));
    let failure = Error::failure(message);
    if error.kind() == io::ErrorKind::BrokenPipe { failure.source(StdoutClosed(error)) } else { failure.source(error) }
}

/// The system's words for an error, in our style and without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// A panic elsewhere must not keep the report of it from being printed.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
