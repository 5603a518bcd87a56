//! The terminal of a container over a websocket (section 4).

use super::access::User;
use super::errors::{Answer, Refusal};
use super::frames::{Sanitizer, Sent, sent};
use super::recordings::Kind as Recorded;
use super::shell;
use super::state::Container;
use super::world::World;
use crate::host::process::{Child, Input};
use crate::playground::fault::Value;
use crate::provider::exec::TermSize;
use crate::provider::rexec::api::{Frame, Stats};
use crate::transport::header::SEC_WEBSOCKET_PROTOCOL;
use crate::transport::server::{Message, Reply, Request, Socket, SocketSink, SocketStream};
use crate::transport::{HeaderMap, HeaderValue};
use bytes::Bytes;
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// The most that is read of a terminal at once, in bytes.
const READ: usize = 64 * 1024;
/// How often a shell is started again, and how long one must have lived for the count to begin anew.
const RESTARTS: u32 = 10;
const SETTLED: Duration = Duration::from_mins(1);
/// How long the close of a client is waited for.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long the last words of a shell that ended are waited for.
const LAST: Duration = Duration::from_millis(20);
/// What stands between two shells.
const AGAIN: &str = "\r\n\x1b[33m[Starting new session...]\x1b[0m\r\n\r\n";

/// The terminals that are open, by container, user and the client's own id: the next one of a name replaces the last.
type Open = HashMap<(String, String, String), watch::Sender<bool>>;
static OPEN: Mutex<Option<Open>> = Mutex::new(None);

/// What goes wrong with one terminal.
#[derive(Default)]
struct Faults {
    split: Option<u64>,
    drop: Option<u64>,
    lose: Option<u64>,
    silent: Option<u64>,
    restart: Option<u64>,
    busy: bool,
    tmux: bool,
}

impl Faults {
    fn of(world: &World, request: &Request) -> Self {
        let number = |kind| world.faults.take(kind, request).map(Value::number);
        Self {
            split: number("split"),
            drop: number("drop"),
            lose: number("lose"),
            silent: number("silent"),
            restart: number("restart-required"),
            busy: world.faults.take("busy", request).is_some(),
            tmux: world.faults.take("tmux", request).is_some(),
        }
    }
}

/// `rexec.v1` if the client named it, and nothing else.
pub(super) fn protocol(request: &Request) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if request.header(&SEC_WEBSOCKET_PROTOCOL).is_some_and(|list| list.contains("rexec.v1")) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("rexec.v1"));
    }
    headers
}

/// `GET /ws/terminal/ID`
pub(super) fn open(world: &Arc<World>, user: &User, id: &str, request: &Request) -> Answer {
    let container = find(world, user, id)?;
    let by_database = container.db_id == id;
    if container.mfa_locked.load(Ordering::Relaxed) && by_database {
        return Err(refused(423, "mfa_required", "terminal requires MFA verification", "mfa_verify", &container.db_id));
    }
    match container.status() {
        "running" | "configuring" => {}
        "creating" => return Err(refused(404, "container_not_found", "container not found", "none", &container.db_id)),
        _ if container.state().disk.is_none() => {
            return Err(refused(410, "container_removed", "container was removed", "start", &container.db_id));
        }
        status => {
            let body = json!({ "error": "container is not running", "code": "container_stopped", "status": status,
                "hint": "start the container first", "action_required": "start" });
            return Err(Refusal::body(400, &body));
        }
    }
    let key =
        (container.db_id.clone(), user.id.clone(), request.query.text("id").unwrap_or("default".into()).into_owned());
    let faults = Faults::of(world, request);
    let sdk = world.faults.take("sdk", request).is_some();
    let world = Arc::clone(world);
    Ok(Reply::websocket(protocol(request), move |socket| async move {
        let replaced = take_place(key.clone());
        let terminal = Terminal { world, container, faults, sdk, replaced, restarts: 0, sent: 0 };
        terminal.serve(socket).await;
    }))
}

/// By name too: over there the look-up even spans all users.
fn find(world: &World, user: &User, id: &str) -> Answer<Arc<Container>> {
    let found = world.by_any_id(user, id).or_else(|_| world.by_docker_id(user, id));
    let named = || world.of(user).into_iter().find(|container| container.name() == id);
    found.or_else(|refusal| match refusal.0.status.as_u16() {
        403 => Err(refusal),
        _ => named().ok_or_else(|| refused(404, "container_not_found", "container not found", "none", id)),
    })
}

fn refused(status: u16, code: &str, error: &str, action: &str, id: &str) -> Refusal {
    let body = json!({ "error": error, "code": code, "hint": error, "action_required": action, "container_id": id });
    Refusal::body(status, &body)
}

/// Takes the place of a terminal of the same name, which is told to go.
fn take_place(key: (String, String, String)) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(old) = open.get_or_insert_default().insert(key, sender) {
        old.send_replace(true);
    }
    receiver
}

