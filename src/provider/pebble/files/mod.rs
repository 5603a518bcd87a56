//! Files of a daemon (section 2.12): one endpoint that lists, and reads and writes as multipart forms.

mod bulk;
mod judge;
mod list;
mod read;
mod wire;
mod write;

pub(super) use list::list_query;

use super::client::Client;
use crate::error::{Error, Result};
use crate::model::{FileEntry, RemotePath};
use crate::provider::files::{Bulk, Files, MkdirSpec, Reading, WriteSpec, Written};
use crate::stream::{self, ByteStream, Items};
use async_trait::async_trait;
use std::ops::Range;

/// The files of a daemon. Cheap to clone.
#[derive(Clone)]
pub(super) struct PebbleFiles(pub(super) Client);

#[async_trait]
impl Files for PebbleFiles {
    fn list(&self, dir: &RemotePath) -> Items<FileEntry> {
        match wire::absolute(dir) {
            Ok(()) => self.entries(dir.clone()),
            Err(error) => stream::fail(error),
        }
    }

    async fn stat(&self, path: &RemotePath, follow: bool) -> Result<FileEntry> {
        wire::absolute(path)?;
        self.entry(path, follow).await
    }

    async fn read(&self, path: &RemotePath, range: Option<Range<u64>>) -> Result<Reading> {
        wire::absolute(path)?;
        if range.is_some() {
            return Err(Error::unsupported("Pebble reads whole files only"));
        }
        self.read_one(path).await
    }

    async fn write(&self, to: WriteSpec, body: ByteStream) -> Result<Written> {
        self.write_one(&to, body).await
    }

    async fn mkdir(&self, path: &RemotePath, spec: MkdirSpec) -> Result<()> {
        self.make_directory(path, &spec).await
    }

    async fn remove(&self, paths: &[RemotePath], recursive: bool) -> Result<Vec<(RemotePath, Result<()>)>> {
        self.remove_all(paths, recursive).await
    }

    fn bulk(&self) -> Option<&dyn Bulk> {
        Some(self)
    }
}
