//! `checkpoint delete`

use super::of;
use crate::cli::over::at;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::Error;
use crate::fanout::bounded;
use crate::model::{At, Changed, CheckpointId};
use crate::output::{Cell, Column, Danger, ListOptions};
use crate::provider::Feature;
use crate::settings::Opt;
use clap::Args;

const COLUMNS: &[Column<Changed>] = &[
    Column::new("ID", "name", |c: &Changed| Cell::text(&c.name)),
    Column::new("ACTION", "action", |c: &Changed| Cell::text(&c.action)),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker checkpoint delete v3 v4 --target sprites/dev
  esker checkpoint delete v3 --yes                  # in a script")]
pub struct CheckpointDeleteArgs {
    /// Ids of the checkpoints
    #[arg(value_name = "ID", required = true, add = complete::checkpoints())]
    ids: Vec<String>,
}

/// Deletes checkpoints; each is tried.
pub async fn run(ctx: &Ctx, args: CheckpointDeleteArgs) -> anyhow::Result<Outcome> {
    let (targets, mut failed) = ctx.targets(&(Feature::Checkpoints, "checkpoint delete")).await?;
    if !targets.is_empty() {
        let places: Vec<_> = targets.iter().map(|target| format!("`{}`", target.full)).collect();
        let noun = if args.ids.len() == 1 { "checkpoint" } else { "checkpoints" };
        let action = format!("delete {noun} `{}` of {}", args.ids.join("`, `"), places.join(", "));
        let (out, danger) = (ctx.out.clone(), Danger::Moderate { action });
        tokio::task::spawn_blocking(move || out.confirm(&danger)).await??;
    }
    let several = args.ids.len() * (targets.len() + failed.len()) > 1;
    let ids = &args.ids;
    let limit = ctx.settings.duration(Opt::Timeout);
    let gathered = ctx
        .operate_at(targets, Vec::new(), |target| async move {
            let checkpoints = of(&target, "checkpoint delete")?;
            let mut verdicts = Vec::new();
            for id in ids {
                let verdict = bounded(checkpoints.delete(&CheckpointId::from(id.as_str())), limit).await;
                if verdict.is_ok() {
                    ctx.out.done(&format!("deleted checkpoint `{id}` of `{}`", target.full));
                }
                verdicts.push(verdict.map(|()| id.clone()));
            }
            Ok(verdicts)
        })
        .await;
    failed.extend(gathered.failed);
    let mut rows: Vec<At<Changed>> = Vec::new();
    for (target, verdicts) in gathered.done {
        for verdict in verdicts {
            match verdict {
                Ok(name) => rows.push(at(&target, deleted(name))),
                Err(error) => failed.push(error.at(target.provider.driver().id, &*target.full)),
            }
        }
    }
    if ctx.out.is_structured() {
        match rows.as_slice() {
            [row] if !several => ctx.out.one(row, COLUMNS)?,
            [] => {}
            rows => ctx.out.list(rows, COLUMNS, &ListOptions::default())?,
        }
    }
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("checkpoints", failed, rows.len()).into()) }
}

fn deleted(name: String) -> Changed {
    Changed { name, action: "delete".to_owned(), changed: true, state: None, operation_id: None }
}
