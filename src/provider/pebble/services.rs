//! Services: list, act, signal. Logs are in `logs.rs`.

use super::changes::{self, is_ready, with_operation};
use super::client::Client;
use super::names::Names;
use super::{api, logs};
use crate::error::{Error, ErrorKind, Result, Wire};
use crate::model::{Change, OperationId, Service, ServiceDetail, Task};
use crate::operation::{Item, Operation, Step};
use crate::provider::exec::Signal;
use crate::provider::services::{Acted, Action, LogEvent, LogsQuery, Services};
use crate::stream::{self, Items};
use crate::transport::query::Query;
use async_trait::async_trait;
use serde_json::{Value, json};

/// How many of a failing service's own last lines its error shows; `log` in JSON has all that the daemon kept.
const SHOWN_OUTPUT: usize = 5;

/// The services of a daemon.
pub(super) struct PebbleServices(pub(super) Client);

#[async_trait]
impl Services for PebbleServices {
    async fn list(&self, names: &[String]) -> Result<Vec<Service>> {
        let mut services: Vec<Service> = fetch(&self.0, names).await?.into_iter().map(Into::into).collect();
        // Only services in trouble cost a second request: why they are is in the changes.
        if services.iter().any(|service| is_troubled(&service.state))
            && let Ok(changes) = self.0.get::<Vec<api::Change>>("list changes", "/v1/changes?select=ready").await
        {
            for service in services.iter_mut().filter(|service| is_troubled(&service.state)) {
                service.last_error = last_error(&changes, &service.name);
            }
        }
        Ok(services)
    }

    async fn show(&self, name: &str) -> Result<ServiceDetail> {
        let names = [name.to_owned()];
        let changes_path = Query::new("/v1/changes").with("select", "all").with("for", name).build();
        let (services, plan, changes) = tokio::join!(
            fetch(&self.0, &names),
            self.0.get::<String>("read the plan", "/v1/plan?format=yaml"),
            self.0.get::<Vec<api::Change>>("list changes", &changes_path),
        );
        let Some(service) = services?.into_iter().next() else {
            return Err(self.unknown(name).await);
        };
        // The plan is for admins only, and old daemons filter changes differently: neither hides the service.
        let plan: Value = plan.ok().and_then(|text| serde_yaml::from_str(&text).ok()).unwrap_or_default();
        let changes = changes.unwrap_or_default();
        let config = plan["services"][name].clone();
        let checks =
            config["on-check-failure"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
        let mut service = Service::from(service);
        service.last_error = last_error(&changes, name);
        Ok(ServiceDetail {
            command: config["command"].as_str().map(str::to_owned),
            pid: None,
            checks,
            last_operation_id: changes.iter().max_by_key(|change| change.spawn_time).map(|change| change.id.clone()),
            config,
            service,
        })
    }

    async fn act(&self, action: Action, names: &[String]) -> Result<Operation<Vec<Item<Acted>>>> {
        let what = match names {
            [name] => format!("{} `{name}`", action.verb()),
            _ => format!("{} services", action.verb()),
        };
        let body = json!({"action": action.verb(), "services": names});
        let started = match self.0.post_async::<Value>(&what, "/v1/services", &body).await {
            Ok(started) => started,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(self.unknown_among(names, error).await),
            Err(error) => return Err(error),
        };
        let id = OperationId(started.change);
        let watching = changes::watch(&self.0, id.clone(), None);
        let state = (Some(watching), self.0.clone(), names.to_vec());
        let steps = stream::unfold(state, move |(watching, client, names)| async move {
            let Some(mut watching) = watching else { return Ok(None) };
            let step = match watching.next().await? {
                Step::Progress(progress) => Step::Progress(progress),
                Step::Note(note) => Step::Note(note),
                Step::Message(message) => Step::Message(message),
                Step::Done(change) => {
                    let items = items_of(&client, action, &names, &change).await?;
                    return Ok(Some((Step::Done(items), (None, client, names))));
                }
            };
            Ok(Some((step, (Some(watching), client, names))))
        });
        Ok(Operation::new(Some(id.clone()), steps).with_cancel(Box::new(changes::Abort(self.0.clone(), id))))
    }

    async fn signal(&self, signal: &Signal, names: &[String]) -> Result<Vec<Item<()>>> {
        let what = format!("send {} to services", signal.name());
        let body = json!({"signal": signal.name(), "services": names});
        let failures = match self.0.post::<Value>(&what, "/v1/signals", &body).await {
            Ok(_) => Vec::new(),
            // Whatever goes wrong is a 500 whose message joins one sentence per service (section 2.7); the services
            // that are not in it were signalled.
            Err(error) => match error.parts().wire.as_ref().and_then(|wire| wire.message.as_deref()) {
                Some(said) if said.contains("cannot send signal to \"") => {
                    said.split("; ").map(str::to_owned).collect::<Vec<_>>()
                }
                _ => return Err(error),
            },
        };
        let mut items = Vec::new();
        for name in names {
            let prefix = format!("cannot send signal to \"{name}\": ");
            let outcome = match failures.iter().find_map(|failure| failure.strip_prefix(&prefix)) {
                None => Ok(()),
                Some(why) => Err(self.not_signalled(signal, name, why)),
            };
            items.push(Item { name: name.clone(), outcome });
        }
        Ok(items)
    }

    fn logs(&self, query: LogsQuery) -> Items<LogEvent> {
        logs::logs(&self.0, query)
    }
}

impl PebbleServices {
    fn not_signalled(&self, signal: &Signal, name: &str, why: &str) -> Error {
        let kind = if why.contains("not running") {
            ErrorKind::Conflict
        } else if why.contains("does not exist") || why.contains("not found") {
            ErrorKind::NotFound
        } else {
            ErrorKind::Rejected
        };
        Error::new(kind, self.0.cannot(&format!("send {} to `{name}`", signal.name()), why))
            .at("pebble", self.0.endpoint.clone())
            .wire(Wire { status: Some(500), message: Some(why.to_owned()), ..Wire::default() })
    }

