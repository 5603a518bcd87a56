//! `svc health`

use crate::cli::verbatim::VerbatimArgs;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::model::HealthState;
use crate::output::{Cell, Column, Format};
use crate::provider::Feature;
use crate::provider::documents::Document;
use crate::provider::feature::capability;
use clap::Args;
use clap::builder::PossibleValuesParser;

const COLUMNS: &[Column<HealthState>] = &[
    Column::new("HEALTHY", "healthy", |h: &HealthState| Cell::yes_no(h.healthy)),
    Column::new("LEVEL", "level", |h: &HealthState| Cell::maybe(h.level.as_deref())),
    Column::new("CHECKS", "checks", |h: &HealthState| Cell::List(h.checks.clone())),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes: 0 healthy, 1 unhealthy, in every format.

Examples:
  esker svc health
  esker svc health --level ready && deploy
  esker svc health db cache -o json")]
pub struct HealthArgs {
    /// Only these checks
    #[arg(value_name = "CHECK", add = complete::checks())]
    names: Vec<String>,
    /// Checks of this level; `ready` includes `alive`
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(super::check::LEVELS))]
    level: Option<String>,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

/// Says whether the place is healthy.
pub async fn run(ctx: &Ctx, args: HealthArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Checks, "svc health");
    let (level, names) = (args.level.as_deref(), &args.names);
    let gathered = ctx
        .read(&needs, |target| async move {
            capability(&*target.place, |p| p.checks(), Feature::Checks, "svc health")?.health(level, names).await
        })
        .await?;
    let healthy = gathered.done.iter().all(|(_, health)| health.healthy);
    let verdict = if healthy { Outcome::Done } else { Outcome::Status(1) };
    let document = Document::Health { level: args.level.clone(), names: args.names.clone() };
    if args.verbatim.print(ctx, &needs, document).await?.is_some() {
        return Ok(verdict);
    }
    if let ([(_, health)], [], Format::Table) = (&*gathered.done, &*gathered.failed, ctx.out.format()) {
        ctx.out.line(if health.healthy { "healthy" } else { "unhealthy" })?;
        return Ok(verdict);
    }
    ctx.objects(gathered, COLUMNS)?;
    Ok(verdict)
}
