//! `agent usage`: what a session has used.

use super::live::{look, places, row};
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::Error;
use crate::model::{AgentUsage, Row};
use crate::output::{Cell, Column};
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// What a session has used since it was started.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SessionUsage {
    /// The session.
    pub name: String,
    /// Calls of the model.
    pub turns: u64,
    /// What they took.
    #[serde(flatten)]
    pub usage: AgentUsage,
}

impl Row for SessionUsage {
    const NOUN: &'static str = "sessions";
    fn id(&self) -> String {
        self.name.clone()
    }
}

const COLUMNS: &[Column<SessionUsage>] = &[
    Column::new("NAME", "name", |s: &SessionUsage| Cell::text(&s.name)),
    Column::new("TURNS", "turns", |s: &SessionUsage| Cell::count(s.turns)),
    Column::new("INPUT", "input_tokens", |s: &SessionUsage| Cell::count(s.usage.input_tokens)),
    Column::new("OUTPUT", "output_tokens", |s: &SessionUsage| Cell::count(s.usage.output_tokens)),
    Column::new("CACHED", "cache_read_tokens", |s: &SessionUsage| Cell::count(s.usage.cache_read_tokens)),
    Column::new("TOTAL", "total_tokens", |s: &SessionUsage| Cell::count(s.usage.total_tokens)),
    Column::new("COST", "cost_usd", |s: &SessionUsage| {
        Cell::maybe(s.usage.cost_usd.map(|cost| format!("${cost:.4}")).as_deref())
    }),
];

#[derive(Args, Debug)]
#[command(after_help = "\
The cost is by the agent's own price table; none means that it knows no price.

Examples:
  esker agent usage fix
  esker agent usage fix -o json | jq .cost_usd")]
pub struct UsageArgs {
    /// Session that is meant
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
}

/// Shows what a session has used.
pub async fn run(ctx: &Ctx, args: UsageArgs) -> anyhow::Result<Outcome> {
    let places = places(ctx)?;
    places.known(&args.name)?;
    let live = look(&places, &args.name).await;
    let live = live.ok_or_else(|| Error::not_found(format!("nothing is left of the session `{}`", args.name)))?;
    let used = SessionUsage { name: live.name.clone(), turns: live.turns, usage: live.usage };
    ctx.out.one(&row(&live, used), COLUMNS)?;
    Ok(Outcome::Done)
}
