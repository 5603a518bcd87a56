//! Running programs: one websocket for stdin, both outputs, the exit and everything that is said beside them (sprites
//! reference, section 3).
//!
//! Nothing is ever started twice: before the upgrade nothing has begun, and after it nothing is asked again.

mod control;
mod detach;
mod frames;
mod reader;
mod request;
mod script;
mod session;
#[cfg(test)]
mod tests;
mod verify;

use self::control::{SpritesControl, SpritesStdin};
use self::frames::{Frames, unstartable};
use self::reader::Reader;
use self::request::Ask;
use self::session::Session;
use self::verify::Tally;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::provider::exec::{Event, Exec, ExecSpec, Exit, Io, Life, Nobody, Process, Stdin, TermSize};
use crate::provider::queue::{Bounds, queue};
use crate::stream;
use crate::transport::query::Query;
use crate::transport::{Request, WebSocket};
use async_trait::async_trait;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub(super) use self::session::Place;

/// The header that says what may be sent over the socket (section 3.4).
const CAPABILITIES: &str = "x-sprite-capabilities";

/// The programs of a sandbox.
pub(super) struct SpritesExec(pub(super) Place);

/// A program that is attended.
struct Attended {
    process: Process,
    session: Arc<Session>,
}

/// How a session is attended.
struct Attending {
    program: String,
    tty: bool,
    survives: bool,
    /// Whether it was opened by this command.
    is_ours: bool,
    /// Whether something may be sent to its stdin.
    stdin: bool,
    size: Option<TermSize>,
    timeout: Option<Duration>,
    tally: Option<Tally>,
}

#[async_trait]
impl Exec for SpritesExec {
    async fn start(&self, spec: ExecSpec) -> Result<Process> {
        if let Life::Detached { keep_awake } = spec.life {
            return self.detach(&spec, keep_awake).await;
        }
        let tally = spec.verify.then(Tally::new);
        let ask = Ask::new(&spec, tally.as_ref().map(Tally::script).as_deref())?;
        match self.open(&ask, program(&spec), &spec, tally).await {
            Ok(attended) => Ok(attended.process),
            Err(error) => match unstarted(&error) {
                Some(exit) => Ok(over(exit)),
                None => Err(error),
            },
        }
    }
}

impl SpritesExec {
    async fn open(&self, ask: &Ask, program: String, spec: &ExecSpec, tally: Option<Tally>) -> Result<Attended> {
        let place = &self.0;
        let what = format!("run `{program}`");
        if let Some((path, content)) = &ask.file {
            let query = Query::new("").with("path", path).with("workingDir", "/").with("mode", "0600").build();
            let request = Request::put(place.path(&format!("/fs/write{query}"))).body(content.clone());
            let written = place.client.fetch(&what, request).await;
            // Nothing has run, whatever became of the file.
            written.map_err(|error| error.effect(Effect::None))?;
        }
        let opened = place.client.websocket(&what, &place.path(&format!("/exec{}", ask.query))).await;
        let socket = match (opened, &ask.file) {
            (Err(error), Some((path, _))) => {
                let _ = remove(place, path).await;
                return Err(error);
            }
            (opened, _) => opened?,
        };
        let attended = attend(
            place,
            socket,
            Attending {
                program,
                tty: ask.terminal.is_some(),
                survives: spec.life == Life::Surviving,
                is_ours: true,
                stdin: ask.stdin,
                size: ask.terminal,
                timeout: spec.timeout,
                tally,
            },
        );
        if let Some(prelude) = &ask.prelude {
            attended.session.send(control::messages(prelude, false)).await;
            if !ask.stdin {
                attended.session.send([control::end_of_input()]).await;
            }
        }
        Ok(attended)
    }
}

/// Takes a socket over: from here on its reader runs until the exit, or until the process is dropped.
fn attend(place: &Place, socket: WebSocket, how: Attending) -> Attended {
    let takes_signals = takes_signals(&socket);
    let (sink, stream) = socket.split();
    let session = Session::new(place.clone(), how.program, how.tty, how.survives, sink, takes_signals);
    let session = Arc::new(session);
    let (filler, taker) = queue(Bounds::default());
    let reader = Reader {
        session: session.clone(),
        stream,
        frames: Frames::new(how.tty),
        out: filler,
        deadline: how.timeout.and_then(|limit| Instant::now().checked_add(limit)),
        tally: how.tally,
        size: how.size,
    };
    let reader = Reading(tokio::spawn(reader.run()));
    let events = stream::unfold((taker, reader), |(mut taker, reader)| async move {
        let event = taker.next().await.transpose()?;
        Ok(event.map(|event| (event, (taker, reader))))
    });
    let stdin =
        how.stdin.then(|| Box::new(SpritesStdin { session: session.clone(), is_ours: how.is_ours }) as Box<dyn Stdin>);
    let control = Arc::new(SpritesControl(session.clone()));
    let process = Process::new(None, stdin, control, events).in_terminal(how.tty).known_as(session.run.clone());
    Attended { process, session }
}

/// Whether signals may be sent over this socket.
pub(super) fn takes_signals(socket: &WebSocket) -> bool {
    let words = socket.headers().get(CAPABILITIES).and_then(|value| value.to_str().ok()).unwrap_or_default();
    words.split(',').any(|word| word.trim() == "signal")
}

/// The task that reads, which ends with whoever takes from it.
struct Reading(JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Attends a session that runs already. `io` says how large our terminal is.
pub(super) async fn attach(place: &Place, socket: WebSocket, program: String, tty: bool, io: Io) -> Process {
    let size = match io {
        Io::Terminal { size, .. } => Some(size),
        Io::Pipes { .. } => None,
    };
    let how = Attending { program, tty, survives: tty, is_ours: false, stdin: true, size, timeout: None, tally: None };
    let Attended { process, session } = attend(place, socket, how);
    if tty {
        reader::repaint(&session, size).await;
    }
    process
}

/// The program, for messages.
fn program(spec: &ExecSpec) -> String {
    spec.argv.first().map_or_else(|| "the login shell".to_owned(), |word| String::from_utf8_lossy(word).into_owned())
}

/// The exit, if the upgrade was refused because the program cannot be started.
fn unstarted(error: &Error) -> Option<Exit> {
    let wire = error.parts().wire.as_ref()?;
    let words = wire.message.as_deref()?;
    matches!(wire.status, Some(400 | 422 | 500)).then(|| unstartable(words)).flatten()
}

/// A process that is over already.
fn over(exit: Exit) -> Process {
    Process::new(None, None, Arc::new(Nobody), stream::iter([Ok(Event::Exit(exit))]))
}

/// Removes a file of ours over there; one that is not there is fine. Servers differ in where they look (section 2.6).
async fn remove(place: &Place, path: &str) -> Result<()> {
    let query = Query::new("").with("path", path).with("workingDir", "/").build();
    let request =
        || Request::delete(place.path(&format!("/fs/delete{query}"))).json(&json!({"path": path, "workingDir": "/"}));
    match place.client.repeat(&format!("remove `{path}`"), &request).await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
