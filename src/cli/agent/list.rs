//! `agent list`: the sessions that outlive their command.

use super::live::{COLUMNS, look, places, row};
use crate::cli::Outcome;
use crate::cli::args::Listing;
use crate::context::Ctx;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker agent list
  esker agent list --ended -o json
  esker agent list -o name | xargs esker agent stop")]
pub struct ListArgs {
    /// Those that have ended too
    #[arg(long)]
    ended: bool,
    #[command(flatten)]
    list: Listing,
}

/// Lists sessions.
pub async fn run(ctx: &Ctx, args: ListArgs) -> anyhow::Result<Outcome> {
    let places = places(ctx)?;
    let names = places.names();
    let looked = futures_util::future::join_all(names.iter().map(|name| look(&places, name))).await;
    let is_shown = |state: &str| args.ended || state != "ended";
    let rows: Vec<_> = looked
        .into_iter()
        .flatten()
        .filter(|live| is_shown(&live.state))
        .map(|live| row(&live.clone(), live))
        .collect();
    ctx.out.list(&rows, COLUMNS, &args.list.into())?;
    Ok(Outcome::Done)
}
