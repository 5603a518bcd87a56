//! A real terminal: what is typed goes there, what it shows comes back, as text that the server may have lost bytes of
//! (section 4.5).
//!
//! A command runs under a script that prints a record of its status at the end. Without a command it is the terminal as
//! the server starts it, tmux and all, whose end has no status; when its connection is lost there is another one.

use super::dialogue::{Dialogue, Turn};
use super::live::finished;
use super::{Reading, program, words};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Note, RunId};
use crate::provider::exec::{Control, Event, ExecSpec, Exit, Io, Process, Remote, Signal, Stdin, TermSize};
use crate::provider::queue::{Bounds, Filler, queue};
use crate::provider::rexec::spot::Spot;
use crate::provider::rexec::terminal::{self, Listener, Said, Typist};
use crate::stream;
use async_trait::async_trait;
use bytes::Bytes;
use std::future::pending;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Runs a program in the terminal.
const TTY: &str = concat!(include_str!("common.sh"), include_str!("tty.sh"));

/// How long a terminal that was lost is tried to be had again.
const AGAIN: Duration = Duration::from_mins(1);

/// How long the end of a program whose time ran out may take.
const REAPING: Duration = Duration::from_secs(8);

/// What whoever types and whoever reads share.
struct Shared {
    typist: Mutex<Typist>,
    size: std::sync::Mutex<TermSize>,
    interactive: bool,
}

pub(super) async fn start(spot: &Spot, spec: &ExecSpec) -> Result<Process> {
    let Io::Terminal { size, interactive, .. } = spec.io else {
        return Err(Error::internal("a terminal was started without one"));
    };
    let deadline = spec.timeout.and_then(|limit| Instant::now().checked_add(limit));
    let is_plain = spec.argv.is_empty() && spec.dir.is_none() && spec.env.iter().all(|(name, _)| name == "TERM");
    let (filler, taker) = queue(Bounds::default());
    let (typist, reading) = if is_plain {
        let (mut typist, listener) = terminal::open(spot, "open a terminal").await?;
        typist.resize(size).await;
        let shared = shared(typist, size, interactive);
        let attached = Attached { spot: spot.clone(), shared: Arc::clone(&shared), listener, out: filler, deadline };
        (shared, Reading(tokio::spawn(attached.run())))
    } else {
        let what = format!("run `{}`", program(spec));
        let command = words::script(spec)?;
        let mut dialogue = Dialogue::open(spot, &what, Some(size), &command, "", TTY).await?;
        dialogue.wait(&what, b'G').await.map_err(|error| error.effect(Effect::Unknown))?;
        let shared = shared(dialogue.typist.clone(), size, interactive);
        let command =
            Command { what, program: program(spec), shared: Arc::clone(&shared), dialogue, out: filler, deadline };
        (shared, Reading(tokio::spawn(command.run())))
    };
    let events = stream::unfold((taker, reading), |(mut taker, reading)| async move {
        let event = taker.next().await.transpose()?;
        Ok(event.map(|event| (event, (taker, reading))))
    });
    let stdin = interactive.then(|| Box::new(Keys(Arc::clone(&typist))) as Box<dyn Stdin>);
    Ok(Process::new(None, stdin, Arc::new(TtyControl(typist)), events).in_terminal(true))
}

fn shared(typist: Typist, size: TermSize, interactive: bool) -> Arc<Shared> {
    Arc::new(Shared { typist: Mutex::new(typist), size: std::sync::Mutex::new(size), interactive })
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// A terminal as the server starts it.
struct Attached {
    spot: Spot,
    shared: Arc<Shared>,
    listener: Listener,
    out: Filler,
    deadline: Option<Instant>,
}

impl Attached {
    async fn run(mut self) {
        let exit = self.read().await;
        self.shared.typist.lock().await.close().await;
        self.out.push(exit.map(Event::Exit)).await;
    }

    async fn read(&mut self) -> Result<Exit> {
        if !self.shared.interactive {
            // Nobody will ever type the end of its input.
            self.shared.typist.lock().await.text("\x04").await;
        }
        loop {
            let said = tokio::select! {
                said = self.listener.next() => said,
                () = until(self.deadline) => return Ok(Exit::TimedOut(Remote::Unknown)),
            };
            let why = match said {
                Ok(Said::Output(bytes)) => {
                    self.out.push(Ok(Event::Stdout(bytes))).await;
                    continue;
                }
                Ok(Said::Ready | Said::Stats(_)) => continue,
                Ok(Said::ShellEnded) => return Ok(Exit::Closed),
                Ok(Said::Moved) => "the container was made anew".to_owned(),
                Ok(Said::Ended(why)) if why.contains("no longer available") || why.contains("(4003)") => {
                    return Err(Error::unreachable(self.spot.client.cannot("keep the terminal", &why)));
                }
                Ok(Said::Ended(why)) => why,
                Err(error) => error.to_string(),
            };
            let deadline = self.deadline;
            tokio::select! {
                found = self.again(&why) => found?,
                () = until(deadline) => return Ok(Exit::TimedOut(Remote::Unknown)),
            }
        }
    }

    /// Another terminal in the place of one that was lost: with tmux it is the same session.
    async fn again(&mut self, why: &str) -> Result<()> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(100);
        self.spot.forget().await;
        loop {
            match terminal::open(&self.spot, "open the terminal again").await {
                Ok((typist, listener)) => {
                    self.listener = listener;
                    let size = *self.shared.size.lock().unwrap_or_else(PoisonError::into_inner);
                    let mut shared = self.shared.typist.lock().await;
                    *shared = typist;
                    shared.resize(size).await;
                    self.out.push(Ok(Event::Note(Note::Reconnected { lost: None }))).await;
                    return Ok(());
                }
                Err(error) if begun.elapsed() > AGAIN || !is_passing(&error) => {
                    return Err(error.cause(why.to_owned()));
                }
                Err(_) => {}
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(Duration::from_secs(8));
        }
    }
}

fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::TryLater)
}

