//! Files over there.

use super::{Extra, Row, Time, nothing};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A path on a target: bytes, since servers hand out names that are not UTF-8.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RemotePath(pub Vec<u8>);

impl RemotePath {
    /// A path of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// It as text, with `U+FFFD` for what is not UTF-8.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Whether it starts at the root.
    pub fn is_absolute(&self) -> bool {
        self.0.first() == Some(&b'/')
    }

    /// The part after the last slash, trailing slashes aside; empty for `/`.
    pub fn file_name(&self) -> &[u8] {
        let end = self.0.iter().rposition(|b| *b != b'/').map_or(0, |i| i + 1);
        let start = self.0[..end].iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
        &self.0[start..end]
    }

    /// Everything before the last part; `/` is its own parent.
    pub fn parent(&self) -> Self {
        let end = self.0.iter().rposition(|b| *b != b'/').map_or(0, |i| i + 1);
        match self.0[..end].iter().rposition(|b| *b == b'/') {
            Some(0) => Self(b"/".to_vec()),
            Some(i) => Self(self.0[..i].to_vec()),
            None if self.is_absolute() => Self(b"/".to_vec()),
            None => Self(b".".to_vec()),
        }
    }

    /// It with one more part.
    pub fn join(&self, name: &[u8]) -> Self {
        let mut bytes = self.0.clone();
        if bytes.last() != Some(&b'/') {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        Self(bytes)
    }
}

impl From<&str> for RemotePath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text(), f)
    }
}

impl Serialize for RemotePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl JsonSchema for RemotePath {
    fn schema_name() -> Cow<'static, str> {
        "RemotePath".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// What a directory entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A unix socket.
    Socket,
    /// A FIFO.
    NamedPipe,
    /// A block or character device.
    Device,
    /// Something else.
    Unknown,
}

/// An entry of a directory.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FileEntry {
    /// The part after the last slash.
    pub name: String,
    /// The whole path.
    pub path: RemotePath,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: FileKind,
    /// Its size; null for what is not a regular file.
    pub size_bytes: Option<u64>,
    /// Permission bits as octal digits, such as `644`.
    pub mode: Option<String>,
    /// When it was last changed.
    pub modified_at: Option<Time>,
    /// The owner's name.
    pub user: Option<String>,
    /// The owner's number.
    pub user_id: Option<u32>,
    /// The group's name.
    pub group: Option<String>,
    /// The group's number.
    pub group_id: Option<u32>,
    /// Where a link leads; null if the provider does not tell.
    pub link_target: Option<String>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for FileEntry {
    const NOUN: &'static str = "files";
    fn id(&self) -> String {
        self.path.to_string()
    }
}

impl FileEntry {
    /// An entry of which no more is known.
    pub fn new(name: impl Into<String>, path: impl Into<RemotePath>, kind: FileKind) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            kind,
            size_bytes: None,
            mode: None,
            modified_at: None,
            user: None,
            user_id: None,
            group: None,
            group_id: None,
            link_target: None,
            extra: Extra::new(),
        }
    }

    /// The permission bits as a number.
    pub fn mode_bits(&self) -> Option<u32> {
        u32::from_str_radix(self.mode.as_deref()?, 8).ok()
    }
}

/// What was removed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Removed {
    /// The path, and with it all that was below.
    pub path: RemotePath,
}

impl Row for Removed {
    const NOUN: &'static str = "files";
    fn id(&self) -> String {
        self.path.to_string()
    }
}

/// What a copy did.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Copied {
    /// Where from.
    pub source: String,
    /// Where to.
    pub destination: String,
    /// Files written.
    pub files: u64,
    /// Directories made.
    pub directories: u64,
    /// Bytes written.
    pub size_bytes: u64,
    /// What was left out: links, devices and the like.
    pub skipped: u64,
    /// What could not be copied.
    pub failed: u64,
    /// How long it took.
    pub duration_seconds: f64,
}

impl Row for Copied {
    const NOUN: &'static str = "copies";
    fn id(&self) -> String {
        self.destination.clone()
    }
}

/// Something that a sync does, or would do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SyncChange {
    /// What: create, update, mkdir, mode or delete.
    pub change: String,
    /// The path below the destination; `.` for itself.
    pub path: RemotePath,
    /// The size of a file that comes.
    pub size_bytes: Option<u64>,
}

impl Row for SyncChange {
    const NOUN: &'static str = "changes";
    fn id(&self) -> String {
        self.path.to_string()
    }
}

/// What a sync did.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Synced {
    /// Where from.
    pub source: String,
    /// Where to.
    pub destination: String,
    /// Files written.
    pub files: u64,
    /// Directories made.
    pub directories: u64,
    /// Bytes written.
    pub size_bytes: u64,
    /// What got another mode.
    pub modes: u64,
    /// What was deleted; a directory with all below counts once.
    pub deleted: u64,
    /// Files that were alike.
    pub unchanged: u64,
    /// What was left out: links, devices and the like.
    pub skipped: u64,
    /// What could not be done.
    pub failed: u64,
    /// How long it took.
    pub duration_seconds: f64,
}

impl Row for Synced {
    const NOUN: &'static str = "syncs";
    fn id(&self) -> String {
        self.destination.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart_and_put_together() {
        let name = |p: &str| String::from_utf8(RemotePath::from(p).file_name().to_vec()).unwrap();
        let parent = |p: &str| RemotePath::from(p).parent().to_string();
        assert_eq!((name("/a/b"), parent("/a/b")), ("b".into(), "/a".into()));
        assert_eq!((name("/a/"), parent("/a/")), ("a".into(), "/".into()));
        assert_eq!((name("/"), parent("/")), (String::new(), "/".into()));
        assert_eq!((name("a"), parent("a")), ("a".into(), ".".into()));
        assert_eq!(RemotePath::from("/").join(b"x").to_string(), "/x");
        assert_eq!(RemotePath::from("/a/").join(b"x").to_string(), "/a/x");
        assert_eq!(RemotePath::from("/a").join(b"x").to_string(), "/a/x");
    }
}
