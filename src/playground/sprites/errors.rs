//! The bodies of errors: four shapes, as section 2.5 of the reference has them.

use crate::transport::server::{Reply, Response};
use crate::transport::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::fmt::Display;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    /// `{"error": …}`, as the API's edge and most of a sprite's own server answer.
    pub(super) fn json(status: u16, error: impl Display) -> Self {
        Self::body(status, &json!({ "error": error.to_string() }))
    }

    /// `{"errors": […]}`, as the edge answers invalid fields.
    pub(super) fn list(status: u16, error: impl Display) -> Self {
        Self::body(status, &json!({ "errors": [error.to_string()] }))
    }

    /// Plain text with a newline, as Go's `http.Error` writes it.
    pub(super) fn text(status: u16, error: impl Display) -> Self {
        Self(Box::new(Response::text(code(status), format!("{error}\n"))))
    }

    /// Any other body.
    pub(super) fn body(status: u16, body: &Value) -> Self {
        Self(Box::new(Response::json(code(status), body)))
    }

    /// Adds a header.
    pub(super) fn header(mut self, name: &'static str, value: impl Display) -> Self {
        let value = HeaderValue::try_from(value.to_string()).expect("a header of ours is plain text");
        self.0.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// The sprite does not exist, as everything below it says.
    pub(super) fn no_sprite() -> Self {
        Self::json(404, "sprite not found")
    }

    /// The path does not exist.
    pub(super) fn no_route() -> Self {
        Self::text(404, "404 page not found")
    }

    /// The method is not one of this path's.
    pub(super) fn method() -> Self {
        Self::text(405, "Method not allowed")
    }

    /// Something of the machine failed.
    pub(super) fn internal(error: impl Display) -> Self {
        Self::text(500, error)
    }

    /// Too many sprites were made (section 2.5); what the body says is also in the headers.
    pub(super) fn rate_limited(retry_after: Duration) -> Self {
        let seconds = retry_after.as_secs();
        let reset = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs() + seconds);
        Self::body(
            429,
            &json!({
                "error": "sprite_creation_rate_limited",
                "message": "Sprite creation rate limit exceeded. Please try again later.",
                "limit": 10,
                "window_seconds": 60,
                "retry_after_seconds": seconds,
            }),
        )
        .header("retry-after", seconds)
        .header("x-ratelimit-limit", 10)
        .header("x-ratelimit-remaining", 0)
        .header("x-ratelimit-reset", reset)
    }

    /// Too many sprites run at once, which waiting does not cure.
    pub(super) fn too_many_running(limit: u64) -> Self {
        Self::body(
            429,
            &json!({
                "error": "concurrent_sprite_limit_exceeded",
                "message": "You have reached the limit of concurrently running sprites.",
                "limit": limit,
                "current_count": limit,
                "upgrade_available": true,
                "upgrade_url": "https://sprites.dev/billing",
            }),
        )
    }
}

/// A status of ours as its type.
pub(super) fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status of ours is a number between 100 and 999")
}
