//! `exec`: a program at one or many targets, with its own exit code (ux 9.1-9.5, exit codes 3.2).

mod args;
mod attend;
mod ended;
mod fleet;
mod fresh;
pub(super) mod input;
mod keys;
mod plan;
mod runs;
mod script;

pub use args::ExecArgs;

use self::plan::Plan;
use super::Outcome;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::provider::Needs;
use crate::resolve::Target;

/// Runs a program, or does something about a run.
pub async fn run(ctx: &Ctx, args: ExecArgs) -> anyhow::Result<Outcome> {
    ctx.out.mark_notices();
    if let Some(verb) = args.verb()? {
        return runs::run(ctx, &args, verb).await;
    }
    let plan = Plan::new(ctx, &args)?;
    if let Some(fresh) = &args.fresh {
        return fresh::run(ctx, &args, fresh, plan).await;
    }
    let (targets, failed) = targets(ctx, &args, &plan.base).await?;
    if let [target] = targets.as_slice()
        && failed.is_empty()
    {
        let target = target.clone();
        return fleet::single(ctx, plan, target).await;
    }
    fleet::several(ctx, &args, plan, targets, failed).await
}

/// The targets: positional here, since they are what is acted on (ux 1.2).
async fn targets(ctx: &Ctx, args: &ExecArgs, needs: &dyn Needs) -> Result<(Vec<Target>, Vec<Error>)> {
    let patterns = ctx.patterns(&args.targets).map_err(|error| {
        // Without `--` a command is taken for targets.
        if args.command.is_empty() && !args.targets.is_empty() {
            error.hint("the command goes after `--`: esker exec [TARGET...] -- CMD [ARG...]")
        } else {
            error
        }
    })?;
    ctx.targets_of(patterns, needs).await
}
