//! `agent session show`

use super::find;
use super::list::COLUMNS;
use crate::cli::Outcome;
use crate::cli::over::at;
use crate::context::Ctx;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker agent session show 01a1fd4a
  esker agent session show 01a1fd4a -o json | jq .usage")]
pub struct ShowArgs {
    /// Session to show: its id or a beginning of it
    #[arg(value_name = "ID")]
    session: String,
    /// Look among your own too
    #[arg(long)]
    shared: bool,
}

/// Shows one session.
pub async fn run(ctx: &Ctx, args: ShowArgs) -> anyhow::Result<Outcome> {
    let (target, session) = find(ctx, &args.session, args.shared, "agent session show").await?;
    ctx.out.one(&at(&target, session), COLUMNS)?;
    Ok(Outcome::Done)
}
