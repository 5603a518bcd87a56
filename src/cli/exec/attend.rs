//! One program, attended from its start to its end: its output drained, our stdin fed to it, signals relayed.
//!
//! Only the output decides when it is over. Nothing is left behind on the way out: whoever stops before the program
//! did kills it first.

use super::ended::Ended;
use super::input::{Fed, Feed};
use crate::error::{Error, Result};
use crate::output::{Fd, Lane, Output};
use crate::provider::exec::{Control, Event, Exit, Process, Remote, Signal};
use crate::signal::{Listener, interrupted};
use crate::tty;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long the death of a program is waited for (ux 8.5).
const KILL_GRACE: Duration = Duration::from_secs(2);

/// How a program is attended.
pub(super) struct Attention<'a> {
    pub(super) out: &'a Output,
    /// The program, for messages.
    pub(super) program: String,
    pub(super) signals: Listener,
    pub(super) feed: Option<Feed>,
    /// Whether Ctrl-C reaches the program as a key, so that a signal is for us.
    pub(super) raw: bool,
    pub(super) follows_size: bool,
    /// Turns true when this one is to stop because of others.
    pub(super) stop: watch::Receiver<bool>,
}

impl Attention<'_> {
    /// Attends a program until it is over, or until something else ends that.
    pub(super) async fn attend(mut self, mut process: Process, lane: &mut dyn Lane) -> Result<Ended> {
        let control = process.control.clone();
        let stdin = process.stdin.take();
        let feed = self.feed.take();
        let feed = async {
            match feed {
                Some(feed) => feed.run(stdin, &*control).await,
                None => pending().await,
            }
        };
        let Self { out, signals, raw, follows_size, mut stop, program, .. } = self;
        tokio::select! {
            exit = drain(&mut process, lane, out) => match exit {
                Ok(exit) => Ok(Ended::Exit(exit)),
                Err(Drained::Lost(error)) => Err(error),
                Err(Drained::Ours(error)) => {
                    // Our stdout is closed or broken: nobody needs the program any more (ux 8.4).
                    let left = kill(&*control).await;
                    Err(left_behind(error, left, &program))
                }
            },
            error = relay(&*control, signals, raw, &program) => Err(error),
            fed = feed => match fed {
                Fed::Leave => match control.detach().await? {
                    Some(run) => Ok(Ended::Exit(Exit::Detached(run))),
                    None => Err(Error::unsupported("this program cannot be left running").hint("end it instead")),
                },
                Fed::Failed(error) => {
                    let left = kill(&*control).await;
                    Err(left_behind(error, left, &program))
                }
            },
            () = resizes(control.clone(), follows_size) => unreachable!("changes of size have no end"),
            _ = stop.wait_for(|stop| *stop) => {
                kill(&*control).await;
                Ok(Ended::Stopped)
            }
        }
    }
}

/// Why draining ended early.
enum Drained {
    /// The program was lost.
    Lost(Error),
    /// Its output cannot be written here.
    Ours(Error),
}

async fn drain(process: &mut Process, lane: &mut dyn Lane, out: &Output) -> Result<Exit, Drained> {
    loop {
        match process.next().await.map_err(Drained::Lost)? {
            Event::Stdout(bytes) => lane.write(Fd::Stdout, bytes).await.map_err(Drained::Ours)?,
            Event::Stderr(bytes) => lane.write(Fd::Stderr, bytes).await.map_err(Drained::Ours)?,
            Event::Note(note) => out.show(&note),
            Event::Exit(exit) => return Ok(exit),
        }
    }
}

/// Passes signals on. The second Ctrl-C ends the program and us; where Ctrl-C is a key, so does any signal that is
/// meant to end us, after it was passed on.
async fn relay(control: &dyn Control, mut signals: Listener, raw: bool, program: &str) -> Error {
    let mut interrupts = 0;
    loop {
        let signal = signals.next().await;
        let name = signal.name();
        interrupts += usize::from(name == "SIGINT");
        let leaves = interrupts > 1 || (raw && matches!(name, "SIGTERM" | "SIGHUP"));
        if !leaves {
            // The connection may be lost by now: then its end is what counts.
            let _ = control.signal(signal).await;
            continue;
        }
        if interrupts <= 1 {
            let _ = control.signal(signal.clone()).await;
        }
        let left = kill(control).await;
        return left_behind(
            interrupted(&signal, format!("`{program}` was killed by {}", spoken(&signal))),
            left,
            program,
        );
    }
}

fn spoken(signal: &Signal) -> &str {
    if signal.name() == "SIGINT" { "a second Ctrl-C" } else { signal.name() }
}

async fn kill(control: &dyn Control) -> Remote {
    match tokio::time::timeout(KILL_GRACE * 2, control.kill(KILL_GRACE)).await {
        Ok(Ok(remote)) => remote,
        Ok(Err(_)) | Err(_) => Remote::Unknown,
    }
}

/// Says what may be left of a program that was killed.
fn left_behind(error: Error, left: Remote, program: &str) -> Error {
    match left {
        Remote::Gone => error,
        Remote::Running => error.cause(format!("`{program}` still runs over there")),
        Remote::Unknown => error.cause(format!("`{program}` may still run over there")),
    }
}

/// Passes changes of the terminal's size on, for ever.
async fn resizes(control: Arc<dyn Control>, follows: bool) {
    let Some(mut changes) = follows.then(crate::signal::resizes).and_then(Result::ok) else { return pending().await };
    loop {
        if changes.recv().await.is_none() {
            return pending().await;
        }
        if let Some(size) = tty::size() {
            let _ = control.resize(size).await;
        }
    }
}
