//! A terminal's socket (sections 4.1 to 4.6): messages in, bytes and what is said beside them out.

use super::api::{Frame, Stats};
use super::spot::{Kind, Spot};
use crate::error::{Error, Result};
use crate::provider::exec::TermSize;
use crate::transport::{Frame as Message, WsSink, WsStream};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::timeout;

/// How long a shell may take to be there.
const READY: Duration = Duration::from_secs(30);

/// How long the first message of load may take: they come once a second, of an agent every five.
const LOAD: Duration = Duration::from_secs(15);

/// The most that is typed at once, in bytes (section 4.3).
const CHUNK: usize = 32 * 1024;

/// What a terminal says.
#[derive(Debug)]
pub(super) enum Said {
    /// Its shell is there.
    Ready,
    /// Bytes of its output.
    Output(Bytes),
    /// Its shell ended, and there is another one now, or none.
    ShellEnded,
    /// There is another container behind the record now: the socket closes.
    Moved,
    /// How busy the container is.
    Stats(Stats),
    /// It is over: why, in words.
    Ended(String),
}

/// The receiving half.
pub(super) struct Listener {
    stream: WsStream,
    kind: Kind,
    /// Shells that were said to start.
    shells: u32,
}

/// The sending half. Clones send over the same socket.
#[derive(Clone)]
pub(super) struct Typist(WsSink);

/// Opens a terminal and waits until its shell is there.
pub(super) async fn open(spot: &Spot, what: &str) -> Result<(Typist, Listener)> {
    let (socket, kind) = spot.terminal(what).await?;
    let (sink, stream) = socket.split();
    let mut listener = Listener { stream, kind, shells: 0 };
    let failed = |why: String| Error::unreachable(spot.client.cannot(what, &why)).at(super::DRIVER.id, spot.full());
    let ready = async {
        loop {
            match listener.next().await? {
                // Something that speaks raw, such as the bridge of a virtual machine, is ready when it speaks.
                Said::Ready | Said::Output(_) => return Ok(()),
                Said::Ended(why) => return Err(failed(why)),
                Said::ShellEnded => return Err(failed("its shell ended at once".to_owned())),
                Said::Moved => return Err(failed("the container is being made anew".to_owned())),
                Said::Stats(_) => {}
            }
        }
    };
    timeout(READY, ready).await.map_err(|_| failed(format!("no shell within {} s", READY.as_secs())))??;
    Ok((Typist(sink), listener))
}

/// How busy a container is: nothing but a terminal tells.
pub(super) async fn stats(spot: &Spot) -> Result<Stats> {
    let what = format!("ask how busy `{}` is", spot.name);
    let (mut typist, mut listener) = open(spot, &what).await?;
    let told = async {
        loop {
            match listener.next().await? {
                Said::Stats(stats) => return Ok(stats),
                Said::Ended(why) => return Err(Error::unreachable(spot.client.cannot(&what, &why))),
                _ => {}
            }
        }
    };
    let told = timeout(LOAD, told).await;
    typist.close().await;
    told.map_err(|_| Error::timeout(spot.client.cannot(&what, "the terminal does not tell")))?
}

impl Listener {
    /// What comes next. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Said> {
        loop {
            let text = match self.stream.next().await? {
                Some(Message::Binary(bytes)) => return Ok(Said::Output(bytes)),
                Some(Message::Text(text)) => text,
                Some(Message::Close { code: Some(4100), .. }) => return Ok(Said::Moved),
                Some(Message::Close { code, reason }) => {
                    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
                    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                    return Ok(Said::Ended(format!("the server closed the terminal{code}{reason}")));
                }
                Some(Message::Eof) | None => return Ok(Said::Ended("the connection was lost".to_owned())),
            };
            // What is no message of the protocol is what the terminal wrote.
            let Ok(frame) = serde_json::from_str::<Frame>(&text) else {
                return Ok(Said::Output(Bytes::copy_from_slice(text.as_bytes())));
            };
            match frame.kind.as_str() {
                "output" => return Ok(Said::Output(Bytes::copy_from_slice(frame.data().as_bytes()))),
                "shell_starting" => {
                    self.shells += 1;
                    if self.shells > 1 {
                        return Ok(Said::ShellEnded);
                    }
                }
                "shell_ready" => return Ok(Said::Ready),
                "shell_started" if self.kind == Kind::Agent => return Ok(Said::Ready),
                "shell_stopped" if self.kind == Kind::Agent => return Ok(Said::ShellEnded),
                "shell_error" => {
                    let why = frame.data["error"].as_str().unwrap_or("the shell failed");
                    return Ok(Said::Ended(why.to_owned()));
                }
                "error" => return Ok(Said::Ended(frame.data().to_owned())),
                "container_restart_required" | "reconnect" => return Ok(Said::Moved),
                "stats" => {
                    if let Some(stats) = frame.stats() {
                        return Ok(Said::Stats(stats));
                    }
                }
                _ => {}
            }
        }
    }
}

impl Typist {
    /// Types a text. `false`: nobody listens any more.
    pub(super) async fn text(&mut self, text: &str) -> bool {
        let mut rest = text;
        while !rest.is_empty() {
            let mut end = rest.len().min(CHUNK);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            let (piece, tail) = rest.split_at(end);
            rest = tail;
            let frame = serde_json::to_string(&Frame::text("input", piece)).expect("a text has a JSON form");
            if !self.0.send_text(frame).await.unwrap_or(false) {
                return false;
            }
        }
        true
    }

    /// Types bytes: what is text in an envelope, or a frame of ours could be typed by the user; what is none as it is,
    /// which no JSON begins with.
    pub(super) async fn bytes(&mut self, bytes: &[u8]) -> bool {
        for chunk in bytes.utf8_chunks() {
            if !self.text(chunk.valid()).await {
                return false;
            }
            let invalid = chunk.invalid();
            if !invalid.is_empty() && !self.0.send_binary(Bytes::copy_from_slice(invalid)).await.unwrap_or(false) {
                return false;
            }
        }
        true
    }

    /// Tells the size of the terminal.
    pub(super) async fn resize(&mut self, size: TermSize) {
        if size.cols > 0 && size.rows > 0 {
            let frame = Frame { cols: size.cols, rows: size.rows, ..Frame::new("resize") };
            let frame = serde_json::to_string(&frame).expect("plain data has a JSON form");
            // The side that reads knows why it failed, and tells.
            let _ = self.0.send_text(frame).await;
        }
    }

    /// Closes the socket, which may wait behind what nobody reads: it is a courtesy.
    pub(super) async fn close(&mut self) {
        let _ = timeout(Duration::from_millis(50), self.0.close(1000, "")).await;
    }
}
