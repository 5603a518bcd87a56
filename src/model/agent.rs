//! Coding agents: what a session is, what it says, and what a run came to.

use super::{CommandId, DialogId, Extra, Row, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::ops::{Add, AddAssign, Sub};

/// What an agent says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentInfo {
    /// The program: `pi` or `omp`; may grow.
    pub agent: String,
    /// Its version.
    pub version: Option<String>,
    /// The session it works in, in its own id.
    pub session_id: Option<String>,
    /// The file of the session, where it is kept.
    pub session_file: Option<String>,
    /// The provider of its model.
    pub model_provider: Option<String>,
    /// The model it talks to.
    pub model: Option<String>,
    /// How much it thinks.
    pub thinking: Option<String>,
    /// The directory it works in.
    pub cwd: Option<String>,
    /// Messages that the session held when it was opened: more than none when it was resumed.
    pub messages: u64,
}

impl Row for AgentInfo {
    const NOUN: &'static str = "agents";
    fn id(&self) -> String {
        self.session_id.clone().unwrap_or_default()
    }
}

/// A model that an agent can talk to.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AgentModel {
    /// Its id.
    pub id: String,
    /// Who serves it.
    pub model_provider: String,
    /// Its name for people.
    pub name: Option<String>,
    /// Whether it can think.
    pub reasoning: bool,
    /// What it takes: `text`, `image`.
    pub input: Vec<String>,
    /// Tokens it can see at once.
    pub context_window: Option<u64>,
    /// Tokens it can write at once.
    pub max_tokens: Option<u64>,
    /// What the agent says beyond that.
    #[serde(skip_serializing_if = "super::nothing")]
    pub extra: Extra,
}

impl Row for AgentModel {
    const NOUN: &'static str = "models";
    fn id(&self) -> String {
        format!("{}/{}", self.model_provider, self.id)
    }
}

/// Tokens and money. `input_tokens` does not count what came from a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentUsage {
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens written, those of thinking among them.
    pub output_tokens: u64,
    /// Tokens that a cache held.
    pub cache_read_tokens: u64,
    /// Tokens that went into a cache.
    pub cache_write_tokens: u64,
    /// Their sum.
    pub total_tokens: u64,
    /// US dollars by the agent's own price table; null where it knows no price, which is not the same as free.
    pub cost_usd: Option<f64>,
}

impl Add for AgentUsage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let cost_usd = match (self.cost_usd, other.cost_usd) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or_default() + other.unwrap_or_default()),
        };
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cache_read_tokens: self.cache_read_tokens.saturating_add(other.cache_read_tokens),
            cache_write_tokens: self.cache_write_tokens.saturating_add(other.cache_write_tokens),
            total_tokens: self.total_tokens.saturating_add(other.total_tokens),
            cost_usd,
        }
    }
}

impl AddAssign for AgentUsage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for AgentUsage {
    type Output = Self;

    /// What came after `baseline`.
    fn sub(self, baseline: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_sub(baseline.input_tokens),
            output_tokens: self.output_tokens.saturating_sub(baseline.output_tokens),
            cache_read_tokens: self.cache_read_tokens.saturating_sub(baseline.cache_read_tokens),
            cache_write_tokens: self.cache_write_tokens.saturating_sub(baseline.cache_write_tokens),
            total_tokens: self.total_tokens.saturating_sub(baseline.total_tokens),
            cost_usd: self.cost_usd.map(|cost| (cost - baseline.cost_usd.unwrap_or_default()).max(0.0)),
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The answer.
    Assistant,
    /// The thinking before it.
    Thinking,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The agent was done.
    Completed,
    /// It was told to stop.
    Cancelled,
    /// It or its model failed.
    Error,
    /// The answer reached the model's own limit of length.
    Limit,
}

/// What kind of answer a dialog wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DialogKind {
    /// Whether something may be done.
    Permission,
    /// One of several options.
    Choice,
    /// A text.
    Question,
}

/// A question that must be answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dialog {
    /// Its id.
    pub request_id: DialogId,
    /// How it is put: `select`, `confirm`, `input` or `editor`; may grow.
    pub method: String,
    /// What kind of answer it wants.
    pub kind: DialogKind,
    /// The question.
    pub prompt: String,
    /// What explains it.
    pub message: Option<String>,
    /// The options, of which one is the answer.
    pub options: Vec<String>,
    /// What is filled in, or shown as an example.
    pub default: Option<String>,
    /// The tool that it is about, as far as that can be known.
    pub tool: Option<String>,
    /// What that tool is to be called with.
    pub arguments: Option<Value>,
    /// The call that it is about, as far as that can be known.
    pub tool_call_id: Option<String>,
    /// How long the agent waits for the answer; null is for ever.
    pub timeout_seconds: Option<f64>,
}

/// What became of a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DialogOutcome {
    /// It was answered.
    Answered,
    /// It was closed without an answer.
    Cancelled,
    /// Nobody answered in time.
    Expired,
    /// The agent took it back.
    Withdrawn,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The command's id.
    pub id: CommandId,
    /// The command's type in the agent's protocol.
    pub command: String,
    /// What it said, or why it failed.
    pub outcome: std::result::Result<Value, String>,
}

