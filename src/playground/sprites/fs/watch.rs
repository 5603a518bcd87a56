//! Watching files, by inotify: what the system says, as the events of the API.

use super::absolute;
use super::spot::by_descriptor;
use crate::playground::sprites::disk::View;
use crate::playground::sprites::times;
use crate::transport::server::{Message, Socket, SocketSink};
use jiff::Timestamp;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::fs::{AtFlags, OFlags, openat, statat};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::unix::pipe::Receiver;

/// The most directories that one client watches.
const MAX_WATCHES: usize = 10_000;

/// How much is read at once, in bytes.
const BUFFER: usize = 16 * 1024;

/// What is watched for.
const EVENTS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::ATTRIB);

#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Subscribe {
    r#type: String,
    paths: Vec<String>,
    recursive: bool,
    working_dir: String,
}

impl Default for Subscribe {
    fn default() -> Self {
        Self { r#type: String::new(), paths: Vec::new(), recursive: false, working_dir: "/".to_owned() }
    }
}

/// Serves a client.
pub(super) async fn watch(view: Arc<View>, socket: Socket) {
    let (mut sink, mut stream) = socket.split();
    let mut watcher = match Watcher::new(view) {
        Ok(watcher) => watcher,
        Err(error) => {
            sink.text(failure(&error.to_string())).await;
            return;
        }
    };
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(Message::Text(text)) => if !watcher.asked(&text, &mut sink).await { return },
                None | Some(Message::Close { .. } | Message::Eof) => return,
                Some(_) => {}
            },
            events = watcher.next() => for event in events {
                if !sink.text(event.to_string()).await {
                    return;
                }
            },
        }
    }
}

fn failure(message: &str) -> String {
    json!({ "type": "error", "message": message }).to_string()
}

struct Watcher {
    view: Arc<View>,
    /// Not a pipe, but read like one.
    inotify: Receiver,
    watched: HashMap<i32, Watched>,
}

struct Watched {
    path: PathBuf,
    /// Open, so that what is in it is found wherever it is moved.
    dir: OwnedFd,
    recursive: bool,
}

/// What the system said of a watched path.
struct Said {
    watch: i32,
    flags: ReadFlags,
    name: Option<OsString>,
}

impl Watcher {
    fn new(view: Arc<View>) -> std::io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let inotify = Receiver::from_owned_fd_unchecked(inotify)?;
        Ok(Self { view, inotify, watched: HashMap::new() })
    }

    /// Does what a message asks; false if the client is gone.
    async fn asked(&mut self, text: &str, sink: &mut SocketSink) -> bool {
        let asked: Subscribe = match serde_json::from_str(text) {
            Ok(asked) => asked,
            Err(error) => return sink.text(failure(&format!("invalid message: {error}"))).await,
        };
        if asked.r#type != "subscribe" {
            return sink.text(failure(&format!("unknown message type: {}", asked.r#type))).await;
        }
        for path in &asked.paths {
            let path = absolute(path.as_bytes(), asked.working_dir.as_bytes());
            let added =
                self.view.open(&path, OFlags::PATH, 0).and_then(|found| self.add(path.clone(), found, asked.recursive));
            if let Err(errno) = added {
                return sink.text(failure(&format!("watch {}: {errno}", path.display()))).await;
            }
        }
        sink.text(json!({ "type": "subscribed", "paths": asked.paths }).to_string()).await
    }

    fn add(&mut self, path: PathBuf, found: OwnedFd, recursive: bool) -> rustix::io::Result<()> {
        if self.watched.len() >= MAX_WATCHES {
            return Err(rustix::io::Errno::NOSPC);
        }
        let here = by_descriptor(&found);
        let watch = inotify::add_watch(&self.inotify, &here, EVENTS)?;
        if recursive {
            for entry in std::fs::read_dir(&here).into_iter().flatten().flatten() {
                self.descend(&path, &found, &entry.file_name());
            }
        }
        self.watched.insert(watch, Watched { path, dir: found, recursive });
        Ok(())
    }

    /// Watches a directory in a watched one. What is none, or is gone, needs no watch.
    fn descend(&mut self, path: &Path, dir: &OwnedFd, name: &OsStr) {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if let Ok(inner) = openat(dir, name, flags, rustix::fs::Mode::empty()) {
            let _ = self.add(path.join(name), inner, true);
        }
    }

    /// What happened next. Cancel-safe.
    async fn next(&mut self) -> Vec<Value> {
        let mut buffer = vec![0; BUFFER];
        let read = loop {
            if self.inotify.readable().await.is_err() {
                return std::future::pending().await;
            }
            match self.inotify.try_read(&mut buffer) {
                Ok(read) => break read,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return std::future::pending().await,
            }
        };
        let said = parse(&buffer[..read]);
        said.into_iter().filter_map(|said| self.event(said)).collect()
    }

    fn event(&mut self, Said { watch, flags, name }: Said) -> Option<Value> {
        let watched = self.watched.get(&watch)?;
        if flags.contains(ReadFlags::IGNORED) {
            self.watched.remove(&watch);
            return None;
        }
        let kind = [
            (ReadFlags::CREATE | ReadFlags::MOVED_TO, "create"),
            (ReadFlags::MODIFY, "write"),
            (ReadFlags::DELETE, "remove"),
            (ReadFlags::MOVED_FROM, "rename"),
            (ReadFlags::ATTRIB, "chmod"),
        ]
        .into_iter()
        .find_map(|(any, kind)| flags.intersects(any).then_some(kind))?;
        let stat = match &name {
            Some(name) => statat(&watched.dir, name, AtFlags::SYMLINK_NOFOLLOW),
            None => rustix::fs::fstat(&watched.dir),
        };
        let is_dir = flags.contains(ReadFlags::ISDIR);
        let path = name.as_ref().map_or_else(|| watched.path.clone(), |name| watched.path.join(name));
        if is_dir
            && kind == "create"
            && watched.recursive
            && let (Some(name), Ok(dir)) = (&name, watched.dir.try_clone())
        {
            let parent = watched.path.clone();
            self.descend(&parent, &dir, name);
        }
        Some(json!({
            "type": "event",
            "path": path.to_string_lossy(),
            "event": kind,
            "timestamp": times::inside(Timestamp::now()),
            "size": stat.map_or(0, |stat| stat.st_size),
            "isDir": is_dir,
        }))
    }
}

/// Reads what the kernel wrote: for each event its watch, its flags, a number that is not needed, the length of a name
/// and the name, which zeros fill up (inotify(7)).
fn parse(mut bytes: &[u8]) -> Vec<Said> {
    let mut said = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<16>() {
        let word = |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let Some((name, rest)) = rest.split_at_checked(word(12) as usize) else { break };
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        said.push(Said {
            watch: word(0).cast_signed(),
            flags: ReadFlags::from_bits_retain(word(4)),
            name: (end > 0).then(|| OsStr::from_bytes(&name[..end]).to_owned()),
        });
        bytes = rest;
    }
    said
}
