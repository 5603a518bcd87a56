//! Runs that were left: `--sessions`, `--attach`, `--wait`, `--logs`, `--kill` (ux 9.1).

use super::args::{ExecArgs, Verb};
use super::plan::{Plan, is_document};
use super::{ended, fleet};
use crate::cli::Outcome;
use crate::cli::drive::Driven;
use crate::cli::over::at;
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ExecResult, Run, RunId};
use crate::output::{Cell, Column, ListOptions};
use crate::provider::exec::{From, Remote, Runs, Signal};
use crate::provider::feature::capability;
use crate::provider::{Feature, Need};
use crate::resolve::Target;
use crate::settings::Opt;
use crate::stream;
use futures_util::StreamExt;
use std::time::{Duration, Instant};

/// How long a run may take to die of the first signal.
const GRACE: Duration = Duration::from_secs(10);

const COLUMNS: &[Column<Run>] = &[
    Column::new("ID", "id", |run: &Run| Cell::text(&run.id)),
    Column::new("STATE", "state", |run: &Run| Cell::state(&run.state)),
    Column::new("EXIT", "exit_code", |run: &Run| Cell::maybe(run.exit_code.map(|code| code.to_string()).as_deref())),
    Column::new("STARTED", "started_at", |run: &Run| Cell::Time(run.started_at)),
    Column::new("COMMAND", "command", |run: &Run| Cell::text(&run.command)).elastic(),
    Column::new("ENDED", "ended_at", |run: &Run| Cell::Time(run.ended_at)).wide(),
];

const RESULT: &[Column<ExecResult>] = &[];

/// Does what was asked.
pub(super) async fn run(ctx: &Ctx, args: &ExecArgs, verb: Verb) -> anyhow::Result<Outcome> {
    if let Verb::Sessions = verb {
        return sessions(ctx, args).await;
    }
    let needs = needs(&verb);
    let (targets, failed) = super::targets(ctx, args, &needs).await?;
    if let Some(error) = failed.into_iter().next() {
        return Err(error.into());
    }
    let [target] = targets.as_slice() else {
        return Err(Error::usage("a run is at exactly one target").hint("name it").into());
    };
    let runs = capability(&*target.place, |place| place.runs(), Feature::ExecDetach, "exec --wait")?;
    let done = match verb {
        Verb::Attach(id) => return attach(ctx, args, target, runs, &id).await,
        Verb::Wait(id) => wait(ctx, target, runs, &id).await,
        Verb::Logs(id) => logs(ctx, runs, &id).await,
        Verb::Kill(id, signal) => kill(ctx, target, runs, &id, signal).await,
        Verb::Sessions => unreachable!("it is about any number of targets"),
    };
    Ok(done.map_err(|error| error.at(target.provider.driver().id, &*target.full))?)
}

fn needs(verb: &Verb) -> Vec<Need> {
    let (feature, asked) = match verb {
        Verb::Sessions => (Feature::ExecDetach, "exec --sessions"),
        Verb::Attach(_) => (Feature::ExecAttach, "exec --attach"),
        Verb::Wait(_) => (Feature::ExecDetach, "exec --wait"),
        Verb::Logs(_) => (Feature::ExecDetach, "exec --logs"),
        Verb::Kill(..) => (Feature::ExecDetach, "exec --kill"),
    };
    vec![Need::new(Feature::Exec, "exec"), Need::new(feature, asked)]
}

async fn sessions(ctx: &Ctx, args: &ExecArgs) -> anyhow::Result<Outcome> {
    let (targets, failed) = super::targets(ctx, args, &needs(&Verb::Sessions)).await?;
    let gathered = ctx
        .read_at(targets, failed, |target| async move {
            let runs = capability(&*target.place, |place| place.runs(), Feature::ExecDetach, "exec --sessions")?;
            stream::collect(runs.list()).await
        })
        .await;
    let (rows, gathered) = gathered.rows(|runs| runs);
    ctx.list(&rows, COLUMNS, &ListOptions::default(), gathered)
}

async fn attach(ctx: &Ctx, args: &ExecArgs, target: &Target, runs: &dyn Runs, id: &RunId) -> anyhow::Result<Outcome> {
    let plan = Plan::new(ctx, args)?;
    let joined = runs.attach(id, From::Now, plan.base.io).await;
    let process = joined.map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
    fleet::joined(ctx, plan, target, process, format!("run {id}")).await
}

async fn wait(ctx: &Ctx, target: &Target, runs: &dyn Runs, id: &RunId) -> Result<Outcome> {
    let begun = Instant::now();
    let operation = runs.result(id).await?;
    let driven = ctx.drive(target, &format!("wait for run {id}"), "esker exec --wait", true, operation).await;
    let exit = match driven {
        Ok(Driven::Done(_, exit)) => exit,
        Ok(Driven::Left(_)) => return Ok(Outcome::Done),
        Err(error) if error.kind() == ErrorKind::Timeout => return Err(error.status(124)),
        Err(error) => return Err(error),
    };
    if is_document(ctx) {
        let result = ended::Ended::Exit(exit.clone()).result(Some(id.0.clone()), begun.elapsed());
        ctx.out.one(&at(target, result), RESULT)?;
    }
    ended::status(&exit, &format!("run {id}"), None).map(Outcome::Status)
}

async fn logs(ctx: &Ctx, runs: &dyn Runs, id: &RunId) -> Result<Outcome> {
    let mut log = runs.logs(id);
    while let Some(bytes) = log.next().await {
        ctx.out.bytes(&bytes?)?;
    }
    Ok(Outcome::Done)
}

async fn kill(ctx: &Ctx, target: &Target, runs: &dyn Runs, id: &RunId, signal: Signal) -> Result<Outcome> {
    let grace = ctx.settings.duration(Opt::Timeout).unwrap_or(GRACE);
    match runs.kill(id, signal, grace).await? {
        Remote::Gone => {
            ctx.out.done(&format!("run {id} on `{}` has ended", target.full));
            Ok(Outcome::Done)
        }
        Remote::Running | Remote::Unknown => Err(Error::failure(format!("cannot tell whether run {id} has ended"))
            .hint(format!("`esker exec --wait {id}` waits for it"))),
    }
}
