//! Coding agents: a session takes commands and yields typed events, dialogs that must be answered among them.

use super::exec::{Exec, Exit};
use crate::error::Result;
use crate::model::{AgentEvent, AgentInfo, AgentSession, CommandId, DialogId, RemotePath};
use crate::stream::Items;
use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// A session to be opened. What an agent or its version cannot do is refused before it is started.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SessionSpec {
    /// The directory it works in. Not passed on between processes: it may be no text.
    #[serde(skip)]
    pub dir: Option<RemotePath>,
    /// The model it talks to, as the agent names it.
    pub model: Option<String>,
    /// Who serves the model.
    pub model_provider: Option<String>,
    /// How much it thinks.
    pub thinking: Option<String>,
    /// The tools it may use; none means the agent's own choice.
    pub tools: Vec<String>,
    /// Tools that it may not use.
    pub exclude_tools: Vec<String>,
    /// No tools at all.
    pub no_tools: bool,
    /// Which session it works in.
    pub session: Which,
    /// The name of the session.
    pub session_name: Option<String>,
    /// Where its sessions are kept.
    pub session_dir: Option<String>,
    /// Replaces the agent's system prompt.
    pub system_prompt: Option<String>,
    /// Added to the system prompt.
    pub append_system_prompt: Vec<String>,
    /// Extensions that are loaded, as files.
    pub extensions: Vec<String>,
    /// Further arguments of the agent's binary.
    pub args: Vec<String>,
    /// Added to its environment.
    pub env: Vec<(String, String)>,
    /// What of the user's it gets.
    pub isolation: Isolation,
    /// Which of its tools ask before they do something.
    pub approval: Approval,
    /// Which keys it gets.
    pub keys: Keys,
}

/// Which keys of model providers an agent gets from our environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keys {
    /// Those of its model's provider. Without any, and without a login, it is not started: `Auth`.
    #[default]
    OfProvider,
    /// All there are, for a look at what could be used.
    All,
    /// None: no model is needed.
    None,
}

/// Which session an agent works in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// A new one.
    #[default]
    New,
    /// A new one that is kept nowhere.
    Unkept,
    /// The last one of this directory.
    Last,
    /// The one of this id, the beginning of an id, or a file.
    Known(String),
    /// A copy of that one.
    ForkOf(String),
}

/// What of the user's an agent gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Isolation {
    /// A configuration and a home of its own, kept for the next run in the same directory.
    #[default]
    Private,
    /// The same, gone when the session is closed.
    Ephemeral,
    /// The same, with the user's login, in place.
    ShareLogin,
    /// The user's own configuration and home.
    ShareConfig,
}

/// Which of its tools ask before they do something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Approval {
    /// Those that ask by themselves.
    #[default]
    Own,
    /// All that change something.
    Always,
    /// None.
    Never,
}

/// A command to an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Work on this.
    Prompt {
        /// What it is told.
        text: String,
        /// Pictures beside it.
        images: Vec<Image>,
        /// What happens if it works already.
        queue: Queue,
    },
    /// Stop working. Open dialogs are closed first: without an answer it would not stop.
    Abort,
    /// Run a command of the shell as the agent would.
    Bash {
        /// The command.
        command: String,
        /// Whether the agent is to know nothing of it.
        private: bool,
    },
    /// Say which models there are.
    Models,
    /// Write the session as a page.
    ExportHtml {
        /// The file.
        path: Option<String>,
    },
    /// Any other, as the agent's protocol has it.
    Other {
        /// Its type.
        kind: String,
        /// Its other fields.
        data: serde_json::Map<String, serde_json::Value>,
    },
}

/// Bytes as text, for commands that are passed on between processes of ours.
mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(data: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(data))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map(Bytes::from).map_err(D::Error::custom)
    }
}

/// What happens to a prompt while the agent works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Queue {
    /// It is refused.
    #[default]
    Refuse,
    /// It is told after the tools that run now.
    Steer,
    /// It is told when the work is done.
    FollowUp,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its bytes.
    #[serde(with = "base64_text")]
    pub data: Bytes,
    /// Its MIME type.
    pub mime_type: String,
}

/// The answer to a dialog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// A text, or one of the options as it stands.
    Value(String),
    /// Yes or no.
    Confirmed(bool),
    /// No answer.
    Cancelled,
}

/// An agent that can be opened on any host that runs programs.
#[async_trait]
pub trait Agent: Send + Sync {
    /// Which agent is installed on `host`, and its version; an agent that is not there is `NotFound`.
    async fn probe(&self, host: &dyn Exec) -> Result<AgentInfo>;

    /// Opens a session on `host`, and returns once the agent answers. What does not start is an error that carries the
    /// end of its stderr.
    async fn open(&self, spec: SessionSpec, host: &dyn Exec) -> Result<Session>;

    /// The same in another machine, where the agent is installed first if it is missing and `install` names a version
    /// (empty: the newest). What is its own is kept there; without it, an agent that is not there is `NotFound`.
    async fn open_there(&self, spec: SessionSpec, exec: &dyn Exec, install: Option<&str>) -> Result<Session>;

    /// The sessions that are kept in files on this machine, newest first: those of one directory or of all, and
    /// beside the private ones the user's own if `shared`.
    async fn sessions(&self, dir: Option<&RemotePath>, shared: bool) -> Result<Vec<AgentSession>>;
}

/// An open session.
pub struct Session {
    /// What the agent says of itself.
    pub info: AgentInfo,
    /// What it does, says and asks. Ends after the program did; a program that ends by itself is an `Error` event that
    /// is fatal.
    pub events: Items<AgentEvent>,
    /// The way to talk to it.
    pub control: Arc<dyn SessionControl>,
}

/// The way to talk to a session.
#[async_trait]
pub trait SessionControl: Send + Sync {
    /// Enqueues a command; `AgentEvent::Reply` with its id follows. Never waits for the agent.
    async fn send(&self, command: Command) -> Result<CommandId>;

    /// Answers a dialog. One that is open no more is a `Conflict`.
    async fn answer(&self, dialog: &DialogId, answer: Answer) -> Result<()>;

    /// Ends the session: dialogs are closed, work is aborted, and the agent is killed with all it started after
    /// `grace`. The events may be read on meanwhile, and end.
    async fn close(&self, grace: Duration) -> Result<Exit>;
}
