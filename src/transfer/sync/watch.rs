//! What changes at the source after both ends were alike: found by looking at the source alone.

use super::compare::ancestors;
use super::tree::Tree;
use super::{Change, Deed, Peer, Plan, Rules, compare_with, top};
use crate::error::Result;
use crate::model::{FileEntry, FileKind};
use crate::transfer::Observer;

/// The source as it was when the destination was made like it.
#[derive(Debug, Default)]
pub struct Watched(Option<Tree>);

impl Watched {
    /// What is to be done now. The first time, and after [`Watched::forget`], both ends are compared.
    ///
    /// # Errors
    ///
    /// As [`plan`](super::plan).
    pub async fn next(
        &mut self,
        source: &Peer<'_>,
        dest: &Peer<'_>,
        rules: &Rules,
        observer: &dyn Observer,
    ) -> Result<Plan> {
        let top = top(source, dest).await?;
        // Seen before it is copied: what changes meanwhile differs from it at the next look.
        let mut now = Tree::read(&source.end, rules.copy.follow, &rules.exclude, rules.copy.jobs, &|_| true).await;
        let Some(before) = self.0.take() else {
            for (path, why) in &now.skipped {
                observer.skipped(&source.end.below(path).shown(), why);
            }
            let seen = Tree { entries: now.entries.clone(), kept: now.kept.clone(), ..Tree::default() };
            let plan = compare_with(source, dest, top, now, rules).await?;
            self.0 = Some(seen);
            return Ok(plan);
        };
        let mut plan = difference(&before, &now, rules);
        plan.failed = std::mem::take(&mut now.failed);
        self.0 = Some(now);
        Ok(plan)
    }

    /// What was done is not sure: the next look compares both ends again.
    pub fn forget(&mut self) {
        self.0 = None;
    }
}

/// What has to be done for a destination like `before` to be like `now`.
fn difference(before: &Tree, now: &Tree, rules: &Rules) -> Plan {
    let mut plan = Plan::default();
    if rules.delete && now.failed.is_empty() {
        let goes = |path: &[u8]| !now.entries.contains_key(path) && !now.kept.contains(path);
        let gone = before.entries.iter().filter(|(path, _)| goes(path) && !ancestors(path).any(goes));
        plan.changes.extend(gone.map(|(path, entry)| change(Deed::Delete, path, entry)));
    }
    for (path, entry) in &now.entries {
        let is_directory = entry.kind == FileKind::Directory;
        let deed = match before.entries.get(path) {
            None if is_directory => Deed::Mkdir,
            None => Deed::Create,
            Some(old) if old.kind != entry.kind => {
                plan.changes.extend(rules.delete.then(|| change(Deed::Delete, path, old)));
                if is_directory { Deed::Mkdir } else { Deed::Create }
            }
            Some(old)
                if !is_directory && (old.size_bytes, old.modified_at) != (entry.size_bytes, entry.modified_at) =>
            {
                Deed::Update
            }
            Some(old) if rules.sets_modes && old.mode != entry.mode => Deed::Mode,
            Some(_) => continue,
        };
        plan.changes.push(change(deed, path, entry));
    }
    plan
}

fn change(deed: Deed, path: &[u8], entry: &FileEntry) -> Change {
    Change { deed, path: path.to_vec(), entry: entry.clone() }
}