/// Something an agent did, said or asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum AgentEvent {
    /// It begins to work.
    #[serde(rename = "agent.start")]
    Start {
        /// Its session.
        session_id: Option<String>,
        /// Its model.
        model: Option<String>,
        /// Its directory.
        cwd: Option<String>,
    },
    /// A piece of text.
    #[serde(rename = "agent.message_delta")]
    MessageDelta {
        /// Who speaks.
        channel: Channel,
        /// The piece.
        text: String,
    },
    /// A whole message of the agent; what its pieces add up to is in it again.
    #[serde(rename = "agent.message")]
    Message {
        /// Who speaks.
        channel: Channel,
        /// The text.
        text: String,
        /// The thinking before it.
        thinking: Option<String>,
        /// Why it stopped, in the agent's words.
        stop_reason: Option<String>,
        /// The model that wrote it.
        model: Option<String>,
    },
    /// A tool begins.
    #[serde(rename = "agent.tool_start")]
    ToolStart {
        /// The call.
        tool_call_id: String,
        /// The tool.
        name: String,
        /// What it is called with.
        arguments: Value,
    },
    /// A tool has something to show.
    #[serde(rename = "agent.tool_update")]
    ToolUpdate {
        /// The call.
        tool_call_id: String,
        /// The tool.
        name: String,
        /// All it wrote so far, or the end of it.
        output: String,
        /// What is new of that; null where the beginning was cut off meanwhile.
        delta: Option<String>,
    },
    /// A tool has ended.
    #[serde(rename = "agent.tool_end")]
    ToolEnd {
        /// The call.
        tool_call_id: String,
        /// The tool.
        name: String,
        /// What it answered.
        result: String,
        /// Whether it failed, or was refused.
        is_error: bool,
        /// How long it took, measured here.
        duration_seconds: Option<f64>,
        /// What the tool says beyond its answer.
        details: Option<Value>,
    },
    /// What one call of the model took.
    #[serde(rename = "agent.usage")]
    Usage {
        /// This call.
        turn: AgentUsage,
        /// All calls since the session was opened here.
        total: AgentUsage,
        /// How many there were.
        turns: u64,
    },
    /// It asks, and waits.
    #[serde(rename = "agent.interaction")]
    Interaction(Dialog),
    /// A question is open no more.
    #[serde(rename = "agent.interaction_end")]
    InteractionEnd {
        /// The question.
        request_id: DialogId,
        /// What became of it.
        outcome: DialogOutcome,
        /// The answer, if there was one.
        value: Option<String>,
    },
    /// It tells something beside its work.
    #[serde(rename = "agent.notice")]
    Notice {
        /// `info`, `warning` or `error`; may grow.
        level: String,
        /// What it tells.
        text: String,
    },
    /// Something failed.
    #[serde(rename = "agent.error")]
    Error {
        /// How.
        message: String,
        /// Where: a command, `model`, `extension`, `protocol`, `process`; may grow.
        code: String,
        /// Whether the session is lost.
        fatal: bool,
    },
    /// The prompt is done with: nothing more happens by itself.
    #[serde(rename = "agent.end")]
    End {
        /// Why.
        reason: EndReason,
        /// The last text of the agent that is not empty.
        final_text: String,
        /// What failed.
        error: Option<String>,
    },
    /// An event of the agent's own, relayed with its payload untouched.
    #[serde(rename = "agent.event")]
    Other {
        /// Its type in the agent's protocol.
        event: String,
        /// Its payload.
        data: Value,
    },
    /// A line that the agent's program wrote to its stderr, or beside its protocol.
    #[serde(rename = "agent.log")]
    Log {
        /// The line.
        text: String,
    },
    /// The answer to a command. Not an event of the run: whoever sent the command takes it.
    #[serde(skip)]
    Reply(Reply),
}

/// A session that is kept in a file.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AgentSession {
    /// Its id.
    pub session_id: String,
    /// Its name, or what it began with.
    pub title: Option<String>,
    /// The directory it works in.
    pub cwd: Option<String>,
    /// Messages in it.
    pub messages: u64,
    /// Its last model.
    pub model: Option<String>,
    /// What it took, all branches counted: it was paid for.
    pub usage: AgentUsage,
    /// When it began.
    pub created_at: Option<Time>,
    /// When it was last changed.
    pub modified_at: Option<Time>,
    /// The session it was forked from.
    pub parent: Option<String>,
    /// Its file.
    pub path: String,
    /// Whether it is the user's own and not one of the private ones.
    pub shared: bool,
}

impl Row for AgentSession {
    const NOUN: &'static str = "sessions";
    fn id(&self) -> String {
        self.session_id.clone()
    }
}

/// A session that outlives the command which started it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LiveSession {
    /// Its name.
    pub name: String,
    /// `idle`, `working`, `waiting` (for an answer), `ended`, or `lost` if its end was seen by nobody; may grow.
    pub state: String,
    /// Who works in it.
    #[serde(flatten)]
    pub agent: AgentInfo,
    /// The endpoint of its agent.
    pub endpoint: String,
    /// Where it runs, if not on this machine.
    pub host: Option<String>,
    /// Calls of the model so far.
    pub turns: u64,
    /// What they took.
    pub usage: AgentUsage,
    /// The questions that wait for an answer.
    pub questions: Vec<Dialog>,
    /// The tools that run.
    pub tools: Vec<String>,
    /// Who watches it just now.
    pub attached: u64,
    /// Since when.
    pub started_at: Time,
    /// When something happened in it last.
    pub active_at: Time,
    /// How long it may be idle before it is ended; null is for ever.
    pub idle_limit_seconds: Option<f64>,
    /// Why it ended.
    pub ended: Option<String>,
    /// The process that looks after it.
    pub pid: u32,
}

impl Row for LiveSession {
    const NOUN: &'static str = "sessions";
    fn id(&self) -> String {
        self.name.clone()
    }
}
