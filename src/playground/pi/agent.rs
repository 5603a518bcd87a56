//! The program: what it is started with, what it knows, and the lines that it reads.

use super::args::{Arguments, Refusal, Which};
use super::dialogs::Dialogs;
use super::extension::{self, Directive};
use super::model::{Catalogue, Model};
use super::session::{self, Session};
use super::wire::Wire;
use crate::host::process::Processes;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};

/// What it finds around itself.
pub struct Surroundings {
    /// The directory that it works in.
    pub cwd: PathBuf,
    /// Its configuration.
    pub agent_dir: PathBuf,
    /// The model of the playground, if it is there.
    pub model_url: Option<String>,
    /// Reads a variable.
    pub var: fn(&str) -> Option<String>,
}

/// The agent.
pub struct Agent {
    pub(super) wire: Wire,
    pub(super) around: Surroundings,
    pub(super) args: Arguments,
    pub(super) catalogue: Catalogue,
    pub(super) directives: Vec<Directive>,
    pub(super) dialogs: Dialogs,
    pub(super) processes: Processes,
    pub(super) retry: Retry,
    state: Mutex<State>,
    stop: watch::Sender<bool>,
    pub(super) settled: Notify,
    pub(super) shutdown: Notify,
}

/// How it tries again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    pub(super) times: u32,
    pub(super) delay: Duration,
}

/// What changes.
pub(super) struct State {
    pub(super) model: Model,
    pub(super) thinking: String,
    pub(super) session: Session,
    /// A prompt is being worked on.
    pub(super) working: bool,
    /// It waits to try again.
    pub(super) retrying: bool,
    pub(super) compacting: bool,
    pub(super) auto_retry: bool,
    pub(super) auto_compaction: bool,
    pub(super) steering_mode: String,
    pub(super) follow_up_mode: String,
    pub(super) steering: VecDeque<Value>,
    pub(super) follow_up: VecDeque<Value>,
}

/// Whether what is under way is to stop.
#[derive(Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Waits until it is.
    pub(super) async fn stopped(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }
}

impl Agent {
    /// Starts it. What it warns of comes back beside it.
    pub fn start(
        wire: Wire,
        args: Arguments,
        around: Surroundings,
        processes: Processes,
    ) -> Result<(Arc<Self>, Option<String>), Refusal> {
        let dialect = wire.dialect;
        let catalogue = Catalogue::load(dialect, &around.agent_dir, around.model_url.as_deref(), &around.var);
        let (model, warning) = catalogue.choose(dialect, args.provider.as_deref(), args.model.as_deref())?;
        let directives = extension::load(&args.extensions)?;
        let cwd = around.cwd.display().to_string();
        let usual = || session::directory(dialect, &around.agent_dir, &cwd);
        let dir = args.session_dir.as_ref().map_or_else(usual, PathBuf::from);
        let session = match &args.session {
            Which::New => Session::new(Some(&dir), &cwd, None),
            Which::Unkept => Session::new(None, &cwd, None),
            Which::Last => match session::files(&dir).last().and_then(|path| Session::open(path)) {
                Some(session) => session,
                None => Session::new(Some(&dir), &cwd, None),
            },
            Which::Known(which) => session::find(&dir, which, &cwd)?,
            Which::ForkOf(which) => session::find(&dir, which, &cwd)?.fork(Some(&dir), &cwd),
        };
        let retry = retry(&around.agent_dir);
        let state = State {
            model,
            thinking: args.thinking.clone().unwrap_or_else(|| "off".to_owned()),
            session,
            working: false,
            retrying: false,
            compacting: false,
            auto_retry: true,
            auto_compaction: true,
            steering_mode: "one-at-a-time".to_owned(),
            follow_up_mode: "one-at-a-time".to_owned(),
            steering: VecDeque::new(),
            follow_up: VecDeque::new(),
        };
        let agent = Self {
            wire,
            around,
            args,
            catalogue,
            directives,
            dialogs: Dialogs::default(),
            processes,
            retry,
            state: Mutex::new(state),
            stop: watch::Sender::new(false),
            settled: Notify::new(),
            shutdown: Notify::new(),
        };
        if let Some(name) = agent.args.name.clone() {
            agent.rename(&name);
        }
        Ok((Arc::new(agent), warning))
    }