struct Terminal {
    world: Arc<World>,
    container: Arc<Container>,
    faults: Faults,
    sdk: bool,
    replaced: watch::Receiver<bool>,
    restarts: u32,
    /// Bytes of output so far.
    sent: u64,
}

/// How a shell's time at a socket ended.
enum Ended {
    /// The shell ended.
    Shell,
    /// The client went away.
    Client,
    /// The socket is closed with this.
    Close(u16, &'static str),
}

impl Terminal {
    async fn serve(mut self, socket: Socket) {
        let connection = socket.connection();
        let (mut sink, stream) = socket.split();
        let is_first = self.container.is_first_terminal();
        self.say(&mut sink, Frame::text("connected", "Terminal session established")).await;
        self.say(&mut sink, Frame::text("container_status", self.container.status())).await;
        // One task reads for as long as the socket lives, as over there: an old reader can swallow what is for a new
        // shell.
        let (incoming, mut received) = mpsc::channel(256);
        let reading = tokio::spawn(read(stream, incoming));
        loop {
            self.say(&mut sink, Frame::text("shell_starting", "Starting shell...")).await;
            let is_first = is_first && self.restarts == 0;
            let Ok(child) = shell::start(&self.world, &self.container, is_first, self.faults.tmux) else {
                self.say(&mut sink, Frame::text("error", "Failed to create terminal session")).await;
                break;
            };
            self.say(&mut sink, Frame::text("shell_ready", "Shell ready")).await;
            let begun = Instant::now();
            match self.attend(&mut sink, &mut received, child, &connection).await {
                Ended::Client => return,
                Ended::Close(code, reason) => {
                    let _ = sink.close(code, reason).await;
                    let _ = tokio::time::timeout(GOODBYE, reading).await;
                    return;
                }
                Ended::Shell => {}
            }
            self.restarts = if begun.elapsed() > SETTLED { 1 } else { self.restarts + 1 };
            if self.restarts > RESTARTS {
                break;
            }
            self.say(&mut sink, Frame::text("output", AGAIN)).await;
        }
        let _ = sink.close(1000, "session ended").await;
        let _ = tokio::time::timeout(GOODBYE, reading).await;
    }

    /// Sends a message; in the shapes of the SDKs there is only output, and that is bare.
    async fn say(&self, sink: &mut SocketSink, frame: Frame) -> bool {
        if !self.sdk {
            let text = serde_json::to_string(&frame).expect("plain data has a JSON form");
            return sink.text(text).await;
        }
        frame.kind != "output" || sink.text(frame.data().to_owned()).await
    }

    async fn attend(
        &mut self,
        sink: &mut SocketSink,
        received: &mut mpsc::Receiver<Message>,
        child: Child,
        connection: &crate::transport::server::Connection,
    ) -> Ended {
        let Child { stdin, stdout, running, .. } = child;
        let (Some(stdin), Some(mut stdout)) = (stdin, stdout) else { return Ended::Shell };
        // A shell that does not read must not keep the rest from going on.
        let (typing, typed) = mpsc::channel::<Vec<u8>>(16);
        tokio::spawn(feed(stdin, typed));
        let mut generation = self.container.generation();
        generation.mark_unchanged();
        let mut replaced = self.replaced.clone();
        let mut stats = interval(self.world.options.stats);
        let mut pings = interval(self.world.options.ping);
        for ticks in [&mut stats, &mut pings] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.tick().await;
        }
        let mut pending: Option<Vec<u8>> = None;
        loop {
            let room =
                async { if pending.is_some() { typing.reserve().await.ok() } else { std::future::pending().await } };
            tokio::select! {
                read = stdout.read(READ) => match read {
                    Ok(Some(bytes)) => match self.output(sink, bytes, connection).await {
                        None => {}
                        Some(Ended::Client) => {
                            tokio::spawn(shell::drain(stdout));
                            return Ended::Client;
                        }
                        Some(ended) => return ended,
                    },
                    _ => return Ended::Shell,
                },
                permit = room => match (permit, pending.take()) {
                    (Some(permit), Some(bytes)) => permit.send(bytes),
                    _ => return Ended::Shell,
                },
                message = received.recv(), if pending.is_none() => {
                    let payload = match message {
                        Some(Message::Text(text)) => Bytes::from(text.as_bytes().to_vec()),
                        Some(Message::Binary(bytes)) => bytes,
                        Some(Message::Ping(_) | Message::Pong(_)) => continue,
                        Some(Message::Close { .. } | Message::Eof) | None => {
                            // Its output is lost from here on, and it runs on.
                            tokio::spawn(shell::drain(stdout));
                            return Ended::Client;
                        }
                    };
                    match sent(&payload) {
                        Sent::Input(bytes) => {
                            self.record(Recorded::Input, &String::from_utf8_lossy(&bytes));
                            pending = Some(bytes);
                        }
                        Sent::Resize(cols, rows) => {
                            // A shell that is gone needs no size.
                            let _ = running.resize(TermSize { cols, rows });
                            self.record(Recorded::Resize, "");
                        }
                        Sent::Ping => { self.say(sink, Frame::new("pong")).await; }
                        Sent::Nothing => {}
                    }
                },
                _ = stats.tick(), if !self.sdk => { self.load(sink).await; }
                _ = pings.tick(), if !self.sdk => { self.say(sink, Frame::new("ping")).await; }
                // Docker ends the stream with its program, whoever else still has the terminal.
                _ = running.wait() => {
                    while let Ok(Ok(Some(bytes))) = tokio::time::timeout(LAST, stdout.read(READ)).await {
                        if let Some(ended) = self.output(sink, bytes, connection).await {
                            return ended;
                        }
                    }
                    return Ended::Shell;
                }
                _ = replaced.changed() => return Ended::Close(1000, "session ended"),
                _ = generation.changed() => {
                    if matches!(self.container.status(), "stopped" | "deleted") {
                        self.say(sink, Frame::text("error", "Container is no longer available")).await;
                        return Ended::Close(1000, "session ended");
                    }
                    self.say(sink, Frame::text("container_restart_required", "container was recreated")).await;
                    return Ended::Close(4100, "container_restart_required");
                }
            }
        }
    }

