//! One program, attended from its start to its end: its output drained, our stdin fed to it, signals relayed.
//!
//! Only the output decides when it is over. Nothing is left behind on the way out: whoever stops before the program
//! did kills it first.

use super::ended::Ended;
use super::input::{Fed, Feed};
use crate::error::{Error, Result};
use crate::host;
use crate::output::{Fd, Lane, Output};
use crate::provider::exec::{Control, Event, Exit, Process, Remote, Signal};
use crate::signal::{Listener, interrupted};
use crate::tty;
use std::future::pending;
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
    /// Whether it is somebody else's, and goes on when we stop.
    pub(super) leaves: bool,
    /// Turns true when this one is to stop because of others.
    pub(super) stop: watch::Receiver<bool>,
}

/// Why attending ends.
enum Why {
    Drained(Result<Exit, Drained>),
    Signal(Signal),
    Fed(Fed),
    Stopped,
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
        let Self { out, signals, raw, follows_size, leaves, mut stop, program, .. } = self;
        let why = tokio::select! {
            exit = drain(&mut process, lane, out) => Why::Drained(exit),
            signal = relay(&*control, signals, raw) => Why::Signal(signal),
            fed = feed => Why::Fed(fed),
            () = resizes(&*control, follows_size) => unreachable!("changes of size have no end"),
            _ = stop.wait_for(|stop| *stop) => Why::Stopped,
        };
        let error = match why {
            Why::Drained(Ok(exit)) => return Ok(Ended::Exit(exit)),
            Why::Drained(Err(Drained::Lost(error))) => return Err(error),
            Why::Fed(Fed::Leave) => {
                let run =
                    control.detach().await?.ok_or_else(|| Error::unsupported("this run cannot be found again"))?;
                return Ok(Ended::Exit(Exit::Detached(run)));
            }
            // Our stdout is closed or broken: nobody needs the program any more (ux 8.4).
            Why::Drained(Err(Drained::Ours(error))) | Why::Fed(Fed::Failed(error)) => Some(error),
            Why::Signal(signal) if leaves => {
                Some(interrupted(&signal, format!("{program} goes on without us, after {}", spoken(&signal))))
            }
            Why::Signal(signal) => {
                end_within(KILL_GRACE * 2, &signal);
                Some(interrupted(&signal, format!("`{program}` was killed by {}", spoken(&signal))))
            }
            Why::Stopped => None,
        };
        if leaves {
            control.detach().await?;
            return error.map_or(Ok(Ended::Stopped), Err);
        }
        match (error, kill(&*control, &mut process).await) {
            (None, _) => Ok(Ended::Stopped),
            (Some(error), Remote::Gone) => Err(error),
            (Some(error), Remote::Running) => Err(error.cause(format!("`{program}` still runs over there"))),
            (Some(error), Remote::Unknown) => Err(error.cause(format!("`{program}` may still run over there"))),
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

/// Passes signals on, and returns the one that ends the program and us: the second Ctrl-C or, where Ctrl-C is a key,
/// any that is meant to end us.
async fn relay(control: &dyn Control, mut signals: Listener, raw: bool) -> Signal {
    let mut interrupts = 0;
    loop {
        let signal = signals.next().await;
        interrupts += usize::from(signal.name() == "SIGINT");
        if interrupts > 1 {
            return signal;
        }
        // The connection may be lost by now: then its end is what counts.
        let _ = control.signal(signal.clone()).await;
        if raw && matches!(signal.name(), "SIGTERM" | "SIGHUP") {
            return signal;
        }
    }
}

fn spoken(signal: &Signal) -> &str {
    if signal.name() == "SIGINT" { "a second Ctrl-C" } else { signal.name() }
}

/// Ends the process by `signal` after the time that cleaning up may take (ux 8.5), whatever it is doing then: our own
/// output may be stuck, and the signal can no longer end us by itself.
fn end_within(limit: Duration, signal: &Signal) {
    let signal = signal.clone();
    let end = move || {
        std::thread::sleep(limit);
        tty::restore();
        host::die_by(&signal)
    };
    // Without a thread there is no limit, which is no reason not to try the orderly way.
    let _ = std::thread::Builder::new().name("end".to_owned()).spawn(end);
}

/// Kills the program, and drops what it still sends: a server must not stand before a full connection meanwhile.
async fn kill(control: &dyn Control, process: &mut Process) -> Remote {
    let rest = async { while !matches!(process.next().await, Ok(Event::Exit(_)) | Err(_)) {} };
    let killed = async { tokio::join!(control.kill(KILL_GRACE), tokio::time::timeout(KILL_GRACE, rest)).0 };
    match tokio::time::timeout(KILL_GRACE * 2, killed).await {
        Ok(Ok(remote)) => remote,
        Ok(Err(_)) | Err(_) => Remote::Unknown,
    }
}

/// Passes changes of the terminal's size on, for ever.
async fn resizes(control: &dyn Control, follows: bool) {
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
