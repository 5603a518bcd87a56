//! What the wire can carry, checked before any I/O; and its words in ours.

use super::SpritesFiles;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Extra, FileEntry, FileKind, RemotePath};
use crate::provider::exec::{Account, Owner};
use crate::provider::sprites::api::FsEntry;
use crate::transport::query::Query;
use serde_json::{Map, Value, json};

/// Refuses what is no absolute path, or none at all.
pub(super) fn absolute(path: &RemotePath) -> Result<()> {
    if !path.is_absolute() {
        return Err(Error::usage(format!("`{path}` is relative: a path over there starts with `/`")));
    }
    if path.as_bytes().contains(&0) {
        return Err(Error::usage(format!("`{path}` holds a NUL, which no path can")));
    }
    Ok(())
}

/// An absolute path as JSON can carry it.
pub(super) fn text(path: &RemotePath) -> Result<&str> {
    absolute(path)?;
    std::str::from_utf8(path.as_bytes()).map_err(|_| {
        Error::unsupported(format!(
            "cannot name `{path}`: it is not UTF-8, and the API of Sprites takes no other names"
        ))
        .hint("reach it with `esker exec`")
    })
}

/// A request about `path`: relative ones would resolve against `workingDir`, which is always sent.
pub(super) fn query(files: &SpritesFiles, call: &str, path: &RemotePath) -> Result<Query> {
    Ok(Query::new(&files.fs(call)).with("path", text(path)?).with("workingDir", "/"))
}

/// The body of a change of `path`.
pub(super) fn body(path: &RemotePath) -> Result<Map<String, Value>> {
    let mut body = Map::new();
    body.insert("path".to_owned(), text(path)?.into());
    body.insert("workingDir".to_owned(), "/".into());
    Ok(body)
}

/// A mode as the API takes it: octal digits with a leading zero.
pub(super) fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

/// The members that name an owner. Only root may give files away.
pub(super) fn add_owner(body: &mut Map<String, Value>, owner: &Owner) {
    let account = |account: &Account| match account {
        Account::Name(name) => json!(name),
        Account::Id(id) => json!(id),
    };
    for (key, who) in [("uid", &owner.user), ("gid", &owner.group)] {
        if let Some(who) = who {
            body.insert(key.to_owned(), account(who));
        }
    }
    body.insert("asRoot".to_owned(), true.into());
}

impl SpritesFiles {
    /// A refusal about one path: the file system's own code says it best (section 2.6).
    pub(super) fn refused(&self, verb: &str, path: &RemotePath, error: Error) -> Error {
        let code = error.parts().wire.as_ref().and_then(|wire| wire.kind.clone());
        let Some(reason) = code.as_deref().and_then(reason) else { return error };
        let error = error.message(self.client.cannot(&self.doing(verb, path), reason));
        match (error.kind(), verb) {
            (ErrorKind::NotFound, _) if path.text().contains('\u{FFFD}') => {
                error.cause("Sprites shows U+FFFD for what is not UTF-8 in a name, so the real name is unknown")
            }
            (ErrorKind::NotFound, "write") => {
                error.cause("its directory does not exist").hint("--parents makes missing directories")
            }
            _ => error,
        }
    }
}

/// The system's words for a code.
fn reason(code: &str) -> Option<&'static str> {
    Some(match code {
        "ENOENT" => "no such file or directory",
        "EEXIST" => "file exists",
        "ENOTDIR" => "not a directory",
        "EISDIR" => "is a directory",
        "EACCES" => "permission denied",
        "EPERM" => "operation not permitted",
        "ENOTEMPTY" => "directory not empty",
        "ELOOP" => "too many levels of symbolic links",
        _ => return None,
    })
}

/// An entry in our words, at `path`.
pub(super) fn entry(wire: FsEntry, path: RemotePath) -> FileEntry {
    let mut extra = Extra::new();
    let kind = match wire.kind.as_str() {
        "file" => FileKind::File,
        "directory" => FileKind::Directory,
        "symlink" => FileKind::Symlink,
        other => {
            extra.insert("type".to_owned(), other.into());
            FileKind::Unknown
        }
    };
    // Digits with leading zeros, and perhaps those of the type.
    let mode = u32::from_str_radix(&wire.mode, 8).ok().map(|mode| format!("{:03o}", mode & 0o7777));
    FileEntry {
        size_bytes: (kind == FileKind::File).then_some(wire.size),
        mode,
        modified_at: wire.modified.and_then(|time| time.parse().ok()),
        extra,
        ..FileEntry::new(wire.name, path, kind)
    }
}
