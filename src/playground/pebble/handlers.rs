//! The endpoints that answer with a document (sections 2.3 to 2.10).

use super::changes::Change;
use super::daemon::Daemon;
use super::errors::{Refusal, Result};
use super::identities::Changing;
use super::layers::Adding as Layer;
use super::{VERSION, checks as health_checks, go, reply, yaml};
use crate::provider::exec::Signal;
use crate::transport::StatusCode;
use crate::transport::server::{Query, Request, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The longest document that is taken, in bytes.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// The body of a request.
pub(super) async fn body(request: &mut Request) -> Result<Vec<u8>> {
    let body = request.bytes(MAX_BODY).await;
    body.map(|bytes| bytes.to_vec()).map_err(|error| Refusal::bad(format!("cannot read request body: {error}")))
}

/// Reads a document; what follows it is ignored.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    decode_as("request body", body)
}

/// The same, with another name for it in the error.
pub(super) fn decode_as<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let is_empty = first.is_none();
    // Fields are told by name alone.
    if first == Some(&b'[') {
        let why = "json: cannot unmarshal array into Go value of type struct";
        return Err(Refusal::cannot(&format!("decode {what}"), why));
    }
    T::deserialize(&mut serde_json::Deserializer::from_slice(body))
        .map_err(|error| Refusal::cannot(&format!("decode {what}"), go::json_error(&error, is_empty)))
}

/// A parameter that lists names: repeated, or with commas between them.
pub(super) fn names(query: &Query, name: &str) -> Vec<String> {
    let all = query.all(name).flat_map(|value| value.split(|byte| *byte == b','));
    all.map(|name| String::from_utf8_lossy(name).into_owned()).filter(|name| !name.is_empty()).collect()
}

/// A parameter as text; empty if it is absent.
pub(super) fn text(query: &Query, name: &str) -> String {
    query.text(name).unwrap_or_default().into_owned()
}

/// A parameter that is a duration.
pub(super) fn duration(query: &Query, name: &str) -> Result<Option<Duration>> {
    match text(query, name).as_str() {
        "" => Ok(None),
        text => go::duration(text).map(Some).map_err(|why| Refusal::bad(format!("invalid {name}: {why}"))),
    }
}

pub(super) fn system_info(daemon: &Daemon) -> Response {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let mut document = json!({"boot-id": boot.trim(), "version": VERSION});
    if let Some(address) = &daemon.options.http {
        document["http-address"] = json!(address);
    }
    reply::sync(Some(document))
}

/// The level that a query asks for; empty if it does not.
fn level(query: &Query) -> Result<String> {
    let level = text(query, "level");
    if ["", "alive", "ready"].contains(&level.as_str()) {
        return Ok(level);
    }
    Err(Refusal::bad("level must be \"alive\" or \"ready\""))
}

pub(super) fn health(daemon: &Daemon, query: &Query) -> Result<Response> {
    let level = level(query)?;
    let is_healthy = health_checks::is_healthy(&daemon.book(), &level, &names(query, "names"));
    let status = if is_healthy { StatusCode::OK } else { StatusCode::BAD_GATEWAY };
    Ok(reply::sync_with(status, Some(json!({"healthy": is_healthy}))))
}

pub(super) fn changes(daemon: &Daemon, query: &Query) -> Result<Response> {
    let select = text(query, "select");
    let wanted: fn(&Change) -> bool = match select.as_str() {
        "all" => |_| true,
        "" | "in-progress" => |change| !change.is_ready(),
        "ready" => Change::is_ready,
        _ => return Err(Refusal::bad("select should be one of: all,in-progress,ready")),
    };
    let service = text(query, "for");
    let concerns = |change: &&Change| service.is_empty() || change.concerns(&service);
    let book = daemon.book();
    let all = book.changes.all().filter(|change| wanted(change)).filter(concerns);
    Ok(reply::sync(Some(all.map(Change::document).collect())))
}

fn unknown_change(id: &str) -> Refusal {
    Refusal::not_found(format!("cannot find change with id {}", go::quote(id)))
}

/// The number of a change that exists.
fn known_change(daemon: &Daemon, id: &str) -> Result<u64> {
    let number = id.parse().ok().filter(|number| daemon.book().changes.get(*number).is_some());
    number.ok_or_else(|| unknown_change(id))
}

fn document(daemon: &Daemon, id: u64) -> Response {
    reply::sync(daemon.book().changes.get(id).map(Change::document))
}

pub(super) fn change(daemon: &Daemon, id: &str) -> Result<Response> {
    Ok(document(daemon, known_change(daemon, id)?))
}

pub(super) async fn wait(daemon: &Daemon, id: &str, query: &Query) -> Result<Response> {
    let timeout = duration(query, "timeout")?;
    let number = known_change(daemon, id)?;
    let ready = daemon.until(|book| match book.changes.get(number) {
        Some(change) if !change.is_ready() => None,
        change => Some(change.map(Change::document)),
    });
    let found = match timeout.filter(|timeout| !timeout.is_zero()) {
        None => ready.await,
        Some(limit) => {
            let expired = || Refusal::timeout(format!("timed out waiting for change after {}", go::show(limit)));
            tokio::time::timeout(limit, ready).await.map_err(|_| expired())?
        }
    };
    found.map(|document| reply::sync(Some(document))).ok_or_else(|| unknown_change(id))
}

/// An action on objects of these names.
#[derive(Deserialize)]
struct Act {
    #[serde(default)]
    action: String,
    #[serde(default)]
    checks: Option<Vec<String>>,
}

fn invalid_action(action: &str) -> Refusal {
    Refusal::bad(format!("invalid action {}", go::quote(action)))
}

