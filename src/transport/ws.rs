//! WebSocket: the handshake over the HTTP client, then messages both ways.

use super::fault::Fault;
use super::http::Client;
use super::link::{AnswerFirst, Link};
use super::{Request, Response, Trace, redact};
use crate::error::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use hyper::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY};
use hyper::header::{SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

pub use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What RFC 6455 section 1.3 has the server append to the key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The bounds of a websocket.
#[derive(Clone, Copy, Debug)]
pub struct WsOptions {
    /// How much is read at once, in bytes; this much is allocated for every websocket.
    pub read_buffer: usize,
    /// The longest frame and the longest message, in bytes.
    pub max_message: usize,
    /// How a server that went away without a word is found out; `None` leaves that to the system.
    pub keepalive: Option<Keepalive>,
}

impl Default for WsOptions {
    fn default() -> Self {
        Self { read_buffer: 256 * 1024, max_message: 64 * 1024 * 1024, keepalive: None }
    }
}

/// Pings while the server says nothing.
///
/// Silence is counted in pings that went unanswered and not by the clock: after a laptop slept, many would be due at
/// once, and one is sent. It is counted only while somebody waits for a message.
#[derive(Clone, Copy, Debug)]
pub struct Keepalive {
    /// How often a ping is sent.
    pub every: Duration,
    /// How many pings in a row, with nothing heard since the first, mean that the server is gone.
    pub misses: u32,
}

/// How a server answers the wish for a websocket.
pub enum WsReply {
    /// It is open.
    Open(WebSocket),
    /// Anything but 101: an answer like any other.
    Refused(Response),
}

/// An open websocket.
pub struct WebSocket {
    stream: WebSocketStream<Link>,
    headers: HeaderMap,
    label: Arc<Label>,
    keepalive: Option<Keepalive>,
}

/// The sending half. Clones send over the same connection, one message at a time.
#[derive(Clone)]
pub struct WsSink {
    sink: Arc<Mutex<Outgoing>>,
    label: Arc<Label>,
}

type Outgoing = SplitSink<WebSocketStream<Link>, Message>;

/// The receiving half.
pub struct WsStream {
    stream: SplitStream<WebSocketStream<Link>>,
    label: Arc<Label>,
    ended: bool,
    pulse: Option<Pulse>,
}

/// The keepalive of a websocket.
struct Pulse {
    ticks: Interval,
    keepalive: Keepalive,
    /// Pings since something was heard.
    unanswered: u32,
    sink: Arc<Mutex<Outgoing>>,
    /// The last ping: it waits behind a message that the server does not read.
    ping: Option<JoinHandle<()>>,
}

/// What a websocket is called in errors and in the trace.
struct Label {
    address: String,
    path: String,
    trace: Trace,
}

/// What arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// The server closed the websocket as the protocol wants it. Nothing follows.
    Close {
        /// Why, as a number.
        code: Option<u16>,
        /// Why, in words.
        reason: String,
    },
    /// The connection ended or was reset without a close. Nothing follows.
    Eof,
}

impl Client {
    /// Opens a websocket at `path`, which is complete like that of a [`Request`].
    ///
    /// # Errors
    ///
    /// As [`Client::send`]; an answer other than 101 is no error.
    pub async fn websocket(&self, path: &str, headers: &[(HeaderName, HeaderValue)]) -> Result<WsReply> {
        self.websocket_with(path, headers, WsOptions::default()).await
    }

    /// Opens a websocket with bounds of its own.
    pub async fn websocket_with(
        &self,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        options: WsOptions,
    ) -> Result<WsReply> {
        let key = BASE64.encode(super::random::<16>());
        let mut request = Request::get(path)
            .header(CONNECTION, HeaderValue::from_static("Upgrade"))
            .header(UPGRADE, HeaderValue::from_static("websocket"))
            .header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
            .header(SEC_WEBSOCKET_KEY, HeaderValue::try_from(&key).expect("base64 is valid in a header"));
        request.headers.extend_from_slice(headers);
        let (mut response, exchange) = self.exchange(request).await?;
        if response.status() != hyper::StatusCode::SWITCHING_PROTOCOLS {
            return Ok(WsReply::Refused(Response::new(response, exchange)));
        }
        let address = self.address().to_string();
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
        if accepted != Some(accept_key(&key).as_bytes()) {
            return Err(Fault::Protocol.error(format!("`{address}` does not answer as a websocket server")));
        }
        let upgraded =
            hyper::upgrade::on(&mut response).await.map_err(|error| exchange.lost(error, "at the upgrade"))?;
        let (link, read) = unwrap(upgraded)?;
        let config = WebSocketConfig::default()
            .read_buffer_size(options.read_buffer)
            .max_frame_size(Some(options.max_message))
            .max_message_size(Some(options.max_message));
        let stream = WebSocketStream::from_partially_read(link, read.to_vec(), Role::Client, Some(config)).await;
        let label = Label { address, path: redact::path(path), trace: self.trace().clone() };
        label.trace.line(|| format!("* websocket {} is open", label.path));
        let headers = std::mem::take(response.headers_mut());
        Ok(WsReply::Open(WebSocket { stream, headers, label: Arc::new(label), keepalive: options.keepalive }))
    }
}

/// The plain connection under an upgraded one, and what was read of it already.
fn unwrap(upgraded: Upgraded) -> Result<(Link, Bytes)> {
    let parts = upgraded
        .downcast::<TokioIo<AnswerFirst>>()
        .map_err(|_| Error::internal("an upgraded connection is of another type than it was made"))?;
    Ok((parts.io.into_inner().into_inner(), parts.read_buf))
}

