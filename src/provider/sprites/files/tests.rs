//! Files against a server that keeps real ones, and breaks what it is told to break. Programs run here, on the same
//! files.

use super::SpritesFiles;
use crate::cleanups::Cleanups;
use crate::config::{EndpointConfig, Secret};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{FileKind, RemotePath};
use crate::provider::Env;
use crate::provider::files::{Files, MkdirSpec, WriteSpec};
use crate::provider::local::remote_path;
use crate::provider::over_exec::here::Here;
use crate::provider::sprites::client::{Client, SYSTEM};
use crate::provider::sprites::credential::find;
use crate::provider::web::Credential;
use crate::stream;
use crate::transport::server::{Body, Handler, Listener, Reply, Request, Response, serve};
use crate::transport::{Address, Client as Http, Net, StatusCode};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::fs;
use std::io::{ErrorKind as Io, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// How the server misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The next content is cut after so many bytes.
    Cut(usize),
    /// The next content is cut, and the file is touched.
    CutAndTouched(usize),
    /// The next answer is 503.
    Waking,
    /// The next range is answered with all of the file.
    NoRange,
    /// The next write keeps half of what came, and says so or not.
    Halved { is_told: bool },
}

#[derive(Default)]
struct Disk {
    faults: Mutex<Vec<Fault>>,
    asked: Mutex<Vec<String>>,
}

impl Disk {
    fn fault(&self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter().position(wanted)?;
        Some(faults.remove(at))
    }
}

fn failed(error: &std::io::Error, path: &Path) -> Response {
    let (status, code) = match error.kind() {
        Io::NotFound => (404, "ENOENT"),
        Io::NotADirectory => (400, "ENOTDIR"),
        Io::IsADirectory => (400, "EISDIR"),
        Io::DirectoryNotEmpty => (400, "ENOTEMPTY"),
        Io::PermissionDenied => (500, "EACCES"),
        _ => (500, "EIO"),
    };
    let body = json!({"error": format!("open {}: {error}", path.display()), "code": code, "path": path});
    Response::json(StatusCode::from_u16(status).unwrap(), &body)
}

fn entry(path: &Path) -> std::io::Result<Value> {
    let meta = fs::symlink_metadata(path)?;
    let kind = if meta.is_dir() {
        "directory"
    } else if meta.is_symlink() {
        "symlink"
    } else {
        "file"
    };
    let time = jiff::Timestamp::new(meta.mtime(), i32::try_from(meta.mtime_nsec()).unwrap()).unwrap();
    Ok(json!({
        "name": path.file_name().unwrap_or_default().to_string_lossy(), "path": path.to_string_lossy(), "type": kind,
        "size": meta.len(), "mode": format!("{:04o}", meta.mode() & 0o7777), "modTime": time.to_string(),
        "isDir": meta.is_dir(),
    }))
}

#[async_trait]
impl Handler for Disk {
    async fn handle(&self, mut request: Request) -> Reply {
        let call = request.segments().last().copied().unwrap_or_default().to_owned();
        self.asked.lock().unwrap().push(format!("{} {call}", request.method));
        if self.fault(|fault| *fault == Fault::Waking).is_some() {
            return Response::text(StatusCode::SERVICE_UNAVAILABLE, "Storage not ready").into();
        }
        let query = |name: &str| request.query.text(name).unwrap_or_default().into_owned();
        let path = PathBuf::from(query("path"));
        let (mode, parents, recursive) = (query("mode"), query("mkdirParents") == "true", query("recursive") == "true");
        let said = match call.as_str() {
            "read" => self.read(&path, request.header(&crate::transport::header::RANGE)),
            "write" => self.write(&path, &mut request, &mode, parents).await.map(ok),
            "list" => list(&path).map(ok),
            "delete" if recursive => {
                fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)).map(|()| ok(json!({})))
            }
            "delete" => fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).map(|()| ok(json!({}))),
            call => change(call, &serde_json::from_slice(&request.bytes(1 << 20).await.unwrap()).unwrap()).map(ok),
        };
        said.unwrap_or_else(|error| failed(&error, &path)).into()
    }
}

