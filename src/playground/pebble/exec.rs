//! Commands that clients run, with their streams on websockets (section 3 of the reference).

use super::changes::Kind;
use super::daemon::Daemon;
use super::errors::{Refusal, Result};
use super::go;
use super::launch::Launch;
use super::sockets::{self, Sockets};
use crate::host::process::{Child, Io, Lead, Running, Stream};
use crate::provider::exec::{Signal, TermSize};
use crate::transport::server::{Request, Socket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long the clients of a command have to connect to its streams.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A command.
pub(super) struct Exec {
    pub(super) launch: Launch,
    /// Whether its output is a terminal.
    pub(super) terminal: bool,
    /// Whether its input is one too.
    pub(super) interactive: bool,
    /// Whether stderr goes its own way.
    pub(super) split_stderr: bool,
    pub(super) size: TermSize,
    pub(super) timeout: Option<Duration>,
    sockets: Mutex<Sockets>,
    progress: watch::Sender<Progress>,
}

#[derive(Clone, Default)]
struct Progress {
    /// Counts the streams that were connected.
    connected: usize,
    aborted: bool,
    running: Option<Running>,
}

impl Exec {
    pub(super) fn new(launch: Launch, split_stderr: bool) -> Self {
        Self {
            launch,
            terminal: false,
            interactive: false,
            split_stderr,
            size: TermSize { cols: 80, rows: 25 },
            timeout: None,
            sockets: Mutex::new(Sockets::default()),
            progress: watch::channel(Progress::default()).0,
        }
    }

    fn io(&self) -> Io {
        let plain = if self.terminal { Stream::Terminal } else { Stream::Pipe };
        Io {
            stdin: if self.interactive { Stream::Terminal } else { Stream::Pipe },
            stdout: plain,
            stderr: if self.split_stderr { Stream::Pipe } else { Stream::Stdout },
            size: self.size,
        }
    }

    fn sockets(&self) -> std::sync::MutexGuard<'_, Sockets> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the streams are connected that it cannot do without.
    async fn connected(&self) {
        let mut progress = self.progress.subscribe();
        let is_whole = |sockets: &Sockets| sockets.stdio.is_some() && (!self.split_stderr || sockets.stderr.is_some());
        while !is_whole(&self.sockets()) {
            if progress.changed().await.is_err() {
                return;
            }
        }
    }

    async fn aborted(&self) {
        let mut progress = self.progress.subscribe();
        if progress.wait_for(|progress| progress.aborted).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Takes a connection for one of the streams of a task; what is to be done with the websocket.
///
/// # Errors
///
/// There is no such stream, it is connected already, or the command has ended.
pub(super) fn connect(daemon: &Arc<Daemon>, task: &str, name: &str, request: &Request) -> Result<Option<Connect>> {
    let book = daemon.book();
    let found = task.parse().ok().and_then(|id| book.changes.task(id));
    let (change, known) = found.ok_or_else(|| Refusal::not_found(format!("cannot find task {}", go::quote(task))))?;
    if known.kind != Kind::Exec {
        let kind = serde_json::to_value(known.kind).ok();
        let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or_default();
        return Err(Refusal::bad(format!("{} tasks do not have websockets", go::quote(kind))));
    }
    if change.is_ready() {
        // The daemon answers so: there is no stream any more, and nothing went wrong.
        return change.err().map_or(Ok(None), |err| Err(Refusal::internal(err)));
    }
    let absent = || Refusal::not_found(format!("cannot find {name} websocket for task {}", go::quote(task)));
    let exec = book.execs.get(&known.id).cloned().ok_or_else(absent)?;
    if !matches!((name, exec.split_stderr), ("stdio" | "control", _) | ("stderr", true)) {
        return Err(absent());
    }
    if !request.is_websocket() {
        return Err(Refusal::internal("websocket: the client is not using the websocket protocol"));
    }
    if !exec.sockets().reserve(name) {
        return Err(Refusal::internal(format!("{name} websocket already connected")));
    }
    Ok(Some(Connect { exec: exec.clone(), name: name.to_owned() }))
}

/// A stream that is about to be connected.
pub(super) struct Connect {
    exec: Arc<Exec>,
    name: String,
}

impl Connect {
    /// The websocket is open.
    pub(super) fn open(self, socket: Socket) {
        self.exec.sockets().put(&self.name, socket);
        self.exec.progress.send_modify(|progress| progress.connected += 1);
    }
}

/// Begins the work of a task.
pub(super) fn begin(daemon: &Arc<Daemon>, task: u64) {
    let exec = daemon.book().execs.get(&task).cloned();
    let Some(exec) = exec else {
        // It ran under an earlier daemon: nobody knows what became of it.
        return daemon.change(|book| book.changes.done(task));
    };
    let daemon = daemon.clone();
    tokio::spawn(async move {
        let outcome = run(&daemon, &exec, task).await;
        daemon.change(|book| {
            if let Some(code) = outcome.code {
                book.changes.exit_code(task, code);
            }
            match outcome.failure {
                Some(why) => book.changes.failed(task, &why),
                None => book.changes.done(task),
            }
            book.execs.remove(&task);
        });
    });
}

/// Kills what a task runs, if it does.
pub(super) fn abort(daemon: &Arc<Daemon>, task: u64) {
    let exec = daemon.book().execs.get(&task).cloned();
    if let Some(exec) = exec {
        exec.progress.send_modify(|progress| {
            progress.aborted = true;
            if let Some(running) = &progress.running {
                kill(running);
            }
        });
    }
}

fn kill(running: &Running) {
    // What has ended needs no signal.
    let _ = running.signal(&Signal::parse("KILL").expect("it exists"));
}

/// What came of a command.
struct Outcome {
    /// `None` if it never was.
    code: Option<i32>,
    failure: Option<String>,
}

async fn run(daemon: &Arc<Daemon>, exec: &Arc<Exec>, task: u64) -> Outcome {
    let never = |why: &str| Outcome { code: None, failure: Some(why.to_owned()) };
    tokio::select! {
        () = exec.connected() => {}
        () = exec.aborted() => return never("context canceled"),
        () = tokio::time::sleep(CONNECT_TIMEOUT) => {
            let why = "timeout waiting for websocket connections: context deadline exceeded";
            return never(&format!("exec {task}: {why}"));
        }
    }
    let path = daemon.options.environment.get("PATH").map(String::as_str);
    let started = exec.launch.start(&daemon.processes, path, exec.io(), Lead::Session);
    let mut sockets = exec.sockets().take();
    let child = match started {
        Ok(child) => child,
        Err(why) => {
            sockets.end().await;
            return Outcome { code: Some(-1), failure: Some(why) };
        }
    };
    attend(exec, child, sockets).await
}

/// Carries what a command reads and writes, and waits for its end.
async fn attend(exec: &Arc<Exec>, child: Child, mut sockets: Sockets) -> Outcome {
    let Child { stdin, stdout, stderr, running } = child;
    let was_aborted = exec.progress.send_replace(Progress { running: Some(running.clone()), ..Progress::default() });
    if was_aborted.aborted {
        kill(&running);
    }
    let control = sockets.control.take();
    let control = tokio::spawn(sockets::control(exec.clone(), Late { exec: exec.clone() }, control, running.clone()));
    let mut outputs = Vec::new();
    if let Some((sink, stream)) = sockets.stdio.take().map(Socket::split) {
        tokio::spawn(sockets::feed(stream, stdin, exec.interactive));
        outputs.push(tokio::spawn(sockets::drain(stdout, sink, running.clone())));
    }
    if let Some((sink, stream)) = sockets.stderr.take().map(Socket::split) {
        // Nothing is read from it but its end, which answers pings on the way.
        tokio::spawn(sockets::feed(stream, None, false));
        outputs.push(tokio::spawn(sockets::drain(stderr, sink, running.clone())));
    }
    let limit = exec.timeout;
    let exit = tokio::select! {
        exit = running.wait() => Some(exit),
        () = expired(limit) => None,
    };
    if exit.is_none() {
        kill(&running);
        running.wait().await;
    }
    // The daemon drops this connection first, without a word.
    control.abort();
    for output in outputs {
        // One that panicked has said so.
        let _ = output.await;
    }
    match (exit, limit) {
        (Some(exit), _) => Outcome { code: Some(i32::from(exit.status())), failure: None },
        (None, limit) => {
            let limit = go::show(limit.unwrap_or_default());
            Outcome { code: Some(-1), failure: Some(format!("timed out after {limit}: context deadline exceeded")) }
        }
    }
}

async fn expired(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// Waits for a control connection that comes after the start.
pub(super) struct Late {
    exec: Arc<Exec>,
}

impl Late {
    pub(super) async fn control(self) -> Option<Socket> {
        let mut progress = self.exec.progress.subscribe();
        loop {
            if let Some(socket) = self.exec.sockets().control.take() {
                return Some(socket);
            }
            progress.changed().await.ok()?;
        }
    }
}
