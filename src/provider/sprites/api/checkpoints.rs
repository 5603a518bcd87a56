//! Checkpoints of a sandbox (section 2.4).

use serde::{Deserialize, Serialize};

/// A checkpoint (section 2.4).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    /// `v1`, `auto-…`, or `Current` for the live state.
    pub id: String,
    /// RFC 3339.
    #[serde(default)]
    pub create_time: Option<String>,
    /// What its maker wrote on it.
    #[serde(default)]
    pub comment: Option<String>,
    /// The checkpoints that its state went through.
    #[serde(default)]
    pub history: Option<Vec<String>>,
    /// Whether the service made it by itself.
    #[serde(default)]
    pub is_auto: bool,
    /// The checkpoint that its state came from.
    #[serde(default)]
    pub source_id: Option<String>,
    /// `mount_failed` marks a broken one.
    #[serde(default)]
    pub health: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}
