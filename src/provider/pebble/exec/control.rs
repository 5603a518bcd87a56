//! The ways to a running program: its stdin, and the websocket for signals and sizes.

use super::super::client::Client;
use super::{GRACE, sockets};
use crate::error::{Error, Result};
use crate::model::RunId;
use crate::provider::exec::{Control, Remote, Signal, Stdin, TermSize};
use crate::transport::{WsSink, WsStream};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::task::AbortHandle;

/// What ends a stream, either way.
pub(super) const END: &str = r#"{"command":"end"}"#;

/// The sending half of stdio.
pub(super) struct PebbleStdin(pub(super) WsSink);

#[async_trait]
impl Stdin for PebbleStdin {
    async fn write(&mut self, chunk: Bytes) -> Result<bool> {
        self.0.send_binary(chunk).await
    }

    /// The wire's own end of input: it closes the pipe. A terminal has no such thing, and there the daemon itself
    /// makes it the terminal's end-of-file character.
    async fn end(&mut self) -> Result<()> {
        self.0.send_text(END).await.map(|_| ())
    }
}

/// The control websocket of a program.
pub(in super::super) struct PebbleControl {
    sink: Mutex<Option<WsSink>>,
    gone: watch::Receiver<bool>,
    reader: Option<AbortHandle>,
}

impl PebbleControl {
    /// Takes the websocket over. The receiver turns true once the program is gone: nothing else ever comes of it, since
    /// the daemon just drops this connection when the program exits (section 3.3).
    pub(super) fn new(socket: Option<(WsSink, WsStream)>) -> (Self, watch::Receiver<bool>) {
        let (tell, gone) = watch::channel(socket.is_none());
        let (sink, reader) = match socket {
            None => (None, None),
            Some((sink, mut stream)) => {
                let reader = tokio::spawn(async move {
                    while let Ok(Some(_)) = stream.next().await {}
                    let _ = tell.send(true);
                });
                (Some(sink), Some(reader.abort_handle()))
            }
        };
        (Self { sink: Mutex::new(sink), gone: gone.clone(), reader }, gone)
    }

    /// Opens the control websocket of a run that has none; `None` if the daemon does not give it.
    pub(in super::super) async fn open(client: &Client, task: &str) -> Result<Option<Self>> {
        let socket = sockets::open(client, task, "control").await?;
        Ok(socket.map(|socket| Self::new(Some(socket.split())).0))
    }

    async fn send(&self, message: serde_json::Value) -> Result<()> {
        if let Some(sink) = self.sink.lock().await.as_mut() {
            // `false`: the program ended meanwhile, and nothing is left to be told.
            sink.send_text(message.to_string()).await?;
        }
        Ok(())
    }

    /// Signals a program that nobody attends, and kills it if it is still there after `grace`.
    pub(in super::super) async fn end(self, signal: Signal, grace: Duration) -> Result<Remote> {
        self.signal(signal).await?;
        match self.gone(grace).await {
            Remote::Gone => Ok(Remote::Gone),
            _ => self.kill(GRACE).await,
        }
    }

    /// Waits until the program is gone, at most this long.
    async fn gone(&self, grace: Duration) -> Remote {
        let mut gone = self.gone.clone();
        let waited = tokio::time::timeout(grace, gone.wait_for(|gone| *gone)).await;
        if matches!(waited, Ok(Ok(_))) { Remote::Gone } else { Remote::Unknown }
    }
}

impl Drop for PebbleControl {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            reader.abort();
        }
    }
}

#[async_trait]
impl Control for PebbleControl {
    async fn signal(&self, signal: Signal) -> Result<()> {
        self.send(json!({"command": "signal", "signal": {"name": signal.name()}})).await
    }

    async fn resize(&self, size: TermSize) -> Result<()> {
        self.send(json!({"command": "resize", "resize": {"width": size.cols, "height": size.rows}})).await
    }

    /// Kills the program itself. What it started in the background is not reached: the daemon signals one process.
    async fn kill(&self, grace: Duration) -> Result<Remote> {
        self.signal(Signal::parse("KILL").expect("Linux has SIGKILL")).await?;
        Ok(self.gone(grace).await)
    }

    /// A pipe without its reader kills the program at its next write, and a terminal without one can take the whole
    /// daemon down (v1.32: "send on closed channel"). So nothing that was attended is left.
    async fn detach(&self) -> Result<Option<RunId>> {
        Err(Error::unsupported("Pebble cannot leave a program that was attended").hint("start it with --detach"))
    }

    async fn message(&self, message: serde_json::Value) -> Result<()> {
        self.send(message).await
    }
}

/// The control of what does not run, or is left alone.
pub(super) struct Nobody;

#[async_trait]
impl Control for Nobody {
    async fn signal(&self, _: Signal) -> Result<()> {
        Err(Error::conflict("the program is not held by this command"))
    }

    async fn resize(&self, _: TermSize) -> Result<()> {
        Ok(())
    }

    async fn kill(&self, _: Duration) -> Result<Remote> {
        Ok(Remote::Unknown)
    }

    async fn detach(&self) -> Result<Option<RunId>> {
        Ok(None)
    }
}
