//! `agent compact`: a shorter context for a session.

use super::live::{client, print};
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::provider::agent::Command;
use clap::Args;
use serde_json::Map;

#[derive(Args, Debug)]
#[command(after_help = "\
The agent has its model sum up what was said, which costs a call.

Examples:
  esker agent compact fix
  esker agent compact fix 'keep the list of files'")]
pub struct CompactArgs {
    /// Session that is meant
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
    /// What the summary is to hold
    #[arg(value_name = "INSTRUCTIONS")]
    instructions: Option<String>,
}

/// Shortens the context of a session.
pub async fn run(ctx: &Ctx, args: CompactArgs) -> anyhow::Result<Outcome> {
    let client = client(ctx, &args.name)?;
    let mut data = Map::new();
    data.extend(args.instructions.map(|text| ("customInstructions".to_owned(), text.into())));
    let answer = client.command(Command::Other { kind: "compact".to_owned(), data }).await?;
    print(ctx, &client.show().await?, &format!("`{}` summed up what was said", args.name), &answer)?;
    Ok(Outcome::Done)
}
