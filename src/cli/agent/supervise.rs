//! `agent supervise`: the process that holds a session. It is two that guard each other, so that the agent and all that
//! it starts end with either of them, however it ends (see [`crate::host::guard`]).

use super::host::Host;
use super::live::places;
use super::start::Order;
use super::{agent, target};
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::host::guard::{Guard, Half, Ward, split};
use crate::host::process::{Exit, end_descendants};
use crate::host::silence;
use crate::provider::local::remote_path;
use crate::supervisor::{self, Client, Request, Setup};
use clap::Args;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args, Debug)]
#[command(after_help = "\
What it holds, it reads from stdin; `agent start` writes it.

Examples:
  esker agent start --name fix
  esker agent stop fix")]
pub struct SuperviseArgs {
    /// Directory that the agent works in
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
}

/// Holds a session until it ends.
pub fn run(ctx: &Ctx, args: SuperviseArgs) -> anyhow::Result<Outcome> {
    // Out of the terminal's reach; one that leads a session already is that.
    let _ = rustix::process::setsid();
    let half = split().map_err(|error| Error::failure("cannot hold a session").source(error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match half {
        Half::Guard(guard) => runtime.block_on(watch(ctx, &guard)),
        Half::Ward(ward) => runtime.block_on(async {
            tokio::select! {
                outcome = work(ctx, args) => outcome,
                orphaned = ward_is_alone(&ward) => {
                    orphaned?;
                    end_descendants();
                    Ok(Outcome::Status(1))
                }
            }
        }),
    }
}

async fn ward_is_alone(ward: &Ward) -> Result<()> {
    ward.orphaned().await.map_err(Error::internal)
}

/// Waits for the other half, and passes signals on to it.
async fn watch(ctx: &Ctx, guard: &Guard) -> anyhow::Result<Outcome> {
    silence().map_err(Error::internal)?;
    let mut signals = ctx.signals.listen().await?;
    let mut ended = std::pin::pin!(guard.wait());
    loop {
        tokio::select! {
            exit = &mut ended => return Ok(match exit.map_err(Error::internal)? {
                Exit::Code(code) => Outcome::Status(code),
                Exit::Signal(_) => Outcome::Status(1),
            }),
            signal = signals.next() => guard.signal(&signal),
        }
    }
}

/// Opens the session and holds it. What comes of the opening is the one line on stdout.
async fn work(ctx: &Ctx, args: SuperviseArgs) -> anyhow::Result<Outcome> {
    let ready = match open(ctx, args).await {
        Ok(ready) => ready,
        Err(error) => {
            ctx.out.line(&supervisor::answer(Err(error)))?;
            return Ok(Outcome::Status(1));
        }
    };
    let (session, setup) = ready;
    let grace = setup.grace;
    let client = Client::new(&setup.claim.name, setup.claim.socket.clone());
    let mut signals = ctx.signals.listen().await?;
    let mut held = std::pin::pin!(supervisor::hold(session, setup, |live| {
        let line = supervisor::answer(serde_json::to_value(live).map_err(Error::internal));
        // One who left before the end of the opening finds it by its name.
        let _ = ctx.out.line(&line);
        let _ = silence();
    }));
    loop {
        tokio::select! {
            ended = &mut held => {
                ended?;
                return Ok(Outcome::Done);
            }
            _ = signals.next() => {
                let (client, grace_ms) = (client.clone(), u64::try_from(grace.as_millis()).unwrap_or(u64::MAX));
                tokio::spawn(async move { client.ask(&Request::Stop { grace_ms }).await });
            }
        }
    }
}

async fn open(ctx: &Ctx, args: SuperviseArgs) -> Result<(crate::provider::agent::Session, Setup)> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| Error::usage("no order on stdin").source(error))?;
    let order: Order = serde_json::from_str(&text).map_err(|error| {
        Error::usage("no order on stdin").cause(error.to_string()).hint("`esker agent start` writes it")
    })?;
    let target = target(ctx, "agent start")?;
    let claim = places(ctx)?.claim(order.name.as_deref(), &target.full, order.most)?;
    let responder = order.judge.responder(true)?;
    let mut spec = order.spec;
    spec.dir = args.cwd.as_deref().map(remote_path);
    let host = Host::find(ctx, &order.host)?;
    let session = host.open(agent(&target, "agent start")?, spec).await?;
    let setup = Setup {
        claim,
        endpoint: target.full.clone(),
        host: host.place().map(|place| place.full.clone()),
        idle_limit: order.idle_limit_ms.map(Duration::from_millis),
        responder,
        grace: Duration::from_millis(order.grace_ms),
    };
    Ok((session, setup))
}
