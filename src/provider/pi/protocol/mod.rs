//! One session as a state machine: bytes and commands in, typed events and lines to write out. No I/O and no clock of
//! its own, so that recordings run through it.

mod interface;
mod replies;
mod work;

use super::api::{self, Record, State, Wanted};
use super::dialogs::Dialogs;
use super::finish::Finish;
use super::framing::{Chunks, Line, Lines};
use super::usage::Totals;
use super::version::Build;
use crate::error::Result;
use crate::model::{AgentEvent, CommandId, DialogId};
use crate::provider::agent::{Answer, Command};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The least time between two questions about the state.
const ASK_PAUSE: Duration = Duration::from_millis(250);

/// The longest line of stderr that is shown, in bytes.
const LONGEST_LOG: usize = 64 * 1024;

/// A session.
pub struct Protocol {
    build: Build,
    cwd: Option<String>,
    lines: Lines,
    log: Lines,
    chunks: Chunks,
    calls: BTreeMap<u64, Call>,
    next_call: u64,
    dialogs: Dialogs,
    tools: BTreeMap<String, Tool>,
    /// The calls that the last message wants and that have not begun.
    wanted: Vec<Wanted>,
    /// Counts tools, since ids do not tell which one began last.
    next_tool: u64,
    finish: Finish,
    run: Run,
    totals: Totals,
    state: State,
    heard: Instant,
    asked: Option<Instant>,
    /// What is drawn somewhere and was drawn like this before: `setWidget` comes again and again.
    drawn: BTreeMap<String, String>,
    events: VecDeque<AgentEvent>,
    output: VecDeque<Vec<u8>>,
}

/// A command that waits for its answer.
struct Call {
    command: String,
    by: Caller,
}

/// Who wants the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    User,
    /// The question whether the agent still works.
    Probe,
    /// Nobody.
    Nobody,
}

/// A tool that runs.
struct Tool {
    order: u64,
    name: String,
    arguments: Value,
    since: Instant,
    shown: String,
}

/// What is known of the run of a prompt.
#[derive(Default)]
struct Run {
    started: bool,
    abort: bool,
    text: String,
    stop: Option<String>,
    error: Option<String>,
}

impl Protocol {
    /// A session of this program in that directory.
    pub fn new(build: Build, cwd: Option<String>, now: Instant) -> Self {
        Self {
            build,
            cwd,
            lines: Lines::default(),
            log: Lines::with_longest(LONGEST_LOG),
            chunks: Chunks::default(),
            calls: BTreeMap::new(),
            next_call: 1,
            dialogs: Dialogs::default(),
            tools: BTreeMap::new(),
            wanted: Vec::new(),
            next_tool: 0,
            finish: Finish::new(build.ending()),
            run: Run::default(),
            totals: Totals::default(),
            state: State::default(),
            heard: now,
            asked: None,
            drawn: BTreeMap::new(),
            events: VecDeque::new(),
            output: VecDeque::new(),
        }
    }

    /// The next thing to tell.
    pub fn event(&mut self) -> Option<AgentEvent> {
        self.events.pop_front()
    }

    /// The next line to write to the agent.
    pub fn output(&mut self) -> Option<Vec<u8>> {
        self.output.pop_front()
    }

