//! Snippets and recordings.

use super::{Extra, RecordingId, Row, Time, nothing};
use schemars::JsonSchema;
use serde::Serialize;

/// A small script with a name.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Snippet {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// What it is written in: `bash`, …
    pub language: String,
    /// What it says.
    pub content: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether everybody may see it.
    pub public: bool,
    /// How often it was used.
    pub uses: u64,
    /// When it was made.
    pub created_at: Option<Time>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Snippet {
    const NOUN: &'static str = "snippets";
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// A recording of a terminal.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Recording {
    /// Its id.
    pub id: RecordingId,
    /// Its title.
    pub title: String,
    /// The key of the machine whose terminal it is.
    pub machine: String,
    /// How long it is.
    pub duration_seconds: Option<f64>,
    /// How large it is.
    pub size_bytes: Option<u64>,
    /// When it was made.
    pub created_at: Option<Time>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Recording {
    const NOUN: &'static str = "recordings";
    fn id(&self) -> String {
        self.id.0.clone()
    }
}
