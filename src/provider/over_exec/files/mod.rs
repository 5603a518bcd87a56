//! Files by programs over there alone: any place that runs `sh` has them.

mod change;
mod list;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::Opened;

use super::program::{Output, output};
use super::reason::{kind_of, reason};
use super::sh;
use crate::cleanups::Cleanups;
use crate::error::{Error, Result};
use crate::model::{FileEntry, RemotePath};
use crate::provider::exec::{Exec, Exit, Owner};
use crate::provider::files::{Files, MkdirSpec, Reading, WriteSpec, Written};
use crate::stream::{self, ByteStream, Items};
use async_trait::async_trait;
use futures_util::FutureExt;
use std::ops::Range;
use std::sync::Arc;

/// The status of a script for a path that does not exist, and for one that is of another kind than it must be.
const MISSING: u8 = 44;
const OTHER: u8 = 45;

/// The files of a place, by its programs. Cheap to clone.
#[derive(Clone)]
pub struct ShellFiles {
    exec: Arc<dyn Exec>,
    /// The full name of the place, for messages.
    place: Arc<str>,
    cleanups: Cleanups,
}

impl ShellFiles {
    /// Those of the place called `place`, whose programs `exec` starts.
    pub fn new(exec: Arc<dyn Exec>, place: &str, cleanups: Cleanups) -> Self {
        Self { exec, place: place.into(), cleanups }
    }

    /// Runs a script about `path`; a status other than 0 is an `Err`.
    async fn run(
        &self,
        verb: &str,
        path: &RemotePath,
        script: &'static str,
        arguments: &[&[u8]],
        input: Option<ByteStream>,
    ) -> Result<Output> {
        absolute(path)?;
        let said = output(&*self.exec, sh(script, arguments), input).await?;
        if said.exit == Exit::Code(0) { Ok(said) } else { Err(self.failed(verb, path, &said.exit, &said.stderr)) }
    }

    /// Why a script about `path` failed.
    fn failed(&self, verb: &str, path: &RemotePath, exit: &Exit, stderr: &[u8]) -> Error {
        let cannot = |why: &str| format!("cannot {verb} `{path}` on `{}`: {why}", self.place);
        match exit {
            Exit::Code(MISSING) => Error::not_found(cannot("no such file or directory")),
            Exit::Code(OTHER) => Error::conflict(cannot(&reason(stderr))),
            Exit::Code(127) | Exit::NotFound(_) => {
                Error::unsupported(cannot("a program that does it is missing there")).cause(reason(stderr))
            }
            _ => Error::new(kind_of(&String::from_utf8_lossy(stderr)), cannot(&reason(stderr))),
        }
    }
}

/// Refuses a path that means another file to every program.
fn absolute(path: &RemotePath) -> Result<()> {
    if path.as_bytes().contains(&0) {
        return Err(Error::usage("a path holds a NUL, which no file's name has"));
    }
    if path.is_absolute() { Ok(()) } else { Err(Error::usage(format!("`{path}` is not an absolute path"))) }
}

/// Permission bits as `chmod` reads them.
fn octal(mode: Option<u32>) -> String {
    mode.map(|mode| format!("{mode:04o}")).unwrap_or_default()
}

#[async_trait]
impl Files for ShellFiles {
    fn list(&self, dir: &RemotePath) -> Items<FileEntry> {
        let (files, dir) = (self.clone(), dir.clone());
        let listed = async move {
            match files.listing(&dir).await {
                Ok(entries) => stream::iter(entries.into_iter().map(Ok)),
                Err(error) => stream::fail(error),
            }
        };
        Box::pin(listed.flatten_stream())
    }

    async fn stat(&self, path: &RemotePath, follow: bool) -> Result<FileEntry> {
        self.entry(path, follow).await
    }

    async fn read(&self, path: &RemotePath, range: Option<Range<u64>>) -> Result<Reading> {
        self.content(path, range).await
    }

    async fn write(&self, to: WriteSpec, body: ByteStream) -> Result<Written> {
        self.put(&to, body).await
    }

    async fn mkdir(&self, path: &RemotePath, spec: MkdirSpec) -> Result<()> {
        self.make(path, &spec).await
    }

    async fn mkdirs(&self, paths: &[(RemotePath, MkdirSpec)]) -> Vec<Result<()>> {
        self.make_all(paths).await
    }

    async fn remove(&self, paths: &[RemotePath], recursive: bool) -> Result<Vec<(RemotePath, Result<()>)>> {
        self.remove_all(paths, recursive).await
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        self.move_to(from, to).await
    }

    async fn set(&self, path: &RemotePath, mode: Option<u32>, owner: Option<Owner>) -> Result<()> {
        self.change(path, mode, owner.as_ref()).await
    }
}
