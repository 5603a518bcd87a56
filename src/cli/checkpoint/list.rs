//! `checkpoint list`

use super::columns::COLUMNS;
use super::of;
use crate::cli::args::Listing;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::provider::checkpoints::CheckpointsQuery;
use crate::provider::{Feature, Need};
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Newest first. The live state is no checkpoint, and not among them.

Examples:
  esker checkpoint list --target sprites/dev
  esker checkpoint list --history v3 -o json
  esker checkpoint list --target 'sprites/*' --sort created_at")]
pub struct CheckpointListArgs {
    /// Only checkpoints that came out of this one
    #[arg(long, value_name = "ID", add = complete::checkpoints())]
    history: Option<String>,
    /// Also those that the provider made by itself
    #[arg(long)]
    include_auto: bool,
    #[command(flatten)]
    list: Listing,
}

/// Lists checkpoints.
pub async fn run(ctx: &Ctx, args: CheckpointListArgs) -> anyhow::Result<Outcome> {
    let mut needs = vec![Need::new(Feature::Checkpoints, "checkpoint list")];
    needs.extend(args.history.as_ref().map(|_| Need::new(Feature::CheckpointHistory, "--history")));
    needs.extend(args.include_auto.then(|| Need::new(Feature::CheckpointAuto, "--include-auto")));
    let query = &CheckpointsQuery { history: args.history.map(Into::into), include_auto: args.include_auto };
    let gathered = ctx.read(&needs, |target| async move { of(&target, "checkpoint list")?.list(query).await }).await?;
    let (rows, gathered) = gathered.rows(|found| found);
    ctx.list(&rows, COLUMNS, &args.list.into(), gathered)
}
