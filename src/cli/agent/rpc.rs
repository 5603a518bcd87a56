//! `agent rpc`: any command of the agent's own protocol.

use super::live::client;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::Error;
use crate::provider::agent::Command;
use clap::Args;
use serde_json::Value;

#[derive(Args, Debug)]
#[command(after_help = "\
The command is an object with its `type`; its id is made up here. What the agent
answers is printed as it is.

Examples:
  esker agent rpc fix '{\"type\":\"get_state\"}'
  esker agent rpc fix '{\"type\":\"set_auto_retry\",\"enabled\":false}'")]
pub struct RpcArgs {
    /// Session to talk to
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
    /// Command, as JSON
    #[arg(value_name = "JSON")]
    command: String,
}

/// Sends a command.
pub async fn run(ctx: &Ctx, args: RpcArgs) -> anyhow::Result<Outcome> {
    let wrong =
        || Error::usage("the command is no object with a `type`").hint("for example '{\"type\":\"get_state\"}'");
    let Ok(Value::Object(mut data)) = serde_json::from_str(&args.command) else { return Err(wrong().into()) };
    let Some(Value::String(kind)) = data.remove("type") else { return Err(wrong().into()) };
    let answer = client(ctx, &args.name)?.command(Command::Other { kind, data }).await?;
    ctx.out.value(&answer)?;
    Ok(Outcome::Done)
}
