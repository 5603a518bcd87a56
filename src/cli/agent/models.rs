//! `agent models`

use super::{ask, target};
use crate::cli::Outcome;
use crate::cli::args::Order;
use crate::cli::over::at;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{AgentModel, Extra};
use crate::output::{Cell, Column};
use crate::provider::agent::{Command, Keys};
use clap::Args;
use serde_json::Value;

const COLUMNS: &[Column<AgentModel>] = &[
    Column::new("PROVIDER", "model_provider", |m: &AgentModel| Cell::text(&m.model_provider)),
    Column::new("MODEL", "id", |m: &AgentModel| Cell::text(&m.id)),
    Column::new("CONTEXT", "context_window", |m: &AgentModel| m.context_window.map_or(Cell::Empty, Cell::count)),
    Column::new("OUTPUT", "max_tokens", |m: &AgentModel| m.max_tokens.map_or(Cell::Empty, Cell::count)),
    Column::new("THINKS", "reasoning", |m: &AgentModel| Cell::yes_no(m.reasoning)),
    Column::new("INPUT", "input", |m: &AgentModel| Cell::List(m.input.clone())).wide(),
    Column::new("NAME", "name", |m: &AgentModel| Cell::maybe(m.name.as_deref())).elastic().wide(),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Models of every provider whose key is set here, or that the agent's own
configuration names. The agent is started for it, without a session.

Examples:
  esker agent models
  esker agent models --target omp -o name")]
pub struct ModelsArgs {
    #[command(flatten)]
    list: Order,
}

/// Lists models.
pub async fn run(ctx: &Ctx, args: ModelsArgs) -> anyhow::Result<Outcome> {
    let target = target(ctx, "agent models")?;
    let answer = ask(ctx, &target, Keys::All, None, Command::Models, "agent models").await?;
    let models = answer["models"].as_array().ok_or_else(|| Error::failure("the agent told no models"))?;
    let mut rows = models.iter().map(model).collect::<Result<Vec<_>>>()?;
    rows.sort_by(|a, b| (&a.model_provider, &a.id).cmp(&(&b.model_provider, &b.id)));
    let rows: Vec<_> = rows.into_iter().map(|row| at(&target, row)).collect();
    ctx.out.list(&rows, COLUMNS, &args.list.into())?;
    Ok(Outcome::Done)
}

fn model(value: &Value) -> Result<AgentModel> {
    let mut rest: Extra =
        value.as_object().cloned().ok_or_else(|| Error::failure("the agent told of a model that is none"))?;
    let mut text = |key: &str| rest.remove(key).and_then(|value| value.as_str().map(str::to_owned));
    let (id, provider, name) = (text("id").unwrap_or_default(), text("provider").unwrap_or_default(), text("name"));
    let mut take = |key: &str| rest.remove(key).unwrap_or_default();
    let input = take("input");
    let input = input.as_array().into_iter().flatten().filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
    let (reasoning, window, max) = (take("reasoning"), take("contextWindow"), take("maxTokens"));
    Ok(AgentModel {
        id,
        model_provider: provider,
        name,
        reasoning: reasoning == true,
        input,
        context_window: window.as_u64(),
        max_tokens: max.as_u64(),
        extra: rest,
    })
}
