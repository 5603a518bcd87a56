//! The server's side of a websocket.

use super::body::Outgoing;
use super::connection::{Connection, Wire};
use super::reply::{Reply, Response};
use crate::transport::ws::accept_key;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY};
use hyper::header::{SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message as Raw, Utf8Bytes};

/// How much is read at once, in bytes; this much is allocated for every websocket.
const READ_BUFFER: usize = 64 * 1024;

/// The longest frame and the longest message that are taken, in bytes.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// What serves a websocket.
pub type Task = Box<dyn FnOnce(Socket) -> BoxFuture<'static, ()> + Send>;

/// An open websocket. Dropping it closes the connection without a close frame.
pub struct Socket {
    stream: WebSocketStream<Wire>,
    connection: Connection,
}

/// The sending half. Every call returns once the system has all of it.
pub struct SocketSink(SplitSink<WebSocketStream<Wire>, Raw>);

/// The receiving half. Pings are answered while it is read.
pub struct SocketStream {
    stream: SplitStream<WebSocketStream<Wire>>,
    ended: bool,
}

/// What arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping, which is answered already.
    Ping(Bytes),
    /// The answer to a ping of ours.
    Pong(Bytes),
    /// The client closed the websocket as the protocol wants it. Nothing follows.
    Close {
        /// Why, as a number.
        code: Option<u16>,
        /// Why, in words.
        reason: String,
    },
    /// The connection ended, was reset, or carried what is no websocket. Nothing follows.
    Eof,
}

impl Socket {
    /// The two halves, which may be used at the same time. The connection closes when both are dropped.
    pub fn split(self) -> (SocketSink, SocketStream) {
        let (sink, stream) = self.stream.split();
        (SocketSink(sink), SocketStream { stream, ended: false })
    }

    /// The connection under it, which can be cut or reset.
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }
}

impl SocketSink {
    /// Sends a text message; false if the client is gone.
    pub async fn text(&mut self, text: impl Into<Utf8Bytes>) -> bool {
        self.send(Raw::Text(text.into())).await
    }

    /// Sends a binary message; false if the client is gone.
    pub async fn binary(&mut self, bytes: impl Into<Bytes>) -> bool {
        self.send(Raw::Binary(bytes.into())).await
    }

    /// Sends a ping; false if the client is gone.
    pub async fn ping(&mut self, bytes: impl Into<Bytes>) -> bool {
        self.send(Raw::Ping(bytes.into())).await
    }

    /// Tells the client that nothing more comes; false if it is gone or has closed already.
    pub async fn close(&mut self, code: u16, reason: &str) -> bool {
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        self.send(Raw::Close(Some(frame))).await
    }

    /// Closes, and waits up to `bound` for the client to close too: dropping a connection with something unread in it
    /// resets it, and the client might lose what was sent last.
    pub async fn finish(mut self, mut stream: SocketStream, code: u16, reason: &str, bound: Duration) {
        if self.close(code, reason).await {
            let _ = tokio::time::timeout(bound, async { while stream.next().await.is_some() {} }).await;
        }
    }

    async fn send(&mut self, message: Raw) -> bool {
        self.0.send(message).await.is_ok()
    }
}

impl SocketStream {
    /// The next message; `None` after [`Message::Close`] or [`Message::Eof`]. Cancel-safe.
    pub async fn next(&mut self) -> Option<Message> {
        while !self.ended {
            match self.stream.next().await {
                Some(Ok(Raw::Text(text))) => return Some(Message::Text(text)),
                Some(Ok(Raw::Binary(bytes))) => return Some(Message::Binary(bytes)),
                Some(Ok(Raw::Ping(bytes))) => return Some(Message::Ping(bytes)),
                Some(Ok(Raw::Pong(bytes))) => return Some(Message::Pong(bytes)),
                Some(Ok(Raw::Close(close))) => {
                    self.ended = true;
                    // Our reply to the close is sent by the next read, whose result does not matter.
                    let _ = self.stream.next().now_or_never();
                    let (code, reason) = close.map_or((None, String::new()), |close| {
                        (Some(close.code.into()), close.reason.as_str().to_owned())
                    });
                    return Some(Message::Close { code, reason });
                }
                Some(Ok(Raw::Frame(_))) => {}
                Some(Err(_)) | None => {
                    self.ended = true;
                    return Some(Message::Eof);
                }
            }
        }
        None
    }
}

/// The wish for a websocket, if a request has one.
pub(super) struct Handshake(Option<(String, OnUpgrade)>);

impl Handshake {
    pub(super) fn new(request: &mut hyper::Request<Incoming>) -> Self {
        let headers = request.headers();
        let wished = request.method() == Method::GET
            && lists(headers, &UPGRADE, "websocket")
            && lists(headers, &CONNECTION, "upgrade")
            && lists(headers, &SEC_WEBSOCKET_VERSION, "13");
        let key = headers.get(SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok()).map(str::to_owned);
        Self(key.filter(|_| wished).map(|key| (key, hyper::upgrade::on(request))))
    }

    pub(super) fn is_valid(&self) -> bool {
        self.0.is_some()
    }

    /// The reply as hyper takes it, and the websocket if one was agreed.
    pub(super) fn answer(self, reply: Reply, connection: &Connection) -> (hyper::Response<Outgoing>, Option<Upgrade>) {
        let (response, upgrade) = match (reply, self.0) {
            (Reply::Response(response), _) => (response, None),
            (Reply::Websocket { .. }, None) => {
                (Response::text(StatusCode::BAD_REQUEST, "this needs a websocket\n"), None)
            }
            (Reply::Websocket { headers, task }, Some((key, upgraded))) => {
                let accept = HeaderValue::try_from(accept_key(&key)).expect("base64 is valid in a header");
                let response = Response { headers, ..Response::empty(StatusCode::SWITCHING_PROTOCOLS) }
                    .header(UPGRADE, HeaderValue::from_static("websocket"))
                    .header(CONNECTION, HeaderValue::from_static("Upgrade"))
                    .header(SEC_WEBSOCKET_ACCEPT, accept);
                (response, Some(Upgrade { upgraded, task, connection: connection.clone() }))
            }
        };
        let mut answer = hyper::Response::new(Outgoing::new(response.body, connection));
        *answer.status_mut() = response.status;
        *answer.headers_mut() = response.headers;
        (answer, upgrade)
    }
}

/// Whether the list that a header holds has `word` in it.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
}

/// A websocket that was agreed on.
pub(super) struct Upgrade {
    upgraded: OnUpgrade,
    task: Task,
    connection: Connection,
}

impl Upgrade {
    /// Serves it until its task is done.
    pub(super) async fn run(self) {
        // A client that is gone by now needs no websocket.
        let Ok(upgraded) = self.upgraded.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<Wire>>() else { return };
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_frame_size(Some(MAX_MESSAGE))
            .max_message_size(Some(MAX_MESSAGE));
        let wire = parts.io.into_inner();
        let stream =
            WebSocketStream::from_partially_read(wire, parts.read_buf.to_vec(), Role::Server, Some(config)).await;
        (self.task)(Socket { stream, connection: self.connection }).await;
    }
}
