//! `vm start`, `stop`, `restart` and `upgrade`: one operation per machine, waited for.

use super::{MachineArgs, MachineWaitArgs};
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::provider::Feature;
use crate::provider::machines::Power;
use crate::resolve::Target;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Programs and sessions in the machine end. Waits until it can be used again.

Examples:
  esker vm restart sprites/dev
  esker vm restart 'sprites/web-*' --jobs 2")]
pub struct VmRestartArgs {
    #[command(flatten)]
    which: MachineArgs,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

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

#[derive(Args, Debug)]
#[command(after_help = "\
One that runs already is left as it is.

Examples:
  esker vm start rexec/box
  esker vm start 'rexec/web-*' --jobs 4")]
pub struct VmStartArgs {
    #[command(flatten)]
    which: MachineArgs,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Programs and sessions in the machine end; its files stay.

Examples:
  esker vm stop rexec/box
  esker vm stop 'rexec/ci-*' -q")]
pub struct VmStopArgs {
    #[command(flatten)]
    which: MachineArgs,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

/// What a change of power is called, before and after.
struct Words {
    verb: &'static str,
    done: &'static str,
    asked: &'static str,
}

/// Starts machines.
pub async fn start(ctx: &Ctx, args: VmStartArgs) -> anyhow::Result<Outcome> {
    let words = Words { verb: "start", done: "started", asked: "vm start" };
    power(ctx, &args.which, &args.wait, Power::On, Feature::MachinesPower, words).await
}

/// Stops machines.
pub async fn stop(ctx: &Ctx, args: VmStopArgs) -> anyhow::Result<Outcome> {
    let words = Words { verb: "stop", done: "stopped", asked: "vm stop" };
    power(ctx, &args.which, &args.wait, Power::Off, Feature::MachinesPower, words).await
}

/// Restarts machines.
pub async fn restart(ctx: &Ctx, args: VmRestartArgs) -> anyhow::Result<Outcome> {
    let words = Words { verb: "restart", done: "restarted", asked: "vm restart" };
    power(ctx, &args.which, &args.wait, Power::Restart, Feature::MachinesRestart, words).await
}

async fn power(
    ctx: &Ctx,
    which: &MachineArgs,
    wait: &MachineWaitArgs,
    to: Power,
    feature: Feature,
    words: Words,
) -> anyhow::Result<Outcome> {
    let Words { verb, done, asked } = words;
    let (targets, failed) = which.machines(ctx, asked, &(feature, asked)).await?;
    let wait = !wait.no_wait;
    let work = |target: Target| async move {
        let which = super::which(&target, asked)?;
        let begun = super::machines(&target, asked)?.power(&which, to);
        super::drive(ctx, &target, verb, wait, begun).await
    };
    let gathered = ctx.operate_at(targets, failed, work).await;
    super::tell(ctx, verb, done, gathered)
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
