//! Coding agents: a session takes commands and yields typed events, dialogs that must be answered among them.

use super::exec::{Exec, Exit};
use crate::error::Result;
use crate::model::{AgentEvent, AgentInfo, CommandId, DialogId, RemotePath};
use crate::stream::Items;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// A session to be opened.
#[derive(Clone, Debug, Default)]
pub struct SessionSpec {
    /// The directory it works in.
    pub dir: Option<RemotePath>,
    /// The model it talks to.
    pub model: Option<String>,
    /// The session it goes on with.
    pub resume: Option<String>,
    /// Further arguments of the agent's binary.
    pub args: Vec<String>,
    /// Its environment.
    pub env: Vec<(String, String)>,
}

/// A command to an agent, as its protocol has it.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its type.
    pub kind: String,
    /// Its payload.
    pub data: serde_json::Value,
}

/// The answer to a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A text or a choice.
    Value(String),
    /// Yes or no.
    Confirmed(bool),
    /// No answer.
    Cancelled,
}

/// An agent that can be opened on any host that runs programs.
#[async_trait]
pub trait Agent: Send + Sync {
    /// Which agent is installed on `host`, and its version.
    async fn probe(&self, host: &dyn Exec) -> Result<AgentInfo>;
    /// Opens a session on `host`.
    async fn open(&self, spec: SessionSpec, host: &dyn Exec) -> Result<Session>;
}

/// An open session.
pub struct Session {
    /// What the agent says of itself.
    pub info: AgentInfo,
    /// What it does, says and asks.
    pub events: Items<AgentEvent>,
    /// The way to talk to it.
    pub control: Arc<dyn SessionControl>,
}

/// The way to talk to a session.
#[async_trait]
pub trait SessionControl: Send + Sync {
    /// Enqueues a command; `AgentEvent::Reply` with its id follows.
    async fn send(&self, command: Command) -> Result<CommandId>;
    /// Answers a dialog.
    async fn answer(&self, dialog: &DialogId, answer: Answer) -> Result<()>;
    /// Ends the session; kills the agent after `grace`.
    async fn close(&self, grace: Duration) -> Result<Exit>;
}
