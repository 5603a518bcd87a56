//! Batches over programs of this machine, `tar` and all.

use super::TarBulk;
use super::here::Here;
use crate::cleanups::Cleanups;
use crate::error::{Error, ErrorKind, Result};
use crate::model::RemotePath;
use crate::provider::files::{Files, Part, WriteSpec};
use crate::provider::local::{LocalFiles, Temps, remote_path};
use crate::stream;
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

fn bulk(here: &Arc<Here>) -> TarBulk {
    let single: Arc<dyn Files> = Arc::new(LocalFiles::new(Temps::default()));
    TarBulk::new(here.clone(), single, Cleanups::default())
}

/// What came of each file: its content, or the kind of its failure.
async fn read(bulk: &TarBulk, paths: &[RemotePath]) -> BTreeMap<usize, Result<Vec<u8>, ErrorKind>> {
    let mut parts = bulk.read_many(paths.to_vec());
    let mut found: BTreeMap<usize, Result<Vec<u8>, ErrorKind>> = BTreeMap::new();
    let mut now = 0;
    while let Some(part) = parts.next().await {
        match part.unwrap() {
            Part::Begin(index) => {
                now = index;
                found.insert(index, Ok(Vec::new()));
            }
            Part::Data(data) => found.get_mut(&now).unwrap().as_mut().unwrap().extend_from_slice(&data),
            Part::End => {}
            Part::Failed(index, error) => {
                found.insert(index, Err(error.kind()));
            }
        }
    }
    found
}

fn grow(dir: &Path) -> Vec<(RemotePath, Vec<u8>)> {
    let names: [&[u8]; 8] =
        [b"plain", b"-dash", b"new\nline", b"back\\slash", b"\xff\xfe", b" blank ", &[b'n'; 200], b"empty"];
    let mut files = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let path = dir.join(OsStr::from_bytes(name));
        let content = if *name == b"empty" { Vec::new() } else { vec![u8::try_from(i).unwrap(); i * 3000 + 1] };
        fs::write(&path, &content).unwrap();
        files.push((remote_path(&path), content));
    }
    fs::hard_link(dir.join("plain"), dir.join("twin")).unwrap();
    symlink("plain", dir.join("link")).unwrap();
    for name in ["twin", "link"] {
        files.push((remote_path(&dir.join(name)), files[0].1.clone()));
    }
    files
}

