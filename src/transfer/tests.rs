//! The engine between two directories of this machine, and between ends that fail.

use super::*;
use crate::error::{ErrorKind, Result};
use crate::model::FileEntry;
use crate::provider::files::{MkdirSpec, Reading, WriteSpec, Written};
use crate::provider::local::{LocalFiles, Temps, remote_path};
use crate::stream::{self, ByteStream, Items};
use async_trait::async_trait;
use bytes::Bytes;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Another end without [`Bulk`](crate::provider::files::Bulk), some of whose paths fail.
struct Plain {
    files: LocalFiles,
    /// Reads of files called so break after their first bytes.
    broken: &'static str,
    /// Directories called so cannot be made.
    closed: &'static str,
    reading: AtomicUsize,
}

#[async_trait]
impl Files for Plain {
    fn list(&self, dir: &RemotePath) -> Items<FileEntry> {
        self.files.list(dir)
    }
    async fn stat(&self, path: &RemotePath, follow: bool) -> Result<FileEntry> {
        self.files.stat(path, follow).await
    }
    async fn read(&self, path: &RemotePath, range: Option<Range<u64>>) -> Result<Reading> {
        self.reading.fetch_add(1, Ordering::Relaxed);
        if path.file_name() == self.broken.as_bytes() {
            let chunks = [Ok(Bytes::from("half")), Err(Error::unreachable("lost the connection"))];
            return Ok(Reading { len: None, mode: None, body: stream::iter(chunks) });
        }
        self.files.read(path, range).await
    }
    async fn write(&self, to: WriteSpec, body: ByteStream) -> Result<Written> {
        self.files.write(to, body).await
    }
    async fn mkdir(&self, path: &RemotePath, spec: MkdirSpec) -> Result<()> {
        if path.file_name() == self.closed.as_bytes() {
            return Err(Error::forbidden("cannot make it"));
        }
        self.files.mkdir(path, spec).await
    }
    async fn remove(&self, paths: &[RemotePath], recursive: bool) -> Result<Vec<(RemotePath, Result<()>)>> {
        self.files.remove(paths, recursive).await
    }
}

#[derive(Default)]
struct Tally {
    found: AtomicU64,
    moved: AtomicU64,
    skipped: Mutex<Vec<String>>,
}

impl Observer for Tally {
    fn found(&self, bytes: u64) {
        self.found.fetch_add(bytes, Ordering::Relaxed);
    }
    fn moved(&self, bytes: u64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
    }
    fn skipped(&self, what: &str, why: &str) {
        self.skipped.lock().unwrap().push(format!("{}: {why}", what.rsplit('/').next().unwrap()));
    }
}

fn options() -> Options {
    Options {
        recursive: true,
        parents: false,
        follow: false,
        into_directory: false,
        mode: None,
        owner: None,
        preserve_owner: false,
        jobs: 4,
    }
}

fn end<'a>(files: &'a dyn Files, path: &Path, place: &str) -> End<'a> {
    End { files, path: remote_path(path), place: place.to_owned() }
}

fn plain(root: &Path) -> Plain {
    let files = LocalFiles::below(root.to_owned(), Temps::default());
    Plain { files, broken: "-", closed: "-", reading: AtomicUsize::new(0) }
}

/// 300 small files and a large one in 4 directories.
fn grow(dir: &Path) -> u64 {
    let mut bytes = 0;
    for i in 0..300 {
        let sub = dir.join(format!("d{}", i % 3));
        fs::create_dir_all(&sub).unwrap();
        let content = "x".repeat(i);
        bytes += content.len() as u64;
        fs::write(sub.join(format!("f{i}")), content).unwrap();
    }
    fs::write(dir.join("large"), vec![1; 300_000]).unwrap();
    bytes + 300_000
}

#[tokio::test]
async fn everything_arrives_with_and_without_bulk() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    fs::create_dir(&from).unwrap();
    let bytes = grow(&from);
    let bulk = LocalFiles::below(dir.path().to_owned(), Temps::default());
    let single = plain(dir.path());
    let ends: [(&str, &dyn Files, &dyn Files); 3] =
        [("both", &bulk, &bulk), ("reader", &bulk, &single), ("writer", &single, &bulk)];
    for (name, source, dest) in ends {
        let tally = Arc::new(Tally::default());
        let to = dir.path().join(name);
        let summary =
            copy(vec![end(source, &from, "a:")], &end(dest, &to, "b:"), &options(), tally.clone()).await.unwrap();
        assert!(summary.failed.is_empty(), "{name}: {:?}", summary.failed);
        assert_eq!((summary.files, summary.directories, summary.size_bytes), (301, 4, bytes), "{name}");
        assert_eq!(tally.found.load(Ordering::Relaxed), bytes);
        assert_eq!(tally.moved.load(Ordering::Relaxed), bytes);
        assert_eq!(fs::read(to.join("d2/f299")).unwrap().len(), 299);
    }
}

#[tokio::test]
async fn one_failure_stops_no_other_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    fs::create_dir(&from).unwrap();
    grow(&from);
    let source = Plain { broken: "f7", ..plain(dir.path()) };
    let dest = Plain { closed: "d0", ..plain(dir.path()) };
    let to = dir.path().join("to");
    let summary = copy(vec![end(&source, &from, "a:")], &end(&dest, &to, "b:"), &options(), Arc::new(Tally::default()))
        .await
        .unwrap();
    let mut kinds: Vec<_> = summary.failed.iter().map(Error::kind).collect();
    kinds.sort_by_key(|kind| kind.exit_code());
    assert_eq!(kinds, [ErrorKind::Forbidden, ErrorKind::Unreachable]);
    // Of what lies below a directory that cannot be made, nothing is tried, and nothing is said.
    assert_eq!((summary.files, source.reading.load(Ordering::Relaxed)), (200, 201));
    assert!(!to.join("d0").exists() && !to.join("d1/f7").exists() && to.join("d1/f10").exists());
}

#[tokio::test]
async fn a_loop_of_links_has_an_end() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    fs::create_dir(&from).unwrap();
    std::os::unix::fs::symlink(".", from.join("again")).unwrap();
    let files = plain(dir.path());
    let followed = Options { follow: true, ..options() };
    let tally = Arc::new(Tally::default());
    let to = dir.path().join("to");
    let summary = copy(vec![end(&files, &from, "")], &end(&files, &to, "x:"), &followed, tally.clone()).await.unwrap();
    assert_eq!(summary.failed.len(), 1, "{:?}", summary.failed);

    let to = dir.path().join("plain");
    copy(vec![end(&files, &from, "")], &end(&files, &to, "x:"), &options(), tally.clone()).await.unwrap();
    assert_eq!(*tally.skipped.lock().unwrap(), ["again: a symbolic link"]);
}