/// A command in a terminal.
struct Command {
    what: String,
    program: String,
    shared: Arc<Shared>,
    dialogue: Dialogue,
    out: Filler,
    deadline: Option<Instant>,
}

impl Command {
    async fn run(mut self) {
        let exit = self.read().await;
        self.shared.typist.lock().await.close().await;
        self.out.push(exit.map(Event::Exit)).await;
    }

    async fn read(&mut self) -> Result<Exit> {
        loop {
            let turn = tokio::select! {
                turn = self.dialogue.next(&self.what) => turn,
                () = until(self.deadline) => {
                    let reaped = super::reap::reap(&self.dialogue.spot, &self.dialogue.nonce);
                    let is_gone = matches!(timeout(REAPING, reaped).await, Ok(Ok(true)));
                    return Ok(Exit::TimedOut(if is_gone { Remote::Gone } else { Remote::Unknown }));
                }
            };
            let record = match turn.map_err(|error| error.effect(Effect::Unknown))? {
                Turn::Plain(bytes) => {
                    self.out.push(Ok(Event::Stdout(bytes.into()))).await;
                    continue;
                }
                Turn::Record(record) if record.kind == b'X' => record,
                Turn::Record(_) => continue,
            };
            let text = String::from_utf8_lossy(&record.payload).into_owned();
            let (code, why) = text.split_once(' ').unwrap_or((&text, ""));
            let code = code.parse().map_err(|_| Error::failure("the status of a program cannot be read"))?;
            if why == "dir" {
                let why = "its working directory does not exist";
                return Err(Error::not_found(self.dialogue.spot.client.cannot(&self.what, why)));
            }
            return Ok(finished(code, Some(why), &self.program, false));
        }
    }
}

/// The keys of a terminal.
struct Keys(Arc<Shared>);

#[async_trait]
impl Stdin for Keys {
    async fn write(&mut self, chunk: Bytes) -> Result<bool> {
        // A connection that was lost is found again: what was typed meanwhile is lost, as the note says.
        self.0.typist.lock().await.bytes(&chunk).await;
        Ok(true)
    }

    /// A terminal has no end of input but a key, which is the user's.
    async fn end(&mut self) -> Result<()> {
        Ok(())
    }
}

struct TtyControl(Arc<Shared>);

#[async_trait]
impl Control for TtyControl {
    /// Those that a terminal has keys for.
    async fn signal(&self, signal: Signal) -> Result<()> {
        let key = match signal.name() {
            "SIGINT" => "\x03",
            "SIGQUIT" => "\x1c",
            _ => return Err(Error::unsupported(format!("a terminal over there has no key for {}", signal.name()))),
        };
        self.0.typist.lock().await.text(key).await;
        Ok(())
    }

    async fn resize(&self, size: TermSize) -> Result<()> {
        if size.cols > 0 && size.rows > 0 {
            *self.0.size.lock().unwrap_or_else(PoisonError::into_inner) = size;
            self.0.typist.lock().await.resize(size).await;
        }
        Ok(())
    }

    async fn kill(&self, _: Duration) -> Result<Remote> {
        let mut typist = self.0.typist.lock().await;
        typist.text("\x03").await;
        typist.close().await;
        Ok(Remote::Unknown)
    }

    async fn detach(&self) -> Result<Option<RunId>> {
        self.0.typist.lock().await.close().await;
        Ok(None)
    }
}