fn ok(value: Value) -> Response {
    Response::json(StatusCode::OK, &value)
}

impl Disk {
    fn read(&self, path: &Path, range: Option<&str>) -> std::io::Result<Response> {
        let content = fs::read(path)?;
        let range = range.filter(|_| self.fault(|fault| *fault == Fault::NoRange).is_none());
        let (status, start, end) = match range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) {
            None => (StatusCode::OK, 0, content.len()),
            Some((start, end)) => {
                let start: usize = start.parse().unwrap();
                if start >= content.len() {
                    return Ok(Response::empty(StatusCode::RANGE_NOT_SATISFIABLE));
                }
                let end = end.parse().map_or(content.len(), |end: usize| content.len().min(end + 1));
                (StatusCode::PARTIAL_CONTENT, start, end)
            }
        };
        let part = content[start..end].to_vec();
        let len = Some(part.len() as u64);
        let cut = self.fault(|fault| matches!(fault, Fault::Cut(_) | Fault::CutAndTouched(_)));
        let body: Vec<Result<Bytes>> = match cut {
            Some(Fault::Cut(at) | Fault::CutAndTouched(at)) => {
                if matches!(cut, Some(Fault::CutAndTouched(_))) {
                    fs::write(path, vec![b'!'; content.len()])?;
                }
                vec![Ok(Bytes::from(part[..at.min(part.len())].to_vec())), Err(Error::failure("cut"))]
            }
            _ => vec![Ok(Bytes::from(part))],
        };
        let mut response = Response::empty(status);
        if status == StatusCode::PARTIAL_CONTENT {
            let said = format!("bytes {start}-{}/{}", end - 1, content.len());
            response = response.header(crate::transport::header::CONTENT_RANGE, said.parse().unwrap());
        }
        response.body = Body::Stream { body: stream::iter(body), len };
        Ok(response)
    }

    /// What came before the client went away is kept, as a server does that writes while it reads.
    async fn write(&self, path: &Path, request: &mut Request, mode: &str, parents: bool) -> std::io::Result<Value> {
        if parents && let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = fs::File::create(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(u32::from_str_radix(mode, 8).unwrap()))?;
        let mut came = 0;
        while let Some(Ok(chunk)) = request.body.next().await {
            file.write_all(&chunk)?;
            came += chunk.len() as u64;
        }
        let halved = self.fault(|fault| matches!(fault, Fault::Halved { .. }));
        if halved.is_some() {
            file.set_len(came / 2)?;
        }
        let size = if halved == Some(Fault::Halved { is_told: true }) { came / 2 } else { came };
        Ok(json!({"path": path, "size": size, "mode": mode}))
    }
}

fn list(path: &Path) -> std::io::Result<Value> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(json!({"path": path, "entries": [entry(path)?], "count": 1}));
    }
    // What vanishes meanwhile is left out.
    let entries: Vec<_> = fs::read_dir(path)?.filter_map(|found| entry(&found.ok()?.path()).ok()).collect();
    Ok(json!({"path": path, "count": entries.len(), "entries": entries}))
}

fn change(call: &str, body: &Value) -> std::io::Result<Value> {
    let at = |name: &str| PathBuf::from(body[name].as_str().unwrap());
    match call {
        "rename" => fs::rename(at("source"), at("dest"))?,
        "chmod" => {
            let mode = u32::from_str_radix(body["mode"].as_str().unwrap(), 8).unwrap();
            fs::set_permissions(at("path"), fs::Permissions::from_mode(mode))?;
        }
        call => panic!("nobody should call {call}"),
    }
    Ok(json!({}))
}

