//! `vm console`

use super::MachineArgs;
use super::columns::URLS;
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::output::Format;
use crate::provider::Feature;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Prints the address, for a viewer of its kind; -o json has that of the page for a
browser, too.

Examples:
  esker vm console lab/web01
  remote-viewer \"$(esker vm console lab/web01)\"")]
pub struct VmConsoleArgs {
    #[command(flatten)]
    which: MachineArgs,
}

/// Prints where consoles can be reached.
pub async fn run(ctx: &Ctx, args: VmConsoleArgs) -> anyhow::Result<Outcome> {
    let asked = "vm console";
    let (targets, failed) = args.which.machines(ctx, asked, &(Feature::MachinesConsole, asked)).await?;
    let gathered = ctx
        .read_at(targets, failed, |target| async move {
            super::machines(&target, asked)?.console(&super::which(&target, asked)?).await
        })
        .await;
    if ctx.out.format() != Format::Table {
        return ctx.objects(gathered, URLS);
    }
    for (_, found) in &gathered.done {
        ctx.out.remote_line(&found.url)?;
    }
    gathered.finish()
}