pub(super) fn accept_key(key: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes());
    BASE64.encode(digest)
}

impl WebSocket {
    /// The headers of the server's 101.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The two halves, which may be used at the same time. The connection closes when both are dropped.
    pub fn split(self) -> (WsSink, WsStream) {
        let (sink, stream) = self.stream.split();
        let sink = Arc::new(Mutex::new(sink));
        let pulse = self.keepalive.map(|keepalive| Pulse::new(keepalive, sink.clone()));
        (WsSink { sink, label: self.label.clone() }, WsStream { stream, label: self.label, ended: false, pulse })
    }
}

impl WsSink {
    /// Sends a binary message; returns once the system has all of it, and false if the server no longer reads.
    ///
    /// A message is one frame and is copied once to be masked, so bulk is best sent in pieces of 64 to 128 KiB.
    pub async fn send_binary(&mut self, bytes: Bytes) -> Result<bool> {
        self.send(Message::Binary(bytes)).await
    }

    /// Sends a text message; false if the server no longer reads.
    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<bool> {
        self.send(Message::Text(text.into().into())).await
    }

    /// Tells the server that nothing more is sent; false if it does not listen any more.
    ///
    /// The receiving half still yields what the server sent before it agreed, and then its close.
    pub async fn close(&mut self, code: u16, reason: &str) -> Result<bool> {
        self.label.trace.line(|| format!("* websocket {}: closing with {code}", self.label.path));
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        self.send(Message::Close(Some(frame))).await
    }

    async fn send(&mut self, message: Message) -> Result<bool> {
        match self.sink.lock().await.send(message).await {
            Ok(()) => Ok(true),
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(self.label.explain(error)),
        }
    }
}

impl WsStream {
    /// The next message; `None` after [`Frame::Close`], [`Frame::Eof`] or an error. Pings are answered on the way.
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// `Unreachable`: the connection broke, what came is no websocket, or the server answers no pings any more.
    pub async fn next(&mut self) -> Result<Option<Frame>> {
        while !self.ended {
            let heard = tokio::select! {
                biased;
                heard = self.stream.next() => heard,
                () = beat(&mut self.pulse) => {
                    self.ended = true;
                    return Err(self.label.silent());
                }
            };
            if let Some(pulse) = &mut self.pulse {
                pulse.unanswered = 0;
            }
            match heard {
                Some(Ok(Message::Binary(bytes))) => return Ok(Some(Frame::Binary(bytes))),
                Some(Ok(Message::Text(text))) => return Ok(Some(Frame::Text(text))),
                Some(Ok(Message::Close(close))) => {
                    self.ended = true;
                    // Our reply to the close is sent by the next read, whose result does not matter.
                    let _ = self.stream.next().now_or_never();
                    let (code, reason) = close.map_or((None, String::new()), |close| {
                        (Some(close.code.into()), close.reason.as_str().to_owned())
                    });
                    self.label.trace.line(|| format!("* websocket {}: closed with {code:?}", self.label.path));
                    return Ok(Some(Frame::Close { code, reason }));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) if !is_gone(&error) => {
                    self.ended = true;
                    return Err(self.label.explain(error));
                }
                Some(Err(_)) | None => {
                    self.ended = true;
                    self.label.trace.line(|| format!("* websocket {}: ended without a close", self.label.path));
                    return Ok(Some(Frame::Eof));
                }
            }
        }
        Ok(None)
    }
}

/// Sends pings for as long as they are answered; returns once they are not.
async fn beat(pulse: &mut Option<Pulse>) {
    match pulse {
        Some(pulse) => pulse.beat().await,
        None => pending().await,
    }
}

impl Pulse {
    fn new(keepalive: Keepalive, sink: Arc<Mutex<Outgoing>>) -> Self {
        let first = tokio::time::Instant::now() + keepalive.every;
        let mut ticks = interval_at(first, keepalive.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ticks, keepalive, unanswered: 0, sink, ping: None }
    }

    async fn beat(&mut self) {
        loop {
            self.ticks.tick().await;
            if self.unanswered == self.keepalive.misses {
                return;
            }
            self.unanswered += 1;
            if self.ping.as_ref().is_none_or(JoinHandle::is_finished) {
                let sink = self.sink.clone();
                // Reading must go on meanwhile: the server may be waiting for just that.
                self.ping = Some(tokio::spawn(async move {
                    let _ = sink.lock().await.send(Message::Ping(Bytes::new())).await;
                }));
            }
        }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        if let Some(ping) = &self.ping {
            ping.abort();
        }
    }
}

/// Whether the server closed the websocket or went away, which is not for the transport to judge.
fn is_gone(error: &WsError) -> bool {
    match error {
        WsError::ConnectionClosed | WsError::AlreadyClosed => true,
        WsError::Protocol(ProtocolError::SendAfterClosing | ProtocolError::ResetWithoutClosingHandshake) => true,
        WsError::Io(error) => {
            matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
            )
        }
        _ => false,
    }
}

impl Label {
    fn silent(&self) -> Error {
        self.trace.line(|| format!("* websocket {}: no pongs any more", self.path));
        Fault::Lost.error(format!("`{}` answers no pings any more", self.address))
    }

    fn explain(&self, error: WsError) -> Error {
        let (address, path) = (&self.address, &self.path);
        let fault = if matches!(error, WsError::Io(_)) { Fault::Lost } else { Fault::Protocol };
        let why = match &error {
            WsError::Io(error) => super::fault::system_text(error),
            error => error.to_string(),
        };
        fault.because(format!("the websocket `{path}` of `{address}` broke: {why}"), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_that_of_the_rfc() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
