//! What is said: messages, their pieces, and what they took.

use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// `assistantMessageEvent`. What `partial` repeats of the message so far is skipped.
#[derive(Debug, Deserialize)]
pub struct Delta<'a> {
    /// `text_delta`, `thinking_delta` and so on.
    #[serde(borrow, default, rename = "type")]
    pub kind: Cow<'a, str>,
    /// The new text.
    pub delta: Option<String>,
}

/// A message.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// `user`, `assistant`, `toolResult` and others.
    #[serde(default)]
    pub role: String,
    /// What it holds.
    pub content: Option<Content>,
    /// Who served it.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// What it took.
    pub usage: Option<Usage>,
    /// Why it stopped.
    pub stop_reason: Option<String>,
    /// What failed.
    pub error_message: Option<String>,
}

/// The content of a message.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// A text.
    Text(String),
    /// Blocks.
    Blocks(Vec<Block>),
    /// Something newer.
    Unknown(serde::de::IgnoredAny),
}

/// A block of a message.
#[derive(Debug, Deserialize)]
pub struct Block {
    #[serde(default, rename = "type")]
    kind: String,
    text: Option<String>,
    thinking: Option<String>,
    id: Option<String>,
    name: Option<String>,
    arguments: Option<Value>,
}

/// A call of a tool that a message wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// What it is called with.
    pub arguments: Value,
}

impl Content {
    /// The texts in it, joined.
    pub fn text(&self) -> String {
        self.joined("text", |block| block.text.as_deref())
    }

    /// The thinking in it, joined.
    pub fn thinking(&self) -> String {
        match self {
            Self::Text(_) => String::new(),
            _ => self.joined("thinking", |block| block.thinking.as_deref()),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Blocks(blocks) => blocks.is_empty(),
            Self::Unknown(_) => false,
        }
    }

    /// The calls of tools in it.
    pub fn calls(self) -> Vec<Wanted> {
        let Self::Blocks(blocks) = self else { return Vec::new() };
        let calls = blocks.into_iter().filter(|block| block.kind == "toolCall");
        let whole = |block: Block| {
            Some(Wanted { id: block.id?, name: block.name?, arguments: block.arguments.unwrap_or_default() })
        };
        calls.filter_map(whole).collect()
    }

    fn joined(&self, kind: &str, get: fn(&Block) -> Option<&str>) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Blocks(blocks) => blocks.iter().filter(|block| block.kind == kind).filter_map(get).collect(),
            Self::Unknown(_) => String::new(),
        }
    }
}

/// What a tool shows: `result` and `partialResult`.
#[derive(Debug, Default, Deserialize)]
pub struct ToolResult {
    /// The blocks.
    pub content: Option<Content>,
    /// What the tool says beyond them.
    pub details: Option<Value>,
}

/// What a call of the model took. `input` does not count what came from a cache.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Tokens sent.
    pub input: Option<f64>,
    /// Tokens written.
    pub output: Option<f64>,
    /// Tokens from a cache.
    pub cache_read: Option<f64>,
    /// Tokens into a cache.
    pub cache_write: Option<f64>,
    /// In US dollars.
    pub cost: Option<Cost>,
}

/// Its price.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Cost {
    /// All of it.
    pub total: Option<f64>,
}
