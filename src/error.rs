//! The one error type below `cli/`: what could not be done, why, and one thing to do.
//!
//! A kind decides the exit code (the table of `ux` section 3) and whether a request may be tried again; the texts are
//! for people. Providers map their wire onto a kind once, in their `client.rs`; `report.rs` alone turns an error into
//! output and a status.

use std::fmt;
use std::time::Duration;

/// The result of everything below `cli/`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something failed, as scripts see it: the exit code and `error.kind` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Anything without a better kind, our own bugs included.
    Failure,
    /// A bad flag or argument, or a confirmation that is needed and impossible.
    Usage,
    /// A configuration file or variable is invalid, or a file named by a flag is missing.
    Config,
    /// No credential, or a refused one.
    Auth,
    /// Known, but not allowed.
    Forbidden,
    /// The object or target does not exist.
    NotFound,
    /// It exists already, is in the wrong state, or the name is ambiguous.
    Conflict,
    /// The provider refused the values.
    Rejected,
    /// A deadline of ours expired.
    Timeout,
    /// No connection, or one that was lost on the way.
    Unreachable,
    /// This provider cannot do it; nothing was sent.
    Unsupported,
    /// Some items done, some failed.
    Partial,
    /// Rate limited or busy.
    TryLater,
    /// A budget is used up.
    Limit,
    /// Ctrl-C, SIGTERM or a sibling.
    Interrupted,
}

impl ErrorKind {
    /// Every kind, in the order of its exit code.
    pub const ALL: [Self; 15] = [
        Self::Failure,
        Self::Usage,
        Self::Config,
        Self::Auth,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::Rejected,
        Self::Timeout,
        Self::Unreachable,
        Self::Unsupported,
        Self::Partial,
        Self::TryLater,
        Self::Limit,
        Self::Interrupted,
    ];

    /// The process exit code (ux section 3), except in `exec`, where every failure of ours is 125.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Config => 3,
            Self::Auth => 4,
            Self::Forbidden => 5,
            Self::NotFound => 6,
            Self::Conflict => 7,
            Self::Rejected => 8,
            Self::Timeout => 9,
            Self::Unreachable => 10,
            Self::Unsupported => 11,
            Self::Partial => 12,
            Self::TryLater => 13,
            Self::Limit => 14,
            Self::Interrupted => 130,
        }
    }

    /// The stable name, as `error.kind` prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Usage => "usage",
            Self::Config => "config",
            Self::Auth => "auth",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Unsupported => "unsupported",
            Self::Partial => "partial",
            Self::TryLater => "try_later",
            Self::Limit => "limit",
            Self::Interrupted => "interrupted",
        }
    }

    /// When it happens, in the words of the exit code table.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Failure => "anything without a better code, including our own bugs",
            Self::Usage => "bad flag or argument; confirmation needed and impossible",
            Self::Config => "config file or variable invalid, or a file named by flag missing",
            Self::Auth => "no credential, or refused",
            Self::Forbidden => "known, but not allowed",
            Self::NotFound => "object or target absent",
            Self::Conflict => "exists already, wrong state, ambiguous name",
            Self::Rejected => "the provider refused the values",
            Self::Timeout => "--timeout or wait expired",
            Self::Unreachable => "no connection, no socket, connection lost mid-way",
            Self::Unsupported => "this provider cannot do it (before anything was sent)",
            Self::Partial => "some items done, some failed",
            Self::TryLater => "rate limited or busy; the hint says when",
            Self::Limit => "a budget is used up",
            Self::Interrupted => "interrupted (143 for SIGTERM, 128+n for signal n)",
        }
    }
}

/// What an error left behind on the far side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// Nothing was changed: the only state in which a request may be sent again.
    #[default]
    None,
    /// Nobody knows; it is said aloud.
    Unknown,
    /// Some of it was done.
    Partial,
    /// All of it was done; only the confirmation is missing.
    Done,
}

/// What the provider itself said, kept apart from our own words (`error.provider_*` in JSON).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// HTTP status or its like.
    pub status: Option<u16>,
    /// The provider's own error class.
    pub kind: Option<String>,
    /// The provider's own words, untouched.
    pub message: Option<String>,
    /// The id under which the provider logged the request.
    pub request_id: Option<String>,
    /// The operation (a Pebble change, say) that the error belongs to.
    pub operation_id: Option<String>,
    /// Log lines that explain the failure, oldest first.
    pub log: Vec<String>,
}

/// Everything an [`Error`] carries.
#[derive(Debug)]
pub struct Parts {
    /// Decides the exit code.
    pub kind: ErrorKind,
    /// What is left on the far side.
    pub effect: Effect,
    /// One line that is enough alone: "cannot start `web` on `prod`: …".
    pub message: String,
    /// Facts, most telling first.
    pub causes: Vec<String>,
    /// One command or one setting, only when it is right.
    pub hint: Option<String>,
    /// The provider it happened at.
    pub provider: Option<&'static str>,
    /// The full name of the target it happened at.
    pub target: Option<String>,
    /// How long to wait before trying again.
    pub retry_after: Option<Duration>,
    /// What the provider said.
    pub wire: Option<Wire>,
    /// The failures of the single items or targets that make up a partial failure.
    pub items: Vec<Error>,
    /// An exit status that overrides the kind's (a signal other than INT, say).
    pub status: Option<u8>,
    /// The technical cause, shown from `-vv` on.
    pub source: Option<anyhow::Error>,
}

