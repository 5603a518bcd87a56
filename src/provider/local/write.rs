//! Writing files here: under a temporary name in the same directory, renamed when all of it has come.

use super::beneath::{Spot, open_at};
use super::read::AHEAD;
use super::{Inner, accounts, blocking, failed, local_path};
use crate::error::{Error, Result};
use crate::provider::files::{WriteSpec, Written};
use crate::stream::ByteStream;
use bytes::Bytes;
use futures_util::StreamExt;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid, fchmod, fchown, openat, renameat, unlinkat};
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::mpsc;

/// What the thread that writes is told.
enum Told {
    Data(Bytes),
    /// All of it has come.
    Whole,
}

/// Writes a file; nothing is seen under its name before `body` has ended cleanly.
pub(super) async fn write(inner: Arc<Inner>, spec: WriteSpec, mut body: ByteStream) -> Result<Written> {
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    let mut writer = tokio::task::spawn_blocking(move || {
        let mut file = Pending::begin(inner, &spec)?;
        while let Some(told) = receiver.blocking_recv() {
            match told {
                Told::Data(data) => file.write(&data)?,
                Told::Whole => return file.commit().map(|size_bytes| Written { size_bytes }),
            }
        }
        // The copy was given up: the temporary file goes with `file`.
        Err(Error::interrupted("the copy was given up"))
    });
    let feed = async {
        while let Some(chunk) = body.next().await.transpose()? {
            if sender.send(Told::Data(chunk)).await.is_err() {
                // The writer has failed, and tells why.
                return Ok(());
            }
        }
        let _ = sender.send(Told::Whole).await;
        Ok::<_, Error>(())
    };
    let fed = feed.await;
    drop(sender);
    let written = (&mut writer).await.map_err(Error::internal)?;
    fed.and(written)
}

/// A file that is being written. Dropping it removes what there is.
pub(super) struct Pending {
    inner: Arc<Inner>,
    spot: Spot,
    /// The temporary name; `None` where the destination itself is written, since it is a device or a pipe.
    temp: Option<(OsString, PathBuf)>,
    file: File,
    mode: Option<u32>,
    replaces: bool,
    size: u64,
}

impl Pending {
    pub(super) fn begin(inner: Arc<Inner>, spec: &WriteSpec) -> Result<Self> {
        let path = local_path(&spec.path);
        let spot = inner.beneath.spot(path, spec.parents)?;
        let there = spot.stat();
        let owner = spec.owner.as_ref().map(accounts::numbers).transpose()?;
        match there.map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Some(FileType::Directory) => {
                return Err(Error::conflict(format!("cannot write `{}`: it is a directory", path.display())));
            }
            Some(FileType::CharacterDevice | FileType::BlockDevice | FileType::Fifo) => {
                let file = open_at(&spot, OFlags::WRONLY, 0).map_err(|error| failed("write", path, error.into()))?;
                return Ok(Self { inner, spot, temp: None, file: file.into(), mode: None, replaces: false, size: 0 });
            }
            Some(FileType::Socket) => {
                return Err(Error::conflict(format!("cannot write `{}`: it is a socket", path.display())));
            }
            _ => {}
        }
        // A file that is replaced keeps its mode unless told otherwise; a new one gets what the umask leaves.
        let mode = spec.mode.or(there.filter(|_| !is_symlink(there)).map(|stat| stat.st_mode & 0o7777));
        let temp = temp_name();
        let shown = path.with_file_name(&temp);
        let create = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // Nobody else reads it before it is whole, if its mode is known to be a narrower one.
        let first = if mode.is_some() { 0o600 } else { 0o666 };
        let file = inner.temps.make(&shown, || {
            openat(&spot.dir, &temp, create, Mode::from_raw_mode(first))
                .map_err(|error| failed("write", path, error.into()))
        })?;
        let pending = Self {
            inner,
            spot,
            temp: Some((temp, shown)),
            file: file.into(),
            mode,
            replaces: there.is_some(),
            size: 0,
        };
        if let Some((user, group)) = owner {
            fchown(&pending.file, user.map(Uid::from_raw), group.map(Gid::from_raw))
                .map_err(|error| failed("change the owner of", path, error.into()))?;
        }
        Ok(pending)
    }

    pub(super) fn write(&mut self, data: &[u8]) -> Result<()> {
        self.size += data.len() as u64;
        self.file.write_all(data).map_err(|error| failed("write", &self.spot.path, error))
    }

    /// Gives the file its name. Where it replaces another, its content is brought to the disk first: a crash of the
    /// machine must not leave an empty file where a whole one was.
    pub(super) fn commit(mut self) -> Result<u64> {
        let path = self.spot.path.clone();
        let cannot = |error: rustix::io::Errno| failed("write", &path, error.into());
        if let Some((temp, shown)) = &self.temp {
            if let Some(mode) = self.mode {
                fchmod(&self.file, Mode::from_raw_mode(mode)).map_err(cannot)?;
            }
            if self.replaces {
                self.file.sync_data().map_err(|error| failed("write", &path, error))?;
            }
            renameat(&self.spot.dir, temp, &self.spot.dir, &self.spot.name).map_err(cannot)?;
            self.inner.temps.forget(shown);
            self.temp = None;
        }
        Ok(self.size)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some((temp, shown)) = &self.temp {
            // Gone already if the command is ending.
            let _ = unlinkat(&self.spot.dir, temp, AtFlags::empty());
            self.inner.temps.forget(shown);
        }
    }
}

fn is_symlink(there: Option<rustix::fs::Stat>) -> bool {
    there.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

/// A hidden name that nothing else has: what a killed copy leaves is known by it.
fn temp_name() -> OsString {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(".esker-{:x}-{nanos:08x}-{count:x}.part", std::process::id()).into()
}

/// Commits all that came whole, in one thread.
pub(super) async fn commit_all(files: Vec<Result<Pending>>) -> Result<Vec<Result<()>>> {
    blocking(move || Ok(files.into_iter().map(|file| file.and_then(Pending::commit).map(|_| ())).collect())).await
}
