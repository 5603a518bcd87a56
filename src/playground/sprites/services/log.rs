//! What a service says, and what is said of it: the last of it in memory, its output in a file, all of it to whoever
//! listens.

use super::service::Service;
use crate::playground::sprites::list::line;
use crate::stream;
use crate::transport::StatusCode;
use crate::transport::server::{Reply, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;

/// How many lines are kept in memory, and how many wait for a slow listener.
const KEPT: usize = 1000;
const WAITING: usize = 1024;

/// When a file has this many bytes it begins anew.
const MAX_FILE: u64 = 4 << 20;

/// One line of a stream of events.
#[derive(Clone, Debug)]
pub(super) struct Event {
    kind: &'static str,
    at: Timestamp,
    data: Option<String>,
    exit_code: Option<u8>,
    files: Option<Value>,
}

impl Event {
    fn new(kind: &'static str) -> Self {
        Self { kind, at: Timestamp::now(), data: None, exit_code: None, files: None }
    }

    fn with(kind: &'static str, data: String) -> Self {
        Self { data: Some(data), ..Self::new(kind) }
    }

    pub(super) fn started(name: &str) -> Self {
        Self::with("started", format!("Service {name} started"))
    }

    pub(super) fn stdout(data: String) -> Self {
        Self::with("stdout", data)
    }

    pub(super) fn stderr(data: String) -> Self {
        Self::with("stderr", data)
    }

    pub(super) fn error(data: String) -> Self {
        Self::with("error", data)
    }

    pub(super) fn exit(status: u8) -> Self {
        Self { exit_code: Some(status), ..Self::new("exit") }
    }

    pub(super) fn stopping(name: &str) -> Self {
        Self::with("stopping", format!("Stopping service {name}"))
    }

    pub(super) fn stopped(status: u8) -> Self {
        Self { exit_code: Some(status), ..Self::new("stopped") }
    }

    fn is_output(&self) -> bool {
        matches!(self.kind, "stdout" | "stderr")
    }

    fn to_json(&self) -> Value {
        let mut object = json!({ "type": self.kind, "timestamp": self.at.as_millisecond() });
        if let Some(data) = &self.data {
            object["data"] = json!(data);
        }
        if let Some(status) = self.exit_code {
            object["exit_code"] = json!(status);
        }
        if let Some(files) = &self.files {
            object["log_files"] = files.clone();
        }
        object
    }
}

/// The last line of every stream.
pub(super) fn complete(name: &str) -> Event {
    let file = format!("/.sprite/logs/services/{name}.log");
    Event { files: Some(json!({ "stdout": file, "stderr": file, "combined": file })), ..Event::new("complete") }
}

/// The log of a service.
pub(super) struct Log {
    kept: Mutex<Kept>,
    news: broadcast::Sender<Event>,
}

#[derive(Default)]
struct Kept {
    lines: VecDeque<Event>,
    file: Option<PathBuf>,
}

impl Default for Log {
    fn default() -> Self {
        Self { kept: Mutex::default(), news: broadcast::Sender::new(WAITING) }
    }
}

impl Log {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has output go to a file too.
    pub(super) fn keep_in(&self, file: PathBuf) {
        self.kept().file = Some(file);
    }

    /// Adds a line.
    pub(super) fn tell(&self, event: Event) {
        let mut kept = self.kept();
        if event.is_output() {
            if let (Some(file), Some(data)) = (&kept.file, &event.data) {
                // A service whose log cannot be written runs on.
                let _ = append(file, data);
            }
            kept.lines.push_back(event.clone());
            if kept.lines.len() > KEPT {
                kept.lines.pop_front();
            }
        }
        // Nobody may be listening. Sent under the lock, so that nobody sees a line twice or never.
        let _ = self.news.send(event);
    }

    /// The last lines, and what comes after them.
    fn follow(&self, lines: usize) -> (VecDeque<Event>, broadcast::Receiver<Event>) {
        let kept = self.kept();
        let skip = kept.lines.len().saturating_sub(lines);
        (kept.lines.iter().skip(skip).cloned().collect(), self.news.subscribe())
    }
}

fn append(file: &PathBuf, data: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    if file.metadata()?.len() > MAX_FILE {
        file.set_len(0)?;
    }
    file.write_all(data.as_bytes())
}

/// Does `work` and answers with what the service says for `watch`, or until its program ends.
pub(super) fn watched(
    service: &Arc<Service>,
    watch: Duration,
    work: impl Future<Output = ()> + Send + 'static,
) -> Reply {
    let (_, news) = service.log.follow(0);
    tokio::spawn(work);
    streamed(service, VecDeque::new(), Some(news), watch, true)
}

/// Answers with the last lines, and with what comes for `watch`.
pub(super) fn logs(service: &Arc<Service>, lines: usize, watch: Duration) -> Reply {
    let (lines, news) = service.log.follow(lines);
    streamed(service, lines, (!watch.is_zero()).then_some(news), watch, false)
}

struct Telling {
    service: Arc<Service>,
    first: VecDeque<Event>,
    news: Option<broadcast::Receiver<Event>>,
    until: Instant,
    /// Whether the end of the program is the end of the stream.
    to_exit: bool,
    done: bool,
}

fn streamed(
    service: &Arc<Service>,
    first: VecDeque<Event>,
    news: Option<broadcast::Receiver<Event>>,
    watch: Duration,
    to_exit: bool,
) -> Reply {
    let telling =
        Telling { service: Arc::clone(service), first, news, until: Instant::now() + watch, to_exit, done: false };
    let body = stream::unfold(telling, |mut telling| async move {
        Ok(telling.next().await.map(|event| (line(&event.to_json()), telling)))
    });
    Response::stream(StatusCode::OK, "application/x-ndjson", body).into()
}

impl Telling {
    async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.first.pop_front() {
            return Some(event);
        }
        while let Some(news) = &mut self.news {
            match tokio::time::timeout_at(self.until, news.recv()).await {
                Ok(Ok(event)) => {
                    if self.to_exit && event.kind == "exit" {
                        self.news = None;
                    }
                    return Some(event);
                }
                Ok(Err(RecvError::Lagged(_))) => {}
                Ok(Err(RecvError::Closed)) | Err(_) => self.news = None,
            }
        }
        (!std::mem::replace(&mut self.done, true)).then(|| complete(&self.service.name))
    }
}

/// Answers with events that are sent.
pub(super) fn lines_of(events: mpsc::UnboundedReceiver<Event>) -> Reply {
    let body = stream::unfold(events, |mut events| async move {
        Ok(events.recv().await.map(|event| (line(&event.to_json()), events)))
    });
    Response::stream(StatusCode::OK, "application/x-ndjson", body).into()
}