    /// What the agent said of itself last.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Whether a prompt is under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.finish.is_idle()
    }

    /// Sends a command.
    pub(super) fn send(&mut self, command: &Command, now: Instant) -> CommandId {
        let (kind, fields) = api::command(command);
        if kind == "abort" {
            // With a question open, pi would not stop before it is answered (section 2.3).
            self.close_dialogs();
            self.run.abort = true;
        }
        let id = self.call(&kind, &fields, Caller::User);
        if kind == "prompt" {
            if self.finish.is_idle() {
                self.run = Run::default();
            }
            self.finish.sent(&id);
        }
        self.heard = now;
        CommandId(id)
    }

    /// Sends what a session begins with: the question who it is, whose answer shows that it listens, and its name.
    pub(super) fn begin(&mut self, name: Option<&str>) {
        match name {
            None => self.call("get_state", &Map::new(), Caller::Nobody),
            Some(name) => {
                let fields = Map::from_iter([("name".to_owned(), Value::from(name))]);
                self.call("set_session_name", &fields, Caller::Nobody)
            }
        };
    }

    /// Puts events back that were taken too early.
    pub(super) fn unshift(&mut self, events: Vec<AgentEvent>) {
        for event in events.into_iter().rev() {
            self.events.push_front(event);
        }
    }

    /// The program has ended, and nobody asked it to.
    pub(super) fn lost(&mut self, why: &str) {
        let message = format!("the agent has ended: {why}");
        self.events.push_back(AgentEvent::Error { message, code: "process".to_owned(), fatal: true });
    }

    fn call(&mut self, kind: &str, fields: &Map<String, Value>, by: Caller) -> String {
        let number = self.next_call;
        self.next_call += 1;
        let id = format!("esker-{number}");
        self.output.push_back(api::command_line(&id, kind, fields));
        self.calls.insert(number, Call { command: kind.to_owned(), by });
        id
    }

    /// Answers a dialog.
    pub(super) fn answer(&mut self, id: &DialogId, answer: &Answer) -> Result<()> {
        let closed = self.dialogs.answer(id.as_str(), answer)?;
        self.output.push_back(api::answer_line(id.as_str(), answer));
        self.events.push_back(closed);
        Ok(())
    }

    /// Closes every open dialog without an answer.
    pub(super) fn close_dialogs(&mut self) {
        for id in self.dialogs.ids() {
            // It is open, so it can be closed.
            let _ = self.answer(&id, &Answer::Cancelled);
        }
    }

    /// When [`Protocol::tick`] is to be called, if nothing is heard before.
    pub fn wake_at(&self) -> Option<Instant> {
        [self.dialogs.next_expiry(), self.ask_at()].into_iter().flatten().min()
    }

    /// When the agent is to be asked whether it still works. Never while it waits for an answer itself.
    fn ask_at(&self) -> Option<Instant> {
        let is_asking = self.calls.values().any(|call| call.by == Caller::Probe);
        if is_asking || !self.dialogs.is_empty() {
            return None;
        }
        let due = self.heard + self.finish.ask_after()?;
        Some(self.asked.map_or(due, |asked| due.max(asked + ASK_PAUSE)))
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        self.events.extend(self.dialogs.expire(now));
        if self.ask_at().is_some_and(|due| due <= now) {
            self.asked = Some(now);
            self.finish.asks();
            self.call("get_state", &Map::new(), Caller::Probe);
        }
    }

    /// Takes bytes of the agent's stdout.
    pub fn feed(&mut self, bytes: &[u8], now: Instant) {
        self.heard = now;
        self.lines.push(bytes);
        while let Some(line) = self.lines.line() {
            self.framed(line, now);
        }
    }

    /// Takes bytes of its stderr: free text, never part of the protocol.
    pub fn feed_log(&mut self, bytes: &[u8]) {
        self.log.push(bytes);
        while let Some(line) = self.log.line() {
            self.logged(&line);
        }
    }

    /// Both streams have ended.
    pub fn end(&mut self, now: Instant) {
        if let Some(line) = self.lines.end() {
            self.framed(line, now);
        }
        if let Some(line) = self.log.end() {
            self.logged(&line);
        }
    }

    fn logged(&mut self, line: &Line) {
        let text = match line {
            Line::Whole(text) | Line::Torn(text) => String::from_utf8_lossy(text).into_owned(),
            Line::TooLong(length) => format!("(a line of {length} bytes)"),
        };
        self.events.push_back(AgentEvent::Log { text });
    }

    fn framed(&mut self, line: Line, now: Instant) {
        match line {
            Line::Whole(line) => self.line(&line, now),
            // What was cut off in the middle of a record is said to be that.
            Line::Torn(line) if line.first() == Some(&b'{') => {
                if !self.parsed(&line, now) {
                    self.fault(format!("its last line is cut off after {} bytes", line.len()));
                }
            }
            Line::Torn(line) => self.line(&line, now),
            Line::TooLong(length) => self.fault(format!("a line of {length} bytes is longer than is taken")),
        }
    }

    fn line(&mut self, line: &[u8], now: Instant) {
        if !self.parsed(line, now) {
            if line.first() == Some(&b'{') {
                self.fault(format!("a line of {} bytes is no JSON", line.len()));
            } else {
                // Something printed beside the protocol: a banner, a warning.
                self.events.push_back(AgentEvent::Log { text: String::from_utf8_lossy(line).into_owned() });
            }
        }
    }

    /// Whether it was a record.
    fn parsed(&mut self, line: &[u8], now: Instant) -> bool {
        if !api::has_halves(line)
            && let Ok(record) = serde_json::from_slice::<Record<'_>>(line)
        {
            self.record(&record, line, now);
            return true;
        }
        let Some(mended) = api::mend(line) else { return false };
        let Ok(record) = serde_json::from_str::<Record<'_>>(&mended) else { return false };
        self.record(&record, mended.as_bytes(), now);
        true
    }

    fn fault(&mut self, message: String) {
        self.events.push_back(AgentEvent::Error { message, code: "protocol".to_owned(), fatal: false });
    }

    fn record(&mut self, record: &Record<'_>, line: &[u8], now: Instant) {
        if record.kind == "rpc_chunk" {
            match self.chunks.take(record) {
                // Nothing is nested: a frame of chunks that holds a chunk is dropped.
                Ok(Some(frame)) if !frame.starts_with(br#"{"type":"rpc_chunk""#) => self.line(&frame, now),
                Ok(_) => {}
                Err(fault) => self.fault(fault),
            }
            return;
        }
        if self.chunks.interrupt() {
            self.fault("a frame in chunks is broken: something came between".to_owned());
        }
        match &*record.kind {
            "response" => self.response(record),
            "ready" => self.negotiate(line),
            "agent_start" => self.start(),
            "message_update" => self.update(record),
            "message_end" => self.message(record),
            "turn_end" => self.turn(record),
            "tool_execution_start" => self.tool_start(record, now),
            "tool_execution_update" => self.tool_update(record),
            "tool_execution_end" => self.tool_end(record, now),
            "extension_ui_request" => self.interface(record, line, now),
            "extension_error" | "hook_error" => {
                let message = said(record.error).unwrap_or_else(|| "an extension failed".to_owned());
                self.events.push_back(AgentEvent::Error { message, code: "extension".to_owned(), fatal: false });
            }
            "rpc_frame_error" => self.fault(said(record.error).unwrap_or_else(|| "a frame was lost".to_owned())),
            "notice" => {
                let level = api::text(record.level).unwrap_or_else(|| "info".to_owned());
                let text = said(record.message).unwrap_or_default();
                self.events.push_back(AgentEvent::Notice { level, text });
            }
            "command_output" => {
                let text = said(record.text).unwrap_or_default();
                self.events.push_back(AgentEvent::Notice { level: "info".to_owned(), text });
            }
            // Told better by other events, and large.
            "turn_start" | "message_start" | "agent_end" | "agent_settled" | "session_settled" => {}
            _ => self.other(line),
        }
        if self.finish.heard(record) {
            self.over(None);
        }
    }

    fn other(&mut self, line: &[u8]) {
        let Ok(Value::Object(mut data)) = serde_json::from_slice(line) else { return };
        let event = match data.remove("type") {
            Some(Value::String(kind)) => kind,
            _ => "unknown".to_owned(),
        };
        self.events.push_back(AgentEvent::Other { event, data: data.into() });
    }

    /// omp first says what it speaks; frames in chunks lose nothing, shortened ones do (section 2.1).
    fn negotiate(&mut self, line: &[u8]) {
        let ready: Value = serde_json::from_slice(line).unwrap_or_default();
        let versions = ready["supportedProtocolVersions"].as_array();
        if versions.is_some_and(|versions| versions.iter().any(|version| version == 2)) {
            let fields = json!({ "protocolVersion": 2 });
            self.call("negotiate_protocol", fields.as_object().unwrap_or(&Map::new()), Caller::Nobody);
        }
        self.other(line);
    }
}

/// The text of a part, or what an object says as its `message`.
fn said(part: Option<&RawValue>) -> Option<String> {
    api::text(part).or_else(|| api::value(part)["message"].as_str().map(str::to_owned))
}
