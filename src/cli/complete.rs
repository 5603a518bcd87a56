//! Dynamic candidates of the shell completion.

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::ffi::OsStr;

/// Completes the name of a service.
pub fn services() -> ArgValueCompleter {
    ArgValueCompleter::new(|_: &OsStr| Vec::<CompletionCandidate>::new())
}

/// Completes the name of a check.
pub fn checks() -> ArgValueCompleter {
    ArgValueCompleter::new(|_: &OsStr| Vec::<CompletionCandidate>::new())
}

/// Completes the id of a change.
pub fn changes() -> ArgValueCompleter {
    ArgValueCompleter::new(|_: &OsStr| Vec::<CompletionCandidate>::new())
}

/// Completes the name of an identity.
pub fn identities() -> ArgValueCompleter {
    ArgValueCompleter::new(|_: &OsStr| Vec::<CompletionCandidate>::new())
}

/// Completes the name of a target.
pub fn targets() -> ArgValueCompleter {
    ArgValueCompleter::new(|_: &OsStr| Vec::<CompletionCandidate>::new())
}
