//! Answers that say no (section 2.6 of the reference).

use crate::transport::StatusCode;
use crate::transport::server::{Reply, Response};
use serde_json::{Value, json};
use std::fmt::Display;

/// An answer that says no. Handlers return it as their error.
pub(super) struct Refusal {
    pub(super) status: u16,
    body: Value,
}

/// What a handler returns.
pub(super) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    pub(super) fn new(status: u16, why: impl Display) -> Self {
        Self { status, body: json!({ "err": why.to_string() }) }
    }

    /// The same with more to say.
    pub(super) fn with(status: u16, why: &str, response: Value) -> Self {
        Self { status, body: json!({ "err": why, "response": response }) }
    }

    /// Nobody is signed in, or not as somebody who may be.
    pub(super) fn login() -> Self {
        Self::new(401, "Login required")
    }

    /// There is no such row or table.
    pub(super) fn missing(what: impl Display) -> Self {
        Self::new(404, format!("No such file or directory: {what}"))
    }

    /// The words of a filter or a sort are none.
    pub(super) fn argument() -> Self {
        Self::new(422, "Invalid argument")
    }

    /// A column does not take this value.
    pub(super) fn field(name: &str, why: &str) -> Self {
        Self::new(422, format!("Validation error on field: '{name}' - '{why}'"))
    }

    /// A column refers to a row that is not there.
    pub(super) fn dangling(name: &str) -> Self {
        Self::new(404, format!("error setting field '{name}': No such file or directory"))
    }

    /// The state of the thing does not allow it.
    pub(super) fn state(why: impl Display) -> Self {
        Self::new(409, why)
    }

    /// The thing does not do that, whatever its state.
    pub(super) fn not_permitted() -> Self {
        Self::new(405, "Operation not permitted")
    }

    /// There is no such action.
    pub(super) fn action(name: &str) -> Self {
        Self::new(400, format!("Invalid action: '{name}'"))
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status).expect("a status of ours is a number between 100 and 999");
        Response::json(status, &refusal.body).into()
    }
}

#[cfg(test)]
impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.body)
    }
}
