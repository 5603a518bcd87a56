//! Notices, and warnings, which are notices of a type of their own (older daemons: an endpoint of their own).

use super::api;
use super::cli_state::{CliState, Kind};
use super::client::Client;
use super::layer::duration;
use super::names::Names;
use crate::error::{ErrorKind, Result};
use crate::model::{Notice, Time, Warning};
use crate::provider::notices::{Notices, NoticesQuery, NotifySpec, Seen};
use crate::stream::{self, Items};
use crate::transport::Request;
use crate::transport::query::Query;
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;

/// The notices of a daemon.
pub(super) struct PebbleNotices {
    pub(super) client: Client,
    pub(super) state: CliState,
}

#[derive(Deserialize)]
struct Recorded {
    id: String,
}

#[async_trait]
impl Notices for PebbleNotices {
    async fn list(&self, query: &NoticesQuery) -> Result<Vec<Notice>> {
        let notices: Vec<api::Notice> = self.client.get("list notices", &path_of(query)?.build()).await?;
        Ok(notices.into_iter().map(Into::into).collect())
    }

    async fn get(&self, id: &str) -> Result<Notice> {
        let path = format!("/v1/notices/{}", crate::transport::query::segment(id.as_bytes()));
        let notice: api::Notice = self.client.get(&format!("show notice {id}"), &path).await?;
        Ok(notice.into())
    }

    fn follow(&self, query: NoticesQuery) -> Items<Notice> {
        let state = (self.client.clone(), query, VecDeque::<api::Notice>::new());
        stream::unfold(state, |(client, mut query, mut queue)| async move {
            loop {
                if let Some(notice) = queue.pop_front() {
                    return Ok(Some((Notice::from(notice), (client, query, queue))));
                }
                let path = path_of(&query)?.with("timeout", "30s").build();
                match client.fetch("follow notices", Request::get(&path).long_poll(None)).await {
                    Ok((_, body)) => {
                        queue = client.result("follow notices", &body)?;
                        query.after = queue.iter().filter_map(|n| n.last_repeated).max().or(query.after);
                    }
                    // The daemon restarts: what it knows by then is asked for with the same `after`.
                    Err(error) if error.kind() == ErrorKind::Unreachable && query.after.is_some() => {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        })
    }

    async fn notify(&self, spec: &NotifySpec) -> Result<String> {
        let mut body = json!({"action": "add", "type": "custom", "key": spec.key});
        if !spec.data.is_empty() {
            body["data"] = json!(spec.data);
        }
        if let Some(delay) = spec.repeat_after {
            body["repeat-after"] = json!(duration::format(i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX)));
        }
        let recorded: Recorded =
            self.client.post(&format!("record notice `{}`", spec.key), "/v1/notices", &body).await?;
        Ok(recorded.id)
    }

    async fn warnings(&self, all: bool) -> Result<Vec<Warning>> {
        let after = if all { None } else { acknowledged(&self.client, &self.state) };
        let query = NoticesQuery { types: vec!["warning".to_owned()], after, ..NoticesQuery::default() };
        match self.client.get::<Vec<api::Notice>>("list warnings", &path_of(&query)?.build()).await {
            Ok(notices) => Ok(notices.into_iter().map(Into::into).collect()),
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                let select = if all { "all" } else { "pending" };
                let path = Query::new("/v1/warnings").with("select", select).build();
                let warnings: Vec<api::OldWarning> = self.client.get("list warnings", &path).await?;
                Ok(warnings.into_iter().map(Into::into).collect())
            }
            Err(error) => Err(error),
        }
    }

    async fn acknowledge_warnings(&self, until: Time) -> Result<u64> {
        let pending = self.warnings(false).await?;
        let count = pending.iter().filter(|warning| warning.last_shown_at.is_none_or(|at| at <= until)).count() as u64;
        // A daemon that keeps them itself is told; otherwise acknowledging is this user's own note (section 4.4).
        let body = json!({"action": "okay", "timestamp": until.to_string()});
        match self.client.post::<Value>("acknowledge warnings", "/v1/warnings", &body).await {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                let listed = self.state.load(Kind::Warnings)?.listed;
                self.state.store(Kind::Warnings, Seen { listed, acknowledged: Some(until) })?;
            }
            Err(error) => return Err(error),
        }
        Ok(count)
    }

    fn seen(&self) -> Result<Seen> {
        self.state.load(Kind::Notices)
    }

    fn record_seen(&self, seen: Seen) -> Result<()> {
        self.state.store(Kind::Notices, seen)
    }
}

/// Up to where warnings were acknowledged; a state file that cannot be read is said, and fails nothing.
pub(super) fn acknowledged(client: &Client, state: &CliState) -> Option<Time> {
    state.load(Kind::Warnings).inspect_err(|error| client.warn(error)).ok()?.acknowledged
}

/// The query of a list of notices.
pub(super) fn path_of(query: &NoticesQuery) -> Result<Query> {
    Ok(Query::new("/v1/notices")
        .list("types", &query.types)?
        .list("keys", &query.keys)?
        .maybe("after", query.after.map(|time| time.to_string()))
        .maybe("users", query.all_users.then_some("all"))
        .maybe("user-id", query.user_id.map(|id| id.to_string())))
}

fn seconds(text: Option<String>) -> Option<f64> {
    duration::parse(&text?).map(|nanos| nanos as f64 / 1e9)
}

impl From<api::Notice> for Notice {
    fn from(notice: api::Notice) -> Self {
        Self {
            id: notice.id,
            user_id: notice.user_id,
            kind: notice.kind,
            key: notice.key,
            occurrences: notice.occurrences,
            first_occurred_at: notice.first_occurred,
            last_occurred_at: notice.last_occurred,
            last_repeated_at: notice.last_repeated,
            data: notice.last_data,
            repeat_after_seconds: seconds(notice.repeat_after),
            expire_after_seconds: seconds(notice.expire_after),
            extra: notice.extra,
        }
    }
}

impl From<api::Notice> for Warning {
    fn from(notice: api::Notice) -> Self {
        Self {
            message: notice.key,
            first_added_at: notice.first_occurred,
            last_added_at: notice.last_occurred,
            last_shown_at: notice.last_repeated,
            expire_after_seconds: seconds(notice.expire_after),
            repeat_after_seconds: seconds(notice.repeat_after),
        }
    }
}

impl From<api::OldWarning> for Warning {
    fn from(warning: api::OldWarning) -> Self {
        Self {
            message: warning.message,
            first_added_at: warning.first_added,
            last_added_at: warning.last_added,
            last_shown_at: warning.last_shown,
            expire_after_seconds: seconds(warning.expire_after),
            repeat_after_seconds: seconds(warning.repeat_after),
        }
    }
}
