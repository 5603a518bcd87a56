//! Checkpoints of a sandbox (section 2.4).

mod create;
mod messages;
mod restore;

use self::create::{Creating, Seen};
use self::messages::Messages;
use self::restore::{Phase, Restoring};
use super::DRIVER;
use super::api;
use super::client::{Client, path};
use crate::error::{Error, Result};
use crate::model::{Checkpoint, CheckpointId, Name, Restored};
use crate::operation::Operation;
use crate::provider::checkpoints::{CheckpointSpec, Checkpoints, CheckpointsQuery, Expiry, RestoreTo};
use crate::provider::retry::retrying;
use crate::stream;
use crate::transport::query::{Query, segment};
use crate::transport::{Deadline, Request, Response, header};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::json;
use std::time::Duration;

/// The largest list, in bytes.
const LIST_MAX: usize = 64 << 20;

/// How many checkpoints are looked at at once.
const AT_ONCE: usize = 8;

/// How long a stream may say nothing: the server gives a checkpoint a minute, and a restore may take several.
const QUIET: Duration = Duration::from_mins(5);

/// Checkpoints of a sandbox. Cheap to clone.
#[derive(Clone)]
pub(super) struct SpritesCheckpoints {
    client: Client,
    name: Name,
}

/// Whether an id is one of the live state, which is listed first and is no checkpoint.
fn is_live(id: &str) -> bool {
    matches!(id, "Current" | "active")
}

impl SpritesCheckpoints {
    pub(super) fn new(client: Client, name: Name) -> Self {
        Self { client, name }
    }

    fn path_of(&self, id: &CheckpointId, rest: &str) -> String {
        path(&self.name, &format!("/checkpoints/{}{rest}", segment(id.0.as_bytes())))
    }

    /// The list as the server tells it, without the live state.
    async fn listed(&self, query: &CheckpointsQuery) -> Result<Vec<Checkpoint>> {
        let what = format!("list the checkpoints of `{}`", self.name);
        let path = Query::new(&path(&self.name, "/checkpoints"))
            .maybe("includeAuto", query.include_auto.then_some("true"))
            .maybe("history", query.history.as_ref().map(|id| &id.0))
            .build();
        let (is_text, body) = retrying(|| self.document(&what, &path)).await?;
        let found = if is_text {
            self.named(&body).await?
        } else {
            let listed: Option<Vec<api::Checkpoint>> = self.client.read(&what, &body)?;
            listed.unwrap_or_default().into_iter().map(Checkpoint::from).collect()
        };
        Ok(found.into_iter().filter(|one| !is_live(&one.id.0) && (query.include_auto || !one.auto)).collect())
    }

    /// An answer, and whether it is the text of a search and no document.
    async fn document(&self, what: &str, path: &str) -> Result<(bool, Bytes)> {
        let response = self.client.open(what, Request::get(path)).await?;
        let is_plain = response.header(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/plain"));
        let body = response.bytes(LIST_MAX).await.map_err(|error| self.client.broken(what, error))?;
        let is_list = matches!(body.trim_ascii().first(), Some(b'['));
        Ok((is_plain && !is_list, body))
    }

    /// The checkpoints of lines that each begin with `ID:`.
    async fn named(&self, text: &[u8]) -> Result<Vec<Checkpoint>> {
        let text = String::from_utf8_lossy(text);
        let mut ids: Vec<CheckpointId> = Vec::new();
        for line in text.lines() {
            let Some((id, _)) = line.split_once(':') else { continue };
            let id = CheckpointId::from(id.trim());
            if !id.0.is_empty() && !ids.contains(&id) {
                ids.push(id);
            }
        }
        let asked = ids.into_iter().map(|id| async move { self.fetch(&id).await });
        let mut found = stream::collect(futures_util::stream::iter(asked).buffered(AT_ONCE)).await?;
        found.sort_by_key(|one| std::cmp::Reverse(one.created_at));
        Ok(found)
    }

    async fn fetch(&self, id: &CheckpointId) -> Result<Checkpoint> {
        let what = format!("find checkpoint `{id}` of `{}`", self.name);
        let found: api::Checkpoint = self.client.get(&what, &self.path_of(id, "")).await?;
        Ok(found.into())
    }

    /// Begins work that is told in a stream. It is asked for again only while the sandbox wakes up, when nothing has
    /// begun.
    async fn begin(&self, what: &str, make: impl Fn() -> Request) -> Result<Response> {
        retrying(|| {
            let mut request = make();
            request.idle = Deadline::After(QUIET);
            self.client.open(what, request)
        })
        .await
    }
}

#[async_trait]
impl Checkpoints for SpritesCheckpoints {
    async fn list(&self, query: &CheckpointsQuery) -> Result<Vec<Checkpoint>> {
        let found = self.listed(query).await?;
        let Some(origin) = &query.history else { return Ok(found) };
        if !found.is_empty() {
            // A server that does not know the parameter lists all of them.
            let came_out = |one: &Checkpoint| one.history.as_ref().is_none_or(|history| history.contains(origin));
            return Ok(found.into_iter().filter(came_out).collect());
        }
        // An old one answers with nothing, whatever there is.
        let all = self.listed(&CheckpointsQuery { history: None, include_auto: query.include_auto }).await?;
        let came_out = |one: &Checkpoint| one.history.as_ref().is_some_and(|history| history.contains(origin));
        Ok(all.into_iter().filter(came_out).collect())
    }

