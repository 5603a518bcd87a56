//! What goes over a terminal's socket and over that of events (sections 4 and 5).

use super::Container;
use crate::model::Extra;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message of a terminal, in either direction.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Frame {
    /// `output`, `input`, `resize`, `stats`, `ping`, …; may grow.
    #[serde(rename = "type")]
    pub kind: String,
    /// Mostly a text; of an agent's `stats` an object.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// Of `resize`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cols: u16,
    /// Of `resize`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows: u16,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u16) -> bool {
    *number == 0
}

impl Frame {
    /// A message without data.
    pub fn new(kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..Self::default() }
    }

    /// A message with a text.
    pub fn text(kind: &str, data: impl Into<String>) -> Self {
        Self { data: Value::String(data.into()), ..Self::new(kind) }
    }

    /// What it says, if that is a text.
    pub fn data(&self) -> &str {
        self.data.as_str().unwrap_or_default()
    }

    /// The load that a `stats` message tells: a text that holds JSON, or an object.
    pub fn stats(&self) -> Option<Stats> {
        match &self.data {
            Value::String(text) => serde_json::from_str(text).ok(),
            other => serde_json::from_value(other.clone()).ok(),
        }
    }
}

/// The load of a container.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Stats {
    /// Per cent of one processor.
    #[serde(default)]
    pub cpu_percent: f64,
    /// Memory in use.
    pub memory: Option<u64>,
    /// Memory that may be used.
    pub memory_limit: Option<u64>,
    /// Disk in use.
    pub disk_usage: Option<u64>,
    /// Disk that may be used.
    pub disk_limit: Option<u64>,
    /// All else.
    #[serde(flatten)]
    pub rest: Extra,
}

/// A message of the events socket.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ServerEvent {
    /// `list`, `created`, `updated`, `started`, `deleted`, `progress`, …; may grow.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    #[serde(default)]
    pub container: Value,
}

impl ServerEvent {
    /// How far a creation has come, if it says that.
    pub fn progress(&self) -> Option<Progress> {
        if self.kind != "progress" {
            return None;
        }
        serde_json::from_value(self.container.clone()).ok()
    }
}

/// How far a creation has come. It may go backwards.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Progress {
    /// The database's id of the container.
    #[serde(default)]
    pub id: String,
    /// `validating`, `pulling`, …, `ready`, `error`.
    #[serde(default)]
    pub stage: String,
    /// In words.
    #[serde(default)]
    pub message: String,
    /// Of a hundred.
    #[serde(default)]
    pub progress: u64,
    /// Whether it is over.
    #[serde(default)]
    pub complete: bool,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The container once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
}
