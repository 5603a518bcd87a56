//! The files API (section 2.12): real files, as the daemon's user.

use super::accounts::{self, Ids, Wish};
use super::daemon::Daemon;
use super::errors::{FileError, Refusal, Result};
use super::{file_list, file_read, file_write, go, handlers, multipart, reply};
use crate::transport::Method;
use crate::transport::header::CONTENT_TYPE;
use crate::transport::server::{Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::sync::Arc;

/// The shortest boundary of a multipart body, in bytes.
const MIN_BOUNDARY: usize = 32;

/// Answers a GET or a POST.
pub(super) async fn answer(_: &Arc<Daemon>, request: Request) -> Result<Response> {
    if request.method == Method::GET {
        return match handlers::text(&request.query, "action").as_str() {
            "read" => file_read::answer(&request),
            "list" => blocking(move || file_list::answer(&request.query)).await,
            action => Err(Refusal::bad(format!("invalid action {}", go::quote(action)))),
        };
    }
    post(request).await
}

/// Does what may block beside everything else.
pub(super) async fn blocking<T: Send + 'static>(act: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(act).await;
    done.unwrap_or_else(|error| Err(Refusal::internal(error.to_string())))
}

async fn post(mut request: Request) -> Result<Response> {
    let header = request.header(&CONTENT_TYPE).unwrap_or_default().to_owned();
    match header.split(';').next().unwrap_or_default().trim() {
        "" => Err(Refusal::bad(format!("invalid Content-Type {}", go::quote(&header)))),
        "multipart/form-data" => {
            let boundary = multipart::parameter(&header, "boundary");
            if boundary.len() < MIN_BOUNDARY {
                return Err(Refusal::bad(format!("invalid boundary {}", go::quote(&boundary))));
            }
            file_write::write(multipart::Parts::new(request.body, &boundary)).await
        }
        "application/json" => {
            let body = handlers::body(&mut request).await?;
            let wish: Batch = handlers::decode(&body)?;
            blocking(move || act(wish)).await
        }
        other => Err(Refusal::bad(format!("invalid media type {}", go::quote(other)))),
    }
}

#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    action: String,
    #[serde(default)]
    dirs: Option<Vec<MakeDir>>,
    #[serde(default)]
    paths: Option<Vec<Remove>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct MakeDir {
    path: String,
    #[serde(default)]
    make_parents: Option<bool>,
    #[serde(default)]
    permissions: Option<String>,
    #[serde(flatten)]
    owner: Wish,
}

#[derive(Deserialize)]
struct Remove {
    path: String,
    #[serde(default)]
    recursive: Option<bool>,
}

fn act(wish: Batch) -> Result<Response> {
    let results: Vec<Value> = match wish.action.as_str() {
        "make-dirs" => {
            let dirs = wish.dirs.unwrap_or_default();
            dirs.into_iter().map(|dir| verdict(&dir.path, make_dir(&dir))).collect()
        }
        "remove" => {
            let paths = wish.paths.unwrap_or_default();
            paths.into_iter().map(|path| verdict(&path.path, remove(&path))).collect()
        }
        "write" => return Err(Refusal::bad("must use multipart with \"write\" action")),
        action => return Err(Refusal::bad(format!("invalid action {}", go::quote(action)))),
    };
    Ok(reply::sync(Some(Value::Array(results))))
}

/// What came of one path.
pub(super) fn verdict(path: &str, done: std::result::Result<(), FileError>) -> Value {
    match done {
        Ok(()) => json!({"path": path}),
        Err(error) => json!({"path": path, "error": {"message": error.message, "kind": error.kind}}),
    }
}

/// Only absolute paths are taken.
pub(super) fn absolute(path: &str) -> std::result::Result<(), FileError> {
    if path.starts_with('/') {
        return Ok(());
    }
    Err(FileError::generic(format!("paths must be absolute, got {}", go::quote(path))))
}

/// Three octal digits, or `default`.
pub(super) fn mode(permissions: Option<&str>, default: u32) -> std::result::Result<u32, FileError> {
    match permissions {
        None | Some("") => Ok(default),
        Some(text) if text.len() == 3 && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) => {
            Ok(u32::from_str_radix(text, 8).unwrap_or(default))
        }
        Some(text) => {
            Err(FileError::generic(format!("permissions must be a 3-digit octal string, got {}", go::quote(text))))
        }
    }
}

/// Who is to own a file.
pub(super) fn owner(wish: &Wish) -> std::result::Result<Option<Ids>, FileError> {
    accounts::resolve(wish).map_err(|why| FileError::generic(format!("cannot look up user and group: {why}")))
}

fn make_dir(wish: &MakeDir) -> std::result::Result<(), FileError> {
    absolute(&wish.path)?;
    let mode = mode(wish.permissions.as_deref(), 0o755)?;
    let owner = owner(&wish.owner)?;
    let path = wish.path.trim_end_matches('/');
    let path = if path.is_empty() { "/" } else { path };
    if wish.make_parents.unwrap_or_default() {
        return make_dirs(path, mode, owner);
    }
    make_one(path, mode, owner)
}

