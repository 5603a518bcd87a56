//! `svc check`: health checks.

use crate::cli::args::Listing;
use crate::cli::over::at;
use crate::cli::tree::{Node, talk};
use crate::cli::verbatim::VerbatimArgs;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::Error;
use crate::model::{Check, CheckRefreshed};
use crate::output::{Cell, Column, ListOptions};
use crate::provider::Feature;
use crate::provider::checks::Checks;
use crate::provider::documents::Document;
use crate::provider::feature::capability;
use crate::resolve::Target;
use clap::Args;
use clap::builder::PossibleValuesParser;

/// The commands.
pub(super) static TREE: &[Node] = &[
    talk!("list", ListArgs, list, "List checks").alias("ls"),
    talk!("show", ShowArgs, show, "Show a check and why it fails"),
    talk!("start", RunArgs, start, "Start checks"),
    talk!("stop", RunArgs, stop, "Stop checks"),
    talk!("refresh", RefreshArgs, refresh, "Run checks now"),
    talk!("wait", super::wait::CheckWaitArgs, super::wait::checks, "Wait until checks are in a state"),
];

/// What a check may have as its level.
pub(super) const LEVELS: [&str; 2] = ["alive", "ready"];

const COLUMNS: &[Column<Check>] = &[
    Column::new("NAME", "name", |c: &Check| Cell::text(&c.name)),
    Column::new("LEVEL", "level", |c: &Check| Cell::maybe(c.level.as_deref())),
    Column::new("STARTUP", "startup", |c: &Check| Cell::maybe(c.startup.as_deref())),
    Column::new("STATUS", "status", |c: &Check| Cell::state(&c.status)),
    Column::new("SUCCESSES", "successes", |c: &Check| Cell::Count(c.successes)),
    Column::new("FAILURES", "failures", |c: &Check| Cell::text(format!("{}/{}", c.failures, c.threshold))),
    Column::new("CHANGE", "change_id", |c: &Check| Cell::maybe(c.change_id.as_deref())),
    Column::new("LAST ERROR", "last_error", |c: &Check| Cell::maybe(c.last_error.as_deref())).elastic(),
];

const REFRESHED: &[Column<CheckRefreshed>] = &[
    Column::new("NAME", "name", |c: &CheckRefreshed| Cell::text(&c.check.name)),
    Column::new("PASSED", "passed", |c: &CheckRefreshed| Cell::yes_no(c.passed)),
    Column::new("STATUS", "status", |c: &CheckRefreshed| Cell::state(&c.check.status)),
    Column::new("ERROR", "error", |c: &CheckRefreshed| Cell::maybe(c.error.as_deref())).elastic(),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc check list
  esker svc check list --level ready --target 'prod-*'
  esker svc check list -o json | jq -r '.[] | select(.status == \"down\") | .last_error'")]
pub struct ListArgs {
    /// Only these checks
    #[arg(value_name = "NAME", add = complete::checks())]
    names: Vec<String>,
    /// Only checks of this level
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(LEVELS))]
    level: Option<String>,
    #[command(flatten)]
    list: Listing,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc check show db
  esker svc check show db -o json | jq -r .last_error")]
pub struct ShowArgs {
    /// Check to show
    #[arg(value_name = "NAME", add = complete::checks())]
    name: String,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc check start db
  esker svc check stop db cache")]
pub struct RunArgs {
    /// Checks to act on
    #[arg(value_name = "NAME", required = true, add = complete::checks())]
    names: Vec<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
A check that fails is exit code 1, and its error is printed. Stopped checks run
too, without being counted.

Examples:
  esker svc check refresh db
  esker svc check refresh db cache -o json")]
pub struct RefreshArgs {
    /// Checks to run
    #[arg(value_name = "NAME", required = true, add = complete::checks())]
    names: Vec<String>,
}

fn of<'a>(target: &'a Target, asked: &str) -> crate::error::Result<&'a dyn Checks> {
    capability(&*target.place, |p| p.checks(), Feature::Checks, asked)
}

