//! `agent stop`: the end of sessions. What is in their files stays, and can be gone on with.

use super::live::{COLUMNS, look, places, row};
use crate::cli::{Outcome, complete};
use crate::config::duration;
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::Opt;
use crate::supervisor::{Client, Places, Request};
use clap::Args;
use std::time::Duration;

#[derive(Args, Debug)]
#[command(after_help = "\
The agent's own session file stays: `agent run --resume ID` goes on with it.

Examples:
  esker agent stop fix
  esker agent stop --all --grace 1s
  esker agent stop fix --forget")]
pub struct StopArgs {
    /// Sessions to end
    #[arg(value_name = "NAME", add = complete::agents())]
    names: Vec<String>,
    /// How long an agent may take to end before it is killed
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "5s")]
    grace: Duration,
    /// Remove the log too
    #[arg(long)]
    forget: bool,
}

/// Ends sessions.
pub async fn run(ctx: &Ctx, args: StopArgs) -> anyhow::Result<Outcome> {
    let places = places(ctx)?;
    let names: Vec<String> = match (ctx.settings.on(Opt::All), args.names.is_empty()) {
        (true, true) => places.names().into_iter().filter(|name| args.forget || places.is_live(name)).collect(),
        (false, false) => args.names,
        (false, true) => return Err(Error::usage("no session is named").hint("name some, or pass --all").into()),
        (true, false) => return Err(Error::usage("--all goes without names").into()),
    };
    // At once: one that hangs does not hold up the others.
    let stops = names.iter().map(|name| stop(ctx, &places, name, args.grace, args.forget));
    let stopped = futures_util::future::join_all(stops).await;
    let mut rows = Vec::new();
    let mut errors = Vec::new();
    for outcome in stopped {
        match outcome {
            Ok(row) => rows.extend(row),
            Err(error) => errors.push(error),
        }
    }
    if ctx.out.is_structured() {
        match (&rows[..], names.len()) {
            ([row], 1) => ctx.out.one(row, COLUMNS)?,
            _ => ctx.out.list(&rows, COLUMNS, &crate::output::ListOptions::default())?,
        }
    }
    match errors.len() {
        0 => Ok(Outcome::Done),
        1 if names.len() == 1 => Err(errors.swap_remove(0).into()),
        count => {
            let error =
                Error::new(ErrorKind::Partial, format!("{count} of {} sessions could not be stopped", names.len()));
            Err(errors.iter().fold(error, |all, one| all.cause(one.to_string())).into())
        }
    }
}

async fn stop(
    ctx: &Ctx,
    places: &Places,
    name: &str,
    grace: Duration,
    forget: bool,
) -> Result<Option<crate::model::At<crate::model::LiveSession>>> {
    places.known(name)?;
    if places.is_live(name) {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        Client::new(name, places.socket(name)).ask(&Request::Stop { grace_ms }).await?;
        // It lets go of its name a moment after it has answered.
        let left = async {
            while places.is_live(name) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(grace + Duration::from_secs(5), left).await;
        ctx.out.done(&format!("stopped `{name}`"));
    } else {
        ctx.out.done(&format!("`{name}` has ended already"));
    }
    let live = look(places, name).await;
    if forget {
        places.forget(name)?;
    }
    Ok(live.map(|live| row(&live.clone(), live)))
}
