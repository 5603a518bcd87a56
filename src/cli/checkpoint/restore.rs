//! `checkpoint restore`

use super::{of, uncertain};
use crate::cli::drive::Driven;
use crate::cli::over::at;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::ErrorKind;
use crate::fanout::bounded;
use crate::model::{CheckpointId, Restored};
use crate::output::{Cell, Column, Danger, Format};
use crate::provider::checkpoints::RestoreTo;
use crate::provider::{Feature, Need};
use crate::settings::Opt;
use clap::Args;

const COLUMNS: &[Column<Restored>] = &[
    Column::new("CHECKPOINT", "checkpoint", |r: &Restored| Cell::text(&r.checkpoint.0)),
    Column::new("MACHINE", "machine", |r: &Restored| Cell::text(&r.machine)),
];

#[derive(Args, Debug)]
#[command(after_help = "\
What changed since the checkpoint is lost, and what runs is stopped. It is done
once the target answers again. In a script, name the target whose state goes.

Examples:
  esker checkpoint restore v3 --target sprites/dev
  esker checkpoint restore v3 --target sprites/dev --confirm sprites/dev")]
pub struct CheckpointRestoreArgs {
    /// Id of the checkpoint
    #[arg(value_name = "ID", add = complete::checkpoints())]
    id: String,
    /// Make a new machine of it instead; the target stays as it is
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
}

/// Goes back to a checkpoint at every target, or makes a machine of it.
pub async fn run(ctx: &Ctx, args: CheckpointRestoreArgs) -> anyhow::Result<Outcome> {
    let mut needs = vec![Need::new(Feature::Checkpoints, "checkpoint restore")];
    needs.extend(args.to.as_ref().map(|_| Need::new(Feature::CheckpointClone, "--to")));
    let (targets, failed) = ctx.targets(&needs).await?;
    if args.to.is_none() && !targets.is_empty() {
        let names: Vec<String> = targets.iter().map(|target| target.full.clone()).collect();
        let action = format!("restore `{}` over the state of `{}`", args.id, names.join("`, `"));
        let (out, danger) = (ctx.out.clone(), Danger::Severe { action, names });
        tokio::task::spawn_blocking(move || out.confirm(&danger)).await??;
    }
    let id = &CheckpointId::from(args.id);
    let to = &args.to.map_or(RestoreTo::InPlace, RestoreTo::New);
    let gathered = ctx
        .operate_at(targets, failed, |target| async move {
            let list = format!("esker checkpoint list --target {}", target.full);
            let restoring = async {
                let what = format!("restore `{id}` of `{}`", target.full);
                let restoring = of(&target, "checkpoint restore")?.restore(id, to.clone());
                let operation = bounded(restoring, ctx.settings.duration(Opt::Timeout)).await?;
                ctx.drive(&target, &what, "esker checkpoint list", true, operation).await
            };
            let driven = restoring.await.map_err(|error| match error.kind() {
                ErrorKind::NotFound => error.hint(format!("`{list}` shows all")),
                _ => uncertain(error, &format!("esker checkpoint show Current --target {}", target.full)),
            })?;
            let Driven::Done(_, restored) = driven else {
                return Err(crate::error::Error::internal("a restore was left, and nobody asked for that"));
            };
            ctx.out.done(&format!("restored `{id}` on `{}`", target.full));
            if ctx.out.format() == Format::Jsonl {
                ctx.out.event("result", &at(&target, &restored))?;
            }
            Ok(restored)
        })
        .await;
    match ctx.out.format() {
        Format::Table | Format::Wide | Format::Jsonl => gathered.finish(),
        _ => ctx.objects(gathered, COLUMNS),
    }
}
