//! The task that reads a session's socket: the server drops a client that does not read for long (section 3.8).

use super::super::runs::{Id, join};
use super::control::{end, resize};
use super::frames::{Frames, Said, unstartable};
use super::session::Session;
use super::verify::Tally;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Note;
use crate::provider::exec::{Event, Exit, Remote, TermSize};
use crate::provider::queue::Filler;
use crate::transport::{Frame, WsStream};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// How long the end of a program whose time ran out may take.
const GRACE: Duration = Duration::from_secs(4);

/// How long a terminal whose connection was lost is looked for.
const SEARCH: Duration = Duration::from_mins(1);

/// Reads a session to its end.
pub(super) struct Reader {
    pub(super) session: Arc<Session>,
    pub(super) stream: WsStream,
    pub(super) frames: Frames,
    pub(super) out: Filler,
    /// When its time is up.
    pub(super) deadline: Option<Instant>,
    /// What arrived, where that is to be compared.
    pub(super) tally: Option<Tally>,
    /// The size that is told to a terminal that was joined.
    pub(super) size: Option<TermSize>,
}

/// What a turn of waiting brought.
enum Turn {
    Frame(Result<Option<Frame>>),
    Quiet,
    TimeIsUp,
    Killed(Remote),
}

impl Reader {
    /// Reads until the exit is certain or lost, and tells it.
    pub(super) async fn run(mut self) {
        let mut told = false;
        let exit = self.read(&mut told).await;
        self.session.end().await;
        let exit = match (exit, self.tally.take()) {
            (Ok(Exit::Code(code)), Some(tally)) => tally.check(&self.session).await.map(|()| Exit::Code(code)),
            (exit, _) => exit,
        };
        self.out.push(exit.map(Event::Exit)).await;
    }

    async fn read(&mut self, told: &mut bool) -> Result<Exit> {
        let mut killing: Option<JoinHandle<Remote>> = None;
        loop {
            if let Some(code) = self.frames.exit().filter(|_| self.frames.is_complete()) {
                return Ok(ended(code, killing.is_some()));
            }
            match self.turn(&mut killing).await {
                Turn::Frame(Ok(Some(Frame::Binary(bytes)))) => {
                    let events = self.frames.binary(bytes);
                    self.tell(events).await;
                    self.tell_of_file(told);
                }
                Turn::Frame(Ok(Some(Frame::Text(text)))) => {
                    let (events, said) = self.frames.text(&text);
                    self.tell(events).await;
                    if let Some(exit) = self.heed(said).await? {
                        return Ok(exit);
                    }
                }
                Turn::Frame(ended_as) => {
                    self.frames.closed();
                    if let Some(code) = self.frames.exit() {
                        return Ok(ended(code, killing.is_some()));
                    }
                    if let Some(killing) = killing {
                        return Ok(Exit::TimedOut(killing.await.unwrap_or(Remote::Unknown)));
                    }
                    let why = why(ended_as);
                    let joined = match self.deadline {
                        Some(deadline) => timeout_at(deadline, self.rejoin(&why)).await,
                        None => Ok(self.rejoin(&why).await),
                    };
                    match joined {
                        Ok(joined) => joined?,
                        // Its time is up before it was found: it is ended if the server can be reached for that.
                        Err(_) => {
                            return Ok(Exit::TimedOut(end(&self.session, GRACE).await.unwrap_or(Remote::Unknown)));
                        }
                    }
                }
                Turn::Quiet => {
                    if let Some(code) = self.frames.exit() {
                        return Ok(ended(code, killing.is_some()));
                    }
                    let events = self.frames.quiet();
                    self.tell(events).await;
                }
                Turn::TimeIsUp => {
                    self.deadline = None;
                    let session = self.session.clone();
                    killing = Some(tokio::spawn(async move { end(&session, GRACE).await.unwrap_or(Remote::Unknown) }));
                }
                Turn::Killed(remote) => return Ok(Exit::TimedOut(remote)),
            }
        }
    }

