//! What is found to differ, between trees of this machine and without any.

use super::*;
use crate::model::Extra;
use crate::provider::local::{LocalFiles, Temps, remote_path};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

struct Silent;

impl Observer for Silent {
    fn found(&self, _: u64) {}
    fn moved(&self, _: u64) {}
    fn skipped(&self, _: &str, _: &str) {}
}

fn rules(delete: bool, exclude: &[&str]) -> Rules {
    Rules {
        delete,
        exclude: exclude.iter().map(|text| Exclude::parse(text).unwrap()).collect(),
        sets_modes: true,
        copy: Options {
            recursive: true,
            parents: true,
            follow: false,
            into_directory: true,
            mode: None,
            owner: None,
            preserve_owner: false,
            jobs: 4,
        },
    }
}

fn entry(path: &str, kind: FileKind, size: u64) -> FileEntry {
    FileEntry {
        name: path.to_owned(),
        path: path.into(),
        kind,
        size_bytes: (kind == FileKind::File).then_some(size),
        mode: Some("644".to_owned()),
        modified_at: None,
        user: None,
        user_id: None,
        group: None,
        group_id: None,
        link_target: None,
        extra: Extra::new(),
    }
}

/// `a/` is a directory, `a=3` a file of three bytes.
fn tree(paths: &[&str]) -> Tree {
    let mut tree = Tree::default();
    for path in paths {
        let (name, kind, size) = match path.split_once('=') {
            Some((name, size)) => (name, FileKind::File, size.parse().unwrap()),
            None => (path.trim_end_matches('/'), FileKind::Directory, 0),
        };
        tree.entries.insert(name.as_bytes().to_vec(), entry(name, kind, size));
    }
    tree
}

fn told(changes: &[Change]) -> Vec<String> {
    changes.iter().map(|c| format!("{} {}", c.deed.word(), String::from_utf8_lossy(&c.path))).collect()
}

#[test]
fn what_differs_is_found_and_the_rest_is_doubted() {
    let here = tree(&["same/", "same/a=3", "new=1", "other=2", "empty=0", "dir/", "dir/x=1"]);
    let there = tree(&["same/", "same/a=3", "other=5", "empty=0", "old/", "old/deep=1", "old.txt=1"]);
    let (plan, doubtful) = compare::compare(entry("", FileKind::Directory, 0), here, Some(there), &rules(true, &[]));
    assert_eq!(told(&doubtful), ["update same/a"]);
    let mut changes = told(&plan.changes);
    changes.sort();
    assert_eq!(changes, ["create dir/x", "create new", "delete old", "delete old.txt", "mkdir dir", "update other"]);
    assert_eq!((plan.unchanged, plan.failed.len()), (1, 0));
}

#[test]
fn what_could_not_be_seen_keeps_everything_from_being_deleted() {
    let mut here = tree(&["a=1"]);
    here.failed.push(Error::forbidden("cannot list `b`"));
    let there = tree(&["a=2", "b/", "b/c=1"]);
    let (plan, _) = compare::compare(entry("", FileKind::Directory, 0), here, Some(there), &rules(true, &[]));
    assert_eq!((told(&plan.changes), plan.withheld), (vec!["update a".to_owned()], true));
}

#[test]
fn a_directory_that_holds_what_is_excluded_stays_and_loses_the_rest() {
    let here = tree(&["a=1"]);
    let mut there = tree(&["a=2", "d/", "d/x=1", "e/", "e/y=1"]);
    there.kept.insert(b"d/keep.log".to_vec());
    let (plan, _) = compare::compare(entry("", FileKind::Directory, 0), here, Some(there), &rules(true, &["*.log"]));
    assert_eq!(told(&plan.changes), ["delete d/x", "delete e", "update a"]);
}

