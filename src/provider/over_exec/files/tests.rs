//! Over programs of this machine: every odd name, and every kind of failure.

use super::super::here::Here;
use super::ShellFiles;
use crate::cleanups::Cleanups;
use crate::error::ErrorKind;
use crate::model::{FileKind, RemotePath};
use crate::provider::files::{Files, MkdirSpec, WriteSpec};
use crate::stream;
use bytes::Bytes;
use futures_util::TryStreamExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

const ODD: &[&[u8]] =
    &[b"a b", b"two  blanks ", b"-n", b"new\nline\n", b"q'\"$`\\", b"\xff\xfe", b"*?[", "ü😀".as_bytes()];

fn files() -> (tempfile::TempDir, ShellFiles, RemotePath) {
    let dir = tempfile::tempdir().unwrap();
    let path = RemotePath::new(dir.path().as_os_str().as_bytes());
    (dir, ShellFiles::new(Arc::new(Here::default()), "here", Cleanups::default()), path)
}

fn spec(path: RemotePath) -> WriteSpec {
    WriteSpec { path, len: None, mode: None, owner: None, parents: false }
}

async fn read(files: &ShellFiles, path: &RemotePath, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let reading = files.read(path, range).await.unwrap();
    reading.body.try_collect::<Vec<Bytes>>().await.unwrap().concat()
}

#[tokio::test]
async fn any_name_is_written_listed_read_renamed_and_removed() {
    let (_dir, files, root) = files();
    let every: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    for name in ODD {
        let body = stream::iter([Ok(Bytes::from(every.clone()))]);
        files.write(spec(root.join(name)), body).await.unwrap();
    }
    let listed: Vec<_> = files.list(&root).try_collect().await.unwrap();
    let mut names: Vec<Vec<u8>> = listed.iter().map(|entry| entry.path.file_name().to_vec()).collect();
    let mut expected: Vec<Vec<u8>> = ODD.iter().map(|name| name.to_vec()).collect();
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
    assert!(listed.iter().all(|entry| entry.size_bytes == Some(70_000) && entry.mode.as_deref() == Some("644")));
    for name in ODD {
        let path = root.join(name);
        assert_eq!(read(&files, &path, None).await, every);
        assert_eq!(read(&files, &path, Some(1000..1010)).await, every[1000..1010]);
        assert_eq!(read(&files, &path, Some(69_990..u64::MAX)).await, every[69_990..]);
        let to = root.join(&[b"moved ", *name].concat());
        files.rename(&path, &to).await.unwrap();
        assert_eq!(files.stat(&path, false).await.unwrap_err().kind(), ErrorKind::NotFound);
        let removed = files.remove(&[to.clone(), path], false).await.unwrap();
        assert!(removed[0].1.is_ok());
        assert_eq!(removed[1].1.as_ref().unwrap_err().kind(), ErrorKind::NotFound);
    }
    assert!(files.list(&root).try_collect::<Vec<_>>().await.unwrap().is_empty());
}

#[tokio::test]
async fn links_directories_modes_and_what_is_not_there() {
    let (dir, files, root) = files();
    let here = |name: &str| dir.path().join(name);
    std::os::unix::fs::symlink("target\n", here("link")).unwrap();
    let link = files.stat(&root.join(b"link"), false).await.unwrap();
    assert_eq!((link.kind, link.link_target.as_deref()), (FileKind::Symlink, Some("target\n")));
    assert_eq!(files.stat(&root.join(b"link"), true).await.unwrap_err().kind(), ErrorKind::NotFound);
    let made = MkdirSpec { parents: true, mode: Some(0o750), owner: None };
    files.mkdir(&root.join(b"a/b/c"), made.clone()).await.unwrap();
    assert_eq!(mode(&here("a/b/c")), 0o750);
    assert_eq!(files.mkdir(&root.join(b"a"), MkdirSpec::default()).await.unwrap_err().kind(), ErrorKind::Conflict);
    let many = [(root.join(b"m/1"), made.clone()), (root.join(b"m/2"), made)];
    assert!(files.mkdirs(&many).await.iter().all(Result::is_ok));
    let kind = |outcome: crate::error::Result<()>| outcome.unwrap_err().kind();
    let put = |path: &[u8], mode| {
        let spec = WriteSpec { mode, parents: true, ..spec(root.join(path)) };
        let files = files.clone();
        async move { files.write(spec, stream::iter([Ok(Bytes::from_static(b"x"))])).await.map(|_| ()) }
    };
    put(b"new/dir/file", Some(0o755)).await.unwrap();
    assert_eq!(mode(&here("new/dir/file")), 0o755);
    // What is replaced keeps its mode.
    put(b"new/dir/file", None).await.unwrap();
    assert_eq!(mode(&here("new/dir/file")), 0o755);
    assert_eq!(kind(put(b"a/b", None).await), ErrorKind::Conflict);
    assert_eq!(std::fs::read_dir(here("a")).unwrap().count(), 1, "nothing hidden is left");
    assert_eq!(files.read(&root.join(b"a"), None).await.err().unwrap().kind(), ErrorKind::Conflict);
    assert_eq!(files.read(&root.join(b"no"), None).await.err().unwrap().kind(), ErrorKind::NotFound);
    files.set(&root.join(b"new/dir/file"), Some(0), None).await.unwrap();
    assert_eq!(mode(&here("new/dir/file")), 0);
    let removed = files.remove(&[root.join(b"a")], false).await.unwrap();
    assert_eq!(removed[0].1.as_ref().unwrap_err().kind(), ErrorKind::Conflict);
    let removed = files.remove(&[root.join(b"a"), root.join(b"gone")], true).await.unwrap();
    assert!(removed.iter().all(|(_, outcome)| outcome.is_ok()));
    assert_eq!(files.list(&RemotePath::from("x")).try_collect::<Vec<_>>().await.unwrap_err().kind(), ErrorKind::Usage);
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn a_body_that_fails_leaves_what_was_there() {
    let (dir, files, root) = files();
    std::fs::write(dir.path().join("f"), "old").unwrap();
    let chunks = [Ok(Bytes::from_static(b"new")), Err(crate::error::Error::failure("the source broke"))];
    let error = files.write(spec(root.join(b"f")), stream::iter(chunks)).await.unwrap_err();
    assert_eq!(error.to_string(), "the source broke");
    assert_eq!(std::fs::read_to_string(dir.path().join("f")).unwrap(), "old");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}