    async fn load(&self, sink: &mut SocketSink) {
        let resources = self.container.state().resources;
        let stats = Stats {
            cpu_percent: 0.4,
            memory: Some(12 << 20),
            memory_limit: Some(resources.memory_mb << 20),
            disk_usage: Some(4 << 20),
            disk_limit: Some(resources.disk_mb << 20),
            ..Stats::default()
        };
        let text = serde_json::to_string(&stats).expect("plain data has a JSON form");
        self.say(sink, Frame::text("stats", text)).await;
    }

    /// Passes on what the shell wrote, with what is to go wrong.
    async fn output(
        &mut self,
        sink: &mut SocketSink,
        bytes: Bytes,
        connection: &crate::transport::server::Connection,
    ) -> Option<Ended> {
        let mut text = Sanitizer::text(&bytes);
        if text.is_empty() {
            return None;
        }
        self.record(Recorded::Output, &text);
        let before = self.sent;
        self.sent += text.len() as u64;
        let passed = |limit: Option<u64>| limit.is_some_and(|limit| self.sent > limit);
        if let Some(at) = self.faults.lose.filter(|at| (before..self.sent).contains(at)) {
            let at = usize::try_from(at - before).unwrap_or(0);
            if text.is_char_boundary(at) {
                text.remove(at);
            }
        }
        if passed(self.faults.silent) {
            return None;
        }
        if passed(self.faults.drop) {
            connection.cut();
            return Some(Ended::Client);
        }
        if passed(self.faults.restart) {
            self.faults.restart = None;
            self.say(sink, Frame::text("container_restart_required", "container was recreated")).await;
            return Some(Ended::Close(4100, "container_restart_required"));
        }
        let size = self.faults.split.map_or(usize::MAX, |most| usize::try_from(most.max(1)).unwrap_or(1));
        let chars: Vec<char> = if size == usize::MAX { Vec::new() } else { text.chars().collect() };
        if chars.is_empty() {
            return self.piece(sink, text).await;
        }
        // Pieces of all sizes up to the most.
        let (mut at, mut next) = (0, usize::try_from(before % 7).unwrap_or(0));
        while at < chars.len() {
            let len = (next % size + 1).min(chars.len() - at);
            if let Some(ended) = self.piece(sink, chars[at..at + len].iter().collect()).await {
                return Some(ended);
            }
            (at, next) = (at + len, next * 5 + 3);
            next %= 1009;
        }
        None
    }

    async fn piece(&self, sink: &mut SocketSink, text: String) -> Option<Ended> {
        if self.faults.busy {
            self.load(sink).await;
            self.say(sink, Frame::new("ping")).await;
        }
        (!self.say(sink, Frame::text("output", text)).await).then_some(Ended::Client)
    }

    fn record(&self, kind: Recorded, text: &str) {
        self.world.recordings.record(&self.container.db_id, kind, text);
    }
}

async fn read(mut stream: SocketStream, incoming: mpsc::Sender<Message>) {
    while let Some(message) = stream.next().await {
        let is_last = matches!(message, Message::Close { .. } | Message::Eof);
        if incoming.send(message).await.is_err() || is_last {
            return;
        }
    }
}

async fn feed(mut stdin: Input, mut typed: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = typed.recv().await {
        if !stdin.write(&bytes).await.unwrap_or(false) {
            return;
        }
    }
    // The terminal stays as long as its other half: nobody hangs it up.
    std::future::pending::<()>().await;
}
