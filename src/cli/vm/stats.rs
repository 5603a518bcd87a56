//! `vm stats`

use super::MachineArgs;
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::model::MachineStats;
use crate::output::{Cell, Column};
use crate::provider::Feature;
use clap::Args;

const STATS: &[Column<MachineStats>] = &[
    Column::new("CPU%", "cpu_percent", |s: &MachineStats| {
        Cell::maybe(s.cpu_percent.map(|percent| format!("{percent:.1}")).as_deref())
    }),
    Column::new("MEMORY", "memory_bytes", |s: &MachineStats| Cell::Size(s.memory_bytes)),
    Column::new("OF", "memory_limit_bytes", |s: &MachineStats| Cell::Size(s.memory_limit_bytes)),
    Column::new("DISK", "disk_bytes", |s: &MachineStats| Cell::Size(s.disk_bytes)),
    Column::new("OF", "disk_limit_bytes", |s: &MachineStats| Cell::Size(s.disk_limit_bytes)),
];

#[derive(Args, Debug)]
#[command(after_help = "\
As the machine is at this moment; asking may take a few seconds.

Examples:
  esker vm stats rexec/box
  esker vm stats 'rexec/*' -o json")]
pub struct VmStatsArgs {
    #[command(flatten)]
    which: MachineArgs,
}

/// Says how busy machines are.
pub async fn run(ctx: &Ctx, args: VmStatsArgs) -> anyhow::Result<Outcome> {
    let asked = "vm stats";
    let (targets, failed) = args.which.machines(ctx, asked, &(Feature::MachinesStats, asked)).await?;
    let gathered = ctx
        .read_at(targets, failed, |target| async move {
            super::machines(&target, asked)?.stats(&super::which(&target, asked)?).await
        })
        .await;
    ctx.objects(gathered, STATS)
}