/// An error with a kind. Boxed, so that a `Result` stays small.
pub struct Error(Box<Parts>);

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident => $kind:ident),* $(,)?) => { $(
        $(#[$doc])*
        pub fn $name(message: impl Into<String>) -> Self { Self::new(ErrorKind::$kind, message) }
    )* };
}

impl Error {
    /// An error of `kind` that says `message`: lower case, no full stop, names in backticks.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            effect: Effect::None,
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            provider: None,
            target: None,
            retry_after: None,
            wire: None,
            items: Vec::new(),
            status: None,
            source: None,
        }))
    }

    kinds! {
        /// Anything without a better kind.
        failure => Failure,
        /// A bad flag or argument.
        usage => Usage,
        /// An invalid configuration.
        config => Config,
        /// A missing or refused credential.
        auth => Auth,
        /// Known, but not allowed.
        forbidden => Forbidden,
        /// The object does not exist.
        not_found => NotFound,
        /// Exists already, or in the wrong state.
        conflict => Conflict,
        /// The provider refused the values.
        rejected => Rejected,
        /// A deadline expired.
        timeout => Timeout,
        /// No connection, or a lost one.
        unreachable => Unreachable,
        /// This provider cannot do it.
        unsupported => Unsupported,
        /// Rate limited or busy.
        try_later => TryLater,
        /// A budget is used up.
        limit => Limit,
        /// Stopped by a signal.
        interrupted => Interrupted,
    }

    /// A bug of ours: says so, and where to report it.
    pub fn internal(what: impl fmt::Display) -> Self {
        Self::failure(format!("internal error: {what}"))
            .hint("this is a bug in esker; please report it with the output of `esker version -o json`")
    }

    /// Several failures as one: their common kind if all failed alike and nothing succeeded, otherwise `Partial`.
    ///
    /// `done` is how many items succeeded.
    pub fn several(what: &str, items: Vec<Self>, done: usize) -> Self {
        let mut items = items;
        if done == 0 && items.len() == 1 {
            return items.remove(0);
        }
        let first = items.first().map_or(ErrorKind::Failure, Self::kind);
        let kind = if done == 0 && items.iter().all(|e| e.kind() == first) { first } else { ErrorKind::Partial };
        let total = items.len() + done;
        let mut error = Self::new(kind, format!("{} of {total} {what} failed", items.len()));
        error.0.effect = if done > 0 { Effect::Partial } else { Effect::None };
        error.0.items = items;
        error
    }

    /// Adds a fact that explains the message.
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(cause.into());
        self
    }

    /// Sets the one thing to do, replacing an earlier one.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Names where it happened, unless that is known already.
    pub fn at(mut self, provider: &'static str, target: impl Into<String>) -> Self {
        self.0.provider.get_or_insert(provider);
        self.0.target.get_or_insert_with(|| target.into());
        self
    }

    /// Says what is left on the far side.
    pub fn effect(mut self, effect: Effect) -> Self {
        self.0.effect = effect;
        self
    }

    /// Attaches what the provider said.
    pub fn wire(mut self, wire: Wire) -> Self {
        self.0.wire = Some(wire);
        self
    }

    /// Says how long to wait before trying again.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Sets an exit status that differs from the kind's.
    pub fn status(mut self, status: u8) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Attaches the technical cause, shown from `-vv` on.
    pub fn source(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Replaces the message and keeps the former one as the first cause.
    pub fn wrap(mut self, message: impl Into<String>) -> Self {
        let former = std::mem::replace(&mut self.0.message, message.into());
        self.0.causes.insert(0, former);
        self
    }

    /// Replaces the message.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Everything it carries.
    pub fn parts(&self) -> &Parts {
        &self.0
    }

    /// Everything it carries, to be changed.
    pub fn parts_mut(&mut self) -> &mut Parts {
        &mut self.0
    }

    /// Everything it carries, by value.
    pub fn into_parts(self) -> Parts {
        *self.0
    }

    /// The operation it belongs to, where the provider named one.
    pub fn operation_id(&self) -> Option<&str> {
        self.0.wire.as_ref()?.operation_id.as_deref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|e| &**e as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_code_and_name() {
        let mut codes: Vec<_> = ErrorKind::ALL.iter().map(|k| k.exit_code()).collect();
        let mut names: Vec<_> = ErrorKind::ALL.iter().map(|k| k.name()).collect();
        codes.dedup();
        names.sort_unstable();
        names.dedup();
        assert_eq!((codes.len(), names.len()), (15, 15));
    }

    #[test]
    fn several_failures_keep_a_common_kind_only_if_nothing_succeeded() {
        let missing = || Error::not_found("no service `x`");
        assert_eq!(Error::several("services", vec![missing(), missing()], 0).kind(), ErrorKind::NotFound);
        assert_eq!(Error::several("services", vec![missing()], 1).kind(), ErrorKind::Partial);
        assert_eq!(Error::several("services", vec![missing(), Error::auth("no")], 0).kind(), ErrorKind::Partial);
        assert_eq!(Error::several("services", vec![missing()], 0).to_string(), "no service `x`");
    }

    #[test]
    fn a_result_stays_small() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
