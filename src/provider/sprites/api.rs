//! The documents of the wire, as section 2 of the reference has them: plain data.

use serde::{Deserialize, Serialize};

/// A sandbox (section 2.2). Unknown members are kept for `extra`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sprite {
    /// `sprite-<uuid>`.
    #[serde(default)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// `cold`, `warm` or `running`; may grow.
    #[serde(default)]
    pub status: String,
    /// Everything else.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

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

/// The answer of `fs/list` (section 2.6).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FsList {
    /// What is in a directory, or a file itself.
    #[serde(default)]
    pub entries: Option<Vec<FsEntry>>,
}

/// A file or directory (section 2.6).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FsEntry {
    /// The part after the last slash.
    pub name: String,
    /// The whole path.
    #[serde(default)]
    pub path: String,
    /// `file`, `directory` or `symlink`.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// Bytes.
    #[serde(default)]
    pub size: u64,
    /// Octal digits.
    #[serde(default)]
    pub mode: String,
    /// RFC 3339.
    #[serde(default, rename = "modTime")]
    pub modified: Option<String>,
}

/// The answer of `fs/write` (section 2.6).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FsWritten {
    /// Bytes written.
    #[serde(default)]
    pub size: Option<u64>,
}
