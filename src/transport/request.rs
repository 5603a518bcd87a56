//! What is sent: a request, its body, and how long its answer may take.

use super::multipart::Form;
use crate::error::Error;
use crate::stream::ByteStream;
use bytes::Bytes;
use hyper::Method;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use std::time::Duration;

/// How much longer than its own wait a long poll may take: the way there and back, and a busy server.
const LONG_POLL_MARGIN: Duration = Duration::from_secs(10);

/// How long something may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deadline {
    /// As the options of the connection say.
    #[default]
    Default,
    /// As long as it likes.
    Never,
    /// This long.
    After(Duration),
}

impl Deadline {
    pub(super) fn or(self, default: Duration) -> Option<Duration> {
        match self {
            Self::Default => Some(default),
            Self::Never => None,
            Self::After(limit) => Some(limit),
        }
    }
}

/// What a request carries.
#[derive(Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Bytes that are there already.
    Bytes(Bytes),
    /// Bytes that come while they are sent.
    ///
    /// An `Err` of the stream aborts the request: the connection is dropped, so that the server cannot take the
    /// part for the whole, and that error is what [`Client::send`](super::Client::send) returns.
    Stream {
        /// The bytes.
        body: ByteStream,
        /// How many; fewer or more abort the request. `None` sends them chunked.
        len: Option<u64>,
    },
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

/// A request. The path is complete: base path and query included, percent-encoded.
pub struct Request {
    /// The method; GET and HEAD are taken to change nothing.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Headers beside the client's own, which they replace.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Body,
    /// How long the answer may take to begin, counted from the last byte the server took of the body.
    pub first_byte: Deadline,
    /// How long the answer may pause.
    pub idle: Deadline,
    /// What went wrong while it was built; sending it returns this.
    pub(super) broken: Option<Error>,
}

impl Request {
    /// A request without a body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Body::Empty,
            first_byte: Deadline::Default,
            idle: Deadline::Default,
            broken: None,
        }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A POST.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// A PUT.
    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// A DELETE.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says which media type the answer should have.
    pub fn accept(self, media_type: &'static str) -> Self {
        self.header(ACCEPT, HeaderValue::from_static(media_type))
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends `value` as JSON.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.body = Body::Bytes(bytes.into()),
            Err(error) => self.broken = Some(Error::internal(format!("a request that is no JSON: {error}"))),
        }
        self.header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    /// Sends a form.
    pub fn form(mut self, form: Form) -> Self {
        let content_type = form.content_type();
        let len = form.len();
        self.body = Body::Stream { body: form.into_stream(), len };
        self.header(CONTENT_TYPE, HeaderValue::try_from(content_type).expect("a form's boundary is hexadecimal"))
    }

    /// Lets the answer pause as long as it likes.
    pub fn streaming(mut self) -> Self {
        self.idle = Deadline::Never;
        self
    }

    /// Lets the answer begin later by `wait`, which the server was asked to wait; `None` is for ever.
    pub fn long_poll(mut self, wait: Option<Duration>) -> Self {
        self.first_byte = wait.map_or(Deadline::Never, |wait| Deadline::After(wait.saturating_add(LONG_POLL_MARGIN)));
        self
    }
}
