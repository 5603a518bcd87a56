//! A program that runs, its output, and those who watch.
//!
//! One task reads the program's output, keeps the last of it for whoever joins later, and hands it to every client
//! through a queue of a few megabytes. A full queue stalls the program, as a full pipe does; a client that does not
//! take anything for too long is dropped.

use super::frames::{In, MAX_OUTPUT, Out, Stream};
use super::start::Started;
use crate::host::process::{Child, Input, Output, Running};
use crate::playground::sprites::processes;
use crate::playground::sprites::sprite::Sprite;
use crate::playground::sprites::times::{self, Options};
use crate::provider::exec::{Signal, TermSize};
use bytes::Bytes;
use jiff::Timestamp;
use rustix::process::{Pid, kill_process_group};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// How many messages wait for a client: 4 MiB of output.
const QUEUE: usize = 128;

/// How many messages wait for the program.
const INPUT_QUEUE: usize = 64;

/// How many bytes of output are kept for whoever joins later.
const REPLAY: usize = 1 << 20;

/// How long output is waited for after the program ended, while something it started keeps its pipes open.
const QUIET: Duration = Duration::from_millis(50);

/// A session.
pub(in crate::playground::sprites) struct Session {
    /// The process number, as a string.
    pub(in crate::playground::sprites) id: String,
    /// Whether it has a terminal.
    pub(in crate::playground::sprites) tty: bool,
    /// The program.
    pub(in crate::playground::sprites) running: Running,
    command: String,
    dir: String,
    created: Timestamp,
    begun: Instant,
    survive: Option<Duration>,
    input: Option<mpsc::Sender<In>>,
    state: Mutex<State>,
    /// The status, once everything was read.
    exit: watch::Sender<Option<u8>>,
}

struct State {
    clients: Vec<Client>,
    next_client: u64,
    replay: Replay,
    size: Option<TermSize>,
    bytes: u64,
    last_activity: Option<Timestamp>,
    /// Nobody may join any more.
    cut: bool,
}

#[derive(Clone)]
struct Client {
    number: u64,
    queue: mpsc::Sender<Out>,
}

/// The last output, in order.
#[derive(Default)]
struct Replay {
    chunks: VecDeque<(Stream, Bytes)>,
    len: usize,
}

impl Replay {
    fn push(&mut self, stream: Stream, bytes: &Bytes) {
        self.len += bytes.len();
        self.chunks.push_back((stream, bytes.clone()));
        while self.len > REPLAY {
            let Some((_, oldest)) = self.chunks.pop_front() else { return };
            self.len -= oldest.len();
        }
    }
}

/// Somebody who watches a session. Dropping it leaves the session.
pub(super) struct Seat {
    session: Arc<Session>,
    number: u64,
    /// What came before.
    pub(super) replay: Vec<(Stream, Bytes)>,
    /// What comes. It ends without an exit if this client was dropped for not reading.
    pub(super) queue: mpsc::Receiver<Out>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.session.leave(self.number);
    }
}

