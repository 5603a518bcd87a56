//! Changes: the daemon's operations. Waiting is its long poll, in slices, so that progress shows and a restart of the
//! daemon is survived.

use super::api;
use super::client::Client;
use crate::error::{Effect, Error, ErrorKind, Result, Wire};
use crate::model::{Change, Note, OperationId, Progress, Task};
use crate::operation::{Cancel, Operation, Step};
use crate::provider::changes::{Changes, Select};
use crate::stream;
use crate::transport::Request;
use crate::transport::query::Query;
use async_trait::async_trait;
use std::time::Duration;
use tokio::time::Instant;

/// How long a daemon that went away in the middle of a wait may take to come back.
const RESTART_GRACE: Duration = Duration::from_secs(10);

/// How long the first slices of the long poll are, in milliseconds: short ones first, so that progress shows early.
const SLICES: [u64; 4] = [400, 600, 1000, 2000];

/// The changes of a daemon.
pub(super) struct PebbleChanges(pub(super) Client);

#[async_trait]
impl Changes for PebbleChanges {
    async fn list(&self, select: Select, service: Option<&str>) -> Result<Vec<Change>> {
        let select = match select {
            Select::InProgress => "in-progress",
            Select::Ready => "ready",
            Select::All => "all",
        };
        let path = Query::new("/v1/changes").with("select", select).maybe("for", service).build();
        let mut changes: Vec<api::Change> = self.0.get("list changes", &path).await?;
        // The daemon keeps them in a map and answers in the order of spawning, except for those of one instant.
        changes.sort_by_key(|change| (change.spawn_time, change.id.parse::<u64>().unwrap_or(u64::MAX)));
        Ok(changes.into_iter().map(Into::into).collect())
    }

    async fn get(&self, id: &OperationId) -> Result<Change> {
        fetch(&self.0, id).await.map(Into::into)
    }

    async fn wait(&self, id: &OperationId) -> Result<Operation<Change>> {
        let first = fetch(&self.0, id).await?;
        Ok(watch(&self.0, id.clone(), Some(first)))
    }

    async fn abort(&self, id: &OperationId) -> Result<Change> {
        abort(&self.0, id).await.map(Into::into)
    }
}

/// The change as it is now.
pub(super) async fn fetch(client: &Client, id: &OperationId) -> Result<api::Change> {
    client.get(&format!("show change {id}"), &path_of(id)?).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => error.hint("`esker svc change list` shows all"),
        _ => error,
    })
}

/// Asks the daemon to abort a change.
async fn abort(client: &Client, id: &OperationId) -> Result<api::Change> {
    client.post(&format!("abort change {id}"), &path_of(id)?, &serde_json::json!({"action": "abort"})).await
}

/// The path of a change. Ids are checked as the official client does, so that none can leave the path.
fn path_of(id: &OperationId) -> Result<String> {
    let plain = !id.0.is_empty() && id.0.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    if !plain {
        return Err(Error::usage(format!("`{id}` is not the id of a change"))
            .hint("ids are in the first column of `esker svc change list`"));
    }
    Ok(format!("/v1/changes/{id}"))
}

/// Watches a change until it comes to its end, good or bad.
pub(super) fn watch(client: &Client, id: OperationId, first: Option<api::Change>) -> Operation<Change> {
    let watching = Watching {
        client: client.clone(),
        id: id.clone(),
        seen: first,
        slice: 0,
        by_polling: false,
        lost: None,
        queue: Vec::new(),
    };
    let cancel = Box::new(Abort(client.clone(), id.clone()));
    let steps = stream::unfold(Some(watching), |state| async move {
        let Some(mut watching) = state else { return Ok(None) };
        let step = watching.step().await?;
        let next = (!matches!(step, Step::Done(_))).then_some(watching);
        Ok(Some((step, next)))
    });
    Operation::new(Some(id), steps).with_cancel(cancel)
}

pub(super) struct Abort(pub(super) Client, pub(super) OperationId);

#[async_trait]
impl Cancel for Abort {
    async fn cancel(&mut self) -> Result<bool> {
        abort(&self.0, &self.1).await.map(|_| true)
    }
}

struct Watching {
    client: Client,
    id: OperationId,
    /// The change as it was last seen; tells a change of another daemon with the same id apart.
    seen: Option<api::Change>,
    slice: usize,
    /// Old daemons have no long poll (section 10.37).
    by_polling: bool,
    /// Since when the daemon is gone.
    lost: Option<Instant>,
    queue: Vec<Step<Change>>,
}

impl Watching {
    async fn step(&mut self) -> Result<Step<Change>> {
        loop {
            if let Some(step) = self.queue.pop() {
                return Ok(step);
            }
            let looked = if self.by_polling { self.poll().await } else { self.long_poll().await };
            match looked {
                Ok(None) => {}
                Ok(Some(change)) => {
                    self.check_same(&change)?;
                    if self.lost.take().is_some() {
                        self.queue.push(Step::Note(Note::Reconnected { lost: Some(0) }));
                    }
                    if change.ready {
                        return Ok(Step::Done(change.into()));
                    }
                    self.queue.push(Step::Progress(Self::progress(&change)));
                    self.seen = Some(change);
                }
                Err(error) if error.kind() == ErrorKind::Unreachable => self.reconnect(error).await?,
                Err(error) if error.kind() == ErrorKind::Unsupported && !self.by_polling => self.by_polling = true,
                Err(error) if error.kind() == ErrorKind::NotFound && self.lost.is_some() => return Err(self.gone()),
                Err(error) => return Err(self.sign(error)),
            }
        }
    }

