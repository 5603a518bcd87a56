//! One look at everything, and what earlier ones showed.

use crate::cli::vm;
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::fanout::{self, Limits};
use crate::model::{At, TopRow};
use crate::provider::machines::Selector;
use crate::provider::{Feature, Place, require};
use crate::resolve::{Pattern, Target};
use crate::settings::Opt;
use crate::stream;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many values are kept of each row.
pub(super) const HISTORY: usize = 60;
/// How long a target may take, unless `--timeout` says otherwise: the others are shown meanwhile.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a look showed.
pub(super) struct Round {
    rows: Vec<At<TopRow>>,
    failed: Vec<Error>,
}

/// The rows of the last look, each with its history.
#[derive(Default)]
pub(super) struct Board {
    rows: Vec<At<TopRow>>,
    history: BTreeMap<(String, String, String), Vec<f64>>,
}

impl Board {
    /// Takes a look; returns what failed.
    pub(super) fn take(&mut self, round: Round) -> Vec<Error> {
        let mut before = std::mem::take(&mut self.history);
        for row in &round.rows {
            if let Some(value) = row.value.value {
                let key = key(row);
                let mut values = before.remove(&key).unwrap_or_default();
                if values.len() == HISTORY {
                    values.remove(0);
                }
                values.push(value);
                self.history.insert(key, values);
            }
        }
        self.rows = round.rows;
        round.failed
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &At<TopRow>> {
        self.rows.iter()
    }

    /// What the metric of a row did: its values, or of a counter what came between two looks.
    pub(super) fn course(&self, row: &At<TopRow>) -> Vec<f64> {
        let values = self.history.get(&key(row)).map(Vec::as_slice).unwrap_or_default();
        if !row.value.counts {
            return values.to_vec();
        }
        values.windows(2).map(|pair| (pair[1] - pair[0]).max(0.0)).collect()
    }
}

fn key(row: &At<TopRow>) -> (String, String, String) {
    (row.value.kind.clone(), row.target.clone(), row.value.name.clone())
}

/// Looks at every target, all at once.
pub(super) async fn sample(ctx: &Ctx, patterns: Vec<Pattern>) -> Round {
    let resolved = ctx.resolver.expand(patterns).await;
    let mut failed: Vec<Error> = resolved.failed.into_iter().map(|(_, error)| error).collect();
    let timeout = ctx.settings.duration(Opt::Timeout).unwrap_or(TIMEOUT);
    let limits = Limits::reads(ctx.settings.number(Opt::Jobs), Some(timeout), resolved.targets.len());
    let mut rows = Vec::new();
    for (target, looked) in fanout::each(resolved.targets, limits, |target| async move { look(&target).await }).await {
        match looked {
            Ok(found) => {
                let (provider, full) = (target.provider.driver().id, &target.full);
                rows.extend(found.into_iter().map(|value| At { provider, target: full.clone(), value }));
            }
            Err(error) => failed.push(error),
        }
    }
    match crate::cli::agent::live_sessions(ctx).await {
        Ok(sessions) => rows.extend(sessions),
        Err(error) => failed.push(error),
    }
    Round { rows, failed }
}

async fn look(target: &Target) -> Result<Vec<TopRow>> {
    let place = &*target.place;
    let has = |feature| require(place, &(feature, "top")).is_ok();
    let mut rows = Vec::new();
    if let (Some(name), true) = (&target.address.name, has(Feature::Machines)) {
        let machines = vm::machines(target, "top")?;
        let which = Selector::Auto(name.0.clone());
        let machine = machines.find(&which).await?;
        let is_running = machine.status.eq_ignore_ascii_case("running");
        let mut row = row("vm", &machine.name, &machine.status);
        if is_running && has(Feature::MachinesStats) {
            row.metric = Some("cpu %".to_owned());
            row.value = optional(machines.stats(&which).await)?.and_then(|stats| stats.cpu_percent);
        }
        rows.push(row);
        if !is_running {
            // To ask it more would wake it up.
            return Ok(rows);
        }
    }
    let metrics = metrics(place, has(Feature::Metrics)).await?;
    if let (Some(services), true) = (place.services(), has(Feature::Services)) {
        for service in optional(services.list(&[]).await)?.unwrap_or_default() {
            let row = row("svc", &service.name, &service.state);
            rows.push(counted(row, "restarts", metrics.get(&("service".to_owned(), service.name.clone()))));
        }
    }
    if let (Some(checks), true) = (place.checks(), has(Feature::Checks)) {
        for check in optional(checks.list(None, &[]).await)?.unwrap_or_default() {
            let row = row("check", &check.name, &check.status);
            rows.push(counted(row, "failures", metrics.get(&("check".to_owned(), check.name.clone()))));
        }
    }
    if let (Some(runs), true) = (place.runs(), has(Feature::ExecAttach)) {
        let runs = optional(stream::collect(runs.list()).await)?.unwrap_or_default();
        let running = runs.into_iter().filter(|run| run.state == "running");
        rows.extend(running.map(|run| row("run", &run.command, &run.state)));
    }
    Ok(rows)
}

/// Of counters those that say that something did not go as it should: starts of services, failures of checks.
async fn metrics(place: &dyn Place, has: bool) -> Result<BTreeMap<(String, String), f64>> {
    let (Some(metrics), true) = (place.metrics(), has) else { return Ok(BTreeMap::new()) };
    let samples = optional(metrics.samples().await)?.unwrap_or_default();
    let of = |name: &str| ["start_count", "failure_count"].iter().any(|end| name.ends_with(end));
    let mut found = BTreeMap::new();
    for sample in samples.into_iter().filter(|sample| of(&sample.name)) {
        for (label, value) in sample.labels {
            found.insert((label, value), sample.value);
        }
    }
    Ok(found)
}

/// What a system lacks, or does not let us see, is left out; anything else is a failure.
fn optional<T>(asked: Result<T>) -> Result<Option<T>> {
    match asked {
        Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Forbidden | ErrorKind::NotFound) => {
            Ok(None)
        }
        asked => asked.map(Some),
    }
}

fn row(kind: &str, name: &str, state: &str) -> TopRow {
    TopRow { kind: kind.to_owned(), name: name.to_owned(), state: state.to_owned(), ..TopRow::default() }
}

fn counted(row: TopRow, metric: &str, value: Option<&f64>) -> TopRow {
    let metric = value.map(|_| metric.to_owned());
    TopRow { metric, value: value.copied(), counts: true, ..row }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(values: &[f64], counts: bool) -> (Board, At<TopRow>) {
        let mut board = Board::default();
        let at = |value| {
            let value = TopRow { value: Some(value), counts, ..row("svc", "web", "active") };
            At { provider: "pebble", target: "prod".to_owned(), value }
        };
        for value in values {
            board.take(Round { rows: vec![at(*value)], failed: Vec::new() });
        }
        (board, at(0.0))
    }

    #[test]
    fn a_counter_shows_what_came_between_two_looks() {
        let (board, row) = round(&[1.0, 1.0, 3.0, 0.0], true);
        assert_eq!(board.course(&row), [0.0, 2.0, 0.0]);
        let (board, row) = round(&[1.0, 3.0], false);
        assert_eq!(board.course(&row), [1.0, 3.0]);
        let (board, row) = round(&vec![1.0; HISTORY + 5], false);
        assert_eq!(board.course(&row).len(), HISTORY);
    }
}