/// A sandbox whose disk is a directory of this machine.
struct Sandbox {
    dir: TempDir,
    disk: Arc<Disk>,
    here: Arc<Here>,
    files: SpritesFiles,
    cleanups: Cleanups,
    server: JoinHandle<()>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Sandbox {
    async fn new() -> Self {
        Self::with(Here::default()).await
    }

    async fn with(here: Here) -> Self {
        let listener = Listener::tcp(0).await.unwrap();
        let address = Address::Tcp { host: "127.0.0.1".to_owned(), port: listener.port().unwrap() };
        let disk = Arc::new(Disk::default());
        let server = tokio::spawn(serve(listener, disk.clone()));
        let config = EndpointConfig::implicit("sprites").with_secret("token", Secret::new("t"));
        let credential = Credential::new(config, Env::default(), find);
        let http = Http::new(Net::default(), address);
        let client = Client::new(&SYSTEM, http, String::new(), credential);
        let (here, cleanups) = (Arc::new(here), Cleanups::default());
        let files = SpritesFiles::new(client, "dev".into(), here.clone(), cleanups.clone());
        Self { dir: tempfile::tempdir().unwrap(), disk, here, files, cleanups, server }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn remote(&self, name: &str) -> RemotePath {
        remote_path(&self.path(name))
    }

    fn breaks(&self, faults: &[Fault]) {
        self.disk.faults.lock().unwrap().extend(faults);
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(self.dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    async fn content(&self, name: &str) -> Result<Vec<u8>> {
        let reading = self.files.read(&self.remote(name), None).await?;
        Ok(stream::collect(reading.body).await?.concat())
    }

    async fn write(&self, name: &str, mode: Option<u32>, chunks: Vec<Result<Bytes>>) -> Result<u64> {
        let spec = WriteSpec { path: self.remote(name), len: None, mode, owner: None, parents: false };
        Ok(self.files.write(spec, stream::iter(chunks)).await?.size_bytes)
    }
}

fn chunk(text: &'static str) -> Result<Bytes> {
    Ok(Bytes::from_static(text.as_bytes()))
}

/// More than is asked for as a whole.
fn large() -> Vec<u8> {
    (0..3 << 20).map(|i: u32| i.to_le_bytes()[1] ^ i.to_le_bytes()[2]).collect()
}

#[tokio::test]
async fn a_directory_is_itself_and_not_its_first_child() {
    // 56: a directory, an empty one, links, and a loop of links.
    let sandbox = Sandbox::new().await;
    fs::create_dir_all(sandbox.path("d/d")).unwrap();
    fs::create_dir(sandbox.path("empty")).unwrap();
    fs::write(sandbox.path("d/x"), "12345").unwrap();
    fs::create_dir(sandbox.path("one")).unwrap();
    fs::write(sandbox.path("one/one"), "").unwrap();
    symlink("d/x", sandbox.path("link")).unwrap();
    symlink("nowhere", sandbox.path("dangling")).unwrap();
    symlink("loop", sandbox.path("loop")).unwrap();
    let stat = |name: &'static str, follow| {
        let (files, path) = (sandbox.files.clone(), sandbox.remote(name));
        async move { files.stat(&path, follow).await.map(|entry| (entry.name, entry.kind, entry.size_bytes)) }
    };
    let kind = |found: Result<(String, FileKind, Option<u64>)>| found.map_err(|error| error.kind());
    let entry = |name: &str, kind, size| Ok((name.to_owned(), kind, size));
    for name in ["d", "d/d", "empty", "one"] {
        let last = name.rsplit('/').next().unwrap();
        assert_eq!(kind(stat(name, false).await), entry(last, FileKind::Directory, None), "{name}");
    }
    assert_eq!(kind(stat("d/x", false).await), entry("x", FileKind::File, Some(5)));
    assert_eq!(kind(stat("link", false).await), entry("link", FileKind::Symlink, None));
    assert_eq!(kind(stat("link", true).await), entry("link", FileKind::File, Some(5)));
    assert_eq!(kind(stat("dangling", true).await), Err(ErrorKind::NotFound));
    assert_eq!(kind(stat("loop", true).await), Err(ErrorKind::Conflict));
    assert_eq!(kind(stat("none", false).await), Err(ErrorKind::NotFound));
    assert_eq!(kind(stat("none/x", false).await), Err(ErrorKind::NotFound));
    assert_eq!(kind(stat("d/x/y", false).await), Err(ErrorKind::Conflict));
    let link = sandbox.files.stat(&sandbox.remote("link"), false).await.unwrap();
    assert_eq!(link.link_target.as_deref(), Some("d/x"));
    let dots = sandbox.files.stat(&sandbox.remote("d/d/.."), false).await.unwrap();
    assert_eq!(dots.kind, FileKind::Directory);
    assert_eq!(sandbox.files.stat(&"/".into(), false).await.unwrap().name, "/");
    let list = |name: &'static str| stream::collect(sandbox.files.list(&sandbox.remote(name)));
    let names = |entries: Vec<crate::model::FileEntry>| entries.into_iter().map(|e| e.path).collect::<Vec<_>>();
    assert_eq!(names(list("one").await.unwrap()), [sandbox.remote("one/one")]);
    assert_eq!(names(list("d/x").await.unwrap()), [sandbox.remote("d/x")]);
    assert_eq!(names(list("empty").await.unwrap()), []);
    assert_eq!(list("none").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_file_is_seen_once_it_is_whole() {
    // 61 and 57.
    let sandbox = Sandbox::new().await;
    fs::write(sandbox.path("a"), "old").unwrap();
    fs::set_permissions(sandbox.path("a"), fs::Permissions::from_mode(0o640)).unwrap();
    // The source breaks once some of it is over there.
    let dir = sandbox.dir.path().to_owned();
    let broken = stream::unfold(0, move |step| {
        let dir = dir.clone();
        async move {
            if step == 0 {
                return Ok(Some((Bytes::from_static(b"new"), 1)));
            }
            while fs::read_dir(&dir).unwrap().count() < 2 {
                tokio::task::yield_now().await;
            }
            Err(Error::failure("the source broke"))
        }
    });
    let spec = WriteSpec { path: sandbox.remote("a"), len: None, mode: None, owner: None, parents: false };
    assert_eq!(sandbox.files.write(spec, broken).await.unwrap_err().to_string(), "the source broke");
    assert_eq!((fs::read(sandbox.path("a")).unwrap(), sandbox.names()), (b"old".to_vec(), vec!["a".to_owned()]));

    assert_eq!(sandbox.write("a", None, vec![chunk("ne"), chunk("wer")]).await.unwrap(), 5);
    assert_eq!(fs::read(sandbox.path("a")).unwrap(), b"newer");
    let mode = |name: &str| fs::metadata(sandbox.path(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("a"), 0o640);
    for (name, given, wanted) in
        [("b", None, 0o644), ("c", Some(0o755), 0o755), ("e", Some(0), 0), ("s", Some(0o4711), 0o4711)]
    {
        sandbox.write(name, given, vec![chunk("x")]).await.unwrap();
        assert_eq!(mode(name), wanted, "{name}");
    }
    let error = sandbox.write("none/a", None, vec![chunk("x")]).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.parts().hint.as_deref()),
        (ErrorKind::NotFound, Some("--parents makes missing directories"))
    );
    fs::create_dir(sandbox.path("dir")).unwrap();
    assert_eq!(sandbox.write("dir", None, vec![chunk("x")]).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(sandbox.names(), ["a", "b", "c", "dir", "e", "s"]);
    assert!(sandbox.cleanups.is_empty());
}

#[tokio::test]
async fn what_arrives_otherwise_replaces_nothing() {
    let sandbox = Sandbox::new().await;
    for is_told in [true, false] {
        fs::write(sandbox.path("a"), "old").unwrap();
        sandbox.breaks(&[Fault::Halved { is_told }]);
        let error = sandbox.write("a", None, vec![chunk("newest")]).await.unwrap_err();
        let wanted = if is_told { "3 of 6 bytes arrived" } else { "what arrived has another checksum" };
        assert!(error.to_string().ends_with(wanted), "{error}");
        assert_eq!((fs::read(sandbox.path("a")).unwrap(), sandbox.names()), (b"old".to_vec(), vec!["a".to_owned()]));
    }
}

#[tokio::test]
async fn a_write_without_programs_is_renamed_by_the_api() {
    let bin = tempfile::tempdir().unwrap();
    symlink("/bin/sh", bin.path().join("sh")).unwrap();
    let path = bin.path().to_str().unwrap().to_owned();
    let sandbox = Sandbox::with(Here { path: Some(path), ..Here::default() }).await;
    sandbox.write("a", Some(0o600), vec![chunk("x")]).await.unwrap();
    assert_eq!((fs::read(sandbox.path("a")).unwrap(), sandbox.names()), (b"x".to_vec(), vec!["a".to_owned()]));
    assert!(sandbox.disk.asked.lock().unwrap().contains(&"POST rename".to_owned()));
}

#[tokio::test]
async fn a_write_that_is_given_up_is_cleaned_up() {
    let sandbox = Sandbox::new().await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes>>(1);
    let body = stream::unfold(receiver, |mut r| async move { Ok(r.recv().await.transpose()?.map(|c| (c, r))) });
    let spec = WriteSpec { path: sandbox.remote("a"), len: None, mode: Some(0o644), owner: None, parents: false };
    let mut writing = Box::pin(sandbox.files.write(spec, body));
    sender.send(chunk("part")).await.unwrap();
    // Until some of it is there.
    while sandbox.names().is_empty() {
        tokio::select! {
            _ = &mut writing => panic!("the body has not ended"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(writing);
    assert!(sandbox.cleanups.run(std::time::Duration::from_secs(10)).await.is_empty());
    assert_eq!(sandbox.names(), [""; 0]);
}

#[tokio::test]
async fn a_lost_connection_costs_what_was_under_way() {
    let content = large();
    let sandbox = Sandbox::new().await;
    fs::write(sandbox.path("a"), &content).unwrap();
    // Twice, and the second time by a server that knows no ranges.
    sandbox.breaks(&[Fault::Cut(1 << 20), Fault::Cut(1000)]);
    assert!(sandbox.content("a").await.unwrap() == content);
    sandbox.breaks(&[Fault::Cut(100_000)]);
    let reading = sandbox.files.read(&sandbox.remote("a"), None).await.unwrap();
    sandbox.breaks(&[Fault::NoRange]);
    assert!(stream::collect(reading.body).await.unwrap().concat() == content);
    // What is small is asked for again.
    fs::write(sandbox.path("b"), "small").unwrap();
    sandbox.breaks(&[Fault::Waking, Fault::Cut(2), Fault::Waking]);
    assert_eq!(sandbox.content("b").await.unwrap(), b"small");
}

#[tokio::test]
async fn what_changed_meanwhile_is_not_put_together() {
    let sandbox = Sandbox::new().await;
    fs::write(sandbox.path("a"), large()).unwrap();
    sandbox.breaks(&[Fault::CutAndTouched(1 << 20)]);
    let error = sandbox.content("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(error.to_string().ends_with("it was changed while it was read"), "{error}");
}

#[tokio::test]
async fn a_part_is_a_part() {
    // 60: also past the end.
    let sandbox = Sandbox::new().await;
    fs::write(sandbox.path("a"), "0123456789").unwrap();
    for ranges_are_known in [true, false] {
        for (range, wanted) in
            [(2..5, "234"), (0..10, "0123456789"), (8..50, "89"), (10..20, ""), (50..60, ""), (3..3, "")]
        {
            if !ranges_are_known {
                sandbox.breaks(&[Fault::NoRange]);
            }
            let reading = sandbox.files.read(&sandbox.remote("a"), Some(range.clone())).await.unwrap();
            let found = stream::collect(reading.body).await.unwrap().concat();
            assert_eq!(found, wanted.as_bytes(), "{range:?}");
            sandbox.disk.faults.lock().unwrap().clear();
        }
    }
    assert_eq!(
        sandbox.files.read(&sandbox.remote("none"), Some(0..1)).await.err().unwrap().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn directories_are_made_and_nothing_is_left_in_them() {
    let sandbox = Sandbox::new().await;
    let make = |name: &'static str, parents| {
        let (files, path) = (sandbox.files.clone(), sandbox.remote(name));
        async move { files.mkdir(&path, MkdirSpec { parents, mode: Some(0o750), owner: None }).await.map_err(|e| e.kind()) }
    };
    assert_eq!(make("a", false).await, Ok(()));
    assert_eq!(make("a", false).await, Err(ErrorKind::Conflict));
    assert_eq!(make("a", true).await, Ok(()));
    assert_eq!(make("b/c", false).await, Err(ErrorKind::NotFound));
    assert_eq!(make("b/c/-d\n", true).await, Ok(()));
    assert_eq!(fs::metadata(sandbox.path("a")).unwrap().permissions().mode() & 0o777, 0o750);
    assert!(fs::read_dir(sandbox.path("a")).unwrap().next().is_none());
    fs::write(sandbox.path("file"), "").unwrap();
    let started = sandbox.here.started.load(Ordering::Relaxed);
    let spec = |name: &str| (sandbox.remote(name), MkdirSpec { parents: true, mode: Some(0o755), owner: None });
    let verdicts = sandbox.files.mkdirs(&[spec("m"), spec("m/n"), spec("o\n/p")]).await;
    assert!(verdicts.iter().all(Result::is_ok) && sandbox.path("o\n/p").is_dir(), "{verdicts:?}");
    assert_eq!(sandbox.here.started.load(Ordering::Relaxed), started + 1);
    let verdicts = sandbox.files.mkdirs(&[spec("q"), spec("file/r"), spec("s")]).await;
    let kinds: Vec<_> = verdicts.iter().map(|verdict| verdict.as_ref().err().map(Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Conflict), None]);
}

#[tokio::test]
async fn removing_keeps_to_what_was_asked() {
    // 59.
    let sandbox = Sandbox::new().await;
    fs::create_dir_all(sandbox.path("full/inner")).unwrap();
    fs::create_dir(sandbox.path("empty")).unwrap();
    fs::write(sandbox.path("file"), "").unwrap();
    let remove = |names: &'static [&'static str], recursive| {
        let (files, paths) = (sandbox.files.clone(), names.iter().map(|name| sandbox.remote(name)).collect::<Vec<_>>());
        async move {
            let verdicts = files.remove(&paths, recursive).await.unwrap();
            verdicts.into_iter().map(|(_, verdict)| verdict.err().map(|error| error.kind())).collect::<Vec<_>>()
        }
    };
    assert_eq!(
        remove(&["full", "empty", "none", "file"], false).await,
        [Some(ErrorKind::Conflict), None, Some(ErrorKind::NotFound), None]
    );
    assert_eq!(remove(&["full", "none"], true).await, [None, None]);
    assert_eq!(sandbox.names(), [""; 0]);
}

#[tokio::test]
async fn names_arrive_or_are_refused() {
    // 58: and what is not UTF-8 is refused before anything is sent.
    let sandbox = Sandbox::new().await;
    for name in ["-dash", "new\nline", "a b+c%41&d=e", "ü", "'\"$(x)`"] {
        sandbox.write(name, Some(0o644), vec![chunk("x")]).await.unwrap();
        assert_eq!(sandbox.content(name).await.unwrap(), b"x");
        let to = format!("{name}2");
        sandbox.files.rename(&sandbox.remote(name), &sandbox.remote(&to)).await.unwrap();
        sandbox.files.set(&sandbox.remote(&to), Some(0o600), None).await.unwrap();
        assert_eq!(sandbox.files.stat(&sandbox.remote(&to), false).await.unwrap().mode.as_deref(), Some("600"));
    }
    sandbox.disk.asked.lock().unwrap().clear();
    let odd = RemotePath::new(*b"/tmp/\xff");
    let reading = sandbox.files.read(&odd, None).await.err().unwrap();
    let removing = sandbox.files.remove(std::slice::from_ref(&odd), true).await.unwrap().remove(0).1.unwrap_err();
    assert_eq!((reading.kind(), removing.kind()), (ErrorKind::Unsupported, ErrorKind::Unsupported));
    for bad in ["relative", "/nul\0"] {
        assert_eq!(sandbox.files.stat(&bad.into(), false).await.unwrap_err().kind(), ErrorKind::Usage);
    }
    assert!(sandbox.disk.asked.lock().unwrap().is_empty());
    let missing = sandbox.files.rename(&sandbox.remote("none"), &sandbox.remote("x")).await.unwrap_err();
    assert_eq!((missing.kind(), missing.parts().effect), (ErrorKind::NotFound, Effect::None));
}
