//! `vm url`

use super::MachineArgs;
use super::columns::URLS;
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::error::Result;
use crate::model::MachineUrl;
use crate::output::Format;
use crate::provider::Feature;
use crate::provider::machines::MachineChange;
use crate::resolve::Target;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Prints the address alone; -o wide and -o json say who may use it. --access
changes that, in the provider's word: `public` lets everybody in.

Examples:
  esker vm url sprites/web
  esker vm url sprites/web --access public
  curl -fsS \"$(esker vm url sprites/web)\"")]
pub struct VmUrlArgs {
    #[command(flatten)]
    which: MachineArgs,
    /// Who may use it from now on
    #[arg(long, value_name = "WHO")]
    access: Option<String>,
}

/// Prints addresses, after changing who may use them if that was asked for.
pub async fn run(ctx: &Ctx, args: VmUrlArgs) -> anyhow::Result<Outcome> {
    let asked = "vm url";
    let (targets, failed) = args.which.machines(ctx, asked, &(Feature::MachinesUrl, asked)).await?;
    let access = &args.access;
    let work = |target: Target| async move { address(ctx, &target, access.as_deref()).await };
    let gathered = match access {
        Some(_) => ctx.change_at(targets, failed, work).await,
        None => ctx.read_at(targets, failed, work).await,
    };
    if ctx.out.format() != Format::Table {
        return ctx.objects(gathered, URLS);
    }
    for (_, found) in &gathered.done {
        ctx.out.remote_line(&found.url)?;
    }
    gathered.finish()
}

async fn address(ctx: &Ctx, target: &Target, access: Option<&str>) -> Result<MachineUrl> {
    let which = super::which(target, "vm url")?;
    let machines = super::machines(target, "vm url")?;
    if let Some(access) = access {
        let change = MachineChange { access: Some(access.to_owned()), ..MachineChange::default() };
        machines.update(&which, change).await?.wait().await?;
        ctx.out.done(&format!("the address of {} is `{access}` now", super::called(target)));
    }
    machines.url(&which).await
}
