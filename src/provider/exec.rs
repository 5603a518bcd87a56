//! Running programs: a process is one ordered stream of events, a stdin sink and a control handle.
//!
//! Not three pipes: several wires multiplex, and independent pipes over one socket deadlock or buffer without bound.

use crate::error::{Error, Result};
use crate::model::{Note, RemotePath, Run, RunId};
use crate::operation::Operation;
use crate::provider::{Feature, Need, Needs};
use crate::stream::{ByteStream, Items};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Starts programs.
#[async_trait]
pub trait Exec: Send + Sync {
    /// Starts `spec` and returns once it runs or is known not to.
    ///
    /// A program that does not exist or cannot run is an [`Exit`], not an `Err`; an `Err` is a failure of ours or of
    /// the provider. Never started twice: what is lost after the request was sent has `Effect::Unknown`.
    async fn start(&self, spec: ExecSpec) -> Result<Process>;
}

/// Who owns a file or runs a program, by name or number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: Option<Account>,
    /// The group; by default the user's.
    pub group: Option<Account>,
}

/// A user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// By name.
    Name(String),
    /// By number.
    Id(u32),
}

/// What to run, and how.
#[derive(Clone, Debug)]
pub struct ExecSpec {
    /// The program and its arguments, byte for byte; empty means the login shell.
    pub argv: Vec<Bytes>,
    /// Added to the remote environment, also where the wire would replace it.
    pub env: Vec<(String, Bytes)>,
    /// The working directory.
    pub dir: Option<RemotePath>,
    /// Who runs it.
    pub user: Option<Owner>,
    /// A service whose environment, user and directory it inherits.
    pub service_context: Option<String>,
    /// Pipes or a terminal.
    pub io: Io,
    /// How it relates to this command's life.
    pub life: Life,
    /// How long it may run; it is killed over there.
    pub timeout: Option<Duration>,
    /// Whether the output is counted and summed over there too, and a difference is an error.
    pub verify: bool,
}

impl ExecSpec {
    /// A program with pipes and nothing on its stdin, that ends with us.
    pub fn new(argv: Vec<Bytes>) -> Self {
        Self {
            argv,
            env: Vec::new(),
            dir: None,
            user: None,
            service_context: None,
            io: Io::Pipes { stdin: StdinMode::None, merge_stderr: false },
            life: Life::Attached,
            timeout: None,
            verify: false,
        }
    }
}

/// How its streams are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// Plain pipes.
    Pipes {
        /// What stdin is.
        stdin: StdinMode,
        /// Whether stderr arrives as stdout, in order.
        merge_stderr: bool,
    },
    /// A terminal of this size; stdin and stdout are it.
    Terminal {
        /// Its size.
        size: TermSize,
        /// Whether keys are sent to it; without, its stdin is an empty pipe.
        interactive: bool,
        /// Whether stderr stays apart, as a pipe.
        split_stderr: bool,
    },
}

/// What stdin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StdinMode {
    /// Empty: the program sees its end at once.
    None,
    /// Content with an end, of this many bytes if that is known.
    Known(Option<u64>),
    /// A dialogue: each write must arrive, and be answered, promptly.
    Live,
}

/// The size of a terminal, by field and never by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermSize {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// How a program relates to the life of this command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It ends with us.
    Attached,
    /// It goes on if the connection is lost, and can be attached to again.
    Surviving,
    /// It is left running at once; its output and status can be collected later.
    Detached {
        /// How long its machine is kept from falling asleep, at most. `None`: [`KEEP_AWAKE`], where machines do that.
        keep_awake: Option<Duration>,
    },
}

/// How long the machine of a detached program is kept awake unless something else is asked for.
pub const KEEP_AWAKE: Duration = Duration::from_hours(1);

