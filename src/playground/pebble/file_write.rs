//! Files that a client sends: each is written beside its place and then put there.

use super::accounts::Wish;
use super::errors::{FileError, Refusal, Result};
use super::files::{absolute, blocking, make_dirs, mode, owner, verdict};
use super::multipart::Parts;
use super::{go, handlers, reply};
use crate::transport::server::Response;
use bytes::Bytes;
use ring::rand::SecureRandom as _;
use serde::Deserialize;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::Path;

/// The longest description of files, in bytes.
const MAX_METADATA: usize = 32 * 1024 * 1024;

#[derive(Deserialize)]
struct Batch {
    #[serde(default)]
    action: String,
    #[serde(default)]
    files: Option<Vec<Wanted>>,
}

/// How a file is to be.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Wanted {
    path: String,
    #[serde(default)]
    make_dirs: Option<bool>,
    #[serde(default)]
    permissions: Option<String>,
    #[serde(flatten)]
    owner: Wish,
}

/// Writes the files of a multipart body.
pub(super) async fn write(mut parts: Parts) -> Result<Response> {
    let wanted = metadata(&mut parts).await?;
    let mut verdicts: Vec<Option<std::result::Result<(), FileError>>> = vec![None; wanted.len()];
    while let Some(head) = parts.next().await.map_err(|why| Refusal::cannot("read file part", why))? {
        if head.name != "files" {
            let name = go::quote(&head.name);
            return Err(Refusal::bad(format!("field name must be \"files\", got {name}")));
        }
        let at = wanted.iter().zip(&verdicts).position(|(file, done)| file.path == head.file && done.is_none());
        let at = at.or_else(|| wanted.iter().position(|file| file.path == head.file));
        let Some(at) = at else {
            return Err(Refusal::bad(format!("no metadata for path {}", go::quote(&head.file))));
        };
        let written = write_one(&wanted[at], &mut parts).await?;
        // One path twice is written twice, and judged once.
        let same = wanted.iter().zip(&mut verdicts).filter(|(file, _)| file.path == head.file);
        same.for_each(|(_, verdict)| *verdict = Some(written.clone()));
    }
    let verdict = |(file, done): (&Wanted, Option<std::result::Result<(), FileError>>)| {
        let missing = || Err(FileError::generic(format!("no file content for path {}", go::quote(&file.path))));
        verdict(&file.path, done.unwrap_or_else(missing))
    };
    Ok(reply::sync(Some(Value::Array(wanted.iter().zip(verdicts).map(verdict).collect()))))
}

async fn metadata(parts: &mut Parts) -> Result<Vec<Wanted>> {
    let cannot = |why: String| Refusal::cannot("read request metadata", why);
    let head = parts.next().await.map_err(cannot)?.ok_or_else(|| cannot("EOF".to_owned()))?;
    if head.name != "request" {
        return Err(Refusal::bad(format!("metadata field name must be \"request\", got {}", go::quote(&head.name))));
    }
    let mut text = Vec::new();
    while let Some(chunk) = parts.chunk().await.map_err(cannot)? {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_METADATA {
            return Err(cannot("it is too long".to_owned()));
        }
    }
    let Batch { action, files } = handlers::decode_as("request metadata", &text)?;
    if action != "write" {
        return Err(Refusal::bad(format!("multipart action must be \"write\", got {}", go::quote(&action))));
    }
    files.filter(|files| !files.is_empty()).ok_or_else(|| Refusal::bad("must specify one or more files"))
}

/// Writes one file from its part. What is wrong with the file is a verdict; what is wrong with the body, a refusal.
async fn write_one(wanted: &Wanted, parts: &mut Parts) -> Result<std::result::Result<(), FileError>> {
    let description = wanted.clone();
    let mut opened = blocking(move || Ok(Draft::open(&description))).await?;
    loop {
        // Dropping the draft removes it.
        let chunk = parts.chunk().await.map_err(|why| Refusal::cannot("read file part", why))?;
        let Some(chunk) = chunk else { break };
        if let Ok(draft) = opened {
            opened = blocking(move || Ok(draft.write(&chunk))).await?;
        }
    }
    match opened {
        Ok(draft) => blocking(move || Ok(draft.finish())).await,
        Err(error) => Ok(Err(error)),
    }
}

