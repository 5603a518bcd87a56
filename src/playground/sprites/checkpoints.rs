//! Checkpoints: copies of a sprite's disk, and the texts in which they are announced (section 2.4).

use super::disk::Disk;
use super::errors::{Answer, Refusal};
use super::list::line;
use super::sprite::Sprite;
use super::{times, tree};
use crate::stream;
use crate::transport::server::{Reply, Request, Response};
use crate::transport::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// The most checkpoints of one sprite: each is a whole copy.
const MAX_CHECKPOINTS: usize = 100;

/// The longest body of a request, in bytes.
const MAX_BODY: usize = 1 << 20;

/// The names of the state that is live.
const LIVE: &[&str] = &["active", "Current"];

/// The checkpoints of a sprite.
pub(super) struct Checkpoints {
    kept: Mutex<Kept>,
    /// Held while the disk is copied: one at a time.
    turn: tokio::sync::Mutex<()>,
}

struct Kept {
    /// Oldest first.
    list: Vec<Checkpoint>,
    /// The number of the next one; numbers are not used again.
    next: u32,
    /// What the live state comes from, oldest first.
    lineage: Vec<String>,
    /// Since when the live state is what it is.
    since: Timestamp,
}

#[derive(Clone)]
struct Checkpoint {
    id: String,
    created: Timestamp,
    comment: Option<String>,
    history: Vec<String>,
    is_auto: bool,
}

#[derive(Debug, Default, Deserialize)]
struct CreateRequest {
    comment: Option<String>,
}

impl Checkpoint {
    fn to_json(&self) -> Value {
        let mut object = json!({
            "id": self.id,
            "create_time": times::inside(self.created),
            "history": self.history,
            "is_auto": self.is_auto,
        });
        if let Some(comment) = &self.comment {
            object["comment"] = json!(comment);
        }
        if let Some(source) = self.history.last() {
            object["source_id"] = json!(source);
        }
        object
    }
}