    async fn turn(&mut self, killing: &mut Option<JoinHandle<Remote>>) -> Turn {
        let killed = async {
            match killing {
                Some(killing) => killing.await.unwrap_or(Remote::Unknown),
                None => pending().await,
            }
        };
        let quiet = async {
            match self.frames.patience() {
                Some(patience) => sleep(patience).await,
                None => pending().await,
            }
        };
        let late = async {
            match self.deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = late => Turn::TimeIsUp,
            // What is here already comes before what its silence would mean.
            frame = self.stream.next() => Turn::Frame(frame),
            remote = killed => Turn::Killed(remote),
            () = quiet => Turn::Quiet,
        }
    }

    async fn tell(&mut self, events: Vec<Event>) {
        for event in events {
            if let Some(tally) = &mut self.tally {
                tally.count(&event);
            }
            self.out.push(Ok(event)).await;
        }
    }

    /// Says once that output has to wait in a file.
    fn tell_of_file(&self, told: &mut bool) {
        if !*told && self.out.is_filed() {
            *told = true;
            self.session.place.client.notes().info("output that nobody takes here waits in a temporary file");
        }
    }

    /// Does what a text message says; returns the exit of a program that could not be started.
    async fn heed(&mut self, said: Said) -> Result<Option<Exit>> {
        match said {
            Said::Nothing => Ok(None),
            Said::Info(info) => {
                self.session.identify(Id::of(&info));
                Ok(None)
            }
            Said::Note(note) => {
                self.out.push(Ok(Event::Note(note))).await;
                Ok(None)
            }
            Said::Failed(words) => match unstartable(&words) {
                Some(exit) => Ok(Some(exit)),
                // Without a name it was never begun.
                None if self.session.known_id().is_none() => Err(self.session.refused(&words)),
                None => Err(self.session.lost(words)),
            },
        }
    }

    /// Joins a terminal again whose connection was lost. Of pipes nobody knows what was sent meanwhile (section 3.9).
    async fn rejoin(&mut self, why: &str) -> Result<()> {
        let lost = || self.session.lost(why);
        let id = self.session.known_id().filter(|_| self.session.survives && self.session.tty).ok_or_else(lost)?;
        self.session.lose();
        let until = Instant::now() + SEARCH;
        let mut pause = Duration::from_millis(250);
        let (socket, takes_signals) = loop {
            match join(&self.session.place, &id).await {
                Ok(joined) => break joined,
                Err(error) if is_passing(&error) && Instant::now() + pause < until => {
                    sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(error) => return Err(lost().cause(error.to_string())),
            }
        };
        let (sink, stream) = socket.split();
        self.stream = stream;
        self.frames = Frames::new(true);
        self.session.found(sink, takes_signals);
        self.out.push(Ok(Event::Note(Note::Reconnected { lost: None }))).await;
        repaint(&self.session, self.size).await;
        Ok(())
    }
}

/// Has a terminal's program draw anew: it does when the size changes (section 3.9).
pub(super) async fn repaint(session: &Session, size: Option<TermSize>) {
    let Some(size) = session.size().or(size).filter(|size| size.cols > 0 && size.rows > 1) else { return };
    session.say(&resize(TermSize { rows: size.rows - 1, ..size })).await;
    session.say(&resize(size)).await;
}

fn ended(code: u8, killed: bool) -> Exit {
    if killed { Exit::TimedOut(Remote::Gone) } else { Exit::Code(code) }
}

fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::TryLater)
}

/// Why there is no exit.
fn why(ended: Result<Option<Frame>>) -> String {
    match ended {
        Ok(Some(Frame::Close { code: Some(code), reason })) if reason.is_empty() => {
            format!("the server closed the connection ({code}) without it")
        }
        Ok(Some(Frame::Close { code: Some(code), reason })) => {
            format!("the server closed the connection ({code}): {reason}")
        }
        Ok(_) => "the connection ended".to_owned(),
        Err(error) => error.to_string(),
    }
}
