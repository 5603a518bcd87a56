//! `agent set`: another model for a session, or another level of thinking.

use super::live::{client, print};
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::Error;
use crate::provider::agent::Command;
use clap::Args;
use serde_json::{Value, json};

#[derive(Args, Debug)]
#[command(after_help = "\
Holds from the next call of the model on.

Examples:
  esker agent set fix --model anthropic/claude-sonnet-4-5
  esker agent set fix --thinking high")]
pub struct SetArgs {
    /// Session that is meant
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
    /// Model, with who serves it where that changes: PROVIDER/MODEL
    #[arg(long, value_name = "MODEL", required_unless_present = "thinking")]
    model: Option<String>,
    /// How much it thinks: off, minimal, low, medium, high, xhigh, max
    #[arg(long, value_name = "LEVEL")]
    thinking: Option<String>,
}

/// Changes a session.
pub async fn run(ctx: &Ctx, args: SetArgs) -> anyhow::Result<Outcome> {
    let client = client(ctx, &args.name)?;
    let other = |kind: &str, data: Value| Command::Other {
        kind: kind.to_owned(),
        data: data.as_object().cloned().unwrap_or_default(),
    };
    if let Some(model) = &args.model {
        let live = client.show().await?;
        let (provider, id) = match (model.split_once('/'), &live.agent.model_provider) {
            (Some((provider, id)), _) => (provider.to_owned(), id),
            (None, Some(provider)) => (provider.clone(), model.as_str()),
            (None, None) => {
                return Err(Error::usage("who serves the model is not known").hint("write PROVIDER/MODEL").into());
            }
        };
        client.command(other("set_model", json!({ "provider": provider, "modelId": id }))).await?;
    }
    if let Some(level) = &args.thinking {
        client.command(other("set_thinking_level", json!({ "level": level }))).await?;
    }
    print(ctx, &client.show().await?, &format!("changed `{}`", args.name), &Value::Null)?;
    Ok(Outcome::Done)
}
