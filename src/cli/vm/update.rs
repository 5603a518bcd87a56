//! `vm update`

use super::MachineArgs;
use crate::cli::Outcome;
use crate::cli::args::key_value;
use crate::context::Ctx;
use crate::error::Error;
use crate::provider::machines::MachineChange;
use crate::resolve::Target;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
What is not named stays as it is. --label names all labels that the machine
bears from now on.

Examples:
  esker vm update sprites/dev --label ci --label team=a
  esker vm update 'sprites/ci-*' --clear-labels
  esker vm update sprites/web --access public")]
pub struct VmUpdateArgs {
    #[command(flatten)]
    which: MachineArgs,
    /// A label that it bears from now on; repeat it for several
    #[arg(long, value_name = "LABEL", conflicts_with = "clear_labels")]
    label: Vec<String>,
    /// Take all labels away
    #[arg(long)]
    clear_labels: bool,
    /// Who may use its address, in the provider's word, such as public
    #[arg(long, value_name = "WHO")]
    access: Option<String>,
    /// A field that only this provider has; repeat it for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
}

/// Changes machines.
pub async fn run(ctx: &Ctx, args: VmUpdateArgs) -> anyhow::Result<Outcome> {
    let asked = "vm update";
    let labels = (args.clear_labels || !args.label.is_empty()).then_some(args.label);
    let change = MachineChange { labels, access: args.access, fields: args.set, ..MachineChange::default() };
    if change.labels.is_none() && change.access.is_none() && change.fields.is_empty() {
        return Err(Error::usage("nothing is to be changed").hint("`esker vm update -h` shows what can be").into());
    }
    let (targets, failed) = args.which.machines(ctx, asked, &change).await?;
    let change = &change;
    let work = |target: Target| async move {
        let which = super::which(&target, asked)?;
        super::drive(ctx, &target, "update", true, super::machines(&target, asked)?.update(&which, change.clone()))
            .await
    };
    let gathered = ctx.operate_at(targets, failed, work).await;
    super::tell(ctx, "update", "updated", gathered)
}
