//! `checkpoint create`

use super::columns::COLUMNS;
use super::{of, uncertain};
use crate::cli::Outcome;
use crate::cli::drive::Driven;
use crate::cli::over::{Gathered, at};
use crate::config::duration;
use crate::context::Ctx;
use crate::fanout::bounded;
use crate::model::Checkpoint;
use crate::output::Format;
use crate::provider::checkpoints::{CheckpointSpec, Expiry};
use crate::provider::{Feature, Need};
use crate::settings::Opt;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker checkpoint create --target sprites/dev --comment 'before the upgrade'
  id=$(esker checkpoint create -o name)
  esker checkpoint create -o jsonl                  # what the server says, as it says it")]
pub struct CheckpointCreateArgs {
    /// What is written on it
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// When the provider deletes it; `never` keeps it
    #[arg(long, value_name = "DURATION|never", value_parser = expiry)]
    expires: Option<Expiry>,
    /// Print the id of the operation and do not wait for it
    #[arg(long)]
    no_wait: bool,
}

fn expiry(text: &str) -> Result<Expiry, String> {
    if text == "never" { Ok(Expiry::Never) } else { duration::parse(text).map(Expiry::After) }
}

/// Makes a checkpoint at every target.
pub async fn run(ctx: &Ctx, args: CheckpointCreateArgs) -> anyhow::Result<Outcome> {
    let mut needs = vec![Need::new(Feature::Checkpoints, "checkpoint create")];
    needs.extend(args.expires.map(|_| Need::new(Feature::CheckpointExpiry, "--expires")));
    needs.extend(args.no_wait.then(|| Need::new(Feature::CheckpointOperation, "--no-wait")));
    let spec = &CheckpointSpec { comment: args.comment, expiry: args.expires.unwrap_or(Expiry::Provider) };
    let gathered = ctx
        .operate(&needs, |target| async move {
            let list = format!("esker checkpoint list --target {}", target.full);
            let making = async {
                let what = format!("create a checkpoint of `{}`", target.full);
                let creating = of(&target, "checkpoint create")?.create(spec.clone());
                let operation = bounded(creating, ctx.settings.duration(Opt::Timeout)).await?;
                ctx.drive(&target, &what, "esker checkpoint list", !args.no_wait, operation).await
            };
            let driven = making.await.map_err(|error| uncertain(error, &list))?;
            if let Driven::Done(_, made) = &driven {
                ctx.out.done(&format!("created checkpoint `{}` of `{}`", made.id, target.full));
                if ctx.out.format() == Format::Jsonl {
                    ctx.out.event("result", &at(&target, made))?;
                }
            }
            Ok(driven)
        })
        .await?;
    print(ctx, gathered)
}

/// What was made; without `--no-wait` as documents, with it the ids to wait for.
fn print(ctx: &Ctx, gathered: Gathered<Driven<Checkpoint>>) -> anyhow::Result<Outcome> {
    let mut made = Vec::new();
    let mut left = Vec::new();
    for (target, driven) in gathered.done {
        match driven {
            Driven::Done(_, checkpoint) => made.push((target, checkpoint)),
            Driven::Left(id) => left.push(id.map_or_else(|| target.full.clone(), |id| id.0)),
        }
    }
    for id in &left {
        ctx.out.line(id)?;
    }
    let made = Gathered { done: made, failed: gathered.failed };
    // In jsonl each was told when it was made; people were told in a sentence.
    match ctx.out.format() {
        Format::Table | Format::Wide | Format::Jsonl => made.finish(),
        _ if left.is_empty() => ctx.objects(made, COLUMNS),
        _ => made.finish(),
    }
}
