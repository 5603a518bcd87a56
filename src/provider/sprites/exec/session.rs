//! A session that this command attends: its socket, which may be replaced by another one, and what it is called.

use super::super::client::{Client, path};
use super::super::runs::Id;
use crate::error::{Effect, Error, Wire};
use crate::model::{Name, RunId};
use crate::provider::exec::TermSize;
use crate::transport::WsSink;
use crate::transport::query::segment;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// The sandbox in which sessions are, with the way to it.
#[derive(Clone)]
pub(in super::super) struct Place {
    pub(in super::super) client: Client,
    pub(in super::super) name: Name,
}

impl Place {
    /// The path of something below the sandbox.
    pub(in super::super) fn path(&self, rest: &str) -> String {
        path(&self.name, rest)
    }

    /// The full name of the target, for messages.
    pub(in super::super) fn full(&self) -> String {
        format!("{}/{}", self.client.endpoint(), segment(self.name.as_str().as_bytes()))
    }
}

/// What is known of the way to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// Lost, and maybe found again.
    Broken,
    /// The program is over, or nobody looks at it any more.
    Over,
}

/// What the reader of the socket and everybody who writes to it share.
pub(super) struct Session {
    pub(super) place: Place,
    /// The program, for messages.
    pub(super) program: String,
    /// Whether it has a terminal: bytes then go without a stream id.
    pub(super) tty: bool,
    /// Whether it is left where it can be joined again when the socket is lost.
    pub(super) survives: bool,
    sink: Mutex<WsSink>,
    way: watch::Sender<Way>,
    takes_signals: AtomicBool,
    /// What it is called, once the server has said so.
    pub(super) run: Arc<OnceLock<RunId>>,
    id: watch::Sender<Option<Id>>,
    size: Mutex<Option<TermSize>>,
}

impl Session {
    pub(super) fn new(
        place: Place,
        program: String,
        tty: bool,
        survives: bool,
        sink: WsSink,
        takes_signals: bool,
    ) -> Self {
        Self {
            place,
            program,
            tty,
            survives,
            sink: Mutex::new(sink),
            way: watch::Sender::new(Way::Open),
            takes_signals: AtomicBool::new(takes_signals),
            run: Arc::default(),
            id: watch::Sender::new(None),
            size: Mutex::default(),
        }
    }

    /// The size that the terminal was told last.
    pub(super) fn size(&self) -> Option<TermSize> {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the size that the terminal is told.
    pub(super) fn resized(&self, size: TermSize) {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = Some(size);
    }

    /// Whether signals may be sent over the socket (section 3.4).
    pub(super) fn takes_signals(&self) -> bool {
        self.takes_signals.load(Ordering::Relaxed)
    }

    /// Remembers what the server calls it; the first word counts.
    pub(super) fn identify(&self, id: Id) {
        let _ = self.run.set(id.run());
        self.id.send_if_modified(|known| known.is_none() && known.replace(id).is_none());
    }

    /// What it is called, waiting up to `limit` for the server to say so.
    pub(super) async fn id(&self, limit: Duration) -> Option<Id> {
        let mut known = self.id.subscribe();
        let known = timeout(limit, known.wait_for(Option::is_some)).await;
        known.ok()?.ok()?.clone()
    }

    /// What it is called, if that is known.
    pub(super) fn known_id(&self) -> Option<Id> {
        self.id.borrow().clone()
    }

    /// Sends binary messages in order. `false`: nobody reads any more. While the way is broken it waits; what was under
    /// way when it broke is lost.
    pub(super) async fn send(&self, frames: impl IntoIterator<Item = bytes::Bytes>) -> bool {
        for frame in frames {
            let Some(mut sink) = self.open().await else { return false };
            let mut way = self.way.subscribe();
            let sent = tokio::select! {
                sent = sink.send_binary(frame) => sent.unwrap_or(false),
                // A socket that is dead may never say so to a writer.
                _ = way.wait_for(|way| *way != Way::Open) => false,
            };
            if !sent && !(self.survives && self.tty) {
                return false;
            }
        }
        true
    }

    /// Sends a text message, unless nobody reads any more.
    pub(super) async fn say(&self, message: &serde_json::Value) {
        if let Some(mut sink) = self.open().await {
            // The side that reads knows why it failed, and tells.
            let _ = sink.send_text(message.to_string()).await;
        }
    }

    /// The socket, once it is open.
    async fn open(&self) -> Option<WsSink> {
        let mut way = self.way.subscribe();
        let way = *way.wait_for(|way| *way != Way::Broken).await.ok()?;
        (way == Way::Open).then(|| self.sink.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// The socket broke.
    pub(super) fn lose(&self) {
        self.way.send_if_modified(|way| *way == Way::Open && std::mem::replace(way, Way::Broken) == Way::Open);
    }

    /// There is another socket.
    pub(super) fn found(&self, sink: WsSink, takes_signals: bool) {
        *self.sink.lock().unwrap_or_else(PoisonError::into_inner) = sink;
        self.takes_signals.store(takes_signals, Ordering::Relaxed);
        self.way.send_if_modified(|way| *way == Way::Broken && std::mem::replace(way, Way::Open) == Way::Broken);
    }

    /// It is over: the socket is closed, without waiting for the server to do so (section 3.5).
    pub(super) async fn end(&self) {
        if self.way.send_replace(Way::Over) != Way::Open {
            return;
        }
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Behind stdin that nobody reads the close would wait for ever. It is a courtesy.
        let _ = timeout(Duration::from_millis(50), sink.close(1000, "")).await;
    }

    /// Whether nobody looks at it any more.
    pub(super) fn is_over(&self) -> bool {
        *self.way.borrow() == Way::Over
    }

    /// The socket was lost, and with it what became of the program.
    pub(super) fn lost(&self, why: impl Into<String>) -> Error {
        let Self { program, place, .. } = self;
        let full = place.full();
        let id = self.known_id();
        let which = id.as_ref().map_or_else(String::new, |id| format!(" (session {})", id.session));
        let hint = match id.map(|id| id.run()) {
            Some(run) if self.survives => {
                format!("it runs on there: `esker exec {full} --attach {run}` joins it again")
            }
            Some(run) => format!(
                "it runs on for a few seconds; until then `esker exec {full} --attach {run}` joins it. \
                 With --survive it lasts"
            ),
            None => format!("it may still run there; `esker exec {full} --sessions` shows what does"),
        };
        let wire = Wire { operation_id: self.run.get().map(|run| run.0.clone()), ..Wire::default() };
        Error::unreachable(format!("lost `{program}` on `{full}` before its exit status arrived{which}"))
            .cause(why)
            .effect(Effect::Unknown)
            .wire(wire)
            .hint(hint)
            .at(super::super::DRIVER.id, full)
    }
}