#[test]
fn a_file_and_a_directory_of_one_name_replace_each_other_only_where_things_are_deleted() {
    let top = || entry("", FileKind::Directory, 0);
    let trees = || (tree(&["x/", "x/in=1", "y=1"]), tree(&["x=1", "y/", "y/in=1"]));
    let (here, there) = trees();
    let (plan, _) = compare::compare(top(), here, Some(there), &rules(false, &[]));
    assert_eq!((told(&plan.changes), plan.failed.len()), (vec!["create x/in".to_owned()], 2));
    let (here, there) = trees();
    let (plan, _) = compare::compare(top(), here, Some(there), &rules(true, &[]));
    let mut changes = told(&plan.changes);
    changes.sort();
    assert_eq!(changes, ["create x/in", "create y", "delete x", "delete y", "mkdir x"]);
}

/// Paths below `dir` with their contents; directories end in a slash.
fn content(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().display().to_string();
            if path.is_dir() {
                found.insert(format!("{name}/"), Vec::new());
                waiting.push(path);
            } else {
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn fill(dir: &Path, files: &[(u8, u8, Vec<u8>)]) {
    fs::create_dir_all(dir).unwrap();
    for (sub, name, content) in files {
        let sub = if *sub == 0 { dir.to_owned() } else { dir.join(format!("d{sub}")) };
        fs::create_dir_all(&sub).unwrap();
        fs::write(sub.join(format!("f{name}")), content).unwrap();
    }
}

async fn synced(from: &Path, to: &Path, rules: &Rules) -> (Plan, Summary) {
    let files = LocalFiles::new(Temps::default());
    let peer = |path: &Path, place: &str| Peer {
        end: End { files: &files, path: remote_path(path), place: place.to_owned() },
        exec: None,
    };
    let (source, dest) = (peer(from, "a:"), peer(to, "b:"));
    let done =
        apply(plan(&source, &dest, rules, &Silent).await.unwrap(), &source, &dest, rules, Arc::new(Silent)).await;
    (plan(&source, &dest, rules, &Silent).await.unwrap(), done)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn after_a_sync_both_are_alike_and_a_second_one_does_nothing(
        here in prop::collection::vec((0..3u8, 0..5u8, prop::collection::vec(0..2u8, 0..4)), 0..8),
        there in prop::collection::vec((0..4u8, 0..5u8, prop::collection::vec(0..2u8, 0..4)), 0..8),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fill(&from, &here);
        fill(&to, &there);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (again, done) = runtime.block_on(synced(&from, &to, &rules(true, &[])));
        prop_assert!(done.copied.failed.is_empty(), "{:?}", done.copied.failed);
        prop_assert!(again.changes.is_empty(), "{:?}", told(&again.changes));
        prop_assert_eq!(content(&from), content(&to));
    }
}

#[tokio::test]
async fn changes_are_found_by_looking_at_the_source_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    fill(&from, &[(0, 1, vec![1]), (1, 1, vec![1, 1])]);
    let files = LocalFiles::new(Temps::default());
    let end = |path: &Path, place: &str| End { files: &files, path: remote_path(path), place: place.to_owned() };
    let (source, dest) = (Peer { end: end(&from, "a:"), exec: None }, Peer { end: end(&to, "b:"), exec: None });
    let rules = rules(true, &[]);
    let mut watched = Watched::default();
    let mut round = async || {
        let plan = watched.next(&source, &dest, &rules, &Silent).await.unwrap();
        let changes = told(&plan.changes);
        apply(plan, &source, &dest, &rules, Arc::new(Silent)).await;
        changes
    };
    assert_eq!(round().await, ["mkdir ", "mkdir d1", "create d1/f1", "create f1"]);
    assert!(round().await.is_empty());
    fs::write(from.join("f1"), "longer").unwrap();
    fs::remove_dir_all(from.join("d1")).unwrap();
    fill(&from, &[(2, 2, vec![2])]);
    assert_eq!(round().await, ["delete d1", "mkdir d2", "create d2/f2", "update f1"]);
    assert_eq!(content(&from), content(&to));
}