pub(super) fn act_on_change(daemon: &Arc<Daemon>, id: &str, body: &[u8]) -> Result<Response> {
    let number = known_change(daemon, id)?;
    let Act { action, .. } = decode(body)?;
    if action != "abort" {
        return Err(invalid_action(&action));
    }
    let is_ready = daemon.book().changes.get(number).is_none_or(Change::is_ready);
    if is_ready {
        return Err(Refusal::bad(format!("cannot abort change {id} with nothing pending")));
    }
    // Shown as it is asked to stop: what comes of that takes its time.
    let stopped = daemon.ask_to_stop(number);
    let response = document(daemon, number);
    daemon.stop_tasks(stopped);
    Ok(response)
}

pub(super) fn services(daemon: &Daemon, query: &Query) -> Response {
    let wanted = names(query, "names");
    let book = daemon.book();
    let plan = book.layers.plan().services.iter();
    let all = plan.filter(|(name, _)| wanted.is_empty() || wanted.contains(name)).map(|(name, config)| {
        let service = book.services.get(name);
        let mut document = json!({
            "name": name,
            "startup": if config.is_enabled() { "enabled" } else { "disabled" },
            "current": service.map_or("inactive", |service| service.current()),
        });
        if let Some(service) = service {
            document["current-since"] = json!(service.since());
        }
        document
    });
    reply::sync(Some(all.collect()))
}

pub(super) fn plan(daemon: &Daemon, query: &Query) -> Result<Response> {
    match text(query, "format").as_str() {
        "yaml" => Ok(reply::sync(Some(json!(yaml::write(daemon.book().layers.plan()))))),
        format => Err(Refusal::bad(format!("invalid format {}", go::quote(format)))),
    }
}

/// A layer that a client adds.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AddLayer {
    action: String,
    combine: bool,
    inner: bool,
    label: String,
    format: String,
    layer: String,
}

pub(super) fn add_layer(daemon: &Arc<Daemon>, body: &[u8]) -> Result<Response> {
    let wish: AddLayer = decode(body)?;
    if wish.action != "add" {
        return Err(invalid_action(&wish.action));
    }
    if wish.label.is_empty() {
        return Err(Refusal::bad("label must be set"));
    }
    if wish.format != "yaml" {
        return Err(Refusal::bad(format!("invalid format {}", go::quote(&wish.format))));
    }
    let how = Layer { combine: wish.combine, inner: wish.inner };
    daemon.change(|book| book.layers.add(&wish.label, &wish.layer, how))?;
    health_checks::replan(daemon);
    Ok(reply::sync(Some(json!(true))))
}

#[derive(Deserialize)]
struct SendSignal {
    #[serde(default)]
    signal: String,
    #[serde(default)]
    services: Option<Vec<String>>,
}

pub(super) fn signal(daemon: &Daemon, body: &[u8]) -> Result<Response> {
    let SendSignal { signal, services } = decode(body)?;
    let services = services.filter(|names| !names.is_empty());
    let services = services.ok_or_else(|| Refusal::bad("must specify one or more services"))?;
    let known = named_signal(&signal);
    let book = daemon.book();
    let problems = services.iter().filter_map(|name| {
        let why = match (book.services.get(name).filter(|service| service.has_process()), &known) {
            (None, _) => "service is not running".to_owned(),
            (Some(_), None) => format!("invalid signal name {}", go::quote(&signal)),
            (Some(service), Some(signal)) if !service.signal(signal) => "service is not running".to_owned(),
            _ => return None,
        };
        Some(format!("cannot send signal to {}: {why}", go::quote(name)))
    });
    let problems: Vec<String> = problems.collect();
    if problems.is_empty() { Ok(reply::sync(Some(json!(true)))) } else { Err(Refusal::internal(problems.join("; "))) }
}

/// A signal by its full name, as the daemon wants it.
pub(super) fn named_signal(name: &str) -> Option<Signal> {
    Signal::parse(name).filter(|signal| signal.name() == name)
}

pub(super) fn checks(daemon: &Daemon, query: &Query) -> Result<Response> {
    let (level, wanted) = (level(query)?, names(query, "names"));
    let book = daemon.book();
    let all = book.checks.iter().filter(|(name, check)| {
        (level.is_empty() || check.level() == level) && (wanted.is_empty() || wanted.contains(name))
    });
    Ok(reply::sync(Some(all.map(|(name, check)| check.document(name)).collect())))
}

pub(super) fn act_on_checks(daemon: &Arc<Daemon>, body: &[u8]) -> Result<Response> {
    let Act { action, checks } = decode(body)?;
    let names = checks.unwrap_or_default();
    if names.is_empty() {
        return Err(Refusal::bad(format!("must specify checks for {action} action")));
    }
    if !["start", "stop"].contains(&action.as_str()) {
        return Err(invalid_action(&action));
    }
    let changed = health_checks::act(daemon, &action, &names)?;
    Ok(reply::sync(Some(json!({"changed": changed}))))
}

#[derive(Deserialize)]
struct Refresh {
    #[serde(default)]
    name: String,
}

pub(super) async fn refresh(daemon: &Arc<Daemon>, body: &[u8]) -> Result<Response> {
    let Refresh { name } = decode(body)?;
    if name.is_empty() {
        return Err(Refusal::bad("must specify check name"));
    }
    let (info, error) = health_checks::refresh(daemon, &name).await?;
    let mut document = json!({"info": info});
    if let Some(error) = error {
        document["error"] = json!(error);
    }
    Ok(reply::sync(Some(document)))
}

pub(super) fn change_identities(daemon: &Arc<Daemon>, body: &[u8]) -> Result<Response> {
    let changing: Changing = decode(body)?;
    daemon.change(|book| book.identities.change(changing))?;
    Ok(reply::sync(None))
}
