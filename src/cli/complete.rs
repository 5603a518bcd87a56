//! Dynamic candidates of the shell completion.

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::ffi::OsStr;

/// Completes the name of a target.
pub fn targets() -> ArgValueCompleter {
    ArgValueCompleter::new(|_: &OsStr| Vec::<CompletionCandidate>::new())
}

pub fn short_names() -> ArgValueCompleter {
    targets()
}

pub fn endpoints() -> ArgValueCompleter {
    targets()
}

pub fn providers() -> ArgValueCompleter {
    targets()
}
