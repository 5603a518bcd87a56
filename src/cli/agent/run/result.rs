//! What a run came to: one object, whatever it came to.

use super::attend::Tally;
use crate::cli::agent::way_back::Kept;
use crate::error::{Error, ErrorKind};
use crate::model::{AgentInfo, AgentUsage, Row};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// What a run came to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AgentResult {
    /// `completed`, `cancelled`, `error`, `limit`, `denied`, `timeout`, `interrupted` or `invalid`; may grow.
    pub status: String,
    /// Why it is not `completed`.
    pub reason: Option<String>,
    /// The final text.
    pub text: String,
    /// The final text as the value that `--schema` asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Who did it.
    #[serde(flatten)]
    pub agent: AgentInfo,
    /// Calls of the model.
    pub turns: u64,
    /// Calls of tools.
    pub tool_calls: ToolCalls,
    /// What was refused by a policy, or since nobody was there.
    pub denied: Vec<Denied>,
    /// What it took.
    pub usage: AgentUsage,
    /// The checkpoint that was made of the target before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Kept>,
    /// How long it took, its start included.
    pub duration_seconds: f64,
    /// The exit status of this command.
    pub exit_code: u8,
}

impl AgentResult {
    /// What a run came to that ended with `error`, or well.
    pub(in crate::cli::agent) fn new(agent: AgentInfo, tally: Tally, error: Option<&Error>, took: Duration) -> Self {
        let Tally { text, usage, turns, tools: tool_calls, denied } = tally;
        Self {
            status: status(error).to_owned(),
            reason: error.map(ToString::to_string),
            text,
            value: None,
            agent,
            turns,
            tool_calls,
            denied,
            usage,
            checkpoint: None,
            duration_seconds: took.as_secs_f64(),
            exit_code: error.map_or(0, |e| e.parts().status.unwrap_or_else(|| e.kind().exit_code())),
        }
    }

    /// With what was used since a session was looked at.
    pub(in crate::cli::agent) fn with(self, usage: AgentUsage, turns: u64) -> Self {
        Self { turns, usage, ..self }
    }
}

/// The word for how it came out.
fn status(error: Option<&Error>) -> &'static str {
    match error.map(Error::kind) {
        None => "completed",
        Some(ErrorKind::Limit) => "limit",
        Some(ErrorKind::Forbidden) => "denied",
        Some(ErrorKind::Timeout) => "timeout",
        Some(ErrorKind::Interrupted) => "interrupted",
        Some(ErrorKind::Rejected) => "invalid",
        Some(_) => "error",
    }
}

impl Row for AgentResult {
    const NOUN: &'static str = "results";
    fn id(&self) -> String {
        self.agent.id()
    }
}

/// How many tools were called.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct ToolCalls {
    /// All of them.
    pub count: u64,
    /// Those that failed or were refused.
    pub failed: u64,
}

/// A question that was refused without anybody being asked.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Denied {
    /// The tool that it was about.
    pub tool: Option<String>,
    /// The question.
    pub prompt: String,
    /// Why.
    pub why: String,
}
