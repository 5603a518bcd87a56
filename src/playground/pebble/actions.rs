//! What clients have services do: start, stop, restart, replan, autostart (section 2.4).

use super::changes::{Kind, Step};
use super::daemon::{Book, Daemon};
use super::errors::{Refusal, Result};
use super::order::{self, Lane};
use super::{checks, go, handlers, reply};
use crate::transport::server::Response;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Deserialize)]
struct Act {
    #[serde(default)]
    action: String,
    #[serde(default)]
    services: Option<Vec<String>>,
}

/// What an action comes to.
struct Work {
    /// The services it is said to be about, the first of them by name.
    about: Vec<String>,
    stop: Vec<Lane>,
    start: Vec<Lane>,
}

/// Answers a POST.
pub(super) fn post(daemon: &Arc<Daemon>, body: &[u8]) -> Result<Response> {
    let Act { action, services } = handlers::decode_as("data from request body", body)?;
    let services = services.unwrap_or_default();
    let is_named = !["replan", "autostart"].contains(&action.as_str());
    if !is_named && !services.is_empty() {
        return Err(Refusal::bad(format!("{action} accepts no service names")));
    }
    if is_named && services.is_empty() {
        return Err(Refusal::bad(format!("must specify services for {action} action")));
    }
    if action == "replan" {
        checks::replan(daemon);
    }
    let change = begin(daemon, &action, services)?;
    Ok(reply::accepted(change, Value::Null))
}

/// Starts the services that are enabled, if there are any.
pub(super) fn autostart(daemon: &Arc<Daemon>) {
    // Nothing is enabled: nothing is to be started.
    let _ = begin(daemon, "autostart", Vec::new());
}

fn begin(daemon: &Arc<Daemon>, action: &str, services: Vec<String>) -> Result<u64> {
    daemon.change(|book| {
        let work = work(book, action, services)?;
        let summary = summary(action, &work);
        Ok(book.changes.add(action, summary, None, steps(&work)))
    })
}

fn work(book: &Book, action: &str, services: Vec<String>) -> Result<Work> {
    let plan = book.layers.plan();
    let known = || match services.iter().find(|name| !plan.services.contains_key(*name)) {
        Some(name) => {
            let why = format!("service {} does not exist", go::quote(name));
            Err(Refusal::cannot(&format!("{action} services"), why))
        }
        None => Ok(()),
    };
    let enabled = || plan.services.iter().filter(|(_, service)| service.is_enabled()).map(|(name, _)| name.clone());
    match action {
        "start" => {
            known()?;
            Ok(Work { start: order::start_lanes(plan, &services)?, stop: Vec::new(), about: services })
        }
        "stop" => {
            known()?;
            Ok(Work { stop: order::stop_lanes(plan, &services)?, start: Vec::new(), about: services })
        }
        "restart" => {
            known()?;
            let (stop, start) = (order::stop_only(plan, &services)?, order::start_lanes(plan, &services)?);
            Ok(Work { stop, start, about: services })
        }
        "autostart" => {
            let about: Vec<String> = enabled().collect();
            if about.is_empty() {
                return Err(Refusal::bad("no default services").kind("no-default-services"));
            }
            Ok(Work { start: order::start_lanes(plan, &about)?, stop: Vec::new(), about })
        }
        "replan" => {
            let differs =
                |name: &&String| book.services.get(*name).is_some_and(|service| service.differs(&plan.services[*name]));
            let changed: Vec<String> = plan.services.keys().filter(differs).cloned().collect();
            let stop = order::stop_lanes(plan, &changed)?;
            let starts: BTreeSet<String> = changed.into_iter().chain(enabled()).collect();
            let about: Vec<String> = starts.into_iter().collect();
            Ok(Work { start: order::start_lanes(plan, &about)?, stop, about })
        }
        _ => Err(Refusal::bad(format!("invalid action {}", go::quote(action)))),
    }
}

/// `Start service "web" and 2 more`.
fn summary(action: &str, work: &Work) -> String {
    let mut verb = action.to_owned();
    verb[..1].make_ascii_uppercase();
    let Some(first) = work.about.first() else { return format!("{verb} - no services") };
    let tasks = work.stop.iter().chain(&work.start).flatten();
    let all: BTreeSet<&String> = work.about.iter().chain(tasks).collect();
    match all.len() - 1 {
        0 => format!("{verb} service {}", go::quote(first)),
        more => format!("{verb} service {} and {more} more", go::quote(first)),
    }
}

/// Those of a lane one after the other; nothing starts before all that stops is stopped.
fn steps(work: &Work) -> Vec<Step> {
    let mut steps = Vec::new();
    for (index, lane) in work.stop.iter().enumerate() {
        line_up(&mut steps, index, lane, Kind::Stop, &[]);
    }
    let stops: Vec<usize> = (0..steps.len()).collect();
    for (index, lane) in work.start.iter().enumerate() {
        line_up(&mut steps, work.stop.len() + index, lane, Kind::Start, &stops);
    }
    steps
}

fn line_up(steps: &mut Vec<Step>, lane: usize, names: &Lane, kind: Kind, before: &[usize]) {
    let verb = if kind == Kind::Stop { "Stop" } else { "Start" };
    for (position, name) in names.iter().enumerate() {
        let previous = (position > 0).then(|| steps.len() - 1);
        let after = previous.into_iter().chain(before.iter().copied()).collect();
        let summary = format!("{verb} service {}", go::quote(name));
        steps.push(Step { kind, summary, subject: name.clone(), lane, after });
    }
}
