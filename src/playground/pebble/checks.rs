//! Health checks: run again and again, down after some failures, up again after a success (section 2.6).
//!
//! A check that runs is a change of kind `perform-check`; once it is down that one fails, and one of kind
//! `recover-check` takes its place until the first success.

use super::changes::{Kind, Task};
use super::daemon::{Book, Daemon};
use super::errors::{Refusal, Result};
use super::{go, plan, probe, services};
use serde_json::{Value, json};
use std::sync::Arc;

/// A check while it is in the plan.
#[derive(Debug)]
pub(super) struct Check {
    config: plan::Check,
    pub(super) successes: u64,
    pub(super) failures: i64,
    /// How often it failed, successes in between or not.
    pub(super) all_failures: u64,
    /// The change and the task that it runs under; `None` while it is inactive.
    under: Option<(u64, u64)>,
    /// The change before that.
    previous: Option<u64>,
    /// Counts the starts, so that a run of an earlier one is not counted.
    turn: u64,
    /// Whether it failed as often as it may.
    down: bool,
}

impl Check {
    fn new(config: plan::Check) -> Self {
        Self { config, successes: 0, failures: 0, all_failures: 0, under: None, previous: None, turn: 0, down: false }
    }

    /// Its status, as clients see it.
    pub(super) fn status(&self) -> &'static str {
        match (self.under, self.down) {
            (None, _) => "inactive",
            (_, true) => "down",
            (_, false) => "up",
        }
    }

    /// The level, which may be empty.
    pub(super) fn level(&self) -> &str {
        &self.config.level
    }

    /// As clients see it.
    pub(super) fn document(&self, name: &str) -> Value {
        let mut document = json!({"name": name});
        if !self.config.level.is_empty() {
            document["level"] = json!(&*self.config.level);
        }
        document["startup"] = json!(if self.config.is_enabled() { "enabled" } else { "disabled" });
        document["status"] = json!(self.status());
        document["successes"] = json!(self.successes);
        if self.failures > 0 {
            document["failures"] = json!(self.failures);
        }
        document["threshold"] = json!(self.config.threshold);
        if let Some((change, _)) = self.under {
            document["change-id"] = json!(change.to_string());
        }
        if let Some(previous) = self.previous {
            document["prev-change-id"] = json!(previous.to_string());
        }
        document
    }

    /// No run of it counts any more.
    pub(super) fn silence(&mut self) {
        self.turn += 1;
    }
}

/// Makes the checks those of the plan: what changed begins anew, what is gone is stopped, and what is enabled runs,
/// also where it was stopped by hand.
pub(super) fn replan(daemon: &Arc<Daemon>) {
    daemon.change(|book| {
        let plan = book.layers.plan().checks.clone();
        let known: Vec<String> = book.checks.keys().cloned().collect();
        for name in known.iter().filter(|name| !plan.contains_key(*name)) {
            stop(book, name);
            book.checks.remove(name);
        }
        for (name, config) in plan {
            let old = book.checks.get(&name);
            if old.is_some_and(|check| check.config == config && (check.under.is_some() || !config.is_enabled())) {
                continue;
            }
            // One that was started by hand goes on as it will be.
            let starts = config.is_enabled() || old.is_some_and(|check| check.under.is_some());
            stop(book, &name);
            let turn = book.checks.get(&name).map_or(0, |check| check.turn);
            book.checks.insert(name.clone(), Check { turn, ..Check::new(config) });
            if starts {
                start(book, &name);
            }
        }
    });
}

/// Starts or stops checks; the names of those that were in the other state.
pub(super) fn act(daemon: &Arc<Daemon>, action: &str, names: &[String]) -> Result<Vec<String>> {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    daemon.change(|book| {
        let unknown: Vec<&str> =
            names.iter().filter(|name| !book.checks.contains_key(*name)).map(String::as_str).collect();
        if !unknown.is_empty() {
            let why = format!("cannot find checks in plan: {}", unknown.join(", "));
            return Err(Refusal::cannot(&format!("{action} checks"), why));
        }
        let starts = action == "start";
        names.retain(|name| book.checks[name].under.is_none() == starts);
        for name in &names {
            if starts { start(book, name) } else { stop(book, name) }
        }
        Ok(names)
    })
}

fn start(book: &mut Book, name: &str) {
    let Some(check) = book.checks.get_mut(name) else { return };
    (check.successes, check.failures, check.down, check.previous) = (0, 0, false, None);
    check.turn += 1;
    perform(book, name, Kind::PerformCheck);
}