    async fn get(&self, id: &CheckpointId) -> Result<Checkpoint> {
        self.fetch(id).await
    }

    async fn create(&self, spec: CheckpointSpec) -> Result<Operation<Checkpoint>> {
        if let Expiry::After(_) = spec.expiry {
            return Err(Error::unsupported("checkpoints of Sprites do not expire"));
        }
        let what = format!("create a checkpoint of `{}`", self.name);
        let body = spec.comment.as_ref().map_or_else(|| json!({}), |comment| json!({ "comment": comment }));
        let response = self.begin(&what, || Request::post(path(&self.name, "/checkpoint")).json(&body)).await?;
        let messages = Messages::new(self.client.clone(), what, response);
        let creating =
            Creating { place: self.clone(), comment: spec.comment, messages, seen: Seen::default(), is_done: false };
        let steps =
            stream::unfold(
                creating,
                |mut creating| async move { Ok(creating.next().await?.map(|step| (step, creating))) },
            );
        Ok(Operation::new(None, steps))
    }

    async fn restore(&self, id: &CheckpointId, to: RestoreTo) -> Result<Operation<Restored>> {
        if let RestoreTo::New(_) = to {
            return Err(Error::unsupported("Sprites restores in place only"));
        }
        let what = format!("restore checkpoint `{id}` of `{}`", self.name);
        let response = self.begin(&what, || Request::post(self.path_of(id, "/restore")).json(&json!({}))).await?;
        let phase = Phase::Told(Messages::new(self.client.clone(), what, response));
        let restoring = Restoring { place: self.clone(), id: id.clone(), phase };
        let steps = stream::unfold(restoring, |mut restoring| async move {
            Ok(restoring.next().await?.map(|step| (step, restoring)))
        });
        Ok(Operation::new(None, steps))
    }

    async fn delete(&self, id: &CheckpointId) -> Result<()> {
        let what = format!("delete checkpoint `{id}` of `{}`", self.name);
        if is_live(&id.0) {
            return Err(Error::conflict(self.client.cannot(&what, "it is the live state, and no checkpoint"))
                .at(DRIVER.id, self.client.endpoint()));
        }
        self.client.change(&what, &|| Request::delete(self.path_of(id, ""))).await?;
        Ok(())
    }
}

impl From<api::Checkpoint> for Checkpoint {
    fn from(wire: api::Checkpoint) -> Self {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            auto: wire.is_auto || wire.id.starts_with("auto-"),
            id: wire.id.into(),
            comment: said(wire.comment),
            created_at: wire.create_time.and_then(|time| time.parse().ok()),
            expires_at: None,
            source_id: said(wire.source_id).map(CheckpointId::from),
            history: wire.history.map(|ids| ids.into_iter().map(CheckpointId::from).collect()),
            health: said(wire.health),
            extra: wire.rest,
        }
    }
}
