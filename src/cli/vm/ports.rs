//! `vm ports`

use crate::cli::Outcome;
use crate::cli::args::Listing;
use crate::cli::complete;
use crate::context::Ctx;
use crate::error::Error;
use crate::model::Port;
use crate::output::{Cell, Column};
use crate::provider::feature::capability;
use crate::provider::tunnels::PortEvent;
use crate::provider::{Feature, Need};
use clap::Args;
use futures_util::StreamExt;

const COLUMNS: &[Column<Port>] = &[
    Column::new("PORT", "port", |p: &Port| Cell::count(p.port)),
    Column::new("ADDRESS", "address", |p: &Port| Cell::text(&p.address)),
    Column::new("PID", "pid", |p: &Port| Cell::maybe(p.pid.map(|pid| pid.to_string()))),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm ports sprites/dev
  esker vm ports sprites/dev -o json | jq '.[].port'")]
pub struct PortsArgs {
    /// The machine: as with --target
    #[arg(value_name = "TARGET", add = complete::targets())]
    targets: Vec<String>,
    #[command(flatten)]
    list: Listing,
}

/// Lists the ports that are open.
pub async fn run(ctx: &Ctx, args: PortsArgs) -> anyhow::Result<Outcome> {
    let needs = vec![Need::new(Feature::TunnelsPorts, "vm ports")];
    let (targets, failed) = ctx.targets_of(ctx.patterns(&args.targets)?, &needs).await?;
    let gathered = ctx
        .read_at(targets, failed, |target| async move {
            let tunnels = capability(&*target.place, |p| p.tunnels(), Feature::TunnelsPorts, "vm ports")?;
            match tunnels.ports().next().await.transpose()? {
                Some(PortEvent::Now(ports)) => Ok(ports),
                _ => Err(Error::failure("the feed of ports does not begin with those that are open")),
            }
        })
        .await;
    let (mut rows, gathered) = gathered.rows(|ports| ports);
    rows.sort_by_key(|row| row.value.port);
    ctx.list(&rows, COLUMNS, &args.list.into(), gathered)
}
