//! What a program sends, as one stream of events.
//!
//! Nothing is read unless an event is asked for, so a slow reader slows the program and nothing is buffered here.

use super::control::END;
use super::{GRACE, Launch, PebbleExec, verdict};
use crate::error::{Effect, Error, ErrorKind, Result, Wire};
use crate::model::{Change, Note, OperationId};
use crate::provider::exec::{Event, Exit, Remote};
use crate::provider::pebble::api;
use crate::provider::pebble::changes;
use crate::provider::pebble::client::Client;
use crate::stream::{self, Items};
use crate::transport::{Frame, Request, WsStream};
use bytes::Bytes;
use std::future::pending;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// The long poll for the end of a change, under way. Ends with the change, or when it is dropped.
pub(super) struct Wait(JoinHandle<Result<Change>>);

impl Wait {
    pub(super) fn start(client: &Client, launch: &Launch) -> Self {
        Self(tokio::spawn(wait(client.clone(), launch.change.clone())))
    }

    /// What became of the change. Cancel-safe, but asked for only once.
    pub(super) async fn result(mut self) -> Result<Change> {
        self.next().await
    }

    async fn next(&mut self) -> Result<Change> {
        (&mut self.0).await.map_err(Error::internal)?
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn wait(client: Client, change: OperationId) -> Result<Change> {
    let what = format!("wait for change {change}");
    let request = Request::get(format!("/v1/changes/{change}/wait")).long_poll(None);
    match client.fetch(&what, request).await {
        Ok((_, body)) => client.result::<api::Change>(&what, &body).map(Into::into),
        // A daemon without the long poll (section 10.37).
        Err(error) if error.kind() == ErrorKind::Unsupported => changes::watch(&client, change, None).wait().await,
        Err(error) => Err(error),
    }
}

/// One output stream of the program.
struct Output {
    /// `None` once it ended.
    stream: Option<WsStream>,
    /// Whether it broke off without the daemon's word that this was all.
    broke: bool,
}

impl Output {
    fn new(stream: Option<WsStream>) -> Self {
        Self { stream, broke: false }
    }

    /// The next bytes, or `None` at the end. Never ready once it ended. Cancel-safe.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(stream) = &mut self.stream else { return pending().await };
        loop {
            match stream.next().await {
                Ok(Some(Frame::Binary(bytes))) => return Ok(Some(bytes)),
                Ok(Some(Frame::Text(text))) if is_end(&text) => break,
                // Other commands are for later versions.
                Ok(Some(Frame::Text(_))) => {}
                Ok(Some(Frame::Close { .. } | Frame::Eof) | None) => {
                    self.broke = true;
                    break;
                }
                Err(error) => {
                    self.stream = None;
                    return Err(error);
                }
            }
        }
        self.stream = None;
        Ok(None)
    }
}

fn is_end(text: &str) -> bool {
    text == END || serde_json::from_str::<serde_json::Value>(text).is_ok_and(|message| message["command"] == "end")
}

/// A program that runs.
pub(super) struct Running {
    client: Client,
    launch: Launch,
    wait: Wait,
    /// What the long poll brought, once it did.
    ready: Option<Result<Change>>,
    gone: watch::Receiver<bool>,
    is_gone: bool,
    stdout: Output,
    stderr: Output,
    /// When to give up on a daemon that should have ended it.
    deadline: Option<Instant>,
    timeout: Option<Duration>,
    /// When something was last heard.
    heard: Instant,
    /// Whether it was told that the output is held by something else.
    told: bool,
}

/// What a turn of waiting brought.
enum Turn {
    Output(Event),
    Nothing,
    Silence,
    TooLate,
}

impl Running {
    pub(super) fn new(
        client: Client,
        launch: Launch,
        wait: Wait,
        gone: watch::Receiver<bool>,
        (stdout, stderr): (WsStream, Option<WsStream>),
        timeout: Option<Duration>,
    ) -> Self {
        let deadline = timeout.and_then(|timeout| launch.since.checked_add(timeout.saturating_add(GRACE)));
        let is_gone = *gone.borrow();
        Self {
            client,
            wait,
            ready: None,
            gone,
            is_gone,
            stdout: Output::new(Some(stdout)),
            stderr: Output::new(stderr),
            deadline,
            timeout,
            heard: launch.since,
            told: false,
            launch,
        }
    }

    /// Its events.
    pub(super) fn events(self) -> Items<Event> {
        stream::unfold(Some(self), |running| async move {
            let Some(mut running) = running else { return Ok(None) };
            let event = running.next().await?;
            let next = (!matches!(event, Event::Exit(_))).then_some(running);
            Ok(Some((event, next)))
        })
    }

