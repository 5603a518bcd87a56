//! `svc list`

use crate::cli::args::Listing;
use crate::cli::verbatim::VerbatimArgs;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::model::Service;
use crate::output::{Cell, Column};
use crate::provider::Feature;
use crate::provider::documents::Document;
use crate::provider::feature::capability;
use clap::Args;

/// The columns of a list of services.
pub(super) const COLUMNS: &[Column<Service>] = &[
    Column::new("NAME", "name", |s: &Service| Cell::text(&s.name)),
    Column::new("STARTUP", "startup", |s: &Service| Cell::maybe(s.startup.as_deref())),
    Column::new("STATE", "state", |s: &Service| Cell::state(&s.state)),
    Column::new("SINCE", "since", |s: &Service| Cell::Time(s.since)),
    Column::new("LAST ERROR", "last_error", |s: &Service| Cell::maybe(s.last_error.as_deref())).elastic(),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc list
  esker svc list web worker --target prod
  esker svc list -o json | jq -r '.[] | select(.state != \"active\") | .name'")]
pub struct ListArgs {
    /// Only these services
    #[arg(value_name = "NAME", add = complete::services())]
    names: Vec<String>,
    /// Only services in this state, such as active or backoff
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    #[command(flatten)]
    list: Listing,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

/// Lists services. Names that do not exist are reported after those that do.
pub async fn run(ctx: &Ctx, args: ListArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Services, "svc list");
    if let Some(outcome) = args.verbatim.print(ctx, &needs, Document::Services(args.names.clone())).await? {
        return Ok(outcome);
    }
    let gathered = ctx
        .read(&needs, |target| async move {
            let services = capability(&*target.place, |p| p.services(), Feature::Services, "svc list")?;
            // All of them, also if some are named: what a misspelt name is near to is among the others.
            services.list(&[]).await
        })
        .await?;
    let (mut rows, gathered) = gathered.rows(|services| services);
    let missing = super::missing(&args.names, &mut rows, &gathered, "service", |service| &service.name);
    let known = rows.len();
    if let Some(state) = &args.state {
        rows.retain(|row| &row.value.state == state);
    }
    super::list_named(ctx, &rows, COLUMNS, &args.list.into(), gathered, missing, known)
}
