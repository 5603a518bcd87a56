//! `vm wait`

use super::MachineArgs;
use crate::cli::Outcome;
use crate::cli::until::{Look, until};
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{Feature, Need};
use crate::resolve::Target;
use crate::suggest::nearest;
use clap::Args;
use std::cell::Cell;

/// What a machine can be waited for beside its states.
pub(in crate::cli) const USABLE: &str = "usable";
const DELETED: &str = "deleted";
/// The states that are known of machines. Providers may have others: only a near miss is refused.
const STATES: [&str; 8] = [USABLE, DELETED, "running", "stopped", "warm", "cold", "paused", "error"];

#[derive(Args, Debug)]
#[command(after_help = "\
`usable` waits until it answers or would wake up, `deleted` until it is gone, any
other word until that is its status. Waiting wakes nothing up.

Exit codes: 0 met, 9 the time is up (30s unless --timeout says otherwise), 7 it
can no longer be met, 6 no such machine.

Examples:
  esker vm wait sprites/dev --for running --timeout 1m
  esker vm wait sprites/ci-1 sprites/ci-2 --for usable
  esker vm wait 'sprites/ci-*' --for deleted")]
pub struct VmWaitArgs {
    #[command(flatten)]
    which: MachineArgs,
    /// What to wait for: usable, deleted, or a status such as running
    #[arg(long = "for", value_name = "CONDITION")]
    condition: String,
}

/// Waits until machines are as is wanted.
pub async fn run(ctx: &Ctx, args: VmWaitArgs) -> anyhow::Result<Outcome> {
    let asked = "vm wait";
    let condition = args.condition.as_str();
    if let Some(meant) = nearest(condition, STATES).filter(|meant| *meant != condition) {
        return Err(Error::usage(format!("no state `{condition}` of machines"))
            .hint(format!("did you mean `{meant}`?"))
            .into());
    }
    let mut needs = vec![Need::new(Feature::Machines, asked)];
    if condition == USABLE {
        needs.push(Need::new(Feature::MachinesHealth, "vm wait --for usable"));
    }
    let (targets, failed) = args.which.machines(ctx, asked, &needs).await?;
    let work = |target: Target| async move {
        let what = format!("vm wait {} --for {condition}", target.full);
        let seen = Cell::new(false);
        until(ctx, &target.full, &what, || look(&target, condition, &seen)).await
    };
    ctx.operate_at(targets, failed, work).await.finish()
}

/// One look; `seen` is whether the machine was there at an earlier one.
pub(in crate::cli) async fn look(target: &Target, condition: &str, seen: &Cell<bool>) -> Result<Look> {
    let machines = super::machines(target, "vm wait")?;
    let which = super::which(target, "vm wait")?;
    let status = if condition == USABLE {
        machines.health(&which).await.map(|health| (health.healthy, health.reason.unwrap_or(health.status)))
    } else {
        machines.find(&which).await.map(|machine| (machine.status.eq_ignore_ascii_case(condition), machine.status))
    };
    match status {
        Ok((true, _)) => Ok(Look::Met),
        Ok((false, status)) => {
            seen.set(true);
            Ok(Look::NotYet(format!("{} is `{status}`", super::called(target))))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Err(_) if condition == DELETED => Ok(Look::Met),
        Err(_) if seen.get() => Ok(Look::Never("it was deleted".to_owned())),
        Err(error) => Err(error),
    }
}
