//! Running programs: a request that starts a change, up to three websockets, and the long poll that tells the exit
//! (pebble reference, section 3).
//!
//! The three websockets are opened side by side while the long poll is under way already, so that a short program
//! costs three round trips. Nothing is ever started twice.

pub(super) mod control;
mod detach;
mod events;
mod request;
mod sockets;
mod verdict;

use self::control::PebbleControl;
use self::events::{Running, Wait};
use self::request::Command;
use self::sockets::Sockets;
use super::client::{Client, Started};
use crate::error::{Effect, ErrorKind, Result, Wire};
use crate::model::OperationId;
use crate::provider::exec::{Event, Exec, ExecSpec, Exit, Io, Life, Process, Stdin, StdinMode};
use crate::stream;
use crate::transport::query::Query;
use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

pub(super) use self::detach::{log_path, task_of};
pub(super) use self::verdict::{exec_task, verdict};

/// How long the daemon lets a program wait for its websockets, and so how long opening them may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long the output may stay silent once the program is gone, or be late after its time ran out.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// The programs of a daemon.
#[derive(Clone)]
pub(super) struct PebbleExec(pub(super) Client);

/// What the reply holds beside the program's environment, which is the daemon's too and stays unread.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Created {
    task_id: String,
}

/// A program on its way: the daemon waits for the websockets now.
struct Launch {
    change: OperationId,
    task: String,
    /// The program, for messages.
    program: String,
    since: Instant,
}

#[async_trait]
impl Exec for PebbleExec {
    async fn start(&self, spec: ExecSpec) -> Result<Process> {
        match spec.life {
            Life::Detached { .. } => self.detach(&spec).await,
            Life::Attached | Life::Surviving => self.attach(&spec).await,
        }
    }
}

impl PebbleExec {
    async fn attach(&self, spec: &ExecSpec) -> Result<Process> {
        let command = Command::new(spec)?;
        let launch = match self.launch(&command).await? {
            Ok(launch) => launch,
            Err(exit) => return Ok(over(exit)),
        };
        let wait = Wait::start(&self.0, &launch);
        let Some(sockets) = Sockets::open(&self.0, &launch.task, command.split_stderr).await? else {
            return self.refused(&launch, wait).await.map(over);
        };
        let Sockets { stdio: (mut sink, stdout), stderr, control } = sockets;
        let stdin: Option<Box<dyn Stdin>> = match spec.io {
            Io::Pipes { stdin: StdinMode::None, .. } | Io::Terminal { interactive: false, .. } => {
                sink.send_text(control::END).await?;
                None
            }
            _ => Some(Box::new(control::PebbleStdin(sink))),
        };
        let (control, gone) = PebbleControl::new(control);
        let run = Some(launch.change.0.as_str().into());
        let running = Running::new(self.0.clone(), launch, wait, gone, (stdout, stderr), spec.timeout);
        let process = Process::new(run, stdin, Arc::new(control), running.events());
        Ok(process.in_terminal(matches!(spec.io, Io::Terminal { .. })))
    }

    /// Asks for the program. One that does not exist or cannot run is an exit.
    async fn launch(&self, command: &Command<'_>) -> Result<Result<Launch, Exit>> {
        let program = command.program();
        let what = format!("run `{program}`");
        match self.0.post_async::<Created>(&what, "/v1/exec", command).await {
            Ok(Started { change, result }) => Ok(Ok(Launch {
                change: change.into(),
                task: result.task_id,
                program: program.to_owned(),
                since: Instant::now(),
            })),
            Err(error) if is_no_executable(error.parts().wire.as_ref()) => Ok(Err(self.not_executable(program).await)),
            Err(error) if is_refused(error.parts().wire.as_ref()) => {
                let mut error = error.effect(Effect::None);
                error.parts_mut().kind = ErrorKind::Rejected;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// The daemon refuses what is not there and what cannot be executed in the same words. For an absolute path its
    /// files tell the two apart; it looks up others where its files cannot.
    async fn not_executable(&self, program: &str) -> Exit {
        #[derive(Deserialize)]
        struct Entry {
            #[serde(rename = "type", default)]
            kind: String,
        }
        let path = Query::new("/v1/files").with("action", "list").with("itself", "true").with("path", program).build();
        let entry = if program.starts_with('/') {
            self.0.get::<Vec<Entry>>("look at the program", &path).await.ok().and_then(|mut all| all.pop())
        } else {
            None
        };
        match entry.map(|entry| entry.kind) {
            Some(kind) if kind == "directory" => Exit::NotRunnable(format!("`{program}` is a directory")),
            // Where a link leads cannot be asked: it may lead nowhere.
            Some(kind) if kind != "symlink" => Exit::NotRunnable(format!("`{program}` is not executable")),
            _ => Exit::NotFound(format!("no executable `{program}`")),
        }
    }

    /// Why the websockets were refused: the change knows (section 3.2, handshake failures).
    async fn refused(&self, launch: &Launch, wait: Wait) -> Result<Exit> {
        let change = match tokio::time::timeout(HANDSHAKE, wait.result()).await {
            Ok(change) => change?,
            Err(_) => return Err(self.lost(launch, "the daemon does not open its streams")),
        };
        match verdict(&self.0, &change, &launch.program)? {
            // It ran, but nobody saw what it wrote.
            Exit::Code(_) => Err(self.lost(launch, "its output was taken by somebody else")),
            exit => Ok(exit),
        }
    }
}

/// Whether the daemon says that the program is missing or cannot be executed, which it does before anything else.
fn is_no_executable(wire: Option<&Wire>) -> bool {
    let words = wire.and_then(|wire| wire.message.as_deref()).unwrap_or_default();
    wire.is_some_and(|wire| wire.status == Some(400)) && words.contains("cannot find executable")
}

/// Whether the daemon refuses the directory or the mode, in which case nothing runs. It says so with status 500.
fn is_refused(wire: Option<&Wire>) -> bool {
    let words = wire.and_then(|wire| wire.message.as_deref()).unwrap_or_default();
    wire.is_some_and(|wire| wire.status == Some(500)) && words.starts_with("cannot call exec: ")
}

/// A process that is over already.
fn over(exit: Exit) -> Process {
    let events = stream::iter([Ok(Event::Exit(exit))]);
    Process::new(None, None, Arc::new(control::Nobody), events)
}

/// What other capabilities do over exec.
impl PebbleExec {
    /// Starts `argv` with nothing on its stdin.
    pub(super) async fn helper(&self, argv: &[&str]) -> Result<Process> {
        let argv = argv.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        self.start(ExecSpec::new(argv)).await
    }
}
