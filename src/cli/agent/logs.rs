//! `agent logs`: what happened in a session, also in one that has ended.

use super::live::places;
use super::run::Show;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::Error;
use crate::model::AgentEvent;
use crate::provider::registry::driver;
use crate::supervisor::read_log;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
The log is bounded: the oldest events go first. `agent attach` follows a session.

Examples:
  esker agent logs fix
  esker agent logs fix --stderr
  esker agent logs fix -o jsonl | jq -c 'select(.type == \"agent.error\")'")]
pub struct LogsArgs {
    /// Session to look into
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
    /// Only what the agent's program wrote to its stderr
    #[arg(long)]
    stderr: bool,
}

/// Prints the log.
#[allow(clippy::unused_async, reason = "the tree wants all commands that need a runtime alike")]
pub async fn run(ctx: &Ctx, args: LogsArgs) -> anyhow::Result<Outcome> {
    let places = places(ctx)?;
    let dir = places.known(&args.name)?;
    let live = places.remembered(&args.name);
    let live = live.ok_or_else(|| Error::not_found(format!("nothing is left of the session `{}`", args.name)))?;
    let provider = driver(&live.agent.agent).map_or("pi", |driver| driver.id);
    let entries = read_log(&dir).filter(|entry| !args.stderr || matches!(entry.event, AgentEvent::Log { .. }));
    let mut show = Show::streaming(ctx, provider, &live.endpoint)?;
    for entry in entries {
        match &entry.event {
            AgentEvent::Log { text } if args.stderr && !ctx.out.is_structured() => ctx.out.remote_line(text)?,
            event => show.event(event)?,
        }
    }
    Ok(Outcome::Done)
}
