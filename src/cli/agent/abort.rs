//! `agent abort`: the session stays, what it does ends.

use super::live::{client, print};
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::provider::agent::Command;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Open questions are closed. The session stays and takes the next prompt.

Examples:
  esker agent abort fix
  esker agent abort fix && esker agent send fix 'start over'")]
pub struct AbortArgs {
    /// Session that is to stop
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
}

/// Aborts what a session does.
pub async fn run(ctx: &Ctx, args: AbortArgs) -> anyhow::Result<Outcome> {
    let client = client(ctx, &args.name)?;
    let data = client.command(Command::Abort).await?;
    print(ctx, &client.show().await?, &format!("`{}` stopped what it did", args.name), &data)?;
    Ok(Outcome::Done)
}
