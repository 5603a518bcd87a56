//! Files of a sandbox (section 2.6). What the API lacks (directories, link targets, checksums, many files at once) is
//! done by programs over there.

mod bulk;
mod change;
mod list;
mod read;
mod resume;
#[cfg(test)]
mod tests;
mod wire;
mod write;

use super::client::{Client, path};
use crate::cleanups::Cleanups;
use crate::error::Result;
use crate::model::{FileEntry, Name, RemotePath};
use crate::provider::exec::{Exec, Owner};
use crate::provider::files::{Bulk, Files, MkdirSpec, Reading, WriteSpec, Written};
use crate::provider::over_exec::TarBulk;
use crate::stream::{self, ByteStream, Items};
use async_trait::async_trait;
use futures_util::FutureExt;
use std::ops::Range;
use std::sync::Arc;

/// The files of a sandbox. Cheap to clone.
#[derive(Clone)]
pub(super) struct SpritesFiles {
    client: Client,
    name: Name,
    exec: Arc<dyn Exec>,
    cleanups: Cleanups,
    /// Batches; what reads for them has none of its own.
    tar: Option<TarBulk>,
}

impl SpritesFiles {
    /// Files that the API and the programs that `exec` starts reach.
    pub(super) fn new(client: Client, name: Name, exec: Arc<dyn Exec>, cleanups: Cleanups) -> Self {
        let single = Self { client, name, exec: Arc::clone(&exec), cleanups: cleanups.clone(), tar: None };
        let tar = TarBulk::new(exec, Arc::new(single.clone()), cleanups);
        Self { tar: Some(tar), ..single }
    }

    /// The path of `fs/REST`.
    fn fs(&self, rest: &str) -> String {
        path(&self.name, &format!("/fs/{rest}"))
    }

    /// Completes "cannot …": "read `/etc/hosts` of `dev`".
    fn doing(&self, verb: &str, path: &RemotePath) -> String {
        format!("{verb} `{path}` of `{}`", self.name)
    }
}

#[async_trait]
impl Files for SpritesFiles {
    fn list(&self, dir: &RemotePath) -> Items<FileEntry> {
        let (files, dir) = (self.clone(), dir.clone());
        let listed = async move {
            match files.listing("list", &dir).await {
                Ok(listing) => stream::iter(listing.entries.into_iter().map(Ok)),
                Err(error) => stream::fail(error),
            }
        };
        Box::pin(listed.flatten_stream())
    }

    async fn stat(&self, path: &RemotePath, follow: bool) -> Result<FileEntry> {
        self.entry(path, follow).await
    }

    async fn read(&self, path: &RemotePath, range: Option<Range<u64>>) -> Result<Reading> {
        match range {
            None => self.read_whole(path).await,
            Some(range) => self.read_part(path, range).await,
        }
    }

    async fn write(&self, to: WriteSpec, body: ByteStream) -> Result<Written> {
        self.write_one(&to, body).await
    }

    async fn mkdir(&self, path: &RemotePath, spec: MkdirSpec) -> Result<()> {
        self.make_directory(path, &spec).await
    }

    async fn mkdirs(&self, paths: &[(RemotePath, MkdirSpec)]) -> Vec<Result<()>> {
        self.make_directories(paths).await
    }

    async fn remove(&self, paths: &[RemotePath], recursive: bool) -> Result<Vec<(RemotePath, Result<()>)>> {
        Ok(self.remove_all(paths, recursive).await)
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        self.move_to(from, to).await
    }

    async fn set(&self, path: &RemotePath, mode: Option<u32>, owner: Option<Owner>) -> Result<()> {
        self.change(path, mode, owner.as_ref()).await
    }

    fn bulk(&self) -> Option<&dyn Bulk> {
        self.tar.as_ref().map(|_| self as &dyn Bulk)
    }
}
