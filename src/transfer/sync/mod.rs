//! One tree made like another, whatever holds them: what differs is found by size and checksum, never by a clock, and
//! only that is carried over. It is told before it is done, so that it can be shown, and asked about, first.

mod apply;
mod compare;
mod exclude;
mod sums;
#[cfg(test)]
mod tests;
mod tree;
mod watch;

pub use apply::{Summary, apply};
pub use exclude::Exclude;
pub use watch::Watched;

use super::plan::is_within;
use super::{End, Observer, Options};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileEntry, FileKind};
use crate::provider::exec::Exec;
use tree::Tree;

/// One side of it.
#[derive(Clone)]
pub struct Peer<'a> {
    /// Its files, and the directory among them.
    pub end: End<'a>,
    /// Where its checksums can be made, so that its files need not be read.
    pub exec: Option<&'a dyn Exec>,
}

/// What is to be alike.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What is only at the destination goes.
    pub delete: bool,
    /// What is neither copied nor deleted.
    pub exclude: Vec<Exclude>,
    /// Whether the destination can change the mode of what is there.
    pub sets_modes: bool,
    /// How files are copied.
    pub copy: Options,
}

/// What is to be done with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A file comes.
    Create,
    /// A file gets another content.
    Update,
    /// A directory comes.
    Mkdir,
    /// What is there gets another mode.
    Mode,
    /// It goes, with all below.
    Delete,
}

impl Deed {
    /// Its word in output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Mkdir => "mkdir",
            Self::Mode => "mode",
            Self::Delete => "delete",
        }
    }
}

/// Something to be done.
#[derive(Clone, Debug)]
pub struct Change {
    /// What.
    pub deed: Deed,
    /// The path below both ends; empty for the ends themselves.
    pub path: Vec<u8>,
    /// The entry at the source; for what goes, at the destination.
    pub entry: FileEntry,
}

/// All that is to be done, in the order in which it is.
#[derive(Debug, Default)]
pub struct Plan {
    /// What is to be done.
    pub changes: Vec<Change>,
    /// Files that are alike.
    pub unchanged: u64,
    /// What is neither a file nor a directory, and is left out.
    pub skipped: u64,
    /// What could not be looked at.
    pub failed: Vec<Error>,
    /// Whether nothing is deleted, since not all of the source could be seen.
    pub withheld: bool,
}

impl Plan {
    /// How many paths go.
    pub fn deletes(&self) -> usize {
        self.changes.iter().filter(|change| change.deed == Deed::Delete).count()
    }
}

/// Looks at both ends and says what is to be done.
///
/// # Errors
///
/// Only what keeps all of it from being compared; what fails below is in the plan.
pub async fn plan(source: &Peer<'_>, dest: &Peer<'_>, rules: &Rules, observer: &dyn Observer) -> Result<Plan> {
    let top = top(source, dest).await?;
    let here = Tree::read(&source.end, rules.copy.follow, &rules.exclude, rules.copy.jobs, &|_| true).await;
    for (path, why) in &here.skipped {
        observer.skipped(&source.end.below(path).shown(), why);
    }
    compare_with(source, dest, top, here, rules).await
}

/// The entry of the source, once both ends are known to be fit for it.
async fn top(source: &Peer<'_>, dest: &Peer<'_>) -> Result<FileEntry> {
    let (from, to) = (&source.end, &dest.end);
    let top = from.files.stat(&from.path, true).await?;
    if top.kind != FileKind::Directory {
        return Err(Error::usage(format!("`{}` is no directory", from.shown())).hint("`files cp` copies single files"));
    }
    if from.place == to.place && (is_within(&to.path, &from.path) || is_within(&from.path, &to.path)) {
        let message = format!("`{}` and `{}` are one inside the other", from.shown(), to.shown());
        return Err(Error::usage(message));
    }
    Ok(top)
}

async fn compare_with(source: &Peer<'_>, dest: &Peer<'_>, top: FileEntry, here: Tree, rules: &Rules) -> Result<Plan> {
    let to = &dest.end;
    let there = match to.files.stat(&to.path, true).await {
        Ok(entry) if entry.kind != FileKind::Directory => {
            return Err(Error::conflict(format!("`{}` is not a directory", to.shown())));
        }
        Ok(_) => {
            // What is only over there is looked into only where something below it must stay.
            let descends = |path: &[u8]| here.is_directory(path) || (rules.delete && !rules.exclude.is_empty());
            Some(Tree::read(to, false, &rules.exclude, rules.copy.jobs, &descends).await)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let (mut plan, doubtful) = compare::compare(top, here, there, rules);
    sums::settle(source, dest, doubtful, rules.copy.jobs, &mut plan).await;
    // Parents come before what is below them, and what is in the way goes first.
    plan.changes.sort_by(|a, b| (a.deed != Deed::Delete, &a.path).cmp(&(b.deed != Deed::Delete, &b.path)));
    Ok(plan)
}
