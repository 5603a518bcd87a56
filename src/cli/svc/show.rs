//! `svc show`

use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::model::ServiceDetail;
use crate::output::{Cell, Column};
use crate::provider::Feature;
use crate::provider::feature::capability;
use clap::Args;

const COLUMNS: &[Column<ServiceDetail>] = &[
    Column::new("NAME", "name", |s: &ServiceDetail| Cell::text(&s.service.name)),
    Column::new("STARTUP", "startup", |s: &ServiceDetail| Cell::maybe(s.service.startup.as_deref())),
    Column::new("STATE", "state", |s: &ServiceDetail| Cell::state(&s.service.state)),
    Column::new("SINCE", "since", |s: &ServiceDetail| Cell::Time(s.service.since)),
    Column::new("LAST ERROR", "last_error", |s: &ServiceDetail| Cell::maybe(s.service.last_error.as_deref())),
    Column::new("COMMAND", "command", |s: &ServiceDetail| Cell::maybe(s.command.as_deref())),
    Column::new("CHECKS", "checks", |s: &ServiceDetail| Cell::List(s.checks.clone())),
    Column::new("LAST CHANGE", "last_operation_id", |s: &ServiceDetail| Cell::maybe(s.last_operation_id.as_deref())),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc show web
  esker svc show web -o json | jq .config")]
pub struct ShowArgs {
    /// Service to show
    #[arg(value_name = "NAME", add = complete::services())]
    name: String,
}

/// Shows one service with its configuration and its last change.
pub async fn run(ctx: &Ctx, args: ShowArgs) -> anyhow::Result<Outcome> {
    let name = &args.name;
    let gathered = ctx
        .read(&(Feature::Services, "svc show"), |target| async move {
            capability(&*target.place, |p| p.services(), Feature::Services, "svc show")?.show(name).await
        })
        .await?;
    ctx.objects(gathered, COLUMNS)
}
