//! Exec sessions: programs that run with or without somebody who watches (sections 2.3 and 3).

mod attach;
mod frames;
mod kill;
mod post;
mod session;
pub(super) mod start;

use self::attach::Client;
use self::session::Session;
use self::start::Command;
use super::errors::{Answer, Refusal};
use super::faults::ExecFaults;
use super::processes;
use super::sprite::Sprite;
use crate::transport::server::{Reply, Request, Response};
use crate::transport::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The most sessions of one sprite.
const MAX_SESSIONS: usize = 1000;

/// How many sessions that ended are remembered, to be told from those that never were.
const MEMORY: usize = 256;

/// The sessions of a sprite. One that ended is not among them: there is no status to collect later.
#[derive(Default)]
pub(super) struct Sessions(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    live: BTreeMap<String, Arc<Session>>,
    gone: VecDeque<String>,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.lock().live.get(id).cloned()
    }

    /// Forgets a session that ended.
    fn remove(&self, id: &str) {
        let mut kept = self.lock();
        if kept.live.remove(id).is_some() {
            kept.gone.push_back(id.to_owned());
            if kept.gone.len() > MEMORY {
                kept.gone.pop_front();
            }
        }
    }

    fn is_gone(&self, id: &str) -> bool {
        self.lock().gone.iter().any(|gone| gone == id)
    }

    /// Lets all clients go; the programs are for the caller to end.
    pub(super) fn cut(&self) {
        let live = std::mem::take(&mut self.lock().live);
        live.values().for_each(|session| session.cut());
    }

    /// The numbers of the programs that were started.
    pub(super) fn leaders(&self) -> Vec<i32> {
        self.lock().live.values().map(|session| session.running.pid()).collect()
    }

    fn list(&self) -> Value {
        let sessions: Vec<Value> = self.lock().live.values().map(|session| session.to_json()).collect();
        json!({ "count": sessions.len(), "sessions": sessions })
    }
}

/// Routes below `B/exec`.
pub(super) async fn route(sprite: &Arc<Sprite>, rest: &[&str], request: Request) -> Answer {
    match (request.method.as_str(), rest) {
        ("HEAD", []) => Ok(Response::empty(StatusCode::OK).into()),
        ("GET", []) if request.is_websocket() => match request.query.text("id").filter(|id| !id.is_empty()) {
            Some(id) => attach(sprite, &id, &request),
            None => create(sprite, &request),
        },
        ("GET", []) => Ok(Response::json(StatusCode::OK, &sprite.sessions.list()).into()),
        ("POST", []) => post::post(sprite, request),
        ("GET", [_]) if old(sprite, &request) => Err(Refusal::no_route()),
        ("GET", [id]) if request.is_websocket() => attach(sprite, id, &request),
        ("GET", [id]) => match sprite.sessions.find(id) {
            Some(_) => Err(Refusal::text(400, "Bad Request")),
            None => Err(not_found(id)),
        },
        ("POST", [id, "kill"]) => match sprite.sessions.find(id) {
            Some(session) => kill::kill(session, &request),
            None if sprite.sessions.is_gone(id) => Err(Refusal::text(410, format!("session already exited: {id}"))),
            None => Err(not_found(id)),
        },
        (_, [] | [_, "kill"]) => Err(Refusal::method()),
        _ => Err(Refusal::no_route()),
    }
}

/// Whether this is to be a server from before sessions had paths.
fn old(sprite: &Sprite, request: &Request) -> bool {
    sprite.world.upgrade().is_some_and(|world| world.faults.take("old-attach", request).is_some())
}

fn not_found(id: &str) -> Refusal {
    Refusal::text(404, format!("session not found: {id}"))
}

/// Starts a command and serves whoever asked for it.
fn create(sprite: &Arc<Sprite>, request: &Request) -> Answer {
    let world = sprite.world.upgrade().ok_or_else(Refusal::no_sprite)?;
    let faults = ExecFaults::of(&world.faults, request);
    let mut options = world.options.clone();
    options.stall = faults.stall.unwrap_or(options.stall);
    let command = Command::of(&request.query, faults.survive.unwrap_or(options.survive));
    let command = command.ok_or_else(|| Refusal::text(400, "No command specified"))?;
    if sprite.sessions.lock().live.len() >= MAX_SESSIONS {
        return Err(Refusal::text(503, "too many sessions"));
    }
    let sprite = Arc::clone(sprite);
    Ok(Reply::websocket(headers(&faults), async move |socket| {
        let _hold = sprite.hold();
        let started = start::start(&world.processes, &sprite, &command);
        let client = Client { socket, options, faults };
        let started = match started {
            Ok(started) => started,
            Err(failed) => return attach::refuse(failed, command.size.is_some(), client).await,
        };
        let (session, pump) =
            Session::new(&sprite, started, command.size, command.survive, command.stdin, &client.options);
        let seat = session.join();
        sprite.sessions.lock().live.insert(session.id.clone(), Arc::clone(&session));
        tokio::spawn(pump);
        tokio::spawn(ports(Arc::downgrade(&sprite), Arc::clone(&session)));
        if let Some(seat) = seat {
            attach::serve(session, seat, client, true).await;
        }
    }))
}

/// Joins a session.
fn attach(sprite: &Arc<Sprite>, id: &str, request: &Request) -> Answer {
    let world = sprite.world.upgrade().ok_or_else(Refusal::no_sprite)?;
    let faults = ExecFaults::of(&world.faults, request);
    let session = sprite.sessions.find(id).ok_or_else(|| not_found(id))?;
    // The seat is taken by the socket, once there is one: a handshake that fails must not count as a client.
    let sprite = Arc::clone(sprite);
    Ok(Reply::websocket(headers(&faults), async move |socket| {
        let _hold = sprite.hold();
        let Some(seat) = session.join() else { return };
        attach::serve(session, seat, Client { socket, options: world.options.clone(), faults }, false).await;
    }))
}

fn headers(faults: &ExecFaults) -> HeaderMap {
    let mut headers = super::version_headers();
    if faults.no_signals {
        headers.remove("x-sprite-capabilities");
    }
    headers
}

/// Tells the clients of a session of the ports that it listens on.
async fn ports(sprite: Weak<Sprite>, session: Arc<Session>) {
    let mut watch = super::ports::Watch::default();
    loop {
        let Some(options) = sprite.upgrade().and_then(|sprite| Some(sprite.world.upgrade()?.options.clone())) else {
            return;
        };
        tokio::select! {
            () = tokio::time::sleep(options.poll) => {}
            _ = session.ended() => return,
        }
        let Some(sprite) = sprite.upgrade().filter(|_| session.clients() > 0) else { continue };
        let pids = processes::below(session.running.pid(), &processes::of(&sprite));
        for event in watch.look(super::ports::of(pids)) {
            session.tell(event.to_string(), options.stall).await;
        }
    }
}