    /// Serves until there are no more lines, or it ends by itself; returns how.
    pub async fn serve(self: Arc<Self>, mut lines: mpsc::Receiver<Vec<u8>>) -> Refusal {
        if !self.wire.dialect.is_pi() {
            self.wire.say(&json!({ "type": "ready", "protocolVersion": 1, "supportedProtocolVersions": [1, 2],
                "maxFrameBytes": 1_048_576, "maxReassembledFrameBytes": 67_108_864 }));
            self.wire.say(&json!({ "type": "available_commands_update", "commands": [] }));
        }
        loop {
            let line = tokio::select! {
                line = lines.recv() => line,
                () = self.shutdown.notified() => None,
            };
            let Some(line) = line else { break };
            if let Some(end) = self.line(&line) {
                return end;
            }
        }
        // Whatever is under way is dropped without another word.
        Refusal { text: String::new(), status: 0 }
    }

    /// Takes a line; returns how that ended the program, if it did.
    fn line(self: &Arc<Self>, line: &[u8]) -> Option<Refusal> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is_pi = self.wire.dialect.is_pi();
        match serde_json::from_slice::<Value>(line) {
            Err(_) if line.trim_ascii().is_empty() && !is_pi => {}
            Err(error) => self.wire.failed(None, "parse", format!("Failed to parse command: {error}")),
            // The real one dies of it (section 2.2).
            Ok(Value::Null) if is_pi => {
                return Some(Refusal::new("TypeError: Cannot read properties of null (reading 'id')"));
            }
            Ok(Value::Null) => self.wire.failed(None, "parse", "Failed to parse command: null"),
            Ok(object) if object["type"] == "extension_ui_response" => self.dialogs.answer(object),
            Ok(command) => self.command(command),
        }
        None
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something begins that may be stopped.
    pub(super) fn stoppable(&self) -> Stop {
        Stop(self.stop.subscribe())
    }

    /// Whether what is under way is to stop.
    pub(super) fn set_stop(&self, stop: bool) {
        self.stop.send_replace(stop);
    }

    /// Waits until nothing is under way.
    pub(super) async fn idle(&self) {
        loop {
            let settled = self.settled.notified();
            if !self.state().working {
                return;
            }
            settled.await;
        }
    }

    pub(super) fn rename(&self, name: &str) {
        let mut state = self.state();
        state.session.name = Some(name.to_owned());
        state.session.add("session_info", json!({ "name": name }));
    }

    /// `get_state` (section 2.4).
    pub(super) fn described(&self) -> Value {
        let state = self.state();
        let queued = state.steering.len() + state.follow_up.len();
        // The old one says that it is idle while it waits to try again.
        let is_streaming = state.working && !(state.retrying && self.wire.dialect == super::Dialect::Old);
        let mut described = json!({
            "model": state.model.row, "thinkingLevel": state.thinking, "isStreaming": is_streaming,
            "isCompacting": state.compacting, "steeringMode": state.steering_mode,
            "followUpMode": state.follow_up_mode, "sessionId": state.session.id,
            "autoCompactionEnabled": state.auto_compaction, "messageCount": state.session.messages().len(),
        });
        described[if self.wire.dialect.is_pi() { "pendingMessageCount" } else { "queuedMessageCount" }] = queued.into();
        if let Some(path) = &state.session.path {
            described["sessionFile"] = path.display().to_string().into();
        }
        if let Some(name) = &state.session.name {
            described["sessionName"] = name.as_str().into();
        }
        described
    }
}

/// What `settings.json` says of it.
fn retry(dir: &Path) -> Retry {
    let text = std::fs::read_to_string(dir.join("settings.json")).unwrap_or_default();
    let settings: Value = serde_json::from_str(&text).unwrap_or_default();
    let retry = &settings["retry"];
    let times = if retry["enabled"] == false { 0 } else { retry["maxRetries"].as_u64().unwrap_or(3) };
    Retry {
        times: u32::try_from(times).unwrap_or(3),
        delay: Duration::from_millis(retry["baseDelayMs"].as_u64().unwrap_or(2000)),
    }
}
