//! This machine as a place with files, the other side of a copy, and with programs, where agents run.
//!
//! The disk is read and written by threads of their own, one for each file in flight, which talk to the rest through
//! short queues of large chunks: a slow disk stalls its own file and nothing else.

mod accounts;
mod beneath;
mod bulk;
mod entry;
mod exec;
mod read;
mod stdin;
mod temps;
mod write;

pub use beneath::nearest_directory;
pub use exec::LocalExec;
pub use stdin::stdin;
pub use temps::Temps;

use self::beneath::Beneath;
use super::files::{Bulk, Files, MkdirSpec, Reading, WriteSpec, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileEntry, RemotePath};
use crate::provider::exec::Owner;
use crate::stream::{self, ByteStream, Items};
use async_trait::async_trait;
use std::ffi::OsStr;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of this machine.
#[derive(Clone)]
pub struct LocalFiles(Arc<Inner>);

struct Inner {
    beneath: Beneath,
    temps: Temps,
}

impl LocalFiles {
    /// Files that are read, and written wherever the user named.
    pub fn new(temps: Temps) -> Self {
        Self(Arc::new(Inner { beneath: Beneath::anywhere(), temps }))
    }

    /// Files of which only those below `root` are written, and never through a symbolic link below it: what a server
    /// names, or another process does meanwhile, leads nowhere else.
    pub fn below(root: PathBuf, temps: Temps) -> Self {
        Self(Arc::new(Inner { beneath: Beneath::root(root), temps }))
    }
}

/// A local path as the trait carries it.
pub fn remote_path(path: &Path) -> RemotePath {
    RemotePath::new(path.as_os_str().as_bytes())
}

/// And back.
pub fn local_path(path: &RemotePath) -> &Path {
    Path::new(OsStr::from_bytes(path.as_bytes()))
}

/// The error of a system call: "cannot read `x`: permission denied".
fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    let text = error.to_string();
    let why = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
        io::ErrorKind::AlreadyExists
        | io::ErrorKind::DirectoryNotEmpty
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::NotADirectory => ErrorKind::Conflict,
        _ => ErrorKind::Failure,
    };
    Error::new(kind, format!("cannot {doing} `{}`: {why}", path.display())).source(error)
}

/// Work that blocks, in a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::internal(format!("a thread failed: {error}"))),
    }
}

#[async_trait]
impl Files for LocalFiles {
    fn list(&self, dir: &RemotePath) -> Items<FileEntry> {
        let dir = local_path(dir).to_owned();
        let listed = async move {
            match blocking(move || entry::list(&dir)).await {
                Ok(entries) => stream::iter(entries.into_iter().map(Ok)),
                Err(error) => stream::fail(error),
            }
        };
        Box::pin(futures_util::FutureExt::flatten_stream(listed))
    }

    async fn stat(&self, path: &RemotePath, follow: bool) -> Result<FileEntry> {
        let path = local_path(path).to_owned();
        blocking(move || entry::stat(&path, follow)).await
    }

    async fn read(&self, path: &RemotePath, range: Option<Range<u64>>) -> Result<Reading> {
        read::read(local_path(path).to_owned(), range).await
    }

    async fn write(&self, to: WriteSpec, body: ByteStream) -> Result<Written> {
        write::write(self.0.clone(), to, body).await
    }

    async fn mkdir(&self, path: &RemotePath, spec: MkdirSpec) -> Result<()> {
        let (inner, path) = (self.0.clone(), local_path(path).to_owned());
        blocking(move || inner.beneath.mkdir(&path, &spec)).await
    }

    async fn remove(&self, paths: &[RemotePath], recursive: bool) -> Result<Vec<(RemotePath, Result<()>)>> {
        let paths = paths.to_vec();
        blocking(move || Ok(paths.into_iter().map(|path| entry::remove(path, recursive)).collect())).await
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        let (from, to) = (local_path(from).to_owned(), local_path(to).to_owned());
        blocking(move || std::fs::rename(&from, &to).map_err(|error| failed("rename", &from, error))).await
    }

    async fn set(&self, path: &RemotePath, mode: Option<u32>, owner: Option<Owner>) -> Result<()> {
        let (inner, path) = (self.0.clone(), local_path(path).to_owned());
        blocking(move || inner.beneath.set(&path, mode, owner.as_ref())).await
    }

    fn bulk(&self) -> Option<&dyn Bulk> {
        Some(self)
    }
}

#[cfg(test)]
mod tests;