impl Checkpoints {
    /// Those of a new sprite: the pristine state, whose copy is made with the disk.
    pub(super) fn new(now: Timestamp) -> Self {
        let pristine = Checkpoint { id: "v0".into(), created: now, comment: None, history: Vec::new(), is_auto: false };
        let kept = Kept { list: vec![pristine], next: 1, lineage: vec!["v0".into()], since: now };
        Self { kept: Mutex::new(kept), turn: tokio::sync::Mutex::new(()) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(kept: &Kept) -> Checkpoint {
        Checkpoint {
            id: "Current".into(),
            created: kept.since,
            comment: None,
            history: kept.lineage.clone(),
            is_auto: false,
        }
    }

    fn list(&self, auto: bool) -> Vec<Checkpoint> {
        let kept = self.lock();
        let shown = kept.list.iter().rev().filter(|checkpoint| auto || !checkpoint.is_auto).cloned();
        std::iter::once(Self::live(&kept)).chain(shown).collect()
    }

    fn find(&self, id: &str) -> Option<Checkpoint> {
        let kept = self.lock();
        if LIVE.contains(&id) {
            return Some(Self::live(&kept));
        }
        kept.list.iter().find(|checkpoint| checkpoint.id == id).cloned()
    }

    /// Copies the disk now. Blocks.
    pub(super) fn take(&self, disk: &Disk, comment: Option<String>, is_auto: bool) -> io::Result<(String, Timestamp)> {
        let (id, history) = {
            let mut kept = self.lock();
            if kept.list.len() >= MAX_CHECKPOINTS {
                return Err(io::Error::other(format!("a sprite keeps at most {MAX_CHECKPOINTS} checkpoints")));
            }
            let number = kept.next;
            kept.next += 1;
            (if is_auto { format!("auto-{number}") } else { format!("v{number}") }, kept.lineage.clone())
        };
        save(disk, &id)?;
        let created = Timestamp::now();
        let mut kept = self.lock();
        if !is_auto {
            kept.lineage.push(id.clone());
            kept.since = created;
        }
        kept.list.push(Checkpoint { id: id.clone(), created, comment, history, is_auto });
        Ok((id, created))
    }

    /// Puts the disk back. Blocks.
    fn put_back(&self, disk: &Disk, id: &str) -> io::Result<()> {
        let found = self.find(id).filter(|found| !LIVE.contains(&found.id.as_str()));
        let Some(found) = found else {
            return Err(io::Error::other(format!(
                "failed to restore checkpoint: checkpoint with path checkpoints/{id} not found"
            )));
        };
        let staged = disk.root().with_extension("new");
        if staged.exists() {
            fs::remove_dir_all(&staged)?;
        }
        tree::copy(&place(disk, id), &staged, &|_| false)?;
        disk.replace(&staged)?;
        let mut kept = self.lock();
        kept.lineage = found.history;
        kept.lineage.push(found.id);
        kept.since = Timestamp::now();
        Ok(())
    }

    /// Forgets one, and then its copy.
    fn delete(&self, sprite: &Sprite, id: &str) -> Answer<()> {
        if LIVE.contains(&id) {
            return Err(Refusal::text(409, "Failed to delete checkpoint: cannot delete active checkpoint"));
        }
        let mut kept = self.lock();
        let at = kept.list.iter().position(|checkpoint| checkpoint.id == id).ok_or_else(|| {
            Refusal::text(404, format!("Failed to delete checkpoint: checkpoint with path checkpoints/{id} not found"))
        })?;
        kept.list.remove(at);
        drop(kept);
        let disk = sprite.disk().map_err(Refusal::internal)?;
        fs::remove_dir_all(place(disk, id)).map_err(Refusal::internal)
    }
}

/// Where the copy for `id` is.
fn place(disk: &Disk, id: &str) -> PathBuf {
    disk.own().join("checkpoints").join(id)
}

/// Makes the copy for `id`, whole or not at all.
pub(super) fn save(disk: &Disk, id: &str) -> io::Result<()> {
    // On the same file system and outside of what commands see, so that they never see half of one.
    let staged = disk.root().with_extension("taking");
    if staged.exists() {
        fs::remove_dir_all(&staged)?;
    }
    let skip = |path: &Path| {
        path == Path::new(".sprite")
            || path.components().count() == 1 && path.to_str().is_some_and(super::disk::is_shared)
    };
    tree::copy(disk.root(), &staged, &skip)?;
    fs::rename(staged, place(disk, id))
}

/// Routes below `B/checkpoint` and `B/checkpoints`.
pub(super) async fn route(sprite: &Arc<Sprite>, rest: &[&str], mut request: Request) -> Answer {
    match (request.method.as_str(), rest) {
        ("POST", ["checkpoint"]) => {
            let body = request.bytes(MAX_BODY).await.map_err(|error| Refusal::text(400, error))?;
            let asked = if body.is_empty() {
                CreateRequest::default()
            } else {
                serde_json::from_slice(&body)
                    .map_err(|error| Refusal::text(400, format!("Invalid request body: {error}")))?
            };
            Ok(create(sprite, asked))
        }
        ("GET", ["checkpoints"]) => Ok(list(sprite, &request)),
        ("GET", ["checkpoints", id]) => match sprite.checkpoints.find(id) {
            Some(found) => Ok(Response::json(StatusCode::OK, &found.to_json()).into()),
            None => Err(Refusal::text(
                500,
                format!(
                    "Failed to get checkpoint: failed to get checkpoint: checkpoint with path checkpoints/{id} not found"
                ),
            )),
        },
        ("DELETE", ["checkpoints", id]) => {
            let _turn = sprite.checkpoints.turn.lock().await;
            sprite.checkpoints.delete(sprite, id)?;
            Ok(Response::empty(StatusCode::NO_CONTENT).into())
        }
        ("POST", ["checkpoints", id, "restore"]) => Ok(restore(sprite, (*id).to_owned())),
        (_, ["checkpoint"] | ["checkpoints"] | ["checkpoints", _] | ["checkpoints", _, "restore"])
            if request.method != Method::HEAD =>
        {
            Err(Refusal::method())
        }
        _ => Err(Refusal::no_route()),
    }
}

fn list(sprite: &Sprite, request: &Request) -> Reply {
    let auto = request.query.text("includeAuto").as_deref() == Some("true");
    let found = sprite.checkpoints.list(auto);
    let Some(wanted) = request.query.text("history").filter(|wanted| !wanted.is_empty()) else {
        let all: Vec<Value> = found.iter().map(Checkpoint::to_json).collect();
        return Response::json(StatusCode::OK, &all).into();
    };
    // In the style of grep, one line for each match.
    let matching = found.iter().filter(|found| found.id != "Current");
    let text: String = matching
        .flat_map(|found| found.history.iter().filter(|id| **id == *wanted).map(|id| format!("{}:{id}\n", found.id)))
        .collect();
    Response::text(StatusCode::OK, text).into()
}

/// Says things while they are done, whether anybody listens or not.
struct Telling(mpsc::UnboundedSender<Value>);

impl Telling {
    fn line(&self, kind: &str, key: &str, text: String) {
        let line = json!({ "type": kind, key: text, "time": times::inside(Timestamp::now()) });
        // A dozen lines at most are waiting; whoever hung up misses them.
        let _ = self.0.send(line);
    }

    fn info(&self, text: impl Into<String>) {
        self.line("info", "data", text.into());
    }

    fn complete(&self, text: impl Into<String>) {
        self.line("complete", "data", text.into());
    }

    fn error(&self, text: impl Into<String>) {
        self.line("error", "error", text.into());
    }
}

/// Answers with what `work` tells. It goes on if the client hangs up, as a snapshot does.
fn telling<F: Future<Output = ()> + Send + 'static>(work: impl FnOnce(Telling) -> F) -> Reply {
    let (sender, lines) = mpsc::unbounded_channel();
    tokio::spawn(work(Telling(sender)));
    let body =
        stream::unfold(lines, |mut lines| async move { Ok(lines.recv().await.map(|value| (line(&value), lines))) });
    Response::stream(StatusCode::OK, "application/x-ndjson", body)
        .header(crate::transport::header::CACHE_CONTROL, crate::transport::HeaderValue::from_static("no-cache"))
        .into()
}

fn create(sprite: &Arc<Sprite>, asked: CreateRequest) -> Reply {
    let sprite = Arc::clone(sprite);
    telling(async move |tell: Telling| {
        let _hold = sprite.hold();
        let _turn = sprite.checkpoints.turn.lock().await;
        tell.info("Creating checkpoint...");
        let copied = {
            let sprite = Arc::clone(&sprite);
            blocking(move || sprite.checkpoints.take(sprite.disk()?, asked.comment, false)).await
        };
        match copied {
            Err(error) => tell.error(format!("Failed to create checkpoint: {error}")),
            Ok((id, created)) => {
                tell.info("Checkpoint created successfully");
                tell.info("\nCheckpoint Details:");
                tell.info(format!("  ID: {id}"));
                tell.info(format!("  Created: {}", created.strftime("%Y-%m-%d %H:%M:%S")));
                tell.info(format!("  Path: checkpoints/{id}"));
                tell.info("\nTo restore this checkpoint:");
                tell.info(format!("  sprite checkpoint restore {id}"));
                tell.info(format!("  curl -X POST /checkpoints/{id}/restore"));
                tell.complete(format!("Checkpoint {id} created successfully"));
            }
        }
    })
}

fn restore(sprite: &Arc<Sprite>, id: String) -> Reply {
    let sprite = Arc::clone(sprite);
    telling(async move |tell: Telling| {
        let _hold = sprite.hold();
        let _turn = sprite.checkpoints.turn.lock().await;
        tell.info(format!("Restoring from checkpoint {id}..."));
        if sprite.checkpoints.find(&id).is_some() {
            sprite.stop_all().await;
        }
        let restored = {
            let (sprite, id) = (Arc::clone(&sprite), id.clone());
            blocking(move || sprite.checkpoints.put_back(sprite.disk()?, &id)).await
        };
        sprite.start_again();
        match restored {
            Err(error) => tell.error(format!("Failed to restore checkpoint: {error}")),
            Ok(()) => {
                tell.info("Container components started successfully");
                tell.complete(format!("Restore from {id} complete"));
            }
        }
    })
}

/// Runs what waits for the disk on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use super::super::world::tests::{make, world};
    use super::*;

