//! Files of a container: by programs over there, which see what its programs see; large contents by the endpoints, each
//! compared by its checksum (section 3.3).
//!
//! The endpoints alone would not do: their lists are `ls` taken apart at blanks, their archives know nothing of what is
//! kept in memory, and links are empty to them.

mod bulk;
mod read;
mod write;

use super::spot::Spot;
use crate::cleanups::Cleanups;
use crate::error::Result;
use crate::model::{FileEntry, RemotePath};
use crate::provider::exec::{Exec, Owner};
use crate::provider::files::{Bulk, Files, MkdirSpec, Reading, WriteSpec, Written};
use crate::provider::over_exec::{ShellFiles, TarBulk};
use crate::stream::{ByteStream, Items};
use async_trait::async_trait;
use std::ops::Range;
use std::sync::Arc;

/// The files of a container or agent. Cheap to clone.
#[derive(Clone)]
pub(super) struct RexecFiles {
    spot: Spot,
    exec: Arc<dyn Exec>,
    shell: ShellFiles,
    tar: TarBulk,
}

impl RexecFiles {
    pub(super) fn new(spot: Spot, exec: Arc<dyn Exec>, cleanups: Cleanups) -> Self {
        let shell = ShellFiles::new(Arc::clone(&exec), &spot.full(), cleanups.clone());
        let tar = TarBulk::new(Arc::clone(&exec), Arc::new(shell.clone()), cleanups);
        Self { spot, exec, shell, tar }
    }

    /// Completes "cannot …": "read `/etc/hosts` of `box`".
    fn doing(&self, verb: &str, path: &RemotePath) -> String {
        format!("{verb} `{path}` of `{}`", self.spot.name)
    }
}

#[async_trait]
impl Files for RexecFiles {
    fn list(&self, dir: &RemotePath) -> Items<FileEntry> {
        self.shell.list(dir)
    }

    async fn stat(&self, path: &RemotePath, follow: bool) -> Result<FileEntry> {
        self.shell.stat(path, follow).await
    }

    async fn read(&self, path: &RemotePath, range: Option<Range<u64>>) -> Result<Reading> {
        match range {
            None => self.read_whole(path).await,
            some => self.shell.read(path, some).await,
        }
    }

    async fn write(&self, to: WriteSpec, body: ByteStream) -> Result<Written> {
        self.write_one(to, body).await
    }

    async fn mkdir(&self, path: &RemotePath, spec: MkdirSpec) -> Result<()> {
        self.shell.mkdir(path, spec).await
    }

    async fn mkdirs(&self, paths: &[(RemotePath, MkdirSpec)]) -> Vec<Result<()>> {
        self.shell.mkdirs(paths).await
    }

    async fn remove(&self, paths: &[RemotePath], recursive: bool) -> Result<Vec<(RemotePath, Result<()>)>> {
        self.shell.remove(paths, recursive).await
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        self.shell.rename(from, to).await
    }

    async fn set(&self, path: &RemotePath, mode: Option<u32>, owner: Option<Owner>) -> Result<()> {
        self.shell.set(path, mode, owner).await
    }

    fn bulk(&self) -> Option<&dyn Bulk> {
        Some(self)
    }
}
