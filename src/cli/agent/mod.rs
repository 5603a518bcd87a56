//! `agent`: coding agents. Which program that is, is the endpoint's business: `--target` picks it.

pub mod abort;
pub mod answer;
pub mod attach;
pub mod bash;
pub mod compact;
pub mod doctor;
pub mod host;
pub mod list;
mod live;
pub mod logs;
pub mod models;
pub mod open;
pub mod rpc;
pub mod run;
pub mod send;
pub mod session;
pub mod set;
pub mod show;
pub mod start;
pub mod stop;
pub mod supervise;
pub mod usage;
pub mod way_back;

use self::host::Host;
use super::tree::{Node, group, plain, talk};
use crate::config::Origin;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{AgentEvent, At, RemotePath, TopRow};
use crate::provider::agent::{Agent, Answer, Command, Keys, Session, SessionSpec, Which};
use crate::provider::feature::capability;
use crate::provider::registry::DRIVERS;
use crate::provider::{Feature, require};
use crate::resolve::Target;
use crate::settings::Opt;
use crate::signal::interrupted;
use futures_util::StreamExt as _;
use serde_json::Value;
use std::time::Duration;

/// The sessions that outlive their commands, as rows of `top`.
pub(super) async fn live_sessions(ctx: &Ctx) -> Result<Vec<At<TopRow>>> {
    let places = live::places(ctx)?;
    let names = places.names();
    let looked = futures_util::future::join_all(names.iter().map(|name| live::look(&places, name))).await;
    let running = looked.into_iter().flatten().filter(|live| live.state != "ended");
    Ok(running
        .map(|session| {
            let value = TopRow {
                kind: "agent".to_owned(),
                name: session.name.clone(),
                state: session.state.clone(),
                metric: Some("tokens".to_owned()),
                value: Some(session.usage.total_tokens as f64),
                counts: true,
            };
            live::row(&session, value)
        })
        .collect())
}

/// The state of a session that outlives its command; `None` where there is none of that name.
pub(super) async fn state(ctx: &Ctx, name: &str) -> Result<Option<String>> {
    Ok(live::look(&live::places(ctx)?, name).await.map(|live| live.state))
}

/// How long an agent may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// The commands.
pub(super) static TREE: &[Node] = &[
    talk!("run", run::RunArgs, run::run, "Run an agent on a prompt"),
    talk!("start", start::StartArgs, start::run, "Start a session that outlives this command"),
    talk!("list", list::ListArgs, list::run, "List the sessions that outlive their command").alias("ls"),
    talk!("show", show::ShowArgs, show::run, "Show a session and its questions"),
    talk!("attach", attach::AttachArgs, attach::run, "Watch a session, from its beginning"),
    talk!("send", send::SendArgs, send::run, "Send a prompt to a session"),
    talk!("answer", answer::AnswerArgs, answer::run, "Answer a question of a session"),
    talk!("abort", abort::AbortArgs, abort::run, "Have a session stop what it does"),
    talk!("stop", stop::StopArgs, stop::run, "End sessions"),
    talk!("logs", logs::LogsArgs, logs::run, "Print what happened in a session"),
    talk!("usage", usage::UsageArgs, usage::run, "Show what a session has used"),
    talk!("set", set::SetArgs, set::run, "Change the model of a session, or how much it thinks"),
    talk!("compact", compact::CompactArgs, compact::run, "Have a session shorten its context"),
    talk!("rpc", rpc::RpcArgs, rpc::run, "Send a session a command of the agent's own protocol"),
    plain!("supervise", supervise::SuperviseArgs, supervise::run, "Hold a session").hidden(),
    talk!("models", models::ModelsArgs, models::run, "List the models that an agent can talk to"),
    talk!("bash", bash::BashArgs, bash::run, "Run a shell command as an agent would"),
    talk!("doctor", doctor::DoctorArgs, doctor::run, "Check that an agent is there and answers"),
    group!("session", "Sessions that are kept in files", session::TREE),
];