#[tokio::test]
async fn a_batch_is_read_with_one_program() {
    let dir = tempfile::tempdir().unwrap();
    let files = grow(dir.path());
    let here = Arc::new(Here::default());
    let paths: Vec<_> = files.iter().map(|(path, _)| path.clone()).collect();
    let found = read(&bulk(&here), &paths).await;
    for (index, (path, content)) in files.iter().enumerate() {
        assert_eq!(found[&index].as_ref(), Ok(content), "{path}");
    }
    assert_eq!(here.started.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_missing_cut_or_lost_is_read_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let files = grow(dir.path());
    let mut paths: Vec<_> = files.iter().map(|(path, _)| path.clone()).collect();
    paths.insert(1, remote_path(&dir.path().join("none")));
    paths.push(remote_path(dir.path()));
    for loses_after in [None, Some(0), Some(700), Some(5000), Some(20_000)] {
        let here = Arc::new(Here { loses_after, ..Here::default() });
        let found = read(&bulk(&here), &paths).await;
        assert_eq!(found[&1], Err(ErrorKind::NotFound));
        assert_eq!(found[&(paths.len() - 1)], Err(ErrorKind::Conflict));
        for (path, content) in &files {
            let index = paths.iter().position(|other| other == path).unwrap();
            assert_eq!(found[&index].as_ref(), Ok(content), "{path} {loses_after:?}");
        }
    }
}

fn spec(path: &Path, mode: u32) -> WriteSpec {
    WriteSpec { path: remote_path(path), len: None, mode: Some(mode), owner: None, parents: false }
}

fn parts(files: &[(usize, &'static [u8])], end: Option<Error>) -> stream::Items<Part> {
    let mut parts = Vec::new();
    for (index, content) in files {
        parts.extend([Ok(Part::Begin(*index)), Ok(Part::Data(Bytes::from_static(content))), Ok(Part::End)]);
    }
    parts.extend(end.map(Err));
    stream::iter(parts)
}

fn names(dir: &Path) -> Vec<Vec<u8>> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().as_bytes().to_vec()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_batch_is_written_with_its_modes_and_each_file_has_its_verdict() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir_all(root.join("sub/taken")).unwrap();
    fs::write(root.join("old"), "old").unwrap();
    let long = "l".repeat(250);
    let odd = OsStr::from_bytes(b"-\xff\n\\");
    let specs = vec![
        spec(&root.join("a"), 0o600),
        spec(&root.join("old"), 0o751),
        spec(&root.join("sub/taken"), 0o644),
        spec(&root.join("none/b"), 0o644),
        spec(&root.join("sub").join(odd), 0o644),
        spec(&root.join(&long), 0o644),
        spec(&root.join("failed"), 0o644),
    ];
    let here = Arc::new(Here::default());
    let mut stream = vec![Ok(Part::Begin(6)), Ok(Part::Data(Bytes::from("x"))), Ok(Part::Failed(6, Error::auth("no")))];
    stream.extend(
        stream::collect(parts(&[(0, b""), (1, b"new"), (2, b"2"), (3, b"3"), (4, b"four"), (5, b"5")], None))
            .await
            .unwrap()
            .into_iter()
            .map(Ok),
    );
    let verdicts = bulk(&here).write_many(specs, stream::iter(stream)).await.unwrap();
    let kinds: Vec<_> = verdicts.iter().map(|verdict| verdict.as_ref().err().map(Error::kind)).collect();
    let some = |kind| Some(kind);
    assert_eq!(
        kinds,
        [None, None, some(ErrorKind::Conflict), some(ErrorKind::NotFound), None, None, some(ErrorKind::Auth)],
        "{verdicts:?}"
    );
    assert_eq!(fs::read(root.join("old")).unwrap(), b"new");
    assert_eq!(fs::read(root.join("sub").join(odd)).unwrap(), b"four");
    let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("a"), mode("old")), (0o600, 0o751));
    assert_eq!(names(root), [b"a".to_vec(), long.into_bytes(), b"old".to_vec(), b"sub".to_vec()]);
    assert_eq!(here.started.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn nothing_is_replaced_before_all_has_come() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, "old").unwrap();
    let before = fs::metadata(&path).unwrap().ino();
    let here = Arc::new(Here::default());
    let specs = vec![spec(&path, 0o644), spec(&dir.path().join("b"), 0o644)];
    let broken = parts(&[(0, b"new")], Some(Error::unreachable("the source broke")));
    let error = bulk(&here).write_many(specs, broken).await.unwrap_err();
    assert_eq!(error.to_string(), "the source broke");
    assert_eq!((fs::read(&path).unwrap(), fs::metadata(&path).unwrap().ino()), (b"old".to_vec(), before));
}

#[tokio::test]
async fn missing_directories_are_made_where_that_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new\n/deep/a");
    let spec = WriteSpec { parents: true, ..spec(&path, 0o644) };
    let here = Arc::new(Here::default());
    let verdicts = bulk(&here).write_many(vec![spec], parts(&[(0, b"x")], None)).await.unwrap();
    assert!(verdicts[0].is_ok(), "{verdicts:?}");
    assert_eq!(fs::read(&path).unwrap(), b"x");
    assert_eq!(names(path.parent().unwrap()), [b"a".to_vec()]);
}

#[tokio::test]
async fn without_tar_files_go_singly() {
    let dir = tempfile::tempdir().unwrap();
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    symlink("/bin/sh", bin.join("sh")).unwrap();
    let here = Arc::new(Here { path: Some(bin.to_str().unwrap().to_owned()), ..Here::default() });
    let bulk = bulk(&here);
    let path = dir.path().join("a");
    let verdicts = bulk.write_many(vec![spec(&path, 0o640)], parts(&[(0, b"x")], None)).await.unwrap();
    assert!(verdicts[0].is_ok(), "{verdicts:?}");
    let found = read(&bulk, &[remote_path(&path), remote_path(&dir.path().join("b"))]).await;
    assert_eq!((found[&0].as_ref(), &found[&1]), (Ok(&b"x".to_vec()), &Err(ErrorKind::NotFound)));
    assert_eq!(here.started.load(Ordering::Relaxed), 1);
}
