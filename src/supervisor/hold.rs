//! Holding a session: its events are logged, its questions answered as far as somebody decided that beforehand, and
//! whoever connects is served.

use super::log::Log;
use super::places::Claim;
use super::status::Status;
use super::wire::{self, From, LONGEST, Request};
use crate::agent::policy::{Responder, Response};
use crate::config::{duration, reason};
use crate::error::{Error, Result};
use crate::model::{AgentEvent, CommandId, LiveSession, Reply, Time};
use crate::provider::agent::{Command, Session, SessionControl};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// What a session is held with.
pub struct Setup {
    /// Its name and its places.
    pub claim: Claim,
    /// The endpoint of its agent.
    pub endpoint: String,
    /// Where it runs, if not here.
    pub host: Option<String>,
    /// How long it may be idle; for ever by default.
    pub idle_limit: Option<Duration>,
    /// Who answers its questions. One that asks somebody lets them wait.
    pub responder: Responder,
    /// How long the agent may take to end when it was idle too long.
    pub grace: Duration,
}

/// What everybody who serves shares.
struct Shared {
    control: Arc<dyn SessionControl>,
    state: Mutex<State>,
    /// The number of the next event.
    news: watch::Sender<u64>,
    /// Whether there will be none.
    over: watch::Sender<bool>,
    stop: mpsc::Sender<(Duration, oneshot::Sender<Result<Value>>)>,
}

struct State {
    log: Log,
    status: Status,
    waiting: HashMap<CommandId, oneshot::Sender<Reply>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, event: AgentEvent) {
        let mut state = self.state();
        state.status.heard(&event);
        state.log.add(event);
        self.news.send_replace(state.log.next());
    }
}

/// Holds a session until it ends, by itself, by its idle limit or because somebody stops it. `ready` is called once it
/// can be reached.
pub async fn hold(session: Session, setup: Setup, ready: impl FnOnce(&LiveSession)) -> Result<()> {
    let Setup { claim, endpoint, host, idle_limit, responder, grace } = setup;
    let Session { info, events, control } = session;
    // Read again after its end, when what is left is cleared away.
    let mut events = events.fuse().boxed();
    let listener = listen(&claim.socket)?;
    let (stop, mut stops) = mpsc::channel(1);
    let now = Time::now();
    let live = LiveSession {
        name: claim.name.clone(),
        state: "idle".to_owned(),
        agent: info,
        endpoint,
        host,
        turns: 0,
        usage: crate::model::AgentUsage::default(),
        questions: Vec::new(),
        tools: Vec::new(),
        attached: 0,
        started_at: now,
        active_at: now,
        idle_limit_seconds: idle_limit.map(|limit| limit.as_secs_f64()),
        ended: None,
        pid: std::process::id(),
    };
    remember(&claim.dir, &live)?;
    ready(&live);
    let state = State { log: Log::create(&claim.dir)?, status: Status::new(live), waiting: HashMap::new() };
    let shared = Arc::new(Shared {
        control,
        state: Mutex::new(state),
        news: watch::Sender::new(0),
        over: watch::Sender::new(false),
        stop,
    });
    let mut clients = JoinSet::new();
    let ended = loop {
        let idle_until = {
            let state = shared.state();
            idle_limit.filter(|_| state.status.is_idle()).map(|limit| state.status.active + limit)
        };
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(event)) => heard(&shared, &responder, event).await,
                Some(Err(error)) => break error.to_string(),
                None => break "the agent ended by itself".to_owned(),
            },
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                clients.spawn(serve(Arc::clone(&shared), stream));
            },
            Some(_) = clients.join_next() => {}
            Some((grace, answer)) = stops.recv() => {
                let closed = close(&shared, &mut events, grace).await;
                let _ = answer.send(closed.map(|()| Value::Null));
                break "it was stopped".to_owned();
            }
            () = at(idle_until) => {
                let limit = duration::show(idle_limit.unwrap_or_default());
                let closed = close(&shared, &mut events, grace).await;
                break match closed {
                    Ok(()) => format!("it was idle for {limit}"),
                    Err(error) => error.to_string(),
                };
            }
        }
    };
    // An agent that ended by itself may have left something running.
    close(&shared, &mut events, Duration::ZERO).await?;
    let live = {
        let mut state = shared.state();
        state.status.live.ended = Some(ended);
        state.status.told()
    };
    remember(&claim.dir, &live)?;
    let _ = std::fs::remove_file(&claim.socket);
    shared.over.send_replace(true);
    // Those who watch are told the rest; one who does not read is not waited for.
    let _ = tokio::time::timeout(grace, async { while clients.join_next().await.is_some() {} }).await;
    Ok(())
}

async fn heard(shared: &Arc<Shared>, responder: &Responder, event: AgentEvent) {
    match event {
        AgentEvent::Reply(reply) => {
            let waiting = shared.state().waiting.remove(&reply.id);
            match (waiting, reply.outcome) {
                (Some(waiting), outcome) => {
                    let _ = waiting.send(Reply { outcome, ..reply });
                }
                // omp takes a command first, and may refuse it then.
                (None, Err(message)) => {
                    shared.add(AgentEvent::Error { message, code: reply.command, fatal: false });
                }
                (None, Ok(_)) => {}
            }
        }
        AgentEvent::Interaction(dialog) => {
            let response = responder.respond(&dialog);
            let id = dialog.request_id.clone();
            shared.add(AgentEvent::Interaction(dialog));
            if let Response::Answer(answer) | Response::Refuse(answer, _) = response {
                // It may have run out of time meanwhile.
                let _ = shared.control.answer(&id, answer).await;
            }
        }
        event => shared.add(event),
    }
}

