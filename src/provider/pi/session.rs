//! A session over a running program: its output read as far as somebody wants events, its input written by a task of
//! its own, so that a full stdin and a full stdout never wait for each other.

use super::isolation::Layout;
use super::protocol::Protocol;
use crate::error::{Error, Result};
use crate::model::{AgentEvent, CommandId, DialogId};
use crate::notes::Notes;
use crate::provider::agent::{Answer, Command, SessionControl};
use crate::provider::exec::{Control, Event, Exit, Process, Remote, Signal, Stdin};
use crate::stream::{self, Items};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::VecDeque;
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep_until, timeout};

/// How long an agent that was told to stop is waited for (section 2.7).
const STOP: Duration = Duration::from_secs(2);

/// How long the end of its input may take to end it (section 2.7).
const FAREWELL: Duration = Duration::from_millis(250);

/// How long a kill in another machine may take.
const CLEAR: Duration = Duration::from_secs(5);

/// How long the end of a killed program is waited for.
const REAP: Duration = Duration::from_secs(1);

/// Lines of its stderr that explain why it did not start.
const TAIL: usize = 8;

/// What reader, writer and control share.
struct Shared {
    protocol: Mutex<Protocol>,
    /// There is something to write, or nothing more will be.
    write: Notify,
    /// There is an event that nobody outside caused.
    told: Notify,
    closing: AtomicBool,
    idle: Notify,
}

impl Shared {
    fn protocol(&self) -> MutexGuard<'_, Protocol> {
        self.protocol.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

/// The reading side of a session.
pub(super) struct Reader {
    shared: Arc<Shared>,
    process: Process,
    exit: watch::Sender<Option<Exit>>,
    ended: bool,
}

/// The writing side.
pub(super) struct PiControl {
    shared: Arc<Shared>,
    program: Arc<dyn Control>,
    exit: watch::Receiver<Option<Exit>>,
    layout: Layout,
    is_elsewhere: bool,
    notes: Notes,
    /// Held as long as nobody else may open the session.
    pub(super) lock: Mutex<Option<File>>,
}

/// Both sides of a session over a program that was just started.
pub(super) fn connect(
    mut process: Process,
    protocol: Protocol,
    layout: Layout,
    is_elsewhere: bool,
    notes: Notes,
) -> (Reader, PiControl) {
    let shared = Arc::new(Shared {
        protocol: Mutex::new(protocol),
        write: Notify::new(),
        told: Notify::new(),
        closing: AtomicBool::new(false),
        idle: Notify::new(),
    });
    if let Some(stdin) = process.stdin.take() {
        tokio::spawn(write(Arc::clone(&shared), stdin));
    }
    let program = Arc::clone(&process.control);
    let (ended, exit) = watch::channel(None);
    let lock = Mutex::new(None);
    let control = PiControl { shared: Arc::clone(&shared), program, exit, layout, is_elsewhere, notes, lock };
    (Reader { shared, process, exit: ended, ended: false }, control)
}

/// Writes what there is to write, until the session closes or nobody reads any more.
async fn write(shared: Arc<Shared>, mut stdin: Box<dyn Stdin>) {
    loop {
        let line = shared.protocol().output();
        match line {
            Some(line) => {
                // Why nobody reads shows on the other side.
                if !matches!(stdin.write(Bytes::from(line)).await, Ok(true)) {
                    return;
                }
            }
            None if shared.is_closing() => {
                let _ = stdin.end().await;
                return;
            }
            None => shared.write.notified().await,
        }
    }
}

impl Reader {
    /// Waits until the agent has answered for the first time, for at most `limit`. What it says before is kept.
    pub(super) async fn greet(&mut self, name: &str, limit: Duration) -> Result<()> {
        let deadline = tokio::time::Instant::now() + limit;
        let mut said = Vec::new();
        let mut tail = VecDeque::new();
        while self.shared.protocol().state().session_id.is_none() && !self.ended {
            if tokio::time::timeout_at(deadline, self.step()).await.is_err() {
                let seconds = limit.as_secs();
                return Err(explained(Error::timeout(format!("`{name}` did not answer within {seconds}s")), tail));
            }
            let mut protocol = self.shared.protocol();
            while let Some(event) = protocol.event() {
                if let AgentEvent::Log { text } = &event {
                    tail.push_back(text.clone());
                    if tail.len() > TAIL {
                        tail.pop_front();
                    }
                }
                said.push(event);
            }
        }
        if self.ended {
            let exit = self.exit.borrow().clone();
            return Err(explained(not_started(name, exit.as_ref(), &tail), tail));
        }
        self.shared.protocol().unshift(said);
        Ok(())
    }

    /// Everything that the session says, to its end.
    pub(super) fn events(self) -> Items<AgentEvent> {
        stream::unfold(self, |mut reader| async move {
            loop {
                let (event, is_busy) = {
                    let mut protocol = reader.shared.protocol();
                    (protocol.event(), protocol.is_busy())
                };
                if !is_busy {
                    reader.shared.idle.notify_waiters();
                }
                if let Some(event) = event {
                    return Ok(Some((event, reader)));
                }
                if reader.ended {
                    return Ok(None);
                }
                reader.step().await;
            }
        })
    }

