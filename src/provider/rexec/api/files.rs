//! Files (section 3.3).

use super::or_default;
use serde::{Deserialize, Serialize};

/// An entry, read from what `ls -la` prints over there.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct File {
    /// The part after the last slash; of a link ` -> TARGET` follows.
    #[serde(default)]
    pub name: String,
    /// The whole path.
    #[serde(default)]
    pub path: String,
    /// Its size in bytes.
    #[serde(default)]
    pub size: u64,
    /// As `ls` writes it: `-rw-r--r--`.
    #[serde(default)]
    pub mode: String,
    /// When it was changed: to the minute, without a zone, of a year that was guessed.
    #[serde(default, alias = "modTime")]
    pub mod_time: String,
    /// Whether it is a directory.
    #[serde(default, alias = "isDir")]
    pub is_dir: bool,
}

/// A list of files: an object on the server, an array where the SDKs' authors expect one (section 6.2).
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum FileList {
    /// What the server answers; `null` for an empty directory, and for what is none.
    Object {
        /// The entries.
        #[serde(default, deserialize_with = "or_default")]
        files: Vec<File>,
    },
    /// A bare array.
    Array(Vec<File>),
}

impl Default for FileList {
    fn default() -> Self {
        Self::Array(Vec::new())
    }
}

impl FileList {
    /// The entries.
    pub fn into_items(self) -> Vec<File> {
        match self {
            Self::Object { files } | Self::Array(files) => files,
        }
    }
}
