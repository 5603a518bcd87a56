//! Ctrl-C and its siblings, as something to wait for.
//!
//! Handlers are installed by the first command that waits for a signal: until then the default action ends the
//! process, which is right for everything that only reads.

use crate::error::{Error, ErrorKind, Result};
use crate::provider::exec::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::OnceCell;
use tokio::sync::broadcast;

/// The signals that end a command.
const ENDING: [(&str, fn() -> SignalKind); 3] =
    [("INT", SignalKind::interrupt), ("TERM", SignalKind::terminate), ("HUP", SignalKind::hangup)];

/// The signals that are passed on to a program, beside those (ux 9.3).
const PASSED: [(&str, fn() -> SignalKind); 3] =
    [("QUIT", SignalKind::quit), ("USR1", SignalKind::user_defined1), ("USR2", SignalKind::user_defined2)];

/// One broadcast of the signals that the process gets.
#[derive(Default)]
pub struct Signals {
    ending: OnceCell<broadcast::Sender<Signal>>,
    passed: OnceCell<()>,
}

impl Signals {
    /// A receiver of INT, TERM and HUP. From here on they no longer end the process by themselves.
    pub async fn listen(&self) -> Result<Listener> {
        let sender = self.ending.get_or_try_init(|| async { install(broadcast::channel(64).0, ENDING) }).await?;
        Ok(Listener(sender.subscribe()))
    }

    /// A receiver of everything that is passed on to a program: those, QUIT, USR1 and USR2.
    pub async fn relayed(&self) -> Result<Listener> {
        let listener = self.listen().await?;
        let sender = self.ending.get().expect("it was installed just now").clone();
        self.passed.get_or_try_init(|| async { install(sender, PASSED).map(|_| ()) }).await?;
        Ok(listener)
    }
}

/// A stream of changes of the terminal's size.
pub fn resizes() -> Result<tokio::signal::unix::Signal> {
    signal(SignalKind::window_change()).map_err(cannot)
}

fn cannot(error: std::io::Error) -> Error {
    Error::internal(format!("cannot listen for signals: {error}"))
}

fn install<const N: usize>(
    sender: broadcast::Sender<Signal>,
    kinds: [(&'static str, fn() -> SignalKind); N],
) -> Result<broadcast::Sender<Signal>> {
    for (name, kind) in kinds {
        let mut stream = signal(kind()).map_err(cannot)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                // Nobody listens between two waits: the signal is lost, as a keystroke at a busy prompt is.
                let _ = sender.send(Signal::parse(name).expect("the names above exist"));
            }
        });
    }
    Ok(sender)
}

/// Waits for signals.
pub struct Listener(broadcast::Receiver<Signal>);

impl Listener {
    /// The next signal.
    pub async fn next(&mut self) -> Signal {
        loop {
            match self.0.recv().await {
                Ok(signal) => return signal,
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

/// The error of a command that a signal ended: exits by that signal.
pub fn interrupted(signal: &Signal, message: impl Into<String>) -> Error {
    Error::interrupted(message).status(128 + signal.number())
}

/// The signal that ended a command with this error, if one did.
pub fn of(error: &anyhow::Error) -> Option<Signal> {
    let parts = error.downcast_ref::<Error>()?.parts();
    let number = parts.status.filter(|_| parts.kind == ErrorKind::Interrupted)?.checked_sub(128)?;
    Signal::from_number(number)
}
