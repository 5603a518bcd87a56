//! `checkpoint show`

use super::columns::COLUMNS;
use super::of;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::ErrorKind;
use crate::model::CheckpointId;
use crate::provider::Feature;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker checkpoint show v3 --target sprites/dev
  esker checkpoint show v3 -o json | jq -r .comment")]
pub struct CheckpointShowArgs {
    /// Id of the checkpoint
    #[arg(value_name = "ID", add = complete::checkpoints())]
    id: String,
}

/// Shows a checkpoint.
pub async fn run(ctx: &Ctx, args: CheckpointShowArgs) -> anyhow::Result<Outcome> {
    let id = &CheckpointId::from(args.id);
    let gathered = ctx
        .read(&(Feature::Checkpoints, "checkpoint show"), |target| async move {
            of(&target, "checkpoint show")?.get(id).await.map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    error.hint(format!("`esker checkpoint list --target {}` shows all", target.full))
                }
                _ => error,
            })
        })
        .await?;
    ctx.objects(gathered, COLUMNS)
}