fn stop(book: &mut Book, name: &str) {
    let Some(check) = book.checks.get_mut(name) else { return };
    check.turn += 1;
    if let Some((_, task)) = check.under.take() {
        book.changes.done(task);
    }
}

/// Has a check run under a new change of this kind.
fn perform(book: &mut Book, name: &str, kind: Kind) {
    let Some(of) = book.checks.get(name).map(|check| check.config.kind()) else { return };
    let (word, verb) =
        if kind == Kind::RecoverCheck { ("recover-check", "Recover") } else { ("perform-check", "Perform") };
    let summary = format!("{verb} {of} check {}", go::quote(name));
    let under = book.add_single(kind, word, &summary, name);
    if let Some(check) = book.checks.get_mut(name) {
        check.under = Some(under);
    }
}

/// Begins the work of a task, which is to run its check until something ends it.
pub(super) fn begin(daemon: &Arc<Daemon>, task: &Task) {
    let (name, id) = (task.subject.clone(), task.id);
    let found = {
        let book = daemon.book();
        let check = book.checks.get(&name).filter(|check| check.under.is_some_and(|(_, task)| task == id));
        check.map(|check| (check.turn, check.config.period()))
    };
    let Some((turn, period)) = found else {
        // It was begun by an earlier daemon, whose checks are not ours.
        return daemon.change(|book| book.changes.done(id));
    };
    let daemon = daemon.clone();
    tokio::spawn(async move {
        let mut clock = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            let config = {
                let book = daemon.book();
                let check = book.checks.get(&name).filter(|check| check.turn == turn);
                let check = check.filter(|check| check.under.is_some_and(|(_, task)| task == id));
                check.map(|check| check.config.clone())
            };
            let Some(config) = config else { return };
            let verdict = probe::run(&daemon, &config).await;
            daemon.change(|book| record(&daemon, book, &name, turn, &verdict));
        }
    });
}

/// A change that runs a check is not wanted any more.
pub(super) fn abort(daemon: &Arc<Daemon>, task: &Task) {
    daemon.change(|book| {
        stop(book, &task.subject);
        book.changes.done(task.id);
    });
}

/// Runs a check now. The verdict counts if the check is active.
pub(super) async fn refresh(daemon: &Arc<Daemon>, name: &str) -> Result<(Value, Option<String>)> {
    let unknown = || Refusal::not_found(format!("cannot find check with name {}", go::quote(name)));
    let (config, turn) = {
        let book = daemon.book();
        let check = book.checks.get(name).ok_or_else(unknown)?;
        (check.config.clone(), check.turn)
    };
    let verdict = probe::run(daemon, &config).await;
    daemon.change(|book| {
        record(daemon, book, name, turn, &verdict);
        let check = book.checks.get(name).ok_or_else(unknown)?;
        Ok((check.document(name), verdict.err()))
    })
}

/// Counts a verdict.
fn record(daemon: &Arc<Daemon>, book: &mut Book, name: &str, turn: u64, verdict: &std::result::Result<(), String>) {
    let Some(check) = book.checks.get_mut(name).filter(|check| check.turn == turn) else { return };
    let Some((change, task)) = check.under else { return };
    match verdict {
        Ok(()) => {
            let failures = std::mem::take(&mut check.failures);
            check.successes += 1;
            if check.down {
                check.down = false;
                check.previous = Some(change);
                book.changes.done(task);
                perform(book, name, Kind::PerformCheck);
            } else if failures > 0 {
                let times = if failures == 1 { "failure" } else { "failures" };
                book.changes.info(task, &format!("succeeded after {failures} {times}"));
            }
        }
        Err(why) => {
            check.failures += 1;
            check.all_failures += 1;
            let is_too_often = !check.down && check.failures >= check.config.threshold;
            book.changes.error(task, why);
            if is_too_often {
                check.down = true;
                check.previous = Some(change);
                book.changes.gave_up(task);
                perform(book, name, Kind::RecoverCheck);
                services::check_failed(daemon, book, name);
            }
        }
    }
}

/// Whether no check that counts is down. The level `ready` includes the level `alive`.
pub(super) fn is_healthy(book: &Book, level: &str, names: &[String]) -> bool {
    let counts = |name: &String, check: &Check| {
        let of_level = match level {
            "" => true,
            "alive" => check.level() == "alive",
            _ => !check.level().is_empty(),
        };
        of_level && (names.is_empty() || names.contains(name))
    };
    !book.checks.iter().any(|(name, check)| counts(name, check) && check.status() == "down")
}
