//! Files over there. Copy, sync, edit and cat are built on top of this, once.

use super::exec::Owner;
use crate::error::{Error, Result};
use crate::model::{FileEntry, RemotePath};
use crate::stream::{ByteStream, Items};
use async_trait::async_trait;
use bytes::Bytes;
use std::ops::Range;

/// Files of a place. Paths are absolute; relative ones are refused as `Usage` before any I/O.
#[async_trait]
pub trait Files: Send + Sync {
    /// The entries of `dir`, sorted by name. A file yields itself; a missing one is `NotFound`.
    fn list(&self, dir: &RemotePath) -> Items<FileEntry>;

    /// One entry; with `follow`, what a link leads to. Missing is `NotFound`.
    async fn stat(&self, path: &RemotePath, follow: bool) -> Result<FileEntry>;

    /// The content, or a part of it. The verdict may follow the content: only a clean end of the body says that it
    /// is whole.
    async fn read(&self, path: &RemotePath, range: Option<Range<u64>>) -> Result<Reading>;

    /// Writes a file, replacing what is there. Commits only after the body's clean end: a body that ends in `Err`
    /// leaves the old file, or the report says that it did not.
    async fn write(&self, to: WriteSpec, body: ByteStream) -> Result<Written>;

    /// Makes a directory. With `parents`, one that exists is fine; without, it is `Conflict`.
    async fn mkdir(&self, path: &RemotePath, spec: MkdirSpec) -> Result<()>;

    /// Removes files, one verdict per path, in order. Without `recursive` a directory must be empty; with it, a
    /// missing path is fine.
    async fn remove(&self, paths: &[RemotePath], recursive: bool) -> Result<Vec<(RemotePath, Result<()>)>>;

    /// Renames within the place, replacing what is there.
    async fn rename(&self, _from: &RemotePath, _to: &RemotePath) -> Result<()> {
        Err(Error::unsupported("this provider cannot rename files"))
    }

    /// Changes mode and owner of what exists.
    async fn set(&self, _path: &RemotePath, _mode: Option<u32>, _owner: Option<Owner>) -> Result<()> {
        Err(Error::unsupported("this provider cannot change modes and owners"))
    }

    /// Many small files in one request, where the wire can.
    fn bulk(&self) -> Option<&dyn Bulk> {
        None
    }
}

/// Many small files in one request. Whoever calls keeps a batch small: an end may hold all of it in memory.
#[async_trait]
pub trait Bulk: Send + Sync {
    /// Reads `paths` in order: `Begin`, `Data`…, `End` for each, or `Failed`.
    ///
    /// Verdicts may follow all content (Pebble): a file that has ended is whole only once the stream ends cleanly, and
    /// until then a `Failed` may revoke it.
    fn read_many(&self, paths: Vec<RemotePath>) -> Items<Part>;

    /// Writes files; one verdict per file, in the order of `specs`. Nothing is committed before `parts` ends cleanly;
    /// a file that `parts` does not bring fails with the error it brought instead.
    async fn write_many(&self, specs: Vec<WriteSpec>, parts: Items<Part>) -> Result<Vec<Result<()>>>;
}

/// A piece of several files in a row: flat, no stream of streams. Files are named by their place in the batch.
#[derive(Debug)]
pub enum Part {
    /// A file begins.
    Begin(usize),
    /// Some bytes of the file that began last.
    Data(Bytes),
    /// All of its bytes have come.
    End,
    /// It cannot be had; what came of it so far is void.
    Failed(usize, Error),
}

/// A file that is being read.
pub struct Reading {
    /// Its length, if the wire announces one.
    pub len: Option<u64>,
    /// Its permission bits, if the wire announces them.
    pub mode: Option<u32>,
    /// Its content.
    pub body: ByteStream,
}

/// What to write, and how.
#[derive(Clone, Debug)]
pub struct WriteSpec {
    /// Where.
    pub path: RemotePath,
    /// How many bytes will come, if that is known.
    pub len: Option<u64>,
    /// Its permission bits.
    pub mode: Option<u32>,
    /// Its owner.
    pub owner: Option<Owner>,
    /// Whether missing parent directories are made.
    pub parents: bool,
}

/// A file that was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written {
    /// Bytes sent.
    pub size_bytes: u64,
}

/// How to make a directory.
#[derive(Clone, Debug, Default)]
pub struct MkdirSpec {
    /// Whether missing parents are made, and an existing directory is fine.
    pub parents: bool,
    /// Its permission bits.
    pub mode: Option<u32>,
    /// Its owner.
    pub owner: Option<Owner>,
}
