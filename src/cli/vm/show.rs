//! `vm show`

use super::MachineArgs;
use super::columns::MACHINES;
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::provider::Feature;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm show sprites/dev
  esker vm show sprites/dev -o json | jq -r .url
  esker vm show 'sprites/web-*' -o wide")]
pub struct VmShowArgs {
    #[command(flatten)]
    which: MachineArgs,
}

/// Shows machines.
pub async fn run(ctx: &Ctx, args: VmShowArgs) -> anyhow::Result<Outcome> {
    let asked = "vm show";
    let (targets, failed) = args.which.machines(ctx, asked, &(Feature::Machines, asked)).await?;
    let gathered = ctx
        .read_at(targets, failed, |target| async move {
            super::machines(&target, asked)?.find(&super::which(&target, asked)?).await
        })
        .await;
    ctx.objects(gathered, MACHINES)
}
