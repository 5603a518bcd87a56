//! What an agent says of itself.

use serde::Deserialize;
use serde_json::{Map, Value};

/// `get_state` (section 2.4), as far as it matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The model; a placeholder called `unknown` where there is none.
    pub model: Option<Model>,
    /// How much it thinks.
    pub thinking_level: Option<String>,
    /// Whether it works.
    pub is_streaming: Option<bool>,
    /// Whether it shortens its context.
    pub is_compacting: Option<bool>,
    /// Where the session is kept.
    pub session_file: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// Messages in it.
    pub message_count: Option<u64>,
}

impl State {
    /// Whether something happens by itself.
    pub fn is_busy(&self) -> bool {
        self.is_streaming.unwrap_or_default() || self.is_compacting.unwrap_or_default()
    }
}

/// A model.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Its id.
    #[serde(default)]
    pub id: String,
    /// Who serves it.
    #[serde(default)]
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// Whether it thinks.
    pub reasoning: Option<bool>,
    /// What it takes.
    pub input: Option<Vec<String>>,
    /// Tokens that it sees.
    pub context_window: Option<u64>,
    /// Tokens that it writes.
    pub max_tokens: Option<u64>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}
