//! What a run came to: one object, whatever it came to.

use crate::model::{AgentInfo, AgentUsage, Row};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

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
    /// How long it took, its start included.
    pub duration_seconds: f64,
    /// The exit status of this command.
    pub exit_code: u8,
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
