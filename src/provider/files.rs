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

    /// Makes directories, those above before those below; one verdict per path, in order.
    async fn mkdirs(&self, paths: &[(RemotePath, MkdirSpec)]) -> Vec<Result<()>> {
        let mut verdicts = Vec::with_capacity(paths.len());
        for (path, spec) in paths {
            verdicts.push(self.mkdir(path, spec.clone()).await);
        }
        verdicts
    }

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
    /// How much one batch may hold that is read here.
    fn reads(&self) -> BatchLimits {
        BatchLimits::default()
    }

    /// How much one batch may hold that is written here.
    fn writes(&self) -> BatchLimits {
        BatchLimits::default()
    }

    /// Reads `paths` in order: `Begin`, `Data`…, `End` for each, or `Failed`.
    ///
    /// Verdicts may follow all content (Pebble): a file that has ended is whole only once the stream ends cleanly, and
    /// until then a `Failed` may revoke it, and another `Begin` of the same file starts it anew.
    fn read_many(&self, paths: Vec<RemotePath>) -> Items<Part>;

    /// Writes files; one verdict per file, in the order of `specs`. Nothing is committed before `parts` ends cleanly;
    /// a file that `parts` does not bring fails with the error it brought instead.
    async fn write_many(&self, specs: Vec<WriteSpec>, parts: Items<Part>) -> Result<Vec<Result<()>>>;
}

/// How much one batch may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// The largest file that travels with others, in bytes.
    pub largest: u64,
    /// Files.
    pub files: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes of all paths.
    pub paths: usize,
}

impl Default for BatchLimits {
    /// What suits an end that flushes each file to its disk, holds a batch in memory, and names all paths in one URL.
    fn default() -> Self {
        Self { largest: 64 << 10, files: 32, bytes: 512 << 10, paths: 16 << 10 }
    }
}

impl BatchLimits {
    /// What suits both.
    pub fn and(self, other: Self) -> Self {
        Self {
            largest: self.largest.min(other.largest),
            files: self.files.min(other.files),
            bytes: self.bytes.min(other.bytes),
            paths: self.paths.min(other.paths),
        }
    }
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
