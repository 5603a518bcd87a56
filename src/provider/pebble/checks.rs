//! Health checks.

use super::api;
use super::client::Client;
use super::names::Names;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Check, CheckRefreshed, HealthState};
use crate::provider::checks::Checks;
use crate::transport::Request;
use crate::transport::query::Query;
use async_trait::async_trait;
use serde_json::json;

/// Up to so many failing checks are asked about one by one; beyond, one list of all changes is less work.
const ONE_BY_ONE: usize = 4;

/// The checks of a daemon.
pub(super) struct PebbleChecks(pub(super) Client);

#[async_trait]
impl Checks for PebbleChecks {
    async fn list(&self, level: Option<&str>, names: &[String]) -> Result<Vec<Check>> {
        let path = Query::new("/v1/checks").maybe("level", level).list("names", names)?.build();
        let mut checks: Vec<api::Check> = self.0.get("list checks", &path).await?;
        checks.sort_by(|a, b| a.name.cmp(&b.name));
        self.explain(checks).await
    }

    async fn run(&self, start: bool, names: &[String]) -> Result<Vec<String>> {
        let verb = if start { "start" } else { "stop" };
        let body = json!({"action": verb, "checks": names});
        let what = format!("{verb} checks");
        let answer: api::ChecksChanged = match self.0.post(&what, "/v1/checks", &body).await {
            Ok(answer) => answer,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(self.unknown_among(names, error).await),
            Err(error) => return Err(error),
        };
        Ok(answer.changed.unwrap_or_default())
    }

    async fn refresh(&self, name: &str) -> Result<CheckRefreshed> {
        let what = format!("refresh check `{name}`");
        // The answer comes when the check is through, and a check may take as long as its own timeout.
        let request = Request::post("/v1/checks/refresh").json(&json!({"name": name})).long_poll(None);
        let body = match self.0.fetch(&what, request).await {
            Ok((_, body)) => body,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(self.unknown_among(&[name.to_owned()], error).await);
            }
            Err(error) => return Err(error),
        };
        let refreshed: api::Refreshed = self.0.result(&what, &body)?;
        let error = refreshed.error.filter(|error| !error.is_empty());
        let mut check = Check::from(refreshed.info);
        check.last_error.clone_from(&error);
        Ok(CheckRefreshed { passed: error.is_none(), error, check })
    }

    async fn health(&self, level: Option<&str>, names: &[String]) -> Result<HealthState> {
        let path = Query::new("/v1/health").maybe("level", level).list("names", names)?.build();
        let health: api::Health = self.0.get("ask for the health", &path).await?;
        Ok(HealthState { healthy: health.healthy, level: level.map(str::to_owned), checks: names.to_vec() })
    }
}

impl PebbleChecks {
    /// Adds to each failing check why it failed: the log of the change that runs it, or of the one before.
    async fn explain(&self, checks: Vec<api::Check>) -> Result<Vec<Check>> {
        let failing = checks.iter().filter(|check| check.failures > 0 && check.change_id.is_some()).count();
        let known: Vec<api::Change> = if failing > ONE_BY_ONE {
            self.0.get("list changes", "/v1/changes?select=all").await.unwrap_or_default()
        } else {
            Vec::new()
        };
        let explained = checks.into_iter().map(|check| async {
            let last_error = if check.failures > 0 { self.why(&check, &known).await } else { None };
            let mut check = Check::from(check);
            check.last_error = last_error;
            check
        });
        Ok(futures_util::future::join_all(explained).await)
    }

    async fn why(&self, check: &api::Check, known: &[api::Change]) -> Option<String> {
        for id in [&check.change_id, &check.prev_change_id].into_iter().flatten() {
            let change = match known.iter().find(|change| &change.id == id) {
                Some(change) => Some(change.clone()),
                None => super::changes::fetch(&self.0, &id.as_str().into()).await.ok(),
            };
            let entry = change.and_then(|change| change.tasks.first()?.log.last().cloned());
            if let Some(entry) = entry {
                return Some(entry.split_once(" ERROR ").map_or(entry.clone(), |(_, text)| text.to_owned()));
            }
        }
        None
    }

    async fn unknown_among(&self, names: &[String], refusal: Error) -> Error {
        let Ok(known) = self.0.get::<Vec<api::Check>>("list checks", "/v1/checks").await else { return refusal };
        let Some(name) = names.iter().find(|name| !known.iter().any(|check| &check.name == *name)) else {
            return refusal;
        };
        let error = Error::not_found(format!("no check `{name}` on `{}`", self.0.endpoint))
            .at("pebble", self.0.endpoint.clone())
            .wire(refusal.into_parts().wire.unwrap_or_default());
        match crate::suggest::nearest(name, known.iter().map(|check| check.name.as_str())) {
            Some(near) => error.hint(format!("did you mean `{near}`? see `esker svc check list`")),
            None => error.hint("see `esker svc check list`"),
        }
    }
}

impl From<api::Check> for Check {
    fn from(check: api::Check) -> Self {
        Self {
            name: check.name,
            level: check.level.filter(|level| !level.is_empty()),
            startup: check.startup,
            status: check.status,
            successes: check.successes,
            failures: check.failures,
            threshold: check.threshold,
            change_id: check.change_id,
            previous_change_id: check.prev_change_id,
            last_error: None,
            extra: check.extra,
        }
    }
}
