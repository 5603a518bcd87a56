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

/// One broadcast of the signals that the process gets.
#[derive(Default)]
pub struct Signals(OnceCell<broadcast::Sender<Signal>>);

impl Signals {
    /// A receiver of INT, TERM and HUP. From here on they no longer end the process by themselves.
    pub async fn listen(&self) -> Result<Listener> {
        let sender = self.0.get_or_try_init(|| async { install() }).await?;
        Ok(Listener(sender.subscribe()))
    }
}

fn install() -> Result<broadcast::Sender<Signal>> {
    let (sender, _) = broadcast::channel(64);
    for (name, kind) in ENDING {
        let mut stream =
            signal(kind()).map_err(|error| Error::internal(format!("cannot listen for signals: {error}")))?;
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
