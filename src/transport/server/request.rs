//! What a client asks.

use super::connection::Connection;
use super::listener::Peer;
use super::query::{Query, decode};
use super::socket::Handshake;
use crate::error::{Error, Result};
use crate::stream::{self, ByteStream};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName};
use hyper::{Method, Version};

/// A request: its head, and its body as it arrives.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The query as it was sent.
    pub raw_query: String,
    /// The query, decoded.
    pub query: Query,
    /// The headers.
    pub headers: HeaderMap,
    /// The version of HTTP.
    pub version: Version,
    /// The body. Dropping it unread is fine; an `Err` means that the client went away in the middle.
    pub body: ByteStream,
    /// Who asks.
    pub peer: Peer,
    /// Over which connection.
    pub connection: Connection,
    segments: Vec<String>,
    websocket: bool,
}

impl Request {
    /// The request, and what is needed to make a websocket of its connection.
    pub(super) fn new(mut request: hyper::Request<Incoming>, peer: Peer, connection: Connection) -> (Self, Handshake) {
        let handshake = Handshake::new(&mut request);
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        let raw_query = head.uri.query().unwrap_or_default().to_owned();
        let request = Self {
            method: head.method,
            query: Query::parse(&raw_query),
            segments: segments(&path),
            path,
            raw_query,
            headers: head.headers,
            version: head.version,
            body: incoming(body),
            peer,
            connection,
            websocket: handshake.is_valid(),
        };
        (request, handshake)
    }

    /// The segments of the path, each decoded by itself: `/v1/a%2Fb/` is `["v1", "a/b", ""]`. Bytes that are not UTF-8
    /// are replaced.
    pub fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// A header as text; `None` if it is absent or no text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The token of `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header(&AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Whether it asks for a websocket in a way that can be granted.
    pub fn is_websocket(&self) -> bool {
        self.websocket
    }

    /// The whole body.
    ///
    /// # Errors
    ///
    /// `Rejected` if it has more than `limit` bytes; the body's own error.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.body.next().await {
            let chunk = chunk?;
            if whole.len() + chunk.len() > limit {
                return Err(Error::rejected(format!("the request has more than {limit} bytes")));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }
}

#[cfg(test)]
impl Request {
    /// A request without a body and a connection, for tests of handlers.
    pub(crate) fn of(method: Method, target: &str, headers: &[(HeaderName, &str)]) -> Self {
        use hyper::header::HeaderValue;
        let (path, raw_query) = target.split_once('?').unwrap_or((target, ""));
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        Self {
            method,
            query: Query::parse(raw_query),
            segments: segments(path),
            path: path.to_owned(),
            raw_query: raw_query.to_owned(),
            headers: headers.collect(),
            version: Version::HTTP_11,
            body: stream::iter([]),
            peer: Peer::Unix { uid: 0, gid: 0, pid: None },
            connection: Connection::closed(),
            websocket: false,
        }
    }
}

fn segments(path: &str) -> Vec<String> {
    let decoded = path.trim_start_matches('/').split('/').map(|segment| decode(segment, false));
    decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

fn incoming(body: Incoming) -> ByteStream {
    stream::unfold(body, |mut body| async move {
        loop {
            match body.frame().await {
                None => return Ok(None),
                // Trailers say nothing that anybody here asks for.
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some((bytes, body)));
                    }
                }
                Some(Err(error)) => {
                    return Err(Error::unreachable("the client went away in the middle of its request").source(error));
                }
            }
        }
    })
}