    /// Waits for one thing to happen. Cancel-safe.
    async fn step(&mut self) {
        let wake = self.shared.protocol().wake_at();
        let wake = async {
            match wake {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            event = self.process.next() => event,
            () = wake => {
                self.shared.protocol().tick(Instant::now());
                self.shared.write.notify_one();
                return;
            }
            () = self.shared.told.notified() => return,
        };
        let mut protocol = self.shared.protocol();
        match event {
            Ok(Event::Stdout(bytes)) => protocol.feed(&bytes, Instant::now()),
            Ok(Event::Stderr(bytes)) => protocol.feed_log(&bytes),
            Ok(Event::Note(_)) => {}
            Ok(Event::Exit(exit)) => {
                protocol.end(Instant::now());
                if !self.shared.is_closing() {
                    protocol.lost(&ended(&exit));
                }
                self.exit.send_replace(Some(exit));
                self.ended = true;
            }
            Err(error) => {
                protocol.end(Instant::now());
                protocol.lost(&error.to_string());
                self.ended = true;
            }
        }
        drop(protocol);
        self.shared.write.notify_one();
    }
}

/// Why a program that should have answered did not.
fn not_started(name: &str, exit: Option<&Exit>, tail: &VecDeque<String>) -> Error {
    match exit {
        Some(Exit::NotFound(why)) => Error::not_found(format!("cannot start `{name}`: {why}")),
        Some(Exit::NotRunnable(why)) => Error::failure(format!("cannot start `{name}`: {why}")),
        _ if tail.iter().any(|line| line.contains("No session found")) => {
            Error::not_found(format!("`{name}` knows no such session"))
        }
        Some(exit) => Error::failure(format!("cannot start `{name}`: {}", ended(exit))),
        None => Error::unreachable(format!("cannot start `{name}`: the connection to it was lost")),
    }
}

fn explained(error: Error, tail: VecDeque<String>) -> Error {
    tail.into_iter().filter(|line| !line.trim().is_empty()).fold(error, Error::cause)
}

fn ended(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("it exited with status {code}"),
        Exit::Signal(signal) => format!("it was killed by signal {signal}"),
        Exit::NotFound(why) | Exit::NotRunnable(why) => why.clone(),
        Exit::TimedOut(_) => "its time ran out".to_owned(),
        Exit::Detached(_) | Exit::Closed => "its connection closed".to_owned(),
    }
}

impl PiControl {
    /// Sends what the session begins with.
    pub(super) fn begin(&self, name: Option<&str>) {
        self.shared.protocol().begin(name);
        self.shared.write.notify_one();
    }

    /// Ends an agent in another machine, where a kill reaches it alone: told to end, it ends its tools too.
    async fn end_there(&self, grace: Duration) -> Result<()> {
        let term = Signal::parse("TERM").expect("it exists");
        // One that cannot be told reads the end of its input.
        let _ = self.program.signal(term).await;
        let mut exit = self.exit.clone();
        let ended = timeout(grace, exit.wait_for(Option::is_some)).await.is_ok_and(|exit| exit.is_ok());
        if !ended && self.program.kill(CLEAR).await? != Remote::Gone {
            self.notes.warn("the agent could not be ended: it may still run in the target");
        }
        Ok(())
    }

    /// What the agent said of itself.
    pub(super) fn with_protocol<T>(&self, read: impl FnOnce(&Protocol) -> T) -> T {
        read(&self.shared.protocol())
    }
}

#[async_trait]
impl SessionControl for PiControl {
    async fn send(&self, command: Command) -> Result<CommandId> {
        if self.exit.borrow().is_some() || self.shared.is_closing() {
            return Err(Error::unreachable("the agent has ended"));
        }
        let id = self.shared.protocol().send(&command, Instant::now());
        self.shared.write.notify_one();
        self.shared.told.notify_one();
        Ok(id)
    }

    async fn answer(&self, dialog: &DialogId, answer: Answer) -> Result<()> {
        self.shared.protocol().answer(dialog, &answer)?;
        self.shared.write.notify_one();
        self.shared.told.notify_one();
        Ok(())
    }

    async fn close(&self, grace: Duration) -> Result<Exit> {
        if self.exit.borrow().is_none() {
            let is_busy = {
                let mut protocol = self.shared.protocol();
                protocol.close_dialogs();
                let is_busy = protocol.is_busy();
                if is_busy {
                    protocol.send(&Command::Abort, Instant::now());
                }
                is_busy
            };
            self.shared.write.notify_one();
            self.shared.told.notify_one();
            if is_busy {
                // Only as long as somebody reads; a model that hangs is killed.
                let _ = timeout(STOP.min(grace), self.shared.idle.notified()).await;
            }
        }
        self.shared.closing.store(true, Ordering::Release);
        self.shared.write.notify_one();
        if !self.shared.protocol().is_busy() {
            // It ends with its input, which is quicker than to look for what is to be told to end. One that works might
            // leave its tools behind.
            let mut exit = self.exit.clone();
            let _ = timeout(FAREWELL.min(grace), exit.wait_for(Option::is_some)).await;
        }
        if self.is_elsewhere {
            self.end_there(grace).await?;
        } else if self.program.kill(grace).await? != Remote::Gone {
            self.notes.warn("the agent could not be ended: some of it still runs");
        }
        if self.layout.is_temporary
            && let Some(root) = &self.layout.root
            && let Err(error) = std::fs::remove_dir_all(root)
        {
            self.notes.warn(format!("cannot remove `{}`: {}", root.display(), crate::config::reason(&error)));
        }
        let mut exit = self.exit.clone();
        let exit = timeout(REAP, exit.wait_for(Option::is_some)).await;
        Ok(exit.ok().and_then(Result::ok).and_then(|exit| exit.clone()).unwrap_or(Exit::Closed))
    }
}
