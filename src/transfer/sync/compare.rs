//! What two trees differ in, as far as their listings tell.

use super::tree::Tree;
use super::{Change, Deed, Plan, Rules};
use crate::error::Error;
use crate::model::{FileEntry, FileKind};

/// What is to be done, and the files of equal size whose contents may differ.
pub(super) fn compare(top: FileEntry, here: Tree, there: Option<Tree>, rules: &Rules) -> (Plan, Vec<Change>) {
    let mut plan = Plan { skipped: here.skipped.len() as u64, ..Plan::default() };
    let mut doubtful = Vec::new();
    if there.is_none() {
        plan.changes.push(Change { deed: Deed::Mkdir, path: Vec::new(), entry: top });
    }
    let mut there = there.unwrap_or_default();
    if rules.delete {
        if here.failed.is_empty() {
            plan.changes.extend(surplus(&here, &there));
        } else {
            plan.withheld = true;
        }
    }
    plan.failed.extend(here.failed);
    plan.failed.append(&mut there.failed);
    for (path, entry) in here.entries {
        let is_directory = entry.kind == FileKind::Directory;
        let change = |deed, path, entry| Change { deed, path, entry };
        match there.entries.get(&path) {
            // A link or a device at the place of a file is replaced by it, and stays at that of a directory.
            None if there.kept.contains(&path) && is_directory => plan.failed.push(in_the_way(&path)),
            None if is_directory => plan.changes.push(change(Deed::Mkdir, path, entry)),
            None => plan.changes.push(change(Deed::Create, path, entry)),
            Some(old) if (old.kind == FileKind::Directory) != is_directory => {
                if rules.delete && !plan.withheld && !holds_kept(&there, &path) {
                    plan.changes.push(change(Deed::Delete, path.clone(), old.clone()));
                    plan.changes.push(change(if is_directory { Deed::Mkdir } else { Deed::Create }, path, entry));
                } else {
                    plan.failed.push(in_the_way(&path));
                }
            }
            Some(old) => {
                let mode = rules.sets_modes && has_other_mode(&entry, old, rules);
                if is_directory || is_alike(&entry, old) == Some(true) {
                    plan.unchanged += u64::from(!is_directory && !mode);
                    if mode {
                        plan.changes.push(change(Deed::Mode, path, entry));
                    }
                } else if is_alike(&entry, old) == Some(false) {
                    plan.changes.push(change(Deed::Update, path, entry));
                } else {
                    doubtful.push(change(if mode { Deed::Mode } else { Deed::Update }, path, entry));
                }
            }
        }
    }
    (plan, doubtful)
}

/// Whether two files have the same content; `None` if that must be looked at.
fn is_alike(new: &FileEntry, old: &FileEntry) -> Option<bool> {
    match (new.size_bytes, old.size_bytes) {
        (Some(0), Some(0)) => Some(true),
        (Some(a), Some(b)) if a != b => Some(false),
        _ => None,
    }
}

fn has_other_mode(new: &FileEntry, old: &FileEntry, rules: &Rules) -> bool {
    let given = rules.copy.mode.filter(|_| new.kind == FileKind::File);
    let wanted = given.or(new.mode_bits().map(|mode| mode & 0o777));
    matches!((wanted, old.mode_bits()), (Some(new), Some(old)) if new != old & 0o777)
}

fn in_the_way(path: &[u8]) -> Error {
    let path = String::from_utf8_lossy(path);
    Error::conflict(format!("cannot copy `{path}`: the destination has something else of that name"))
        .hint("--delete removes it first")
}

/// What is only at the destination: of a directory that goes, nothing below is told.
fn surplus(here: &Tree, there: &Tree) -> Vec<Change> {
    let goes = |path: &[u8]| {
        let is_only_there = !here.entries.contains_key(path) && !here.kept.contains(path);
        is_only_there && !holds_kept(there, path)
    };
    // What a file takes the place of goes with all below, too.
    let is_replaced = |dir: &[u8]| here.entries.contains_key(dir) && !here.is_directory(dir);
    let covered = |path: &[u8]| ancestors(path).any(|dir| goes(dir) || is_replaced(dir));
    let extra = there.entries.iter().filter(|(path, _)| goes(path) && !covered(path));
    extra.map(|(path, entry)| Change { deed: Deed::Delete, path: path.clone(), entry: entry.clone() }).collect()
}

/// Whether something that stays is below `path`.
fn holds_kept(there: &Tree, path: &[u8]) -> bool {
    there.kept.iter().any(|kept| is_below(kept, path))
}

/// Whether `path` is below `dir`.
fn is_below(path: &[u8], dir: &[u8]) -> bool {
    path.strip_prefix(dir).is_some_and(|rest| rest.first() == Some(&b'/'))
}

/// The directories above a path, nearest last.
pub(super) fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at])
}
