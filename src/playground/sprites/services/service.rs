//! One service: what it is, and what it is doing.

use super::log::{Event, Log};
use crate::host::process::Running;
use crate::playground::sprites::errors::{Answer, Refusal};
use crate::playground::sprites::sprite::Sprite;
use crate::playground::sprites::times;
use crate::provider::exec::Signal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How often a stopping program is looked at after SIGKILL, at most.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// What a service is made from.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Definition {
    pub(super) cmd: String,
    #[serde(default)]
    pub(super) args: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) env: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dir: Option<String>,
    #[serde(default)]
    pub(super) needs: Vec<String>,
    #[serde(default)]
    pub(super) http_port: Option<u16>,
}

/// A service.
pub(super) struct Service {
    pub(super) name: String,
    pub(super) definition: Definition,
    pub(super) log: Log,
    state: Mutex<State>,
    /// Counts starts and stops, so that whoever attends a program knows when it is no longer theirs.
    turn: watch::Sender<u64>,
}

/// What it is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Stopped,
    Starting,
    Running,
    Stopping,
    Failed,
}

struct State {
    status: Status,
    /// Whether it should run: a stop is remembered over restarts of the machine.
    wanted: bool,
    running: Option<Running>,
    started: Option<Timestamp>,
    error: Option<String>,
    restarts: u32,
    next_restart: Option<Timestamp>,
}

impl Definition {
    /// Refuses what the API refuses.
    pub(super) fn check(&self, name: &str) -> Answer<()> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.bytes().all(fine) {
            return Err(Refusal::json(400, format!("invalid service name: {name}")));
        }
        if self.cmd.is_empty() {
            return Err(Refusal::json(400, "cmd is required"));
        }
        Ok(())
    }
}

impl Service {
    pub(super) fn new(name: &str, definition: Definition) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            definition,
            log: Log::default(),
            state: Mutex::new(State {
                status: Status::Stopped,
                wanted: true,
                running: None,
                started: None,
                error: None,
                restarts: 0,
                next_restart: None,
            }),
            turn: watch::Sender::new(0),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.state().wanted
    }

    pub(super) fn running(&self) -> Option<Running> {
        self.state().running.clone().filter(|running| running.exit().is_none())
    }

    /// The number of the present turn, and how to see that it is over.
    pub(super) fn turn(&self) -> watch::Receiver<u64> {
        self.turn.subscribe()
    }

    fn next_turn(&self) -> u64 {
        self.turn.send_modify(|turn| *turn += 1);
        *self.turn.borrow()
    }

    /// Starts it, unless it runs.
    pub(super) fn start(self: &Arc<Self>, sprite: &Arc<Sprite>) {
        {
            let mut state = self.state();
            state.wanted = true;
            if matches!(state.status, Status::Starting | Status::Running) {
                drop(state);
                self.log.tell(Event::started(&self.name));
                return;
            }
            state.status = Status::Starting;
            state.restarts = 0;
        }
        let turn = self.next_turn();
        tokio::spawn(super::run::attend(Arc::downgrade(sprite), Arc::clone(self), turn));
    }

    /// Stops it for good, and returns the status of its program.
    pub(super) async fn stop(&self, patience: Duration) -> u8 {
        self.next_turn();
        let running = {
            let mut state = self.state();
            state.wanted = false;
            state.next_restart = None;
            if state.running.is_some() {
                state.status = Status::Stopping;
            }
            state.running.take()
        };
        let mut status = 0;
        if let Some(running) = running {
            running.signal_group(&Signal::parse("TERM").expect("it exists"));
            running.signal_group(&Signal::parse("CONT").expect("it exists"));
            let ended = tokio::time::timeout(patience, running.wait()).await;
            // What it started goes with it.
            running.signal_group(&Signal::parse("KILL").expect("it exists"));
            let ended = match ended {
                Ok(exit) => Some(exit),
                Err(_) => tokio::time::timeout(AFTER_KILL, running.wait()).await.ok(),
            };
            status = ended.map_or(137, crate::host::process::Exit::status);
        }
        self.state().status = Status::Stopped;
        status
    }

    /// Forgets what runs; who ends it is another.
    pub(super) fn halt(&self) {
        self.next_turn();
        let mut state = self.state();
        state.running = None;
        state.next_restart = None;
        state.status = Status::Stopped;
    }

    /// Notes what became of it, if `turn` is still the present one.
    fn note(&self, turn: u64, change: impl FnOnce(&mut State)) -> bool {
        let mut state = self.state();
        // Read under the lock: a turn ends before the state is changed by whoever ended it.
        let present = *self.turn.borrow() == turn;
        if present {
            change(&mut state);
        }
        present
    }

    /// Its program runs.
    pub(super) fn note_running(&self, turn: u64, running: &Running) -> bool {
        self.note(turn, |state| {
            state.status = Status::Running;
            state.running = Some(running.clone());
            state.started = Some(Timestamp::now());
            state.error = None;
            state.next_restart = None;
        })
    }

    /// Its program ended by itself, as it should.
    pub(super) fn note_done(&self, turn: u64) {
        self.note(turn, |state| {
            state.status = Status::Stopped;
            state.running = None;
        });
    }

    /// Its program crashed or could not be started, for the returned time in a row.
    pub(super) fn note_failed(&self, turn: u64, error: String) -> u32 {
        let mut failures = 0;
        self.note(turn, |state| {
            state.status = Status::Failed;
            state.running = None;
            state.error = Some(error);
            state.restarts += 1;
            failures = state.restarts;
        });
        failures
    }

    /// It will be tried again.
    pub(super) fn note_restart(&self, turn: u64, at: Timestamp) {
        self.note(turn, |state| state.next_restart = Some(at));
    }

    /// As the API shows it.
    pub(super) fn to_json(&self) -> Value {
        let state = self.state();
        let mut object = json!({ "name": self.name });
        let definition = serde_json::to_value(&self.definition).expect("plain data has a JSON form");
        if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), definition) {
            object.extend(fields);
        }
        let status = match state.status {
            Status::Stopped => "stopped",
            Status::Starting => "starting",
            Status::Running => "running",
            Status::Stopping => "stopping",
            Status::Failed => "failed",
        };
        let mut shown = json!({ "name": self.name, "status": status });
        if let Some(running) = &state.running {
            shown["pid"] = json!(running.pid());
        }
        if let Some(started) = state.started {
            shown["started_at"] = json!(times::inside(started));
        }
        if let Some(error) = state.error.as_ref().filter(|_| state.status == Status::Failed) {
            shown["error"] = json!(error);
        }
        if state.restarts > 0 {
            shown["restart_count"] = json!(state.restarts);
        }
        if let Some(next) = state.next_restart {
            shown["next_restart_at"] = json!(times::inside(next));
        }
        object["state"] = shown;
        object
    }
}
