//! `svc metrics`

use crate::cli::Outcome;
use crate::cli::args::Listing;
use crate::cli::verbatim::VerbatimArgs;
use crate::context::Ctx;
use crate::model::Metric;
use crate::output::{Cell, Column};
use crate::provider::Feature;
use crate::provider::documents::Document;
use crate::provider::feature::capability;
use clap::Args;

const COLUMNS: &[Column<Metric>] = &[
    Column::new("NAME", "name", |m: &Metric| Cell::text(&m.name)),
    Column::new("TYPE", "type", |m: &Metric| Cell::maybe(m.kind.as_deref())).wide(),
    Column::new("LABELS", "labels", |m: &Metric| {
        Cell::List(m.labels.iter().map(|(key, value)| format!("{key}={value}")).collect())
    }),
    Column::new("VALUE", "value", |m: &Metric| Cell::text(m.value.to_string())),
    Column::new("HELP", "help", |m: &Metric| Cell::maybe(m.help.as_deref())).wide().elastic(),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc metrics
  esker svc metrics --raw > metrics.txt
  esker svc metrics -o json | jq '.[] | select(.name == \"pebble_check_up\")'")]
pub struct MetricsArgs {
    #[command(flatten)]
    list: Listing,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

/// Prints metrics.
pub async fn run(ctx: &Ctx, args: MetricsArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Metrics, "svc metrics");
    if let Some(outcome) = args.verbatim.print(ctx, &needs, Document::Metrics).await? {
        return Ok(outcome);
    }
    let gathered = ctx
        .read(&needs, |target| async move {
            capability(&*target.place, |p| p.metrics(), Feature::Metrics, "svc metrics")?.samples().await
        })
        .await?;
    let (rows, gathered) = gathered.rows(|metrics| metrics);
    ctx.list(&rows, COLUMNS, &args.list.into(), gathered)
}
