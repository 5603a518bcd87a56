//! `vm upgrade`: one operation per machine, waited for.

use super::{MachineArgs, MachineWaitArgs};
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::provider::Feature;
use crate::resolve::Target;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm upgrade sprites/dev
  esker vm upgrade sprites/dev --to v0.0.1-rc48")]
pub struct VmUpgradeArgs {
    #[command(flatten)]
    which: MachineArgs,
    /// The version to upgrade to instead of the newest
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

/// Upgrades machines.
pub async fn upgrade(ctx: &Ctx, args: VmUpgradeArgs) -> anyhow::Result<Outcome> {
    let asked = "vm upgrade";
    let (targets, failed) = args.which.machines(ctx, asked, &(Feature::MachinesUpgrade, asked)).await?;
    let (wait, version) = (!args.wait.no_wait, args.to.as_deref());
    let work = |target: Target| async move {
        let which = super::which(&target, asked)?;
        let begun = super::machines(&target, asked)?.upgrade(&which, version);
        super::drive(ctx, &target, "upgrade", wait, begun).await
    };
    let gathered = ctx.operate_at(targets, failed, work).await;
    super::tell(ctx, "upgrade", "upgraded", gathered)
}