/// Makes a directory and those above it that are not there.
pub(super) fn make_dirs(path: &str, mode: u32, owner: Option<Ids>) -> std::result::Result<(), FileError> {
    let not_a_directory = |path: &str| {
        FileError::of("mkdir", path, &std::io::Error::from_raw_os_error(rustix::io::Errno::NOTDIR.raw_os_error()))
    };
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => return Ok(()),
        Ok(_) => return Err(not_a_directory(path)),
        Err(_) => {}
    }
    if let Some(parent) = Path::new(path).parent().and_then(Path::to_str) {
        make_dirs(parent, mode, owner)?;
    }
    make_one(path, mode, owner)
}

/// Makes a directory under another name and gives it its own once it is as it should be.
fn make_one(path: &str, mode: u32, owner: Option<Ids>) -> std::result::Result<(), FileError> {
    match fs::metadata(path) {
        Ok(meta) => {
            use rustix::io::Errno;
            let why = if meta.is_dir() { Errno::EXIST } else { Errno::NOTDIR };
            return Err(FileError::of("mkdir", path, &std::io::Error::from_raw_os_error(why.raw_os_error())));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(FileError::of("mkdir", path, &error)),
    }
    let temporary = format!("{path}.mkdir-new");
    let failed = |call: &str, error: &std::io::Error| FileError::of(call, &temporary, error);
    fs::DirBuilder::new().mode(mode).create(&temporary).map_err(|error| failed("mkdir", &error))?;
    let finish = || {
        // The umask took its share.
        fs::set_permissions(&temporary, fs::Permissions::from_mode(mode)).map_err(|error| failed("chmod", &error))?;
        if let Some(Ids { uid, gid }) = owner {
            chown(&temporary, Some(uid), Some(gid)).map_err(|error| failed("chown", &error))?;
        }
        let rename = |error: std::io::Error| FileError::of("rename", &format!("{temporary} {path}"), &error);
        fs::rename(&temporary, path).map_err(rename)
    };
    finish().inspect_err(|_| {
        // What cannot be removed was not ours to begin with.
        let _ = fs::remove_dir(&temporary);
    })
}

fn remove(wish: &Remove) -> std::result::Result<(), FileError> {
    absolute(&wish.path)?;
    let path = wish.path.as_str();
    if wish.recursive.unwrap_or_default() {
        return remove_all(path);
    }
    let is_dir = fs::symlink_metadata(path).map_err(|error| FileError::of("remove", path, &error))?.is_dir();
    let removed = if is_dir { fs::remove_dir(path) } else { fs::remove_file(path) };
    removed.map_err(|error| FileError::of("remove", path, &error))
}

/// What is not there is removed already.
fn remove_all(path: &str) -> std::result::Result<(), FileError> {
    let is_gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let failed =
        |error: std::io::Error| if is_gone(&error) { Ok(()) } else { Err(FileError::of("unlinkat", path, &error)) };
    let removed = fs::symlink_metadata(path)
        .and_then(|meta| if meta.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) });
    removed.or_else(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_three_digits() {
        assert_eq!(mode(None, 0o644).unwrap(), 0o644);
        assert_eq!(mode(Some("600"), 0o644).unwrap(), 0o600);
        for text in ["0755", "4755", "0o755", "8", "999", "-77"] {
            assert!(mode(Some(text), 0).is_err(), "{text}");
        }
    }

    #[test]
    fn directories_are_made_with_the_words_of_the_daemon() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| format!("{}/{name}", dir.path().display());
        fs::write(at("f"), "").unwrap();
        let make = |name: &str, parents: bool| {
            let text = json!({"path": at(name), "make-parents": parents}).to_string();
            make_dir(&serde_json::from_str(&text).unwrap()).map_err(|error| error.message)
        };
        assert_eq!(make("a/b", false), Err(format!("mkdir {}.mkdir-new: no such file or directory", at("a/b"))));
        assert_eq!(make("a/b", true), Ok(()));
        assert_eq!(make("a/b", true), Ok(()));
        assert_eq!(make("a", false), Err(format!("mkdir {}: file exists", at("a"))));
        assert_eq!(make("f", false), Err(format!("mkdir {}: not a directory", at("f"))));
        assert_eq!(make("f/x", true), Err(format!("mkdir {}: not a directory", at("f"))));
    }

    #[test]
    fn removing_says_what_is_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| format!("{}/{name}", dir.path().display());
        fs::create_dir_all(at("full/x")).unwrap();
        let remove = |name: &str, recursive: bool| {
            remove(&Remove { path: at(name), recursive: Some(recursive) }).map_err(|error| error.message)
        };
        assert_eq!(remove("no", false), Err(format!("remove {}: no such file or directory", at("no"))));
        assert_eq!(remove("no", true), Ok(()));
        assert_eq!(remove("full", false), Err(format!("remove {}: directory not empty", at("full"))));
        assert_eq!(remove("full", true), Ok(()));
    }
}
