//! What the daemon says when it cannot or will not (section 2.1 of the reference).

use super::go;
use std::io;

/// An error reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: u16,
    /// Why, in words.
    pub(super) message: String,
    /// Its class, where it has one.
    pub(super) kind: Option<&'static str>,
}

/// What a handler answers with, or why it does not.
pub(super) type Result<T> = std::result::Result<T, Refusal>;

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), kind: None }
    }

    /// 400: the request is wrong.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// 400 where something of these names does not exist in the plan: `cannot start services: …`.
    pub(super) fn cannot(what: &str, why: impl std::fmt::Display) -> Self {
        Self::bad(format!("cannot {what}: {why}"))
    }

    /// 401: not this user.
    pub(super) fn denied() -> Self {
        Self::new(401, "access denied").kind("login-required")
    }

    /// 403: not for this user.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, message)
    }

    /// 404: it is not there.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, message)
    }

    /// 405.
    pub(super) fn method(method: &str) -> Self {
        Self::new(405, format!("method {} not allowed", go::quote(method)))
    }

    /// 500: it did not work out.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, message)
    }

    /// 504: it took too long.
    pub(super) fn timeout(message: impl Into<String>) -> Self {
        Self::new(504, message)
    }

    /// Gives it a class.
    pub(super) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }
}

/// What went wrong with one path, in the words of the files API (section 2.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileError {
    /// Why.
    pub(super) message: String,
    /// `not-found`, `permission-denied` or `generic-file-error`.
    pub(super) kind: &'static str,
}

impl FileError {
    /// One that no system call made.
    pub(super) fn generic(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: "generic-file-error" }
    }

    /// A system call that failed: `open /x: permission denied`.
    pub(super) fn of(call: &str, path: &str, error: &io::Error) -> Self {
        Self::prefixed(&format!("{call} {path}"), error)
    }

    /// The same with other words before it.
    pub(super) fn prefixed(what: &str, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => "not-found",
            io::ErrorKind::PermissionDenied => "permission-denied",
            _ => "generic-file-error",
        };
        Self { message: format!("{what}: {}", go::errno(error)), kind }
    }

    /// As the reply of a whole request.
    pub(super) fn into_refusal(self) -> Refusal {
        let status = match self.kind {
            "not-found" => 404,
            "permission-denied" => 403,
            _ => 400,
        };
        Refusal::new(status, self.message).kind(self.kind)
    }
}