    #[tokio::test]
    async fn a_state_comes_back_with_its_lineage() {
        let (_dir, world) = world();
        let sprite = make(&world, "box");
        let disk = sprite.disk().unwrap();
        let file = disk.root().join("home/sprite/file");
        fs::write(&file, "one").unwrap();
        let (first, _) = sprite.checkpoints.take(disk, Some("first".into()), false).unwrap();
        fs::write(&file, "two").unwrap();
        let (second, _) = sprite.checkpoints.take(disk, None, false).unwrap();
        assert_eq!((first.as_str(), second.as_str()), ("v1", "v2"));
        assert_eq!(sprite.checkpoints.find("v2").unwrap().history, ["v0", "v1"]);

        sprite.checkpoints.put_back(disk, "v1").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "one");
        assert_eq!(sprite.checkpoints.find("Current").unwrap().history, ["v0", "v1"]);
        sprite.checkpoints.put_back(disk, "v0").unwrap();
        assert!(!file.exists());
        assert!(sprite.checkpoints.put_back(disk, "v9").unwrap_err().to_string().ends_with("not found"));

        let (third, _) = sprite.checkpoints.take(disk, None, false).unwrap();
        let ids: Vec<_> = sprite.checkpoints.list(false).into_iter().map(|found| found.id).collect();
        assert_eq!((third.as_str(), ids), ("v3", ["Current", "v3", "v2", "v1", "v0"].map(String::from).to_vec()));
        assert!(sprite.checkpoints.delete(&sprite, "v2").is_ok());
        assert!(!place(disk, "v2").exists());
        assert_eq!(sprite.checkpoints.delete(&sprite, "v2").err().unwrap().0.status, 404);
        assert_eq!(sprite.checkpoints.delete(&sprite, "active").err().unwrap().0.status, 409);
    }
}