    /// A service that does not exist, with what was probably meant.
    async fn unknown(&self, name: &str) -> Error {
        let error = Error::not_found(format!("no service `{name}` on `{}`", self.0.endpoint))
            .at("pebble", self.0.endpoint.clone());
        let known: Vec<String> = match fetch(&self.0, &[]).await {
            Ok(services) => services.into_iter().map(|service| service.name).collect(),
            Err(_) => Vec::new(),
        };
        let list = format!("`esker svc list --target {}`", self.0.endpoint);
        match crate::suggest::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`? see {list}")),
            None => error.hint(format!("see {list}")),
        }
    }

    /// The daemon refuses the whole request for one unknown name: says which one it is.
    async fn unknown_among(&self, names: &[String], refusal: Error) -> Error {
        let Ok(known) = fetch(&self.0, &[]).await else { return refusal };
        for name in names {
            if !known.iter().any(|service| &service.name == name) {
                let wire = refusal.into_parts().wire.unwrap_or_default();
                return self.unknown(name).await.wire(wire);
            }
        }
        refusal
    }
}

/// The services as the daemon lists them, sorted by name.
pub(super) async fn fetch(client: &Client, names: &[String]) -> Result<Vec<api::Service>> {
    client.get("list services", &Query::new("/v1/services").list("names", names)?.build()).await
}

/// Whether a state calls for an explanation.
fn is_troubled(state: &str) -> bool {
    matches!(state, "backoff" | "error")
}

/// Why the newest change of a service failed; nothing if it succeeded.
fn last_error(changes: &[api::Change], name: &str) -> Option<String> {
    let summary = format!(" service \"{name}\"");
    let newest = changes
        .iter()
        .flat_map(|change| &change.tasks)
        .filter(|task| matches!(task.kind.as_str(), "start" | "stop") && task.summary.ends_with(&summary))
        .max_by_key(|task| task.spawn_time)?;
    (newest.status == "Error").then(|| reason(&newest.log)).flatten().map(|reason| reason.why)
}

/// Why a task failed, taken out of its log (section 2.4).
struct Reason {
    /// The daemon's reason, without its framing.
    why: String,
    /// Whether the daemon goes on trying although the change failed.
    retries: bool,
    /// The service's own last lines.
    output: Vec<String>,
}

fn reason(log: &[String]) -> Option<Reason> {
    let error = log.iter().rev().find_map(|entry| entry.split_once(" ERROR ").map(|(_, text)| text))?;
    let text = error.strip_prefix("service start attempt: ").unwrap_or(error);
    let why = text.strip_suffix(", will restart").unwrap_or(text);
    let marker = "Most recent service output:\n";
    let output = log
        .iter()
        .rev()
        .find_map(|entry| entry.split_once(marker))
        .map(|(_, lines)| lines.lines().map(|line| line.strip_prefix("    ").unwrap_or(line).to_owned()).collect());
    Some(Reason { why: why.to_owned(), retries: text.ends_with("will restart"), output: output.unwrap_or_default() })
}

/// What became of each service of a change.
async fn items_of(client: &Client, action: Action, names: &[String], change: &Change) -> Result<Vec<Item<Acted>>> {
    let id = OperationId(change.id.clone());
    let touched: Vec<&Task> = change.tasks.iter().filter(|task| service_of(task).is_some()).collect();
    let mut all: Vec<String> = names.to_vec();
    for name in touched.iter().filter_map(|task| service_of(task)) {
        if !all.iter().any(|known| known == name) {
            all.push(name.to_owned());
        }
    }
    // States afterwards are a courtesy: without them the outcome is still known.
    let after = if all.is_empty() { Vec::new() } else { fetch(client, &all).await.unwrap_or_default() };
    let mut items = Vec::new();
    for name in &all {
        let tasks = || touched.iter().filter(|task| service_of(task) == Some(name));
        let outcome = match tasks().find(|task| task.status != "Done") {
            Some(failed) => Err(with_operation(explain(client, action, name, failed), &id)),
            None => Ok(Acted {
                service: after.iter().find(|service| &service.name == name).cloned().map(Into::into),
                changed: tasks().any(|task| !found_nothing_to_do(&task.log)),
            }),
        };
        items.push(Item { name: name.clone(), outcome });
    }
    if let Some(error) = change.error.as_deref()
        && items.iter().all(|item| item.outcome.is_ok())
    {
        // The change failed in a task that is not about a service: nothing may be reported as success.
        let what = format!("{} services", action.verb());
        return Err(with_operation(
            Error::failure(client.cannot(&what, error)).at("pebble", client.endpoint.clone()),
            &id,
        ));
    }
    Ok(items)
}

/// Whether the daemon logged that there was nothing to do.
fn found_nothing_to_do(log: &[String]) -> bool {
    let words = ["\" already started.", "\" already stopped.", "\" has never been started."];
    log.iter().any(|entry| words.iter().any(|words| entry.ends_with(words)))
}

/// The service that a task is about: `Start service "web"`.
fn service_of(task: &Task) -> Option<&str> {
    let (_, rest) = task.summary.split_once(" service \"")?;
    rest.strip_suffix('"')
}

/// A task that did not succeed, in words: the daemon's reason and the service's own output.
fn explain(client: &Client, action: Action, name: &str, task: &Task) -> Error {
    let verb = if task.kind.is_empty() { action.verb() } else { task.kind.as_str() };
    let what = format!("{verb} `{name}`");
    let error = match reason(&task.log) {
        Some(reason) => {
            let goes_on = if reason.retries { " (pebble keeps retrying)" } else { "" };
            let mut error = Error::failure(client.cannot(&what, &format!("{}{goes_on}", reason.why)));
            if !reason.output.is_empty() {
                let newest = reason.output.len().saturating_sub(SHOWN_OUTPUT);
                error = error.cause(reason.output[newest..].join("\n"));
            }
            let stop =
                if reason.retries { format!(", or stop it with `esker svc stop {name}`") } else { String::new() };
            error.hint(format!("see `esker svc logs {name} -n 50`{stop}"))
        }
        None if is_ready(&task.status) => Error::failure(client.cannot(
            &what,
            match task.status.as_str() {
                "Hold" => "it was not tried, because something before it failed",
                _ => "it was undone, because the change was aborted",
            },
        )),
        None => Error::failure(client.cannot(&what, &format!("its task ended as `{}`", task.status))),
    };
    error.at("pebble", client.endpoint.clone()).wire(Wire { log: task.log.clone(), ..Wire::default() })
}

impl From<api::Service> for Service {
    fn from(service: api::Service) -> Self {
        Self {
            name: service.name,
            startup: service.startup,
            state: service.current.unwrap_or_else(|| "unknown".to_owned()),
            since: service.current_since,
            last_error: None,
            extra: service.extra,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_failure_is_taken_out_of_the_task_log() {
        let log = [
            "2026-11-21T10:44:17Z INFO Most recent service output:\n    config.yml:3: bad\n    giving up".to_owned(),
            "2026-11-21T10:44:17Z ERROR service start attempt: exited quickly with code 3, will restart".to_owned(),
        ];
        let reason = reason(&log).unwrap();
        assert_eq!(reason.why, "exited quickly with code 3");
        assert!(reason.retries);
        assert_eq!(reason.output, ["config.yml:3: bad", "giving up"]);
    }

    #[test]
    fn a_service_name_is_read_from_the_summary() {
        let task = |summary: &str| Task {
            id: "1".into(),
            kind: "start".into(),
            summary: summary.into(),
            status: "Done".into(),
            log: Vec::new(),
            started_at: None,
            ready_at: None,
            exit_code: None,
            extra: crate::model::Extra::default(),
        };
        assert_eq!(service_of(&task("Start service \"web\"")), Some("web"));
        assert_eq!(service_of(&task("Start service \"we\"b\"")), Some("we\"b"));
        assert_eq!(service_of(&task("Execute command \"ls\"")), None);
    }
}
