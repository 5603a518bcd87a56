//! A program with pipes: a task reads its records until it ends, since a server drops a client that does not read for
//! long (section 4.5).

use super::dialogue::{Dialogue, Turn};
use super::reap::reap;
use super::record::Record;
use super::session::Session;
use super::track::{Track, decoded};
use crate::error::{Effect, Error, Result};
use crate::model::Note;
use crate::provider::exec::{Event, Exit, Remote};
use crate::provider::queue::Filler;
use crate::provider::rexec::DRIVER;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// How long the end of a program whose time ran out may take.
const GRACE: Duration = Duration::from_secs(4);

/// How long an output may be silent before nobody waits for its end, once all that the program itself wrote has come:
/// somebody else holds it.
const SILENCE: Duration = Duration::from_secs(1);

/// How long a program whose terminal was lost is looked for, to be ended.
const SEARCH: Duration = Duration::from_secs(10);

/// Reads a program to its end.
pub(super) struct Reader {
    pub(super) session: Arc<Session>,
    pub(super) dialogue: Dialogue,
    pub(super) out: Filler,
    /// When its time is up.
    pub(super) deadline: Option<Instant>,
    pub(super) streams: [Track; 2],
    /// Whether a program whose terminal was lost is looked for.
    pub(super) reaps: bool,
}

impl Reader {
    /// Reads until the exit is certain or lost, and tells it.
    pub(super) async fn run(mut self) {
        let exit = self.read().await;
        self.session.end().await;
        self.out.push(exit.map(Event::Exit)).await;
    }

    async fn read(&mut self) -> Result<Exit> {
        let what = format!("run `{}`", self.session.program);
        let mut killing: Option<JoinHandle<Remote>> = None;
        // The status, once the program has ended, and since when nothing came.
        let mut ended: Option<(u8, Instant)> = None;
        let mut why: Option<String> = None;
        loop {
            let killed = async {
                match &mut killing {
                    Some(killing) => killing.await.unwrap_or(Remote::Unknown),
                    None => pending().await,
                }
            };
            let deadline = async {
                match self.deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => pending().await,
                }
            };
            let silence = async {
                match ended {
                    Some((_, since)) if self.streams.iter().all(Track::is_drained) => {
                        sleep_until(since + SILENCE).await;
                    }
                    _ => pending().await,
                }
            };
            let record = tokio::select! {
                turn = self.dialogue.next(&what) => match turn {
                    Ok(Turn::Record(record)) => record,
                    Ok(Turn::Plain(_)) => continue,
                    Err(error) => match killing {
                        // Its terminal went with it.
                        Some(killing) => return Ok(Exit::TimedOut(killing.await.unwrap_or(Remote::Unknown))),
                        None => return Err(self.lost(error).await),
                    },
                },
                () = deadline => {
                    self.deadline = None;
                    let session = Arc::clone(&self.session);
                    killing = Some(tokio::spawn(async move { session.kill(GRACE).await }));
                    continue;
                }
                remote = killed => {
                    // It does not end, and nobody waits any longer.
                    return Ok(Exit::TimedOut(remote));
                }
                () = silence => {
                    let (code, _) = ended.expect("silence is waited for after an end");
                    let gap = "a program that it left behind still holds its output: what that writes is not shown";
                    self.out.push(Ok(Event::Note(Note::Gap(gap.to_owned())))).await;
                    self.session.dismiss().await;
                    return Ok(finished(code, why.as_deref(), &self.session.program, killing.is_some()));
                }
            };
            match record.kind {
                kind @ (b'O' | b'P' | b'E' | b'F') => {
                    let index = usize::from(matches!(kind, b'E' | b'F'));
                    let bytes = self.streams[index].take(&record).map_err(|why| self.damaged(&what, why))?;
                    if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
                        let bytes = bytes.into();
                        let event = if index == 0 { Event::Stdout(bytes) } else { Event::Stderr(bytes) };
                        self.out.push(Ok(event)).await;
                    }
                    if let Some((_, since)) = &mut ended {
                        *since = Instant::now();
                    }
                }
                b'A' => self.session.note(|now| now.taken = now.taken.max(record.number)),
                b'B' => self.session.note(|now| now.is_deaf = true),
                b'K' => self.session.note(|now| now.wanted = now.wanted.max(record.number)),
                b'L' => self.session.note(|now| now.stored = now.stored.max(record.number)),
                b'N' => return Err(self.damaged(&what, &String::from_utf8_lossy(&record.payload))),
                b'Q' => {
                    let text = decoded(&record.payload).unwrap_or_default();
                    why = Some(String::from_utf8_lossy(&text).trim().to_owned());
                }
                b'W' => {
                    let code = status(&record).ok_or_else(|| self.damaged(&what, "its status cannot be read"))?;
                    if why.as_deref() == Some("dir") {
                        return Err(self.no_directory(&what));
                    }
                    ended = Some((code, Instant::now()));
                }
                _ => {}
            }
            // The status and the counted end of both outputs: there is nothing more to know.
            if let Some((code, _)) = ended
                && self.streams.iter().all(Track::is_ended)
            {
                return Ok(finished(code, why.as_deref(), &self.session.program, killing.is_some()));
            }
        }
    }

    /// The terminal is gone, and with it what became of the program, which may run on: it is ended if it can be found.
    async fn lost(&self, error: Error) -> Error {
        if error.kind() != crate::error::ErrorKind::Unreachable || !self.reaps {
            return error.effect(Effect::Unknown);
        }
        let search = async {
            loop {
                match reap(&self.session.spot, &self.session.nonce).await {
                    Ok(found) => return found,
                    Err(_) => sleep(Duration::from_millis(500)).await,
                }
            }
        };
        let fate = match tokio::time::timeout(SEARCH, search).await {
            Ok(true) => "it was found again and ended there",
            Ok(false) => "it has ended there, or never began",
            Err(_) => "it may still run there",
        };
        let program = &self.session.program;
        error
            .effect(Effect::Unknown)
            .cause(format!("how `{program}` ended is not known; {fate}"))
            .hint("`--survive` keeps a program and its output over a lost connection")
    }

    fn damaged(&self, what: &str, why: &str) -> Error {
        Error::failure(self.session.spot.client.cannot(what, "its output was damaged on the way"))
            .cause(why.to_owned())
            .hint("--survive reads the output again where it was damaged")
            .effect(Effect::Unknown)
            .at(DRIVER.id, self.session.spot.full())
    }

    fn no_directory(&self, what: &str) -> Error {
        Error::not_found(self.session.spot.client.cannot(what, "its working directory does not exist"))
            .at(DRIVER.id, self.session.spot.full())
    }
}

/// The number that a record says.
pub(super) fn status(record: &Record) -> Option<u8> {
    std::str::from_utf8(&record.payload).ok()?.trim().parse().ok()
}

/// How a program ended, whose script said why if it was never started.
pub(super) fn finished(code: u8, why: Option<&str>, program: &str, timed_out: bool) -> Exit {
    match why {
        _ if timed_out => Exit::TimedOut(Remote::Gone),
        Some("127") => Exit::NotFound(format!("there is no program `{program}`")),
        Some("126") => Exit::NotRunnable(format!("`{program}` cannot be run")),
        _ => Exit::Code(code),
    }
}
