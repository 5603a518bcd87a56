//! Copying between two ends that have files, whatever they are: both may be far, one may be this machine.
//!
//! Built once, on the [`Files`] trait alone: it knows no provider by name and prints nothing. What happens on the way
//! goes to an [`Observer`]. A tree is walked while it is copied, through a bounded queue; small files travel together
//! where an end can take several at once, large ones singly, several in flight.

mod batch;
mod engine;
mod names;
mod plan;
pub mod sync;
#[cfg(test)]
mod tests;
mod walk;

pub use engine::copy;
pub use names::of as entry_name;

use crate::error::Error;
use crate::model::RemotePath;
use crate::provider::exec::Owner;
use crate::provider::files::Files;
use std::sync::Arc;

/// A path at one end.
#[derive(Clone)]
pub struct End<'a> {
    /// The files there.
    pub files: &'a dyn Files,
    /// The path.
    pub path: RemotePath,
    /// What stands before the path in messages, such as `web:`; equal for equal places.
    pub place: String,
}

impl End<'_> {
    /// The path as the user may name it.
    pub fn shown(&self) -> String {
        format!("{}{}", self.place, self.path)
    }
}

/// How to copy.
#[derive(Clone, Debug)]
pub struct Options {
    /// Directories too, with all below.
    pub recursive: bool,
    /// Missing directories above the destination are made.
    pub parents: bool,
    /// What links in a tree lead to is copied; otherwise they are skipped.
    pub follow: bool,
    /// The destination must be a directory.
    pub into_directory: bool,
    /// The mode of every file; by default that of its source.
    pub mode: Option<u32>,
    /// The owner of everything.
    pub owner: Option<Owner>,
    /// Owners are those of the source, by name where it knows one.
    pub preserve_owner: bool,
    /// How many requests at once.
    pub jobs: usize,
}

/// Who is told what happens.
pub trait Observer: Send + Sync {
    /// So many bytes more are to be copied.
    fn found(&self, bytes: u64);
    /// So many more were.
    fn moved(&self, bytes: u64);
    /// Something was left out, and why.
    fn skipped(&self, what: &str, why: &str);
}

/// What a copy did.
#[derive(Debug, Default)]
pub struct Summary {
    /// Files written.
    pub files: u64,
    /// Directories made, or found there.
    pub directories: u64,
    /// Bytes written.
    pub size_bytes: u64,
    /// What was left out.
    pub skipped: u64,
    /// What failed, each naming its path.
    pub failed: Vec<Error>,
}

/// One file to copy.
struct Task<'a> {
    source: &'a dyn Files,
    from: RemotePath,
    to: RemotePath,
    /// Its size as the listing has it: a hint, since it may have changed.
    size: Option<u64>,
    mode: Option<u32>,
    owner: Option<Owner>,
}

/// A step of a copy, in the order in which they must begin.
enum Step<'a> {
    /// A directory; nothing below it comes before it.
    Directory {
        to: RemotePath,
        mode: Option<u32>,
        owner: Option<Owner>,
    },
    File(Task<'a>),
    Skipped {
        what: String,
        why: &'static str,
    },
    Failed(Error),
}

/// Shared with bodies, which outlive the call that made them.
type Watcher = Arc<dyn Observer>;
