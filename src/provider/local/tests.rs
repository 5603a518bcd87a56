//! The contract of [`Files`] on this machine's disk.

use super::*;
use crate::cleanups::Cleanups;
use crate::provider::files::Part;
use bytes::Bytes;
use futures_util::StreamExt;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn bodies(chunks: &'static [&'static str], error: Option<&str>) -> ByteStream {
    let error = error.map(|text| Err(Error::failure(text)));
    stream::iter(chunks.iter().map(|chunk| Ok(Bytes::from(*chunk))).chain(error).collect::<Vec<_>>())
}

fn to(path: &Path) -> WriteSpec {
    WriteSpec { path: remote_path(path), len: None, mode: None, owner: None, parents: false }
}

fn left(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn only_a_body_that_ends_cleanly_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let files = LocalFiles::below(dir.path().to_owned(), Temps::default());
    let path = dir.path().join("a");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = files.write(to(&path), bodies(&["new", "er"], Some("the source broke"))).await.unwrap_err();
    assert_eq!(error.to_string(), "the source broke");
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), left(dir.path())), ("old", vec!["a".to_owned()]));

    let written = files.write(to(&path), bodies(&["new", "er"], None)).await.unwrap();
    assert_eq!((written.size_bytes, fs::read_to_string(&path).unwrap().as_str()), (5, "newer"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(left(dir.path()), ["a"]);
}

#[tokio::test]
async fn a_write_that_is_given_up_is_cleaned_up() {
    let dir = tempfile::tempdir().unwrap();
    let cleanups = Cleanups::default();
    let files = LocalFiles::below(dir.path().to_owned(), Temps::new(&cleanups));
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes>>(1);
    let body = stream::unfold(receiver, |mut r| async move { Ok(r.recv().await.transpose()?.map(|c| (c, r))) });
    let path = dir.path().join("a");
    let mut writing = Box::pin(files.write(to(&path), body));
    sender.send(Ok(Bytes::from("part"))).await.unwrap();
    // Until the temporary file is there.
    while left(dir.path()).is_empty() {
        tokio::select! {
            _ = &mut writing => panic!("the body has not ended"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(writing);
    assert!(cleanups.run(std::time::Duration::from_secs(10)).await.is_empty());
    assert_eq!(left(dir.path()), [""; 0]);
}

#[tokio::test]
async fn a_batch_is_committed_at_its_clean_end_and_a_file_may_be_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let files = LocalFiles::below(dir.path().to_owned(), Temps::default());
    let specs: Vec<_> = ["a", "b", "none/c", "d"].iter().map(|name| to(&dir.path().join(name))).collect();
    let data = |text: &'static str| Part::Data(Bytes::from(text));
    let parts = || {
        vec![
            Part::Begin(0),
            data("one"),
            Part::End,
            Part::Begin(1),
            data("tw"),
            data("o"),
            Part::End,
            // Its directory is missing, and what comes of it goes nowhere else.
            Part::Begin(2),
            data("lost"),
            Part::End,
            Part::Begin(3),
            data("void"),
            Part::End,
            Part::Failed(3, Error::not_found("it was cut short")),
        ]
    };
    let broken = parts().into_iter().map(Ok).chain([Err(Error::failure("broke"))]).collect::<Vec<_>>();
    assert!(files.write_many(specs.clone(), stream::iter(broken)).await.is_err());
    assert_eq!(left(dir.path()), [""; 0]);

    let whole = stream::iter(parts().into_iter().map(Ok).collect::<Vec<_>>());
    let verdicts = files.write_many(specs, whole).await.unwrap();
    let said: Vec<_> = verdicts.iter().map(|v| v.as_ref().err().map(Error::kind)).collect();
    assert_eq!(said, [None, None, Some(ErrorKind::NotFound), Some(ErrorKind::NotFound)]);
    assert_eq!(left(dir.path()), ["a", "b"]);
    assert_eq!(fs::read_to_string(dir.path().join("b")).unwrap(), "two");
}

#[tokio::test]
async fn nothing_is_written_outside_the_root() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("in")).unwrap();
    fs::create_dir(dir.path().join("out")).unwrap();
    std::os::unix::fs::symlink("../out", root.join("link")).unwrap();
    let files = LocalFiles::below(root.clone(), Temps::default());
    let mut write = to(&root.join("link/a"));
    for parents in [false, true] {
        write.parents = parents;
        let error = files.write(write.clone(), bodies(&["x"], None)).await.unwrap_err();
        assert!(error.to_string().contains("it is a symbolic link"), "{error}");
    }
    for path in ["../out/a", "in/../../out/a"] {
        assert!(files.write(to(&root.join(path)), bodies(&["x"], None)).await.is_err(), "{path}");
    }
    let spec = MkdirSpec { parents: true, ..MkdirSpec::default() };
    for path in ["link", "link/sub"] {
        assert!(files.mkdir(&remote_path(&root.join(path)), spec.clone()).await.is_err(), "{path}");
    }
    assert_eq!(left(&dir.path().join("out")), [""; 0]);
    files.write(to(&root.join("in/a")), bodies(&["x"], None)).await.unwrap();
}

#[tokio::test]
async fn what_is_read_is_what_was_there_when_it_was_opened() {
    let dir = tempfile::tempdir().unwrap();
    let files = LocalFiles::new(Temps::default());
    let path = dir.path().join("log");
    fs::write(&path, "0123456789").unwrap();
    let reading = files.read(&remote_path(&path), None).await.unwrap();
    fs::write(&path, "0123456789 and more").unwrap();
    assert_eq!(reading.len, Some(10));
    assert_eq!(stream::collect(reading.body).await.unwrap().concat(), b"0123456789");

    let reading = files.read(&remote_path(&path), Some(5..8)).await.unwrap();
    assert_eq!(stream::collect(reading.body).await.unwrap().concat(), b"567");

    let reading = files.read(&remote_path(&path), None).await.unwrap();
    fs::write(&path, "01").unwrap();
    assert!(stream::collect(reading.body).await.unwrap_err().to_string().contains("it shrank meanwhile"));

    let kernel = files.read(&"/proc/self/status".into(), None).await.unwrap();
    assert_eq!(kernel.len, None);
    assert!(!stream::collect(kernel.body).await.unwrap().concat().is_empty());
    let error = files.read(&remote_path(dir.path()), None).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn directories_are_listed_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let files = LocalFiles::new(Temps::default());
    let at = |name: &str| remote_path(&dir.path().join(name));
    fs::create_dir(dir.path().join("b")).unwrap();
    fs::write(dir.path().join("a"), "12345").unwrap();
    std::os::unix::fs::symlink("a", dir.path().join("c")).unwrap();
    let entries: Vec<_> = files.list(&at("")).map(|entry| entry.unwrap()).collect().await;
    let told: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.size_bytes, e.link_target.as_deref())).collect();
    assert_eq!(told, [("a", Some(5), None), ("b", None, None), ("c", None, Some("a"))]);
    assert_eq!(files.stat(&at("c"), true).await.unwrap().size_bytes, Some(5));
    assert_eq!(files.stat(&at("nope"), true).await.unwrap_err().kind(), ErrorKind::NotFound);

    fs::write(dir.path().join("b/x"), "").unwrap();
    let verdicts = files.remove(&[at("b"), at("c"), at("nope")], false).await.unwrap();
    let kinds: Vec<_> = verdicts.iter().map(|(_, v)| v.as_ref().err().map(Error::kind)).collect();
    assert_eq!(kinds, [Some(ErrorKind::Conflict), None, Some(ErrorKind::NotFound)]);
    assert!(files.remove(&[at("b"), at("nope")], true).await.unwrap().iter().all(|(_, v)| v.is_ok()));
    assert_eq!(left(dir.path()), ["a"]);
}