/// A file beside the place where it is to be.
struct Draft {
    path: String,
    temporary: String,
    file: File,
    is_placed: bool,
}

impl Draft {
    fn open(wanted: &Wanted) -> std::result::Result<Self, FileError> {
        absolute(&wanted.path)?;
        let owner = owner(&wanted.owner)?;
        let mode = mode(wanted.permissions.as_deref(), 0o644)?;
        let path = wanted.path.clone();
        if wanted.make_dirs.unwrap_or_default()
            && let Some(parent) = Path::new(&path).parent().and_then(Path::to_str)
        {
            make_dirs(parent, 0o755, owner).map_err(|FileError { message, kind }| FileError {
                message: format!("cannot create directory: {message}"),
                kind,
            })?;
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        if name.contains('*') {
            let name = go::quote(name);
            return Err(FileError::generic(format!("cannot create tempfile for filename containing '*': {name}")));
        }
        let temporary = format!("{path}.{}~", digits());
        let failed = |call: &str, error: &std::io::Error| FileError::of(call, &temporary, error);
        let mut options = File::options();
        let file = options.write(true).create_new(true).mode(mode).open(&temporary);
        let file = file.map_err(|error| failed("open", &error))?;
        let draft = Self { path, temporary: temporary.clone(), file, is_placed: false };
        if let Some(ids) = owner {
            fchown(&draft.file, Some(ids.uid), Some(ids.gid)).map_err(|error| failed("chown", &error))?;
        }
        // The umask took its share.
        let permissions = fs::Permissions::from_mode(mode);
        draft.file.set_permissions(permissions).map_err(|error| failed("chmod", &error))?;
        Ok(draft)
    }

    fn write(mut self, chunk: &Bytes) -> std::result::Result<Self, FileError> {
        self.file.write_all(chunk).map_err(|error| FileError::of("write", &self.temporary, &error))?;
        Ok(self)
    }

    fn finish(mut self) -> std::result::Result<(), FileError> {
        self.file.sync_all().map_err(|error| FileError::of("sync", &self.temporary, &error))?;
        fs::rename(&self.temporary, &self.path).map_err(|error| {
            // A directory in the way is said to be there.
            let is_dir = Path::new(&self.path).is_dir();
            let exists = std::io::Error::from_raw_os_error(rustix::io::Errno::EXIST.raw_os_error());
            let error = if is_dir { exists } else { error };
            FileError::of("rename", &format!("{} {}", self.temporary, self.path), &error)
        })?;
        self.is_placed = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_placed {
            // Whoever removed it before us did the same.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// A number that no other draft has.
fn digits() -> String {
    let mut bytes = [0; 4];
    ring::rand::SystemRandom::new().fill(&mut bytes).expect("a running system has random bytes");
    u32::from_le_bytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream;

    async fn send(body: String) -> Result<()> {
        let parts = Parts::new(stream::iter([Ok(Bytes::from(body))]), "b");
        write(parts).await.map(|_| ())
    }

    #[tokio::test]
    async fn a_file_is_put_in_its_place_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = format!("{}/f", dir.path().display());
        fs::write(&path, "old").unwrap();
        let meta = serde_json::json!({"action": "write", "files": [{"path": path, "permissions": "600"}]});
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{meta}\r\n--b\r\n");
        let part = format!("Content-Disposition: form-data; name=\"files\"; filename=\"{path}\"\r\n\r\nnew");
        assert!(send(format!("{head}{part}")).await.is_err(), "it is cut");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left behind");
        send(format!("{head}{part}\r\n--b--\r\n")).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn what_nobody_described_is_refused() {
        let meta = r#"{"action":"write","files":[{"path":"/nope/a"}]}"#;
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{meta}\r\n--b\r\n");
        let part = "Content-Disposition: form-data; name=\"files\"; filename=\"/other\"\r\n\r\nx\r\n--b--\r\n";
        let refusal = send(format!("{head}{part}")).await.unwrap_err();
        assert_eq!(refusal.message, "no metadata for path \"/other\"");
    }
}