/// The agent that is meant. One that is named by a flag must be one; otherwise a target that is set for other commands
/// may be none, and then the first agent there is counts.
fn target(ctx: &Ctx, asked: &str) -> Result<Target> {
    let needs = (Feature::Agent, asked);
    if matches!(ctx.settings.origin(Opt::Target), Origin::Flag(_)) {
        return ctx.target(&needs);
    }
    match ctx.target(&needs) {
        Ok(target) => Ok(target),
        Err(_) => {
            let offers =
                |driver: &&&crate::provider::Driver| driver.offers.iter().any(|offer| offer.feature == Feature::Agent);
            let driver = DRIVERS.iter().find(offers).ok_or_else(|| Error::internal("no provider has agents"))?;
            let target = ctx.resolver.one(driver.id)?;
            require(&*target.place, &needs)?;
            Ok(target)
        }
    }
}

/// The capability of such a target.
fn agent<'a>(target: &'a Target, asked: &str) -> Result<&'a dyn Agent> {
    capability(&*target.place, |place| place.agent(), Feature::Agent, asked)
}

/// Opens a session, unless a signal or the deadline comes first.
async fn open(ctx: &Ctx, target: &Target, spec: SessionSpec, host: &Host, asked: &str) -> Result<Session> {
    let agent = agent(target, asked)?;
    let mut signals = ctx.signals.listen().await?;
    let progress = ctx.out.progress(&format!("starting `{}`", target.full));
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let limit = ctx.settings.duration(Opt::Timeout);
    let opened = async {
        match limit {
            Some(limit) => tokio::time::timeout(limit, host.open(agent, spec)).await.unwrap_or_else(|_| {
                let limit = crate::config::duration::show(limit);
                Err(Error::timeout(format!("`{asked}` gave up after {limit} (--timeout)")))
            }),
            None => host.open(agent, spec).await,
        }
    };
    tokio::pin!(opened);
    let opened = loop {
        tokio::select! {
            opened = &mut opened => break opened,
            signal = signals.next() => break Err(interrupted(&signal, format!("stopped starting `{}`", target.full))),
            _ = ticks.tick() => progress.tick(),
        }
    };
    progress.finish();
    opened.map_err(|error| error.at(target.provider.driver().id, &*target.full))
}

/// A session for one command, kept nowhere, and its answer.
async fn ask(
    ctx: &Ctx,
    target: &Target,
    keys: Keys,
    dir: Option<RemotePath>,
    command: Command,
    asked: &str,
) -> Result<Value> {
    let spec = SessionSpec { session: Which::Unkept, keys, dir, ..SessionSpec::default() };
    let mut session = open(ctx, target, spec, &Host::here(), asked).await?;
    let answer = reply(ctx, &mut session, command).await;
    let closed = close(session, GRACE).await;
    let answer = answer.and_then(|answer| closed.map(|()| answer));
    answer.map_err(|error| error.at(target.provider.driver().id, &*target.full))
}

/// Sends a command and waits for its answer. Questions that come meanwhile are closed.
async fn reply(ctx: &Ctx, session: &mut Session, command: Command) -> Result<Value> {
    let mut signals = ctx.signals.listen().await?;
    let limit = ctx.settings.duration(Opt::Timeout);
    let deadline = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(deadline);
    let id = session.control.send(command).await?;
    loop {
        tokio::select! {
            event = session.events.next() => match event {
                Some(Ok(AgentEvent::Reply(reply))) if reply.id == id => {
                    return reply.outcome.map_err(|why| Error::failure("the agent refused the command").cause(why));
                }
                Some(Ok(AgentEvent::Interaction(dialog))) => {
                    session.control.answer(&dialog.request_id, Answer::Cancelled).await?;
                }
                Some(Ok(AgentEvent::Log { text })) => ctx.out.debug(&text),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Err(Error::failure("the agent ended before it had answered")),
            },
            signal = signals.next() => return Err(interrupted(&signal, "stopped waiting for the agent")),
            () = &mut deadline => {
                let limit = crate::config::duration::show(limit.unwrap_or_default());
                return Err(Error::timeout(format!("the agent did not answer within {limit} (--timeout)")));
            }
        }
    }
}

/// Ends a session, and reads what it still says: it must not stand before a full pipe meanwhile.
async fn close(session: Session, grace: Duration) -> Result<()> {
    let Session { mut events, control, .. } = session;
    let drain = async { while events.next().await.is_some() {} };
    let (closed, ()) = tokio::join!(control.close(grace), drain);
    closed.map(|_| ())
}
