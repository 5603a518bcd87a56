//! The ways to a running program: its stdin, signals, sizes and its end (section 3.10).

use super::super::runs::kill;
use super::session::Session;
use crate::error::{Error, Result};
use crate::model::RunId;
use crate::provider::exec::{Control, Remote, Signal, Stdin, TermSize};
use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The longest payload of a message of ours, in bytes (section 3.2).
const CHUNK: usize = 32 * 1024;

/// The stream ids of what we send.
const STDIN: u8 = 0;
const STDIN_EOF: u8 = 4;

/// How long the server may take to name a session that is to be killed.
const NAMING: Duration = Duration::from_secs(1);

/// The stdin of a session.
pub(super) struct SpritesStdin {
    pub(super) session: Arc<Session>,
    /// Whether it was opened by us: somebody else's is not ours to end.
    pub(super) is_ours: bool,
}

/// `bytes` as messages: with their stream id where there are several streams.
pub(super) fn messages(bytes: &Bytes, tty: bool) -> Vec<Bytes> {
    let chunk = |start: usize| bytes.slice(start..bytes.len().min(start + CHUNK));
    let chunks = (0..bytes.len()).step_by(CHUNK).map(chunk);
    if tty {
        return chunks.collect();
    }
    let framed = |chunk: Bytes| {
        let mut frame = BytesMut::with_capacity(chunk.len() + 1);
        frame.put_u8(STDIN);
        frame.extend_from_slice(&chunk);
        frame.freeze()
    };
    chunks.map(framed).collect()
}

/// The end of the stdin of a program without a terminal.
pub(super) fn end_of_input() -> Bytes {
    Bytes::from_static(&[STDIN_EOF])
}

#[async_trait]
impl Stdin for SpritesStdin {
    async fn write(&mut self, chunk: Bytes) -> Result<bool> {
        Ok(self.session.send(messages(&chunk, self.session.tty)).await)
    }

    /// The wire's own end of input. A terminal has none: there the byte would be the user's Ctrl-D (section 8.4).
    async fn end(&mut self) -> Result<()> {
        if self.is_ours && !self.session.tty {
            self.session.send([end_of_input()]).await;
        }
        Ok(())
    }
}

/// Controls a session.
pub(super) struct SpritesControl(pub(super) Arc<Session>);

#[async_trait]
impl Control for SpritesControl {
    async fn signal(&self, signal: Signal) -> Result<()> {
        let session = &self.0;
        if session.is_over() {
            return Ok(());
        }
        if session.takes_signals() {
            session.say(&json!({"type": "signal", "signal": &signal.name()[3..]})).await;
            return Ok(());
        }
        match session.id(NAMING).await {
            Some(id) => kill(&session.place, &id.session, &signal, None).await.map(drop),
            None => Err(Error::conflict("the server did not say which session this is, so nothing can be sent to it")),
        }
    }

    async fn resize(&self, size: TermSize) -> Result<()> {
        if self.0.tty && size.cols > 0 && size.rows > 0 {
            self.0.resized(size);
            self.0.say(&resize(size)).await;
        }
        Ok(())
    }

    /// Ends it with SIGTERM, and with SIGKILL after half of `grace`.
    async fn kill(&self, grace: Duration) -> Result<Remote> {
        end(&self.0, grace).await
    }

    async fn detach(&self) -> Result<Option<RunId>> {
        let id = self.0.id(NAMING).await;
        self.0.end().await;
        Ok(id.map(|id| id.run()))
    }

    async fn message(&self, message: serde_json::Value) -> Result<()> {
        self.0.say(&message).await;
        Ok(())
    }
}

/// The message that tells a terminal's size.
pub(super) fn resize(size: TermSize) -> serde_json::Value {
    json!({"type": "resize", "cols": size.cols, "rows": size.rows})
}

/// Ends a session over there: closing its socket would leave it running (section 3.10).
pub(super) async fn end(session: &Session, grace: Duration) -> Result<Remote> {
    let Some(id) = session.id(grace.min(NAMING)).await else { return Ok(Remote::Unknown) };
    let signal = Signal::parse("TERM").expect("Linux has SIGTERM");
    let killed = kill(&session.place, &id.session, &signal, Some(grace / 2));
    match tokio::time::timeout(grace, killed).await {
        Ok(remote) => remote,
        Err(_) => Ok(Remote::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stdin_is_framed_and_split_and_keeps_every_byte() {
        let frames = messages(&Bytes::from_static(b"\x00\x04\xff"), false);
        assert_eq!(frames, [&b"\x00\x00\x04\xff"[..]]);
        let long = Bytes::from(vec![4; CHUNK + 1]);
        let frames = messages(&long, false);
        assert_eq!(frames.iter().map(Bytes::len).collect::<Vec<_>>(), [CHUNK + 1, 2]);
        assert_eq!(messages(&long, true).concat(), long);
        assert!(messages(&Bytes::new(), false).is_empty());
    }
}
