//! `agent attach`: what a session does, from the first event that is left to its end.

use super::live::client;
use super::run::Show;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::model::AgentEvent;
use crate::provider::registry::driver;
use crate::signal::interrupted;
use crate::supervisor::{From, Line};
use clap::Args;
use futures_util::StreamExt as _;
use std::time::Duration;

/// How often what shows that something goes on moves.
const TICK: Duration = Duration::from_millis(100);

#[derive(Args, Debug)]
#[command(after_help = "\
Ctrl-C leaves the session at work. Questions are shown; `agent answer` answers them.

Examples:
  esker agent attach fix
  esker agent attach fix --new -o jsonl | jq -c 'select(.type == \"agent.tool_end\")'")]
pub struct AttachArgs {
    /// Session to watch
    #[arg(value_name = "NAME", add = complete::agents())]
    name: String,
    /// Leave out what has happened already
    #[arg(long)]
    new: bool,
    /// Come back when it has nothing to do
    #[arg(long)]
    until_idle: bool,
}

/// Watches a session.
pub async fn run(ctx: &Ctx, args: AttachArgs) -> anyhow::Result<Outcome> {
    let client = client(ctx, &args.name)?;
    let live = client.show().await?;
    let mut signals = ctx.signals.listen().await?;
    let mut lines = client.lines(if args.new { From::Now } else { From::Start }).await?;
    let provider = driver(&live.agent.agent).map_or("pi", |driver| driver.id);
    let mut show = Show::streaming(ctx, provider, &live.endpoint)?;
    let is_idle = async || Ok::<_, crate::error::Error>(client.show().await?.state == "idle");
    if args.until_idle && args.new && is_idle().await? {
        return Ok(Outcome::Done);
    }
    let mut ticks = tokio::time::interval(TICK);
    loop {
        let line = tokio::select! {
            line = lines.next() => line,
            signal = signals.next() => {
                return Err(interrupted(&signal, format!("left `{}` at work", args.name)).into());
            }
            _ = ticks.tick() => {
                show.tick();
                continue;
            }
        };
        match line.transpose()? {
            None => return Ok(Outcome::Done),
            Some(Line::Gap(lost)) => ctx.out.warn(&format!("{lost} events are no longer in the log")),
            Some(Line::Entry(entry)) => {
                told(ctx, &args.name, &entry.event);
                show.event(&entry.event)?;
                if args.until_idle && matches!(entry.event, AgentEvent::End { .. }) && is_idle().await? {
                    return Ok(Outcome::Done);
                }
            }
        }
    }
}

/// Says how a question is answered.
pub(super) fn told(ctx: &Ctx, name: &str, event: &AgentEvent) {
    if let AgentEvent::Interaction(dialog) = event
        && !ctx.out.is_structured()
    {
        let about = dialog.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
        ctx.out.note(&format!("it asks: {}{about}", dialog.prompt));
        ctx.out.hint(&format!("`esker agent answer {name} {} VALUE`", dialog.request_id));
    }
}
