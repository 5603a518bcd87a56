//! What a request is refused with, in the two shapes of section 2.3.

use crate::transport::server::{Reply, Response};
use crate::transport::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::fmt::Display;

/// An answer that says no. Handlers return it as their error.
pub(super) struct Refusal(pub(super) Box<Response>);

/// What a handler returns.
pub(super) type Answer<T = Reply> = Result<T, Refusal>;

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::Response(*refusal.0)
    }
}

impl Refusal {
    /// `{"error": …}`, as most of the server answers.
    pub(super) fn new(status: u16, error: impl Display) -> Self {
        Self::body(status, &json!({ "error": error.to_string() }))
    }

    /// `{"code": …, "message": …}`, as snippets, port forwards and guests are answered.
    pub(super) fn coded(status: u16, message: impl Display) -> Self {
        Self::body(status, &json!({ "code": status, "message": message.to_string() }))
    }

    /// Any other body.
    pub(super) fn body(status: u16, body: &Value) -> Self {
        Self(Box::new(Response::json(status_of(status), body)))
    }

    /// Adds a header.
    pub(super) fn header(mut self, name: &'static str, value: impl Display) -> Self {
        let value = HeaderValue::try_from(value.to_string()).expect("a header of ours is plain text");
        self.0.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// There is no such container.
    pub(super) fn no_container() -> Self {
        Self::new(404, "container not found")
    }

    /// There is no such path, or it has another method: there is no 405.
    pub(super) fn no_route() -> Self {
        Self(Box::new(Response::text(StatusCode::NOT_FOUND, "404 page not found")))
    }
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status of ours is one")
}

/// A document with a status.
pub(super) fn said(status: u16, body: &Value) -> Answer {
    Ok(Response::json(status_of(status), body).into())
}

/// A document.
pub(super) fn ok(body: &Value) -> Answer {
    said(200, body)
}