impl Session {
    /// Takes charge of what was started. Nothing is read before the returned future runs, so that a quick program is
    /// not over before somebody has joined.
    pub(super) fn new(
        sprite: &Arc<Sprite>,
        started: Started,
        size: Option<TermSize>,
        survive: Option<Duration>,
        reads: bool,
        options: &Options,
    ) -> (Arc<Self>, impl Future<Output = ()> + Send + use<>) {
        let Started { child, command, dir } = started;
        let Child { stdin, stdout, stderr, running } = child;
        let input = stdin.filter(|_| reads).map(|stdin| {
            let (sender, receiver) = mpsc::channel(INPUT_QUEUE);
            tokio::spawn(feed(stdin, receiver));
            sender
        });
        let session = Arc::new(Self {
            id: running.pid().to_string(),
            tty: size.is_some(),
            running,
            command,
            dir,
            created: Timestamp::now(),
            begun: Instant::now(),
            survive,
            input,
            state: Mutex::new(State {
                clients: Vec::new(),
                next_client: 0,
                replay: Replay::default(),
                size,
                bytes: 0,
                last_activity: None,
                cut: false,
            }),
            exit: watch::Sender::new(None),
        });
        let outputs = if size.is_some() { [stdout, None] } else { [stdout, stderr] };
        let pump = Arc::clone(&session).pump(Arc::downgrade(sprite), outputs, options.stall);
        (session, pump)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins it; `None` if it is over.
    pub(super) fn join(self: &Arc<Self>) -> Option<Seat> {
        let mut state = self.state();
        if state.cut {
            return None;
        }
        let (sender, queue) = mpsc::channel(QUEUE);
        let number = state.next_client;
        state.next_client += 1;
        state.clients.push(Client { number, queue: sender });
        let replay = state.replay.chunks.iter().cloned().collect();
        Some(Seat { session: Arc::clone(self), number, replay, queue })
    }

    fn leave(self: &Arc<Self>, number: u64) {
        let mut state = self.state();
        state.clients.retain(|client| client.number != number);
        let alone = state.clients.is_empty() && !state.cut;
        let joined = state.next_client;
        drop(state);
        if let Some(survive) = self.survive.filter(|_| alone && self.exit.borrow().is_none()) {
            tokio::spawn(Arc::clone(self).outlive(survive, joined));
        }
    }

    /// Ends it when nobody joins in time.
    async fn outlive(self: Arc<Self>, survive: Duration, joined: u64) {
        let mut exit = self.exit.subscribe();
        if tokio::time::timeout(survive, exit.wait_for(Option::is_some)).await.is_ok() {
            return;
        }
        let state = self.state();
        let came = state.next_client != joined;
        drop(state);
        if !came {
            self.signal(&Signal::parse("KILL").expect("it exists"));
        }
    }

    /// How many clients it has.
    pub(super) fn clients(&self) -> usize {
        self.state().clients.len()
    }

    /// Lets every client go without a word; the program is for the caller to end.
    pub(super) fn cut(&self) {
        let mut state = self.state();
        state.cut = true;
        state.clients.clear();
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) -> u8 {
        let mut exit = self.exit.subscribe();
        let status = exit.wait_for(Option::is_some).await.ok().and_then(|status| *status);
        match status {
            Some(status) => status,
            None => std::future::pending().await,
        }
    }

    /// Hands input over; waits while the program does not read. Without an input it goes nowhere.
    pub(super) async fn input(&self, input: In) {
        if let Some(sender) = &self.input {
            // A program that does not read any more misses nothing.
            let _ = sender.send(input).await;
        }
    }

    /// Changes the size of its terminal.
    pub(super) fn resize(&self, size: TermSize) {
        if self.tty {
            self.state().size = Some(size);
            // A program that is gone needs no size.
            let _ = self.running.resize(size);
        }
    }

    /// Sends a signal: to whoever is in the foreground of its terminal, or to its process group.
    pub(super) fn signal(&self, signal: &Signal) -> bool {
        let foreground = processes::stat(self.running.pid()).map(|stat| stat.foreground).filter(|_| self.tty);
        let system = rustix::process::Signal::from_named_raw(i32::from(signal.number()));
        match (foreground.filter(|group| *group > 0).and_then(Pid::from_raw), system) {
            (Some(group), Some(system)) if signal.name() != "SIGKILL" => kill_process_group(group, system).is_ok(),
            _ => self.running.signal_group(signal),
        }
    }

    /// Tells every client.
    pub(super) async fn tell(&self, text: String, stall: Duration) {
        self.deliver(Out::Text(text), stall).await;
    }

    /// Reads all output until the end.
    async fn pump(self: Arc<Self>, sprite: Weak<Sprite>, outputs: [Option<Output>; 2], stall: Duration) {
        let [mut out, mut err] = outputs;
        let mut status = None;
        while out.is_some() || err.is_some() {
            let quiet = tokio::time::sleep(QUIET);
            tokio::select! {
                biased;
                read = next(&mut out), if out.is_some() => match read {
                    Some(bytes) => self.deliver(Out::Data(Stream::Out, bytes), stall).await,
                    None => out = None,
                },
                read = next(&mut err), if err.is_some() => match read {
                    Some(bytes) => self.deliver(Out::Data(Stream::Err, bytes), stall).await,
                    None => err = None,
                },
                exit = self.running.wait(), if status.is_none() => status = Some(exit.status()),
                // Somebody whom the program left behind has its pipes.
                () = quiet, if status.is_some() => break,
            }
        }
        let status = match status {
            Some(status) => status,
            None => self.running.wait().await.status(),
        };
        for output in [out, err].into_iter().flatten().filter(|_| !self.tty) {
            tokio::spawn(drain(output));
        }
        // Over before anybody is told: whoever lists sessions then does not find it.
        if let Some(sprite) = sprite.upgrade() {
            sprite.sessions.remove(&self.id);
        }
        self.state().cut = true;
        self.deliver(Out::Exit(status), stall).await;
        self.exit.send_replace(Some(status));
        self.state().clients.clear();
    }

    async fn deliver(&self, out: Out, stall: Duration) {
        let clients = {
            let mut state = self.state();
            if let Out::Data(stream, bytes) = &out {
                state.replay.push(*stream, bytes);
                state.bytes += bytes.len() as u64;
                state.last_activity = Some(Timestamp::now());
            }
            state.clients.clone()
        };
        for client in clients {
            let sent = match client.queue.try_send(out.clone()) {
                Err(mpsc::error::TrySendError::Full(out)) => tokio::time::timeout(stall, client.queue.send(out)).await,
                _ => continue,
            };
            if sent.is_err() {
                self.state().clients.retain(|other| other.number != client.number);
            }
        }
    }

    /// As a list of sessions shows it.
    pub(super) fn to_json(&self) -> Value {
        let state = self.state();
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        let mut object = json!({
            "id": self.id,
            "command": self.command,
            "workdir": self.dir,
            "created": times::inside(self.created),
            "tty": self.tty,
            "bytes_per_second": state.bytes as f64 / seconds,
            "is_active": !state.clients.is_empty(),
        });
        if let Some(last) = state.last_activity {
            object["last_activity"] = json!(times::inside(last));
        }
        object
    }

    /// The first message to a client.
    pub(super) fn info(&self, is_owner: bool) -> Value {
        let size = self.state().size.unwrap_or(TermSize { cols: 0, rows: 0 });
        json!({
            "type": "session_info",
            "session_id": self.id,
            "command": self.command,
            "created": self.created.as_second(),
            "cols": size.cols,
            "rows": size.rows,
            "is_owner": is_owner,
            "tty": self.tty,
        })
    }
}

/// The next bytes of an output, if there is one.
async fn next(output: &mut Option<Output>) -> Option<Bytes> {
    // What cannot be read any more is over.
    output.as_mut()?.read(MAX_OUTPUT).await.ok().flatten()
}

/// Reads what nobody wants, so that whoever writes it goes on.
async fn drain(mut output: Output) {
    while let Ok(Some(_)) = output.read(MAX_OUTPUT).await {}
}

/// Writes what clients send, until the end or until nobody reads.
async fn feed(mut stdin: Input, mut queue: mpsc::Receiver<In>) {
    while let Some(In::Data(bytes)) = queue.recv().await {
        if !stdin.write(&bytes).await.unwrap_or(false) {
            return;
        }
    }
}
