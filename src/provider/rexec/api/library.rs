//! Snippets and recordings (sections 3.7 and 3.8).

use super::or_default;
use crate::model::Extra;
use serde::{Deserialize, Serialize};

/// A snippet.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Snippet {
    /// Its id.
    #[serde(default)]
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// What it says; older servers call it `command`.
    #[serde(default, alias = "command")]
    pub content: String,
    /// `bash`, …
    #[serde(default)]
    pub language: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether everybody may see it.
    #[serde(default)]
    pub is_public: bool,
    /// How often it was used.
    #[serde(default)]
    pub usage_count: u64,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Extra,
}

/// A list of snippets.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Snippets {
    /// The snippets.
    #[serde(default, deserialize_with = "or_default")]
    pub snippets: Vec<Snippet>,
}

/// A recording of a terminal.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Recording {
    /// Its id.
    #[serde(default)]
    pub id: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// The container whose terminal it is.
    #[serde(default)]
    pub container_id: String,
    /// How long it is, in milliseconds.
    #[serde(default)]
    pub duration_ms: Option<u64>,
    /// How large it is.
    #[serde(default)]
    pub size_bytes: Option<u64>,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Extra,
}

/// A list of recordings.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Recordings {
    /// The recordings.
    #[serde(default, deserialize_with = "or_default")]
    pub recordings: Vec<Recording>,
}
