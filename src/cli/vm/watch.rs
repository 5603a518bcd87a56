//! `vm list --watch` (ux 6.3): repainted on a terminal, one event per change otherwise.

use super::columns::MACHINES;
use super::list::Job;
use crate::cli::{Outcome, svc};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, Machine, MachineSeen, Time};
use crate::output::{Format, ListOptions};
use crate::provider::machines::{MachineEvent, MachineQuery};
use futures_util::stream::{StreamExt, select_all};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Changes that come so close together are painted at once.
const TOGETHER: Duration = Duration::from_millis(50);

/// Watches until every endpoint failed, or somebody stops it.
pub(super) async fn run(
    ctx: &Ctx,
    jobs: Vec<Job>,
    failed: Vec<Error>,
    options: &ListOptions,
    every: Option<Duration>,
) -> anyhow::Result<Outcome> {
    if matches!(ctx.out.format(), Format::Csv | Format::Name) {
        return Err(Error::usage("--watch has neither csv nor names").hint("use `-o jsonl`").into());
    }
    svc::within(ctx, "vm list --watch", watch(ctx, jobs, failed, options, every)).await
}

async fn watch(
    ctx: &Ctx,
    jobs: Vec<Job>,
    mut failed: Vec<Error>,
    options: &ListOptions,
    every: Option<Duration>,
) -> anyhow::Result<Outcome> {
    for error in &failed {
        ctx.out.warn(&error.to_string());
    }
    let mut streams = Vec::new();
    for (index, job) in jobs.iter().enumerate() {
        let name = job.name.as_ref().map(|name| name.0.clone());
        // A state or label that changes is a change to be told: only names are chosen over there.
        let query = MachineQuery {
            prefix: name.or_else(|| job.query.prefix.clone()),
            glob: job.query.glob.clone(),
            ..MachineQuery::default()
        };
        let events = super::machines(&job.target, "vm list")?.watch(query, every);
        streams.push(events.map(move |event| (index, event)).boxed());
    }
    let mut events = select_all(streams);
    let mut board = Board { ctx, options, shown: BTreeMap::new(), told: BTreeSet::new() };
    while let Some((index, event)) = events.next().await {
        let job = &jobs[index];
        match event {
            Ok(event) => board.take(job, event)?,
            Err(error) => {
                let error = error.at(job.target.provider.driver().id, &*job.target.full);
                ctx.out.warn(&format!("`{}` is no longer watched: {error}", job.target.full));
                failed.push(error);
            }
        }
        if board.repaints() {
            // What else is there already.
            while let Ok(Some((index, Ok(event)))) = tokio::time::timeout(TOGETHER, events.next()).await {
                board.take(&jobs[index], event)?;
            }
            board.paint()?;
        }
    }
    Err(Error::several("endpoints", failed, 0).into())
}

/// What is shown, or was told.
struct Board<'a> {
    ctx: &'a Ctx,
    options: &'a ListOptions,
    shown: BTreeMap<String, At<Machine>>,
    /// The machines that were told of: also their leaving what was asked for is told.
    told: BTreeSet<String>,
}

impl Board<'_> {
    fn repaints(&self) -> bool {
        self.ctx.out.stdout_is_tty() && !self.ctx.out.is_structured()
    }

    fn take(&mut self, job: &Job, event: MachineEvent) -> Result<()> {
        let (change, machine) = match event {
            MachineEvent::Present(machine) => ("present", machine),
            MachineEvent::Added(machine) => ("added", machine),
            MachineEvent::Changed(machine) => ("changed", machine),
            MachineEvent::Deleted(machine) => ("deleted", machine),
            MachineEvent::Settled => return Ok(()),
        };
        let is_meant = job.admits(&machine);
        let row = job.row(&machine.name.clone(), machine);
        if self.repaints() {
            if is_meant && change != "deleted" {
                self.shown.insert(row.target.clone(), row);
            } else {
                self.shown.remove(&row.target);
            }
            return Ok(());
        }
        if !is_meant && !self.told.contains(&row.target) {
            return Ok(());
        }
        if is_meant && change != "deleted" {
            self.told.insert(row.target.clone());
        } else {
            self.told.remove(&row.target);
        }
        self.tell(change, row)
    }

    fn tell(&self, change: &str, row: At<Machine>) -> Result<()> {
        if self.ctx.out.is_structured() {
            let seen = row.map(|machine| MachineSeen { change: change.to_owned(), machine });
            return self.ctx.out.event("change", &seen);
        }
        let now = Time::now().round(jiff::Unit::Second).unwrap_or_default();
        self.ctx.out.remote_line(&format!("{now} {change} {} {}", row.target, row.value.status))
    }

    fn paint(&self) -> Result<()> {
        let rows: Vec<_> = self.shown.values().cloned().collect();
        self.ctx.out.repaint(&rows, MACHINES, self.options)
    }
}
