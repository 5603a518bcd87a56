//! What a client is told.

use super::socket::{Socket, Task};
use crate::stream::ByteStream;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

/// The answer to a request.
pub enum Reply {
    /// A response like any other.
    Response(Response),
    /// The connection becomes a websocket, which `task` then serves.
    ///
    /// A client that did not ask for one in a way that can be granted gets 400: see
    /// [`Request::is_websocket`](super::Request::is_websocket).
    Websocket {
        /// What the 101 carries beside the handshake.
        headers: HeaderMap,
        /// What serves it; the connection closes when it is done.
        task: Task,
    },
}

/// A status, headers and a body.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers; the server adds `Date`, and the length or `Transfer-Encoding: chunked`.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// What a response carries.
pub enum Body {
    /// Bytes that are there already.
    Full(Bytes),
    /// Bytes that come; each chunk is sent as soon as it is there.
    ///
    /// After an `Err` the connection is cut, once everything before was sent.
    Stream {
        /// The bytes.
        body: ByteStream,
        /// How many are announced; `None` sends them chunked. The connection is cut if fewer come.
        len: Option<u64>,
    },
}

impl Response {
    /// A response without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Body::Full(Bytes::new()) }
    }

    /// A response with these bytes.
    pub fn bytes(status: StatusCode, content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self { body: Body::Full(bytes.into()), ..Self::empty(status) }
            .header(CONTENT_TYPE, HeaderValue::from_static(content_type))
    }

    /// A response with this text.
    pub fn text(status: StatusCode, text: impl Into<String>) -> Self {
        Self::bytes(status, "text/plain; charset=utf-8", text.into())
    }

    /// A response with `value` as JSON, `\n` behind it as Go's encoder has it.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        let mut text = serde_json::to_vec(value).expect("plain data has a JSON form");
        text.push(b'\n');
        Self::bytes(status, "application/json", text)
    }

    /// A response whose body comes chunk by chunk.
    pub fn stream(status: StatusCode, content_type: &'static str, body: ByteStream) -> Self {
        Self { body: Body::Stream { body, len: None }, ..Self::empty(status) }
            .header(CONTENT_TYPE, HeaderValue::from_static(content_type))
    }

    /// Sets a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

impl Reply {
    /// A websocket that `serve` attends.
    pub fn websocket<F, Fut>(headers: HeaderMap, serve: F) -> Self
    where
        F: FnOnce(Socket) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self::Websocket { headers, task: Box::new(move |socket| Box::pin(serve(socket))) }
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}
