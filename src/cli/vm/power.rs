//! `vm start`, `stop`, `kill`, `restart`, `reset`: power states, waited for.

use super::{MachineArgs, MachineWaitArgs};
use crate::cli::Outcome;
use crate::config::duration;
use crate::context::Ctx;
use crate::provider::Feature;
use crate::provider::machines::Power;
use crate::resolve::Target;
use clap::Args;
use std::time::Duration;

#[derive(Args, Debug)]
#[command(after_help = "\
One that runs already is success. Waits until it runs.

Examples:
  esker vm start lab/web01
  esker vm start 'lab/web-*' --jobs 2 --timeout 5m")]
pub struct VmStartArgs {
    #[command(flatten)]
    which: MachineArgs,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Asks the guest to shut down, which it may ignore: --force-after pulls the plug
then, --now at once. One that is stopped already is success.

Examples:
  esker vm stop lab/web01
  esker vm stop lab/web01 --force-after 2m
  esker vm stop 'lab/ci-*' --now")]
pub struct VmStopArgs {
    #[command(flatten)]
    which: MachineArgs,
    /// Pull the plug if it still runs after this time
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    force_after: Option<Duration>,
    /// Pull the plug at once
    #[arg(long, conflicts_with = "force_after")]
    now: bool,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Programs and sessions in the machine end. Waits until it can be used again.

Examples:
  esker vm restart sprites/dev
  esker vm restart 'sprites/web-*' --jobs 2
  esker vm restart lab/web01 --force-after 2m")]
pub struct VmRestartArgs {
    #[command(flatten)]
    which: MachineArgs,
    /// Stop it at once if it has not stopped by itself after this time
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    force_after: Option<Duration>,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Like the reset button: what was not written to disk is lost.

Examples:
  esker vm reset lab/web01
  esker vm reset 'lab/ci-*' --no-wait")]
pub struct VmResetArgs {
    #[command(flatten)]
    which: MachineArgs,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

/// Starts machines.
pub async fn start(ctx: &Ctx, args: VmStartArgs) -> anyhow::Result<Outcome> {
    power(ctx, &args.which, &args.wait, "start", "started", Feature::MachinesPower, Power::On).await
}

/// Stops machines.
pub async fn stop(ctx: &Ctx, args: VmStopArgs) -> anyhow::Result<Outcome> {
    let to = if args.now { Power::Kill } else { Power::Off { force_after: args.force_after } };
    power(ctx, &args.which, &args.wait, "stop", "stopped", Feature::MachinesPower, to).await
}

/// Restarts machines.
pub async fn restart(ctx: &Ctx, args: VmRestartArgs) -> anyhow::Result<Outcome> {
    let feature = if args.force_after.is_some() { Feature::MachinesPower } else { Feature::MachinesRestart };
    let to = Power::Restart { force_after: args.force_after, followed: !args.wait.no_wait };
    power(ctx, &args.which, &args.wait, "restart", "restarted", feature, to).await
}

/// Restarts machines at once.
pub async fn reset(ctx: &Ctx, args: VmResetArgs) -> anyhow::Result<Outcome> {
    power(ctx, &args.which, &args.wait, "reset", "reset", Feature::MachinesPower, Power::Reset).await
}

async fn power(
    ctx: &Ctx,
    which: &MachineArgs,
    wait: &MachineWaitArgs,
    verb: &str,
    done: &str,
    feature: Feature,
    to: Power,
) -> anyhow::Result<Outcome> {
    let asked = format!("vm {verb}");
    let asked = asked.as_str();
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
