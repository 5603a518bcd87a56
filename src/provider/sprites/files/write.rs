//! Writing: under a hidden name, compared by its checksum, and only then given its own name (section 2.6, 9.61).

use super::{SpritesFiles, wire};
use crate::error::{Error, ErrorKind, Result};
use crate::model::RemotePath;
use crate::provider::exec::Exit;
use crate::provider::files::{WriteSpec, Written};
use crate::provider::over_exec::{Cksum, hidden_name, output, sh};
use crate::provider::sprites::DRIVER;
use crate::provider::sprites::api::FsWritten;
use crate::stream::ByteStream;
use crate::transport::header::{CONTENT_TYPE, HeaderValue};
use crate::transport::{Body, Request};
use futures_util::StreamExt;
use std::sync::{Arc, Mutex, PoisonError};

/// Compares the file `$1` with the checksum `$2`, gives it the mode `$3`, and, if there is a `$4`, that name. `mv` alone
/// would put it into a directory of that name.
const COMMIT: &str = r#"
LC_ALL=C; export LC_ALL
command -v cksum mv chmod >/dev/null || exit 94
sum=$(cksum <"$1") || exit 90
[ "$sum" = "$2" ] || exit 93
chmod -- "$3" "$1" || exit 95
[ -z "$4" ] || mv -f -T -- "$1" "$4"
"#;

/// The mode of a new file that was given none.
const MODE: u32 = 0o644;

impl SpritesFiles {
    /// Writes a file; nothing is seen under its name before all of it is there.
    pub(super) async fn write_one(&self, to: &WriteSpec, body: ByteStream) -> Result<Written> {
        wire::text(&to.path)?;
        if to.path.as_bytes().ends_with(b"/") || matches!(to.path.file_name(), b"." | b"..") {
            return Err(Error::usage(format!("cannot write `{}`: it names a directory", to.path)));
        }
        let mode = match to.mode {
            Some(mode) => mode,
            None => self.mode_of(&to.path).await?,
        };
        let temp = to.path.parent().join(hidden_name().as_bytes());
        let armed = {
            let (files, path) = (self.clone(), temp.clone());
            let undo = async move { files.forget(&path).await };
            self.cleanups.add(format!("`{temp}` of `{}`", self.name), Box::pin(undo))
        };
        let written = self.write_to(&temp, to, mode, body).await;
        if written.is_err() {
            // It was never there, or it stays: the error that is told is the one that matters.
            let _ = self.forget(&temp).await;
        }
        armed.disarm();
        written
    }

    async fn write_to(&self, temp: &RemotePath, to: &WriteSpec, mode: u32, body: ByteStream) -> Result<Written> {
        let sent = Arc::new(Mutex::new(Cksum::new()));
        let counted = Arc::clone(&sent);
        let body = body.inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                counted.lock().unwrap_or_else(PoisonError::into_inner).update(chunk);
            }
        });
        let parents = if to.parents { "true" } else { "false" };
        let query = wire::query(self, "write", temp)?
            // Nobody else reads it before it is whole.
            .with("mode", "0600")
            // The two spellings of the same (section 2.6).
            .with("mkdirParents", parents)
            .with("mkdir", parents)
            .build();
        let request = Request::put(query)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
            .body(Body::Stream { body: body.boxed(), len: to.len });
        let what = self.doing("write", &to.path);
        let answer = self.client.fetch(&what, request).await.map_err(|error| self.refused("write", &to.path, error))?;
        let sum = sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let size = sum.len();
        let said: FsWritten = serde_json::from_slice(&answer).unwrap_or_default();
        if said.size.is_some_and(|said| said != size) {
            let why = format!("{} of {size} bytes arrived", said.size.unwrap_or_default());
            return Err(Error::failure(self.client.cannot(&what, &why)).at(DRIVER.id, self.client.endpoint()));
        }
        self.commit(temp, to, mode, &sum.text()).await?;
        Ok(Written { size_bytes: size })
    }

    /// Gives the file its mode, owner and name.
    async fn commit(&self, temp: &RemotePath, to: &WriteSpec, mode: u32, sum: &str) -> Result<()> {
        // Once it belongs to somebody else, only root may rename it; so the name comes last, by the API.
        let name = if to.owner.is_some() { &[] } else { to.path.as_bytes() };
        let arguments = [temp.as_bytes(), sum.as_bytes(), &wire::octal(mode).into_bytes(), name];
        let said = output(&*self.exec, sh(COMMIT, &arguments), None).await;
        let is_named = match said.map(|said| (said.exit, said.stderr)) {
            Ok((Exit::Code(0), _)) => !name.is_empty(),
            Ok((Exit::Code(93), _)) => {
                let why = "what arrived has another checksum";
                return Err(Error::failure(self.client.cannot(&self.doing("write", &to.path), why))
                    .cause("nothing was replaced")
                    .at(DRIVER.id, self.client.endpoint()));
            }
            // Programs may be missing, or see less than the API does.
            Ok((Exit::Code(90 | 94) | Exit::NotFound(_) | Exit::NotRunnable(_), _)) => {
                self.client.notes().info(format!("`{}` could not be compared by its checksum", to.path));
                self.change(temp, Some(mode), None).await?;
                false
            }
            Ok((exit, stderr)) => return Err(self.program_failed("write", &to.path, &exit, &stderr)),
            Err(error) => return Err(error),
        };
        if let Some(owner) = &to.owner {
            self.change(temp, None, Some(owner)).await?;
        }
        if is_named { Ok(()) } else { self.renamed("write", temp, &to.path, to.owner.is_some()).await }
    }

    /// The mode of what is replaced, or that of a new file.
    async fn mode_of(&self, path: &RemotePath) -> Result<u32> {
        match self.entry(path, true).await {
            Ok(entry) => Ok(entry.mode_bits().unwrap_or(MODE)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(MODE),
            Err(error) => Err(error),
        }
    }

    /// Removes what a write that failed has left. That nothing is there is fine.
    async fn forget(&self, temp: &RemotePath) -> Result<()> {
        match self.delete(temp, false).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Renames through the API.
    pub(super) async fn renamed(&self, verb: &str, from: &RemotePath, to: &RemotePath, as_root: bool) -> Result<()> {
        let body = serde_json::json!({
            "source": wire::text(from)?, "dest": wire::text(to)?, "workingDir": "/", "asRoot": as_root,
        });
        let request = || Request::post(self.fs("rename")).json(&body);
        let shown = if verb == "write" { to } else { from };
        let renamed = self.client.change(&self.doing(verb, shown), &request).await;
        renamed.map(|_| ()).map_err(|error| self.refused(verb, shown, error))
    }
}
