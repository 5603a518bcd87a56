//! `agent show`: one session, and what it asks.

use super::live::{COLUMNS, look, places, row};
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::Error;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker agent show fix
  esker agent show fix -o json | jq -r '.questions[].request_id'")]
pub struct ShowArgs {
    /// Session to show
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
}

/// Shows one session.
pub async fn run(ctx: &Ctx, args: ShowArgs) -> anyhow::Result<Outcome> {
    let places = places(ctx)?;
    places.known(&args.name)?;
    let live = look(&places, &args.name).await;
    let live = live.ok_or_else(|| Error::not_found(format!("nothing is left of the session `{}`", args.name)))?;
    ctx.out.one(&row(&live, live.clone()), COLUMNS)?;
    if !ctx.out.is_structured() {
        for question in &live.questions {
            let about = question.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
            ctx.out.note(&format!("{} asks: {}{about}", question.request_id, question.prompt));
        }
    }
    Ok(Outcome::Done)
}