    /// One slice of the long poll; a slice that passes without an end is followed by a look at the progress.
    async fn long_poll(&mut self) -> Result<Option<api::Change>> {
        let millis = SLICES[self.slice.min(SLICES.len() - 1)];
        self.slice += 1;
        let path = format!("{}/wait?timeout={millis}ms", path_of(&self.id)?);
        let request = Request::get(&path).long_poll(Some(Duration::from_millis(millis)));
        let what = format!("wait for change {}", self.id);
        match self.client.fetch(&what, request).await {
            Ok((_, body)) => self.client.result(&what, &body).map(Some),
            Err(error) if error.kind() == ErrorKind::Timeout && error.parts().wire.is_some() => {
                fetch(&self.client, &self.id).await.map(Some)
            }
            Err(error) => Err(error),
        }
    }

    /// For daemons without the long poll: asks again and again, ever less often.
    async fn poll(&mut self) -> Result<Option<api::Change>> {
        let millis = (200 << self.slice.min(4)).min(2000);
        self.slice += 1;
        tokio::time::sleep(Duration::from_millis(millis)).await;
        fetch(&self.client, &self.id).await.map(Some)
    }

    /// Waits for the daemon to come back, or gives up and says what is not known.
    async fn reconnect(&mut self, error: Error) -> Result<()> {
        let since = *self.lost.get_or_insert_with(|| {
            self.queue.push(Step::Note(Note::Warning(format!(
                "lost the connection to `{}`; waiting for it to come back",
                self.client.endpoint
            ))));
            Instant::now()
        });
        if since.elapsed() > RESTART_GRACE {
            let why = error.to_string();
            let error = error.message(format!("lost the connection while waiting for change {}", self.id)).cause(why);
            return Err(self.sign(error).effect(Effect::Unknown).hint(format!(
                "what became of it is not known; when the daemon is back, see `esker svc change show {}`",
                self.id
            )));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(())
    }

    /// A daemon that keeps no state starts counting anew: the same id may now be another change.
    fn check_same(&self, change: &api::Change) -> Result<()> {
        match &self.seen {
            Some(seen) if (&seen.kind, seen.spawn_time) != (&change.kind, change.spawn_time) => Err(self.gone()),
            _ => Ok(()),
        }
    }

    fn gone(&self) -> Error {
        let error = Error::unreachable(format!(
            "cannot wait for change {} on `{}`: the daemon was restarted and no longer knows it",
            self.id, self.client.endpoint
        ));
        self.sign(error).effect(Effect::Unknown).hint("look at what came of it with `esker svc list`")
    }

    fn sign(&self, error: Error) -> Error {
        with_operation(error.at("pebble", self.client.endpoint.clone()), &self.id)
    }

    /// What moved since the change was last looked at.
    fn progress(change: &api::Change) -> Progress {
        let total = change.tasks.len() as u64;
        let done = change.tasks.iter().filter(|task| is_ready(&task.status)).count() as u64;
        let running = change.tasks.iter().find(|task| task.status == "Doing");
        let label = running.map_or_else(|| change.summary.clone(), |task| task.summary.clone());
        Progress { label, done: Some(done), total: Some(total), log: None }
    }
}

/// Names the change that an error belongs to.
pub(super) fn with_operation(mut error: Error, id: &OperationId) -> Error {
    error.parts_mut().wire.get_or_insert_with(Wire::default).operation_id = Some(id.0.clone());
    error
}

/// Whether a task or change of this status has come to its end (section 2.5).
pub(super) fn is_ready(status: &str) -> bool {
    matches!(status, "Done" | "Undone" | "Hold" | "Error")
}

impl From<api::Change> for Change {
    fn from(change: api::Change) -> Self {
        Self {
            id: change.id,
            kind: change.kind,
            summary: change.summary,
            status: change.status,
            ready: change.ready,
            error: change.err,
            started_at: change.spawn_time,
            ready_at: change.ready_time,
            tasks: change.tasks.into_iter().map(Into::into).collect(),
            extra: change.extra,
        }
    }
}

impl From<api::Task> for Task {
    fn from(task: api::Task) -> Self {
        Self {
            exit_code: task.data.get("exit-code").and_then(serde_json::Value::as_i64),
            id: task.id,
            kind: task.kind,
            summary: task.summary,
            status: task.status,
            log: task.log,
            started_at: task.spawn_time,
            ready_at: task.ready_time,
            extra: task.extra,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_path() {
        assert!(path_of(&"12".into()).is_ok());
        for id in ["", "../services", "1/wait", "1?x", "É"] {
            assert_eq!(path_of(&id.into()).unwrap_err().kind(), ErrorKind::Usage, "{id}");
        }
    }
}