/// Lists checks.
pub async fn list(ctx: &Ctx, args: ListArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Checks, "svc check list");
    let document = Document::Checks { level: args.level.clone(), names: args.names.clone() };
    if let Some(outcome) = args.verbatim.print(ctx, &needs, document).await? {
        return Ok(outcome);
    }
    let level = args.level.as_deref();
    let gathered =
        ctx.read(&needs, |target| async move { of(&target, "svc check list")?.list(level, &[]).await }).await?;
    let (mut rows, gathered) = gathered.rows(|checks| checks);
    let missing = super::missing(&args.names, &mut rows, &gathered, "check", |check| &check.name);
    super::list_named(ctx, &rows, COLUMNS, &args.list.into(), gathered, missing, rows.len())
}

/// Shows one check.
pub async fn show(ctx: &Ctx, args: ShowArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Checks, "svc check show");
    let document = Document::Check { name: args.name.clone() };
    if let Some(outcome) = args.verbatim.print(ctx, &needs, document).await? {
        return Ok(outcome);
    }
    let names = [args.name.clone()];
    let names = &names;
    let gathered = ctx
        .read(&needs, |target| async move {
            let checks = of(&target, "svc check show")?;
            if let Some(check) = checks.list(None, names).await?.into_iter().next() {
                return Ok(check);
            }
            Err(unknown(&target, checks, &names[0]).await)
        })
        .await?;
    ctx.objects(gathered, COLUMNS)
}

/// A check that does not exist, with what was probably meant.
pub(super) async fn unknown(target: &Target, checks: &dyn Checks, name: &str) -> Error {
    let known = checks.list(None, &[]).await.unwrap_or_default();
    let error = Error::not_found(format!("no check `{name}` on `{}`", target.full));
    match crate::suggest::nearest(name, known.iter().map(|check| check.name.as_str())) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`esker svc check list` shows all"),
    }
}

/// Starts checks.
pub async fn start(ctx: &Ctx, args: RunArgs) -> anyhow::Result<Outcome> {
    run(ctx, &args.names, true).await
}

/// Stops checks.
pub async fn stop(ctx: &Ctx, args: RunArgs) -> anyhow::Result<Outcome> {
    run(ctx, &args.names, false).await
}

async fn run(ctx: &Ctx, names: &[String], start: bool) -> anyhow::Result<Outcome> {
    let (verb, done) = if start { ("start", "started") } else { ("stop", "stopped") };
    let asked = format!("svc check {verb}");
    let needs = (Feature::Checks, asked.as_str());
    let gathered = ctx.change(&needs, |target| async move { of(&target, verb)?.run(start, names).await }).await?;
    let mut rows = Vec::new();
    for (target, changed) in &gathered.done {
        for name in names {
            let moved = changed.contains(name);
            let said = if moved { done.to_owned() } else { format!("nothing to do, already {done}:") };
            ctx.out.done(&format!("{said} check `{name}` on `{}`", target.full));
            rows.push(super::act::changed(target, name, verb, moved));
        }
    }
    if !rows.is_empty() {
        super::act::print(ctx, &rows, names.len() == 1 && gathered.done.len() + gathered.failed.len() == 1)?;
    }
    gathered.finish()
}

/// Runs checks now.
pub async fn refresh(ctx: &Ctx, args: RefreshArgs) -> anyhow::Result<Outcome> {
    let names = &args.names;
    let gathered = ctx
        .read(&(Feature::Checks, "svc check refresh"), |target| async move {
            let checks = of(&target, "svc check refresh")?;
            let each = names.iter().map(|name| checks.refresh(name));
            Ok(futures_util::future::join_all(each).await)
        })
        .await?;
    let (mut rows, mut failed) = (Vec::new(), gathered.failed);
    for (target, outcomes) in gathered.done {
        for outcome in outcomes {
            match outcome {
                Ok(refreshed) => rows.push(at(&target, refreshed)),
                Err(error) => failed.push(error.at(target.provider.driver().id, &*target.full)),
            }
        }
    }
    match rows.as_slice() {
        [] => {}
        [row] if names.len() == 1 && failed.is_empty() => ctx.out.one(row, REFRESHED)?,
        rows => ctx.out.list(rows, REFRESHED, &ListOptions::default())?,
    }
    if !failed.is_empty() {
        return Err(Error::several("checks", failed, rows.len()).into());
    }
    Ok(if rows.iter().all(|row| row.value.passed) { Outcome::Done } else { Outcome::Status(1) })
}
