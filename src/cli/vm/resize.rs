//! `vm resize`

use super::{MachineArgs, MachineWaitArgs};
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::error::Error;
use crate::output::human;
use crate::provider::machines::{MachineChange, Size};
use crate::resolve::Target;
use clap::Args;

// How much a machine is given.
#[derive(Args, Clone, Debug)]
pub struct SizeArgs {
    /// How many processors it has
    #[arg(long, value_name = "N", value_parser = processors)]
    cpus: Option<f64>,
    /// How much memory it has, such as 2GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// How much disk it has, such as 20GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    disk: Option<u64>,
}

impl SizeArgs {
    /// As providers take it.
    pub(super) fn size(&self) -> Size {
        Size { cpus: self.cpus, memory_bytes: self.memory, disk_bytes: self.disk }
    }
}

fn size(text: &str) -> Result<u64, String> {
    human::parse_size(text).map_err(|error| error.to_string())
}

fn processors(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|cpus: &f64| cpus.is_finite() && *cpus > 0.0).ok_or_else(|| "expected a number".to_owned())
}

#[derive(Args, Debug)]
#[command(after_help = "\
What is not said stays as it is. A machine that runs may have to be made anew or
restarted for that; a warning says so. What a provider gave less of is warned
about too.

Examples:
  esker vm resize rexec/box --memory 2GiB
  esker vm resize rexec/web-1 rexec/web-2 --cpus 2 --disk 8GiB")]
pub struct VmResizeArgs {
    #[command(flatten)]
    which: MachineArgs,
    #[command(flatten)]
    size: SizeArgs,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

/// Changes how much machines have.
pub async fn run(ctx: &Ctx, args: VmResizeArgs) -> anyhow::Result<Outcome> {
    let asked = "vm resize";
    let change = MachineChange { size: args.size.size(), ..MachineChange::default() };
    if change.size == Size::default() {
        return Err(Error::usage("nothing is to be changed").hint("pass --cpus, --memory or --disk").into());
    }
    let (targets, failed) = args.which.machines(ctx, asked, &change).await?;
    let (change, wait) = (&change, !args.wait.no_wait);
    let work = |target: Target| async move {
        let which = super::which(&target, asked)?;
        let begun = super::machines(&target, asked)?.update(&which, change.clone());
        super::drive(ctx, &target, "resize", wait, begun).await
    };
    let gathered = ctx.operate_at(targets, failed, work).await;
    super::tell(ctx, "resize", "resized", gathered)
}