impl Needs for ExecSpec {
    fn needs(&self) -> Vec<Need> {
        let mut needs = vec![Need::new(Feature::Exec, "exec")];
        let mut also = |wanted: bool, feature, asked: &str| {
            if wanted {
                needs.push(Need::new(feature, asked));
            }
        };
        also(matches!(self.io, Io::Terminal { .. }), Feature::ExecTty, "-t");
        also(self.user.is_some(), Feature::ExecUser, "--user");
        also(self.dir.is_some(), Feature::ExecDir, "--workdir");
        also(!self.env.is_empty(), Feature::ExecEnv, "--env");
        also(self.service_context.is_some(), Feature::ExecContext, "--context");
        also(self.timeout.is_some(), Feature::ExecTimeout, "--timeout");
        also(matches!(self.life, Life::Detached { .. }), Feature::ExecDetach, "--detach");
        let awake = matches!(self.life, Life::Detached { keep_awake: Some(limit) } if !limit.is_zero());
        also(awake, Feature::ExecKeepAwake, "--keep-awake");
        also(self.life == Life::Surviving, Feature::ExecAttach, "--survive");
        also(self.verify, Feature::ExecVerify, "--verify");
        also(self.argv.is_empty(), Feature::ExecShell, "exec without a command");
        needs
    }
}

/// A program that runs. Dropping it means "stop watching": what that does over there differs, so end it explicitly.
pub struct Process {
    /// The run, where it can be found again and once the other side has said so.
    pub run: Arc<OnceLock<RunId>>,
    /// Whether it has a terminal, so that keys are passed on as they are typed.
    pub terminal: bool,
    /// Its stdin, if it has one that can be written to. Its writes wait while the program does not read.
    pub stdin: Option<Box<dyn Stdin>>,
    /// Signals, resize, kill.
    pub control: Arc<dyn Control>,
    inner: Items<Event>,
    ended: bool,
}

/// What a process sends.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// Bytes of its standard output.
    Stdout(Bytes),
    /// Bytes of its standard error.
    Stderr(Bytes),
    /// Something to be told.
    Note(Note),
    /// It ended: last, exactly once.
    Exit(Exit),
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Code(u8),
    /// By this signal, in Linux numbering.
    Signal(u8),
    /// The program does not exist; why, in the provider's words.
    NotFound(String),
    /// It exists and cannot run; why.
    NotRunnable(String),
    /// The time ran out.
    TimedOut(Remote),
    /// It was left running, as this run.
    Detached(RunId),
    /// A terminal closed cleanly and carries no status.
    Closed,
}

impl Exit {
    /// The exit code of `exec` (ux 3.2).
    pub fn code(&self) -> u8 {
        match self {
            Self::Code(code) => *code,
            Self::Signal(signal) => 128u8.saturating_add(*signal),
            Self::NotFound(_) => 127,
            Self::NotRunnable(_) => 126,
            Self::TimedOut(_) => 124,
            Self::Detached(_) | Self::Closed => 0,
        }
    }
}

/// What is left of a program over there, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// It is gone.
    Gone,
    /// It still runs.
    Running,
    /// Nobody knows.
    Unknown,
}

impl Process {
    /// A process whose events are `inner`.
    pub fn new(
        run: Option<RunId>,
        stdin: Option<Box<dyn Stdin>>,
        control: Arc<dyn Control>,
        inner: Items<Event>,
    ) -> Self {
        let run = Arc::new(run.map(OnceLock::from).unwrap_or_default());
        Self { run, terminal: false, stdin, control, inner, ended: false }
    }

    /// A process in a terminal, or in none.
    pub fn in_terminal(self, terminal: bool) -> Self {
        Self { terminal, ..self }
    }

    /// A process whose run is still to be told.
    pub fn known_as(self, run: Arc<OnceLock<RunId>>) -> Self {
        Self { run, ..self }
    }

    /// The next event. An end without `Exit` is an error, here and nowhere else. Cancel-safe, and may stay unpolled
    /// as long as the reader likes: back-pressure is the provider's duty.
    pub async fn next(&mut self) -> Result<Event> {
        if self.ended {
            return Err(Error::internal("an event was asked for after the exit"));
        }
        match self.inner.next().await {
            Some(Ok(event)) => {
                self.ended = matches!(event, Event::Exit(_));
                Ok(event)
            }
            Some(Err(error)) => {
                self.ended = true;
                Err(error)
            }
            None => {
                self.ended = true;
                Err(Error::unreachable("the connection ended before the exit status arrived")
                    .effect(crate::error::Effect::Unknown))
            }
        }
    }
}