/// Ends the agent and all that it started, and logs what it still says.
async fn close(shared: &Arc<Shared>, events: &mut crate::stream::Items<AgentEvent>, grace: Duration) -> Result<()> {
    let drain = async {
        while let Some(Ok(event)) = events.next().await {
            if !matches!(event, AgentEvent::Reply(_)) {
                shared.add(event);
            }
        }
    };
    let (closed, ()) = tokio::join!(shared.control.close(grace), drain);
    closed.map(|_| ())
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// A socket that nobody else can connect to: its directory lets only us in, and so does it itself.
fn listen(path: &Path) -> Result<UnixListener> {
    let cannot =
        |error: std::io::Error| Error::failure(format!("cannot listen on `{}`: {}", path.display(), reason(&error)));
    let listener = UnixListener::bind(path).map_err(cannot)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(cannot)?;
    Ok(listener)
}

/// Writes down how a session is, for those who ask when nobody holds it any more.
fn remember(dir: &Path, live: &LiveSession) -> Result<()> {
    let (path, part) = (dir.join("session.json"), dir.join("session.json.part"));
    let text = serde_json::to_string(live).map_err(Error::internal)?;
    std::fs::write(&part, text)
        .and_then(|()| std::fs::rename(&part, &path))
        .map_err(|error| Error::failure(format!("cannot write `{}`: {}", path.display(), reason(&error))))
}

/// Serves one who connected. Whoever leaves needs no answer.
async fn serve(shared: Arc<Shared>, stream: UnixStream) {
    let (read, mut write) = stream.into_split();
    let mut reader = BufReader::new(read);
    let mut line = String::new();
    if (&mut reader).take(LONGEST as u64).read_line(&mut line).await.is_err() {
        return;
    }
    let request = serde_json::from_str(&line).map_err(|error| Error::usage(format!("no request: {error}")));
    let outcome = match request {
        Ok(Request::Events { from }) => {
            shared.state().status.live.attached += 1;
            tokio::select! {
                () = follow(&shared, from, &mut write) => {}
                // It has nothing more to say: when it reads the end, the other side has left.
                _ = reader.read_line(&mut line) => {}
            }
            let mut state = shared.state();
            state.status.live.attached -= 1;
            state.status.touched();
            return;
        }
        Ok(request) => answered(&shared, request).await,
        Err(error) => Err(error),
    };
    let _ = write.write_all(format!("{}\n", wire::answer(outcome)).as_bytes()).await;
}

/// Tells what happens, as fast as it is read: what waits meanwhile is in the log.
async fn follow(shared: &Shared, from: From, write: &mut (impl tokio::io::AsyncWrite + Unpin)) {
    let (mut news, mut over) = (shared.news.subscribe(), shared.over.subscribe());
    let mut next = match from {
        From::Start => 0,
        From::Now => shared.state().log.next(),
    };
    // That it is told at all is told first, so that nothing is missed between this and the next request.
    if write.write_all(b"\n").await.is_err() {
        return;
    }
    loop {
        let (lines, after) = shared.state().log.since(next);
        next = after;
        for line in &lines {
            if write.write_all(format!("{line}\n").as_bytes()).await.is_err() {
                return;
            }
        }
        if lines.is_empty() && *over.borrow() {
            return;
        }
        tokio::select! {
            changed = news.wait_for(|last| *last > next) => if changed.is_err() { return },
            _ = over.wait_for(|over| *over) => {}
        }
    }
}

async fn answered(shared: &Arc<Shared>, request: Request) -> Result<Value> {
    match request {
        Request::Show => serde_json::to_value(shared.state().status.told()).map_err(Error::internal),
        Request::Events { .. } => Err(Error::internal("events are no answer")),
        Request::Send { command } => {
            let (sender, reply) = oneshot::channel();
            let is_prompt = matches!(command, Command::Prompt { .. });
            let id = shared.control.send(command).await?;
            {
                let mut state = shared.state();
                state.waiting.insert(id, sender);
                if is_prompt {
                    state.status.prompted();
                } else {
                    state.status.touched();
                }
            }
            let reply = reply.await.map_err(|_| Error::unreachable("the agent ended before it had answered"))?;
            Ok(json!({ "command": reply.command, "outcome": match reply.outcome {
                Ok(value) => json!({ "Ok": value }),
                Err(why) => json!({ "Err": why }),
            } }))
        }
        Request::Answer { dialog, answer } => {
            shared.control.answer(&dialog, answer).await?;
            Ok(Value::Null)
        }
        Request::Stop { grace_ms } => {
            let (sender, stopped) = oneshot::channel();
            let gone = || Error::conflict("the session is ending already");
            shared.stop.send((Duration::from_millis(grace_ms), sender)).await.map_err(|_| gone())?;
            stopped.await.map_err(|_| gone())?
        }
    }
}