    async fn next(&mut self) -> Result<Event> {
        while self.stdout.stream.is_some() || self.stderr.stream.is_some() {
            match self.turn().await? {
                Turn::Output(event) => return Ok(event),
                Turn::Nothing => {}
                Turn::Silence => return Ok(Event::Note(self.silence())),
                Turn::TooLate => return Ok(Event::Exit(self.too_late())),
            }
        }
        self.exit().await.map(Event::Exit)
    }

    async fn turn(&mut self) -> Result<Turn> {
        // Once the program is gone, or its change is ready, the output should end by itself.
        let quiet = ((self.is_gone || self.ready.is_some()) && !self.told).then(|| self.heard + GRACE);
        let deadline = self.deadline;
        let turn = tokio::select! {
            // What is here already comes before the clocks: they also run while our own reader takes its time.
            biased;
            turn = self.news() => turn,
            () = until(quiet) => return Ok(Turn::Silence),
            () = until(deadline) => return Ok(Turn::TooLate),
        };
        self.heard = Instant::now();
        turn.map_err(|error| self.explain(error))
    }

    /// The next news of any kind. Cancel-safe.
    async fn news(&mut self) -> Result<Turn> {
        tokio::select! {
            bytes = self.stdout.next() => Self::output(bytes, Event::Stdout),
            bytes = self.stderr.next() => Self::output(bytes, Event::Stderr),
            ready = self.wait.next(), if self.ready.is_none() => {
                self.ready = Some(ready);
                Ok(Turn::Nothing)
            }
            _ = self.gone.wait_for(|gone| *gone), if !self.is_gone => {
                self.is_gone = true;
                Ok(Turn::Nothing)
            }
        }
    }

    fn output(bytes: Result<Option<Bytes>>, event: fn(Bytes) -> Event) -> Result<Turn> {
        bytes.map(|bytes| bytes.map_or(Turn::Nothing, |bytes| Turn::Output(event(bytes))))
    }

    /// The program is gone, but its output does not end (section 3.3, grandchildren).
    fn silence(&mut self) -> Note {
        self.told = true;
        if self.ready.is_some() {
            // The daemon is done with it, and still did not end the streams: what came of them may not be all, and a
            // part is never reported as the whole.
            for output in [&mut self.stdout, &mut self.stderr] {
                output.broke |= output.stream.take().is_some();
            }
            return Note::Gap(format!("the end of the output of `{}` did not arrive", self.launch.program));
        }
        let limit = match self.timeout {
            Some(_) => "until its time runs out",
            None => "press Ctrl-C twice to leave",
        };
        Note::Gap(format!(
            "`{}` has ended, but a process that it left in the background holds its output open; still reading ({limit})",
            self.launch.program
        ))
    }

    /// The time ran out long ago, and the daemon does not say that it ended the program.
    fn too_late(&self) -> Exit {
        Exit::TimedOut(if self.is_gone { Remote::Running } else { Remote::Unknown })
    }

    /// All output is here: how it ended.
    async fn exit(&mut self) -> Result<Exit> {
        let broke = self.stdout.broke || self.stderr.broke;
        // A daemon that dropped the streams either says why at once, or is gone.
        let limit = if broke { Some(Instant::now() + GRACE) } else { self.deadline };
        if self.ready.is_none() {
            tokio::select! {
                ready = self.wait.next() => self.ready = Some(ready),
                () = until(limit) => {}
            }
        }
        let change = match self.ready.take() {
            Some(Ok(change)) => change,
            Some(Err(error)) if error.kind() == ErrorKind::Unreachable => {
                if broke {
                    return Err(self.explain(error));
                }
                // The streams ended as they should, so the daemon lives: only this connection was lost.
                wait(self.client.clone(), self.launch.change.clone()).await.map_err(|e| self.explain(e))?
            }
            Some(Err(error)) => return Err(error),
            None if broke => return Err(self.lost("its streams broke off")),
            None => return Ok(self.too_late()),
        };
        match verdict(&self.client, &change, &self.launch.program)? {
            Exit::Code(_) if broke => Err(self.lost("its output broke off before the end")),
            exit => Ok(exit),
        }
    }

    fn explain(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::Unreachable { self.lost(error.to_string()).source(error) } else { error }
    }

    fn lost(&self, why: impl Into<String>) -> Error {
        PebbleExec(self.client.clone()).lost(&self.launch, why)
    }
}

/// Never, if there is no such moment.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

impl PebbleExec {
    /// The connection is lost, and with it what became of the program.
    pub(super) fn lost(&self, launch: &Launch, why: impl Into<String>) -> Error {
        let Launch { program, change, .. } = launch;
        let message =
            format!("lost `{program}` on `{}` before its exit status arrived (change {change})", self.0.endpoint);
        Error::unreachable(message)
            .cause(why)
            .effect(Effect::Unknown)
            .at("pebble", self.0.endpoint.clone())
            .wire(Wire { operation_id: Some(change.0.clone()), ..Wire::default() })
            .hint(format!("it may still run there; `esker svc change show {change}` tells what the daemon knows"))
    }
}