/// The stdin of a process.
#[async_trait]
pub trait Stdin: Send {
    /// Sends bytes. `false`: nobody reads any more, which is not an error.
    async fn write(&mut self, chunk: Bytes) -> Result<bool>;
    /// Ends it explicitly: never a keystroke, never on an attached session.
    async fn end(&mut self) -> Result<()>;
}

/// A signal, by name: numbers differ between systems, and wires want names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal(String);

impl Signal {
    /// The signal called `name`, with or without `SIG`, in any case; `None` if Linux has none of that name.
    pub fn parse(name: &str) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
        SIGNALS.iter().find(|(known, _)| *known == bare).map(|(known, _)| Self(format!("SIG{known}")))
    }

    /// The full name, such as `SIGTERM`.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Its number on Linux.
    pub fn number(&self) -> u8 {
        SIGNALS.iter().find(|(known, _)| *known == &self.0[3..]).map_or(0, |(_, number)| *number)
    }

    /// The name of signal `number`, if it has one.
    pub fn from_number(number: u8) -> Option<Self> {
        SIGNALS.iter().find(|(_, known)| *known == number).map(|(name, _)| Self(format!("SIG{name}")))
    }

    /// All names, without `SIG`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SIGNALS.iter().map(|(name, _)| *name)
    }
}

const SIGNALS: &[(&str, u8)] = &[
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
    ("SYS", 31),
];

/// Controls a process.
#[async_trait]
pub trait Control: Send + Sync {
    /// Sends a signal to it.
    async fn signal(&self, signal: Signal) -> Result<()>;
    /// Tells its terminal a new size; without a terminal, nothing happens.
    async fn resize(&self, size: TermSize) -> Result<()>;
    /// Ends it, and returns what is left after at most `grace`.
    async fn kill(&self, grace: Duration) -> Result<Remote>;
    /// Leaves it running and stops watching; its run if it can be found again.
    async fn detach(&self) -> Result<Option<RunId>>;
    /// Sends a control message of the provider's own.
    async fn message(&self, _message: serde_json::Value) -> Result<()> {
        Err(Error::unsupported("this provider takes no control messages of its own"))
    }
}

/// The control of what does not run: it never started, or is over.
pub struct Nobody;

#[async_trait]
impl Control for Nobody {
    async fn signal(&self, _: Signal) -> Result<()> {
        Ok(())
    }

    async fn resize(&self, _: TermSize) -> Result<()> {
        Ok(())
    }

    async fn kill(&self, _: Duration) -> Result<Remote> {
        Ok(Remote::Gone)
    }

    async fn detach(&self) -> Result<Option<RunId>> {
        Ok(None)
    }
}

/// From where an attached run is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// From its first byte.
    Start,
    /// From this byte of its output.
    Offset(u64),
    /// From now on.
    Now,
}

/// Runs that outlive their command.
#[async_trait]
pub trait Runs: Send + Sync {
    /// The runs that can be found, newest first.
    fn list(&self) -> Items<Run>;
    /// Joins a run again.
    async fn attach(&self, id: &RunId, from: From, io: Io) -> Result<Process>;
    /// What it wrote so far, stdout and stderr as one.
    fn logs(&self, id: &RunId) -> ByteStream;
    /// Waits for its exit.
    async fn result(&self, id: &RunId) -> Result<Operation<Exit>>;
    /// Signals it, then kills it after `grace`.
    async fn kill(&self, id: &RunId, signal: Signal, grace: Duration) -> Result<Remote>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_known_by_any_spelling() {
        for name in ["TERM", "SIGTERM", "sigterm", "term"] {
            assert_eq!(Signal::parse(name).unwrap().name(), "SIGTERM");
        }
        assert_eq!(Signal::parse("SIGUSR2").unwrap().number(), 12);
        assert_eq!(Signal::from_number(9).unwrap().name(), "SIGKILL");
        assert!(Signal::parse("SIGFOO").is_none());
    }

    #[test]
    fn exits_map_to_the_codes_of_exec() {
        let codes = [
            Exit::Code(3),
            Exit::Signal(9),
            Exit::NotFound(String::new()),
            Exit::NotRunnable(String::new()),
            Exit::TimedOut(Remote::Gone),
            Exit::Closed,
        ]
        .map(|exit| exit.code());
        assert_eq!(codes, [3, 137, 127, 126, 124, 0]);
    }
}
