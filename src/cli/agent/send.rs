//! `agent send`: a prompt for a session, seen through to its end unless it is left alone.

use super::live::{client, row};
use super::run::{AgentResult, Attendant, Ended, Limits, Show, failed};
use crate::agent::budget::Budget;
use crate::agent::policy::Responder;
use crate::cli::source::read_text;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::Error;
use crate::model::EndReason;
use crate::provider::agent::{Command, Queue};
use crate::provider::registry::driver;
use crate::settings::Opt;
use clap::Args;
use std::path::Path;
use tokio::time::Instant;

#[derive(Args, Debug)]
#[command(after_help = "\
Without --no-wait the answer is waited for and printed, as `agent run` prints it.
Ctrl-C stops waiting; the session goes on.

Examples:
  esker agent send fix 'now the docs'
  esker agent send fix --steer 'leave the tests alone' --no-wait
  git diff | esker agent send fix -")]
pub struct SendArgs {
    /// Session to talk to
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
    /// What it is to do; `-` reads stdin
    #[arg(value_name = "PROMPT")]
    prompt: String,
    /// If it works already, tell it after the tools that run now
    #[arg(long, conflicts_with = "follow_up")]
    steer: bool,
    /// If it works already, tell it when it is done
    #[arg(long)]
    follow_up: bool,
    /// Come back once the prompt is taken
    #[arg(long)]
    no_wait: bool,
}

/// Sends a prompt.
pub async fn run(ctx: &Ctx, args: SendArgs) -> anyhow::Result<Outcome> {
    let begun = Instant::now();
    let text = if args.prompt == "-" { read_text(Path::new("-"))? } else { args.prompt };
    if text.trim().is_empty() {
        return Err(Error::usage("the prompt is empty").into());
    }
    let queue = match (args.steer, args.follow_up) {
        (true, _) => Queue::Steer,
        (_, true) => Queue::FollowUp,
        _ => Queue::Refuse,
    };
    let client = client(ctx, &args.name)?;
    let prompt = Command::Prompt { text, images: Vec::new(), queue };
    if args.no_wait {
        client.command(prompt).await?;
        ctx.out.done(&format!("sent to `{}`", args.name));
        if ctx.out.is_structured() {
            let live = client.show().await?;
            ctx.out.one(&row(&live, live.clone()), super::live::COLUMNS)?;
        }
        return Ok(Outcome::Done);
    }
    let before = client.show().await?;
    let provider = driver(&before.agent.agent).map_or("pi", |driver| driver.id);
    let mut session = client.open().await?;
    let show = Show::new(ctx, provider, &before.endpoint)?;
    let limit = ctx.settings.duration(Opt::Timeout);
    let limits = Limits { budget: Budget::default(), deadline: limit.map(|limit| (begun + limit, limit)), idle: None };
    let signals = ctx.signals.listen().await?;
    // Its own policy has answered already what it could; the rest is asked here, if somebody is here.
    let responder = Responder::new(None, None, ctx.out.can_ask());
    let mut attendant = Attendant::new(ctx, show, responder, limits, signals);
    attendant.leaves = true;
    let error = match attendant.prompt(&mut session, prompt).await {
        Ok(Ended::Agent { reason: EndReason::Completed, .. }) => None,
        Ok(Ended::Agent { reason, error }) => Some(failed(reason, error)),
        Ok(Ended::Stopped(error)) | Err(error) => Some(error),
    };
    let error = error.map(|error| error.at(provider, &*before.endpoint));
    let Attendant { mut show, tally, .. } = attendant;
    let taken = tally.usage - before.usage;
    let turns = tally.turns.saturating_sub(before.turns);
    show.result(AgentResult::new(before.agent, tally, error.as_ref(), begun.elapsed()).with(taken, turns))?;
    match error {
        None => Ok(Outcome::Done),
        Some(error) => Err(error.into()),
    }
}
