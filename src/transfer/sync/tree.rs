//! All that is below an end.

use super::Exclude;
use crate::error::{Error, Result};
use crate::model::{FileEntry, FileKind, RemotePath};
use crate::stream;
use crate::transfer::walk::{DEPTH, special};
use crate::transfer::{End, names};
use futures_util::StreamExt;
use std::collections::{BTreeMap, BTreeSet};

/// The files and directories below an end, by their paths below it.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) entries: BTreeMap<Vec<u8>, FileEntry>,
    /// What is excluded, or neither a file nor a directory: its counterpart stays.
    pub(super) kept: BTreeSet<Vec<u8>>,
    /// What is neither a file nor a directory, and what it is.
    pub(super) skipped: Vec<(Vec<u8>, &'static str)>,
    /// What could not be listed.
    pub(super) failed: Vec<Error>,
}

impl Tree {
    /// Lists directory by directory, several at once. Into those that `descends` declines it does not look.
    pub(super) async fn read(
        end: &End<'_>,
        follow: bool,
        exclude: &[Exclude],
        jobs: usize,
        descends: &dyn Fn(&[u8]) -> bool,
    ) -> Self {
        let mut tree = Self::default();
        let mut level = vec![Vec::new()];
        while !level.is_empty() {
            let listed = futures_util::stream::iter(std::mem::take(&mut level));
            let mut listed = listed.map(|dir| async move { listing(end, dir, follow).await }).buffered(jobs.max(1));
            while let Some((dir, entries)) = listed.next().await {
                for entry in entries {
                    if let Some(below) = tree.take(end, &dir, entry, exclude).filter(|below| descends(below)) {
                        level.push(below);
                    }
                }
            }
        }
        tree
    }

    /// Adds what was found in `dir`; returns its path if it is a directory to look into.
    fn take(
        &mut self,
        end: &End<'_>,
        dir: &[u8],
        entry: Result<(Vec<u8>, FileEntry)>,
        exclude: &[Exclude],
    ) -> Option<Vec<u8>> {
        let (name, entry) = match entry {
            Ok(found) => found,
            Err(error) => {
                self.failed.push(error);
                return None;
            }
        };
        let path = join(dir, &name);
        let is_directory = entry.kind == FileKind::Directory;
        if exclude.iter().any(|exclude| exclude.matches(&path, is_directory)) {
            self.kept.insert(path);
            return None;
        }
        if !is_directory && entry.kind != FileKind::File {
            self.skipped.push((path.clone(), special(entry.kind)));
            self.kept.insert(path);
            return None;
        }
        if path.split(|byte| *byte == b'/').count() > DEPTH {
            let shown = end.below(&path).shown();
            self.failed.push(Error::failure(format!("`{shown}` is more than {DEPTH} directories deep")));
            return None;
        }
        self.entries.insert(path.clone(), entry);
        is_directory.then_some(path)
    }

    /// Whether this path is a directory.
    pub(super) fn is_directory(&self, path: &[u8]) -> bool {
        self.entries.get(path).is_some_and(|entry| entry.kind == FileKind::Directory)
    }
}

/// The names and entries of a directory; with `follow`, links as what they lead to.
async fn listing(end: &End<'_>, dir: Vec<u8>, follow: bool) -> (Vec<u8>, Vec<Result<(Vec<u8>, FileEntry)>>) {
    let at = end.below(&dir).path;
    let listed = match stream::collect(end.files.list(&at)).await {
        Ok(listed) => listed,
        Err(error) => return (dir, vec![Err(error)]),
    };
    let mut found = Vec::with_capacity(listed.len());
    for entry in listed {
        let name = names::of(&end.place, &at, &entry).map(<[u8]>::to_vec);
        let entry = match name {
            Ok(name) if follow && entry.kind == FileKind::Symlink => {
                end.files.stat(&at.join(&name), true).await.map(|entry| (name, entry))
            }
            name => name.map(|name| (name, entry)),
        };
        found.push(entry);
    }
    (dir, found)
}

impl<'a> End<'a> {
    /// What has this path below it.
    pub(super) fn below(&self, path: &[u8]) -> End<'a> {
        let path = if path.is_empty() { self.path.clone() } else { self.path.join(path) };
        End { files: self.files, path, place: self.place.clone() }
    }
}

/// A path below an end.
fn join(dir: &[u8], name: &[u8]) -> Vec<u8> {
    if dir.is_empty() { name.to_vec() } else { RemotePath::new(dir).join(name).as_bytes().to_vec() }
}
