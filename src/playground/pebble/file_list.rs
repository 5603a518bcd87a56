//! A directory, or one file of it, listed.

use super::accounts::Names;
use super::errors::{FileError, Refusal, Result};
use super::{glob, go, handlers, reply};
use crate::model::Time;
use crate::transport::server::{Query, Response};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs::{self, FileType, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Component, Path, PathBuf};

/// Answers a GET.
pub(super) fn answer(query: &Query) -> Result<Response> {
    let path = query.first("path").unwrap_or_default();
    if path.is_empty() {
        return Err(Refusal::bad("must specify path"));
    }
    let path = Path::new(OsStr::from_bytes(path));
    if !path.is_absolute() {
        let path = go::quote(&path.to_string_lossy());
        return Err(Refusal::bad(format!("path must be absolute, got {path}")));
    }
    let itself = match handlers::text(query, "itself").as_str() {
        "true" => true,
        "" | "false" => false,
        _ => return Err(Refusal::bad("itself parameter must be \"true\" or \"false\"")),
    };
    let pattern = handlers::text(query, "pattern");
    let found = list(&clean(path), &pattern, itself).map_err(FileError::into_refusal)?;
    Ok(reply::sync(Some(Value::Array(found))))
}

/// The path without what means nothing.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::Normal(name) => clean.push(name),
            _ => {}
        }
    }
    clean
}

fn list(path: &Path, pattern: &str, itself: bool) -> std::result::Result<Vec<Value>, FileError> {
    let failed = |call: &str, path: &Path, error: &std::io::Error| FileError::of(call, &path.to_string_lossy(), error);
    if !glob::is_valid(pattern) {
        return Err(FileError::generic("syntax error in pattern"));
    }
    let meta = fs::metadata(path).map_err(|error| failed("stat", path, &error))?;
    let matches = |name: &OsStr| pattern.is_empty() || glob::matches(pattern, &name.to_string_lossy());
    if itself || !meta.is_dir() {
        let name = path.file_name().unwrap_or(OsStr::new("/"));
        return Ok(if matches(name) { vec![document(path, name, &meta, &Names::read())] } else { Vec::new() });
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| failed("open", path, &error))? {
        names.push(entry.map_err(|error| failed("readdirent", path, &error))?.file_name());
    }
    names.sort();
    let accounts = Names::read();
    let wanted = names.into_iter().filter(|name| matches(name));
    let one = |name: std::ffi::OsString| {
        let path = path.join(&name);
        let meta = fs::symlink_metadata(&path).map_err(|error| failed("lstat", &path, &error))?;
        Ok(document(&path, &name, &meta, &accounts))
    };
    wanted.map(one).collect()
}

fn document(path: &Path, name: &OsStr, meta: &Metadata, accounts: &Names) -> Value {
    let mut document = json!({
        "path": path.to_string_lossy(),
        "name": name.to_string_lossy(),
        "type": kind(meta.file_type()),
    });
    if meta.is_file() {
        document["size"] = json!(meta.len());
    }
    document["permissions"] = json!(format!("{:03o}", meta.mode() & 0o777));
    let modified = meta.modified().ok().and_then(|time| Time::try_from(time).ok()).unwrap_or_default();
    document["last-modified"] = json!(go::seconds(modified));
    document["user-id"] = json!(meta.uid());
    document["user"] = json!(accounts.user(meta.uid()));
    document["group-id"] = json!(meta.gid());
    document["group"] = json!(accounts.group(meta.gid()));
    document
}

fn kind(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_file() => "file",
        kind if kind.is_dir() => "directory",
        kind if kind.is_symlink() => "symlink",
        kind if kind.is_socket() => "socket",
        kind if kind.is_fifo() => "named-pipe",
        kind if kind.is_block_device() || kind.is_char_device() => "device",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_listed_by_name_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("b"), "hi").unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("c")).unwrap();
        let all = list(dir.path(), "", false).unwrap();
        let seen: Vec<_> = all.iter().map(|entry| (&entry["name"], &entry["type"], entry.get("size"))).collect();
        let (two, text) = (json!(2), |text: &str| json!(text));
        assert_eq!(
            seen,
            [
                (&text("a"), &text("directory"), None),
                (&text("b"), &text("file"), Some(&two)),
                (&text("c"), &text("symlink"), None),
            ]
        );
        assert_eq!(list(dir.path(), "[bc]", false).unwrap().len(), 2);
        assert_eq!(list(dir.path(), "", true).unwrap()[0]["type"], "directory");
        assert_eq!(list(&dir.path().join("no"), "", false).unwrap_err().kind, "not-found");
    }

    #[test]
    fn paths_are_cleaned() {
        assert_eq!(clean(Path::new("/etc/..//etc/./hostname/")), Path::new("/etc/hostname"));
        assert_eq!(clean(Path::new("/../..")), Path::new("/"));
    }
}
