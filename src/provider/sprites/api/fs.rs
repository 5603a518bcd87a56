//! Files of a sandbox (section 2.6).

use serde::{Deserialize, Serialize};

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
