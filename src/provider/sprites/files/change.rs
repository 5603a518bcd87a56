//! Making directories, removing, renaming, modes and owners.

use super::{SpritesFiles, wire};
use crate::error::{ErrorKind, Result};
use crate::model::RemotePath;
use crate::provider::exec::{Exit, Owner};
use crate::provider::files::MkdirSpec;
use crate::provider::over_exec::{output, sh};
use crate::stream;
use crate::transport::Request;
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::Value;

/// Removals at once.
const AT_ONCE: usize = 8;

/// Makes the directory `$1`, with the mode `$2` unless that is empty; with `$3`, also those above it.
///
/// The API has no such call. What its clients do instead, writing a file into it, leaves the file behind.
const MAKE: &str = r#"LC_ALL=C mkdir ${3:+-p} ${2:+-m "$2"} -- "$1""#;

/// Makes the directories that stdin names, with the mode `$1` unless that is empty, and those above them.
const MAKE_ALL: &str = r#"command -v xargs >/dev/null && LC_ALL=C xargs -0 mkdir -p ${1:+-m "$1"} --"#;

impl SpritesFiles {
    pub(super) async fn make_directory(&self, path: &RemotePath, spec: &MkdirSpec) -> Result<()> {
        wire::absolute(path)?;
        let mode = spec.mode.map(wire::octal).unwrap_or_default();
        let parents: &[u8] = if spec.parents { b"p" } else { b"" };
        let said = output(&*self.exec, sh(MAKE, &[path.as_bytes(), mode.as_bytes(), parents]), None).await?;
        if said.exit != Exit::Code(0) {
            return Err(self.program_failed("make", path, &said.exit, &said.stderr));
        }
        match &spec.owner {
            Some(owner) => self.change(path, None, Some(owner)).await,
            None => Ok(()),
        }
    }

    /// Makes many directories, those of one mode with one program. If that fails, one by one tells which and why.
    pub(super) async fn make_directories(&self, paths: &[(RemotePath, MkdirSpec)]) -> Vec<Result<()>> {
        let is_simple = |spec: &MkdirSpec| spec.parents && spec.owner.is_none();
        let mut left = paths;
        let mut verdicts = Vec::new();
        // In order: those above come before those below, and a mode of one may matter to the next.
        while let Some((_, first)) = left.first() {
            let alike = |(path, spec): &&(RemotePath, MkdirSpec)| {
                is_simple(spec) && spec.mode == first.mode && wire::absolute(path).is_ok()
            };
            let run = left.iter().take_while(alike).count();
            let (these, rest) = left.split_at(run.max(1));
            left = rest;
            if run > 1 && self.make_alike(these, first.mode).await.unwrap_or(false) {
                verdicts.extend(these.iter().map(|_| Ok(())));
                continue;
            }
            for (path, spec) in these {
                verdicts.push(self.make_directory(path, spec).await);
            }
        }
        verdicts
    }

    async fn make_alike(&self, paths: &[(RemotePath, MkdirSpec)], mode: Option<u32>) -> Result<bool> {
        let mut list = Vec::new();
        for (path, _) in paths {
            list.extend_from_slice(path.as_bytes());
            list.push(0);
        }
        let mode = mode.map(wire::octal).unwrap_or_default();
        let list = stream::iter([Ok(Bytes::from(list))]);
        let said = output(&*self.exec, sh(MAKE_ALL, &[mode.as_bytes()]), Some(list)).await?;
        Ok(said.exit == Exit::Code(0))
    }

    pub(super) async fn remove_all(&self, paths: &[RemotePath], recursive: bool) -> Vec<(RemotePath, Result<()>)> {
        let removals = paths.to_vec().into_iter().map(|path| async move {
            let verdict = match self.delete(&path, recursive).await {
                Err(error) if recursive && is_missing_path(&error) => Ok(()),
                verdict => verdict,
            };
            (path, verdict)
        });
        futures_util::stream::iter(removals).buffered(AT_ONCE).collect().await
    }

    /// Deletes one path. The parameters are sent both ways that are documented (section 2.6).
    pub(super) async fn delete(&self, path: &RemotePath, recursive: bool) -> Result<()> {
        let mut body = wire::body(path)?;
        body.insert("recursive".to_owned(), recursive.into());
        let recursive = if recursive { "true" } else { "false" };
        let query = wire::query(self, "delete", path)?.with("recursive", recursive).build();
        let request = || Request::delete(&query).json(&body);
        let deleted = self.client.change(&self.doing("remove", path), &request).await;
        deleted.map(|_| ()).map_err(|error| self.refused("remove", path, error))
    }

    pub(super) async fn move_to(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        self.renamed("rename", from, to, false).await
    }

    /// Changes mode and owner.
    pub(super) async fn change(&self, path: &RemotePath, mode: Option<u32>, owner: Option<&Owner>) -> Result<()> {
        if let Some(owner) = owner {
            let mut body = wire::body(path)?;
            wire::add_owner(&mut body, owner);
            self.post("chown", "change the owner of", path, body).await?;
        }
        // After the owner: a change of that takes away the bits above the nine.
        if let Some(mode) = mode {
            let mut body = wire::body(path)?;
            body.insert("mode".to_owned(), wire::octal(mode).into());
            self.post("chmod", "change the mode of", path, body).await?;
        }
        Ok(())
    }

    async fn post(
        &self,
        call: &str,
        verb: &str,
        path: &RemotePath,
        body: serde_json::Map<String, Value>,
    ) -> Result<()> {
        let what = self.doing(verb, path);
        // To do the same once more does no harm.
        let sent = self.client.repeat(&what, &|| Request::post(self.fs(call)).json(&body)).await;
        sent.map(|_| ()).map_err(|error| self.refused(verb, path, error))
    }
}

/// Whether it is the path that does not exist, and not the sandbox.
fn is_missing_path(error: &crate::error::Error) -> bool {
    let is_of_path = error.parts().wire.as_ref().is_some_and(|wire| wire.kind.is_some());
    error.kind() == ErrorKind::NotFound && is_of_path
}
