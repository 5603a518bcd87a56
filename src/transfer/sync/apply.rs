//! Doing what was planned.

use super::{Change, Deed, Peer, Plan, Rules};
use crate::error::Error;
use crate::model::{FileKind, RemotePath};
use crate::transfer::engine::carry_out;
use crate::transfer::walk::{directory, task};
use crate::transfer::{self, Step, Watcher};

/// What came of it.
#[derive(Debug, Default)]
pub struct Summary {
    /// What was copied, and all that failed.
    pub copied: transfer::Summary,
    /// Paths that got another mode.
    pub modes: u64,
    /// Paths that went.
    pub deleted: u64,
    /// Files that were alike.
    pub unchanged: u64,
}

/// Does it: what goes goes first, and only what could be looked at.
pub async fn apply(plan: Plan, source: &Peer<'_>, dest: &Peer<'_>, rules: &Rules, observer: Watcher) -> Summary {
    let mut summary = Summary { unchanged: plan.unchanged, ..Summary::default() };
    summary.copied = transfer::Summary { failed: plan.failed, skipped: plan.skipped, ..transfer::Summary::default() };
    let (going, coming): (Vec<_>, Vec<_>) = plan.changes.into_iter().partition(|change| change.deed == Deed::Delete);
    remove(dest, &going, &mut summary).await;
    let (modes, coming): (Vec<_>, Vec<_>) = coming.into_iter().partition(|change| change.deed == Deed::Mode);
    let (from, to, copy) = (&source.end, &dest.end, &rules.copy);
    let copied = std::mem::take(&mut summary.copied);
    summary.copied = carry_out(to.files, copy, observer, copied, |steps| async move {
        for Change { deed, path, entry } in coming {
            let there = to.below(&path).path;
            let step = if deed == Deed::Mkdir {
                directory(&entry, there, copy)
            } else {
                Step::File(task(from, from.below(&path).path, &entry, there, copy))
            };
            if steps.send(step).await.is_err() {
                return;
            }
        }
    })
    .await;
    for Change { path, entry, .. } in modes {
        let given = copy.mode.filter(|_| entry.kind == FileKind::File);
        let mode = given.or(entry.mode_bits()).map(|mode| mode & 0o777);
        match to.files.set(&to.below(&path).path, mode, None).await {
            Ok(()) => summary.modes += 1,
            Err(error) => summary.copied.failed.push(error),
        }
    }
    summary
}

async fn remove(dest: &Peer<'_>, going: &[Change], summary: &mut Summary) {
    let paths: Vec<RemotePath> = going.iter().map(|change| dest.end.below(&change.path).path).collect();
    if paths.is_empty() {
        return;
    }
    let verdicts = match dest.end.files.remove(&paths, true).await {
        Ok(verdicts) => verdicts.into_iter().map(|(_, verdict)| verdict).collect(),
        Err(error) => vec![Err(error)],
    };
    for verdict in verdicts {
        match verdict {
            Ok(()) => summary.deleted += 1,
            Err(error) => summary.copied.failed.push(error),
        }
    }
}

impl Summary {
    /// All that failed.
    pub fn take_failed(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.copied.failed)
    }
}
