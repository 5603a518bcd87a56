//! `vm health`

use super::MachineArgs;
use super::columns::HEALTH;
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::provider::Feature;
use clap::Args;

/// The exit status when a machine cannot be used (ux 3.1).
const UNHEALTHY: u8 = 1;

#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes: 0 every machine can be used, 1 one cannot. A machine that sleeps can
be used; asking does not wake it up.

Examples:
  esker vm health sprites/dev
  esker vm health 'sprites/*' -o json")]
pub struct VmHealthArgs {
    #[command(flatten)]
    which: MachineArgs,
}

/// Says whether machines can be used.
pub async fn run(ctx: &Ctx, args: VmHealthArgs) -> anyhow::Result<Outcome> {
    let asked = "vm health";
    let (targets, failed) = args.which.machines(ctx, asked, &(Feature::MachinesHealth, asked)).await?;
    let gathered = ctx
        .read_at(targets, failed, |target| async move {
            super::machines(&target, asked)?.health(&super::which(&target, asked)?).await
        })
        .await;
    let sick = gathered.done.iter().any(|(_, health)| !health.healthy);
    let outcome = ctx.objects(gathered, HEALTH)?;
    Ok(if sick { Outcome::Status(UNHEALTHY) } else { outcome })
}
