//! Dynamic candidates of the shell completion.

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::ffi::OsStr;

/// Completes the name of a target.
pub(super) fn targets() -> ArgValueCompleter {
    ArgValueCompleter::new(|_: &OsStr| Vec::<CompletionCandidate>::new())
}
