//! `agent start`: a session that outlives this command. A process of its own holds it, see [`crate::supervisor`].

use super::host::HostArgs;
use super::live::{COLUMNS, places, row};
use super::open::{Judge, OpenArgs};
use super::{agent, target, way_back};
use crate::cli::Outcome;
use crate::config::duration;
use crate::context::{Ctx, var};
use crate::error::{Error, Result};
use crate::model::LiveSession;
use crate::provider::agent::{Command, Queue, SessionSpec};
use crate::settings::Opt;
use crate::supervisor::{self, Client};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

#[derive(Args, Debug)]
#[command(after_help = "\
The session goes on when this command ends. What it asks waits for `agent answer`,
unless --approve or --approve-rules decides. `agent attach` shows what it does.

Examples:
  esker agent start --name fix 'fix the failing test'
  esker agent start --target omp --approve-rules rules.yaml --idle-limit 2h
  esker agent start --name there --in sprites/dev --checkpoint
  esker agent send fix 'and now the docs'")]
pub struct StartArgs {
    /// What it is to do first; it is not waited for
    #[arg(value_name = "PROMPT")]
    prompt: Option<String>,
    /// Name of the session; by default a new number
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// End it when nothing happens for so long; `0` is never
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "30m")]
    idle_limit: Duration,
    /// How long the agent may take to end before it is killed
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "5s")]
    grace: Duration,
    #[command(flatten)]
    open: OpenArgs,
}

/// What the process that holds a session is told: by its stdin, since some of it may be secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) name: Option<String>,
    pub(super) spec: SessionSpec,
    pub(super) judge: Judge,
    pub(super) idle_limit_ms: Option<u64>,
    pub(super) grace_ms: u64,
    pub(super) most: Option<usize>,
    pub(super) host: HostArgs,
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Starts a session.
pub async fn run(ctx: &Ctx, args: StartArgs) -> anyhow::Result<Outcome> {
    let target = target(ctx, "agent start")?;
    agent(&target, "agent start")?;
    // Found out here rather than over there.
    let judge = args.open.judge()?;
    judge.responder(true)?;
    let place = args.open.host.place(ctx)?;
    let most = ctx.config.endpoints.get(&target.full).and_then(|endpoint| endpoint.text("max_sessions")?.parse().ok());
    let order = Order {
        name: args.name,
        spec: args.open.spec(&var)?,
        judge,
        idle_limit_ms: Some(args.idle_limit).filter(|limit| !limit.is_zero()).map(ms),
        grace_ms: ms(args.grace),
        most,
        host: args.open.host,
    };
    if let Some(place) = place.filter(|_| order.host.checkpoint) {
        way_back::checkpoint(ctx, &place).await?;
    }
    let began = begin(ctx, &target.full, args.open.cwd, &order);
    let live = match ctx.settings.duration(Opt::Timeout) {
        Some(limit) => tokio::time::timeout(limit, began).await.unwrap_or_else(|_| {
            Err(Error::timeout(format!("`agent start` gave up after {} (--timeout)", duration::show(limit))))
        }),
        None => began.await,
    };
    let live = live.map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
    let client = Client::new(&live.name, places(ctx)?.socket(&live.name));
    if let Some(text) = args.prompt {
        client.command(Command::Prompt { text, images: Vec::new(), queue: Queue::Refuse }).await?;
    }
    ctx.out.done(&format!("started `{}`", live.name));
    if ctx.out.is_structured() {
        let live = client.show().await?;
        ctx.out.one(&row(&live, live.clone()), COLUMNS)?;
    } else {
        ctx.out.line(&live.name)?;
    }
    Ok(Outcome::Done)
}

/// Starts the process that holds the session, and waits until it can be reached.
async fn begin(ctx: &Ctx, target: &str, cwd: Option<PathBuf>, order: &Order) -> Result<LiveSession> {
    let cannot =
        |error: std::io::Error| Error::failure("cannot start the process that holds the session").source(error);
    let mut command = tokio::process::Command::new(std::env::current_exe().map_err(cannot)?);
    if let Some(config) = &ctx.config_file {
        command.arg("--config").arg(config);
    }
    command.args(["--target", target, "agent", "supervise"]);
    if let Some(cwd) = cwd {
        command.arg("--cwd").arg(cwd);
    }
    let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = streams.spawn().map_err(cannot)?;
    let mut stdin = child.stdin.take().expect("it is a pipe");
    let order = serde_json::to_vec(order).map_err(Error::internal)?;
    stdin.write_all(&order).await.map_err(cannot)?;
    drop(stdin);
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is a pipe");
    BufReader::new(stdout).read_line(&mut line).await.map_err(cannot)?;
    if line.is_empty() {
        return Err(Error::failure("the process that was to hold the session ended"));
    }
    serde_json::from_value(supervisor::read_answer(&line)?).map_err(Error::internal)
}
