//! Coding agents.

use super::{DialogId, Row};
use schemars::JsonSchema;
use serde::Serialize;

/// What an agent says of itself.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AgentInfo {
    /// `pi` or `omp`.
    pub flavour: String,
    /// Its version.
    pub version: Option<String>,
    /// The session it works in.
    pub session_id: Option<String>,
    /// The model it talks to.
    pub model: Option<String>,
}

impl Row for AgentInfo {
    const NOUN: &'static str = "agents";
    fn id(&self) -> String {
        self.session_id.clone().unwrap_or_default()
    }
}

/// Something an agent did, said or asked.
#[derive(Clone, Debug)]
pub enum AgentEvent {
    /// An event of its own, relayed with its payload untouched.
    Event {
        /// Its type, unprefixed.
        kind: String,
        /// Its payload.
        data: serde_json::Value,
    },
    /// The answer to a command.
    Reply {
        /// The command's id.
        id: super::CommandId,
        /// What it said, or why it failed.
        outcome: std::result::Result<serde_json::Value, String>,
    },
    /// A question that must be answered.
    Dialog {
        /// Its id.
        id: DialogId,
        /// The question, as the agent put it.
        data: serde_json::Value,
    },
}
