//! Reading files here: a thread that reads ahead by a few chunks.

use super::{blocking, failed};
use crate::error::{Error, Result};
use crate::provider::files::Reading;
use crate::stream::{self, ByteStream};
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Bytes read at once.
pub(super) const CHUNK: usize = 256 * 1024;

/// Chunks that wait for their reader.
pub(super) const AHEAD: usize = 3;

/// Opens a file. Links are followed; a directory is `Conflict`.
///
/// Of a regular file comes as much as it held when it was opened: a log that grows is copied up to there. One of size
/// 0 may have content all the same (`/proc`), and so may what is no regular file: their length is unknown.
pub(super) async fn read(path: PathBuf, range: Option<Range<u64>>) -> Result<Reading> {
    let opening = path.clone();
    let (mut file, metadata) = blocking(move || open(&opening)).await?;
    let is_file = metadata.is_file();
    let size = metadata.len();
    let (start, len) = match &range {
        Some(range) => (range.start, Some(range.end.min(size).saturating_sub(range.start))),
        None => (0, (is_file && size > 0).then_some(size)),
    };
    if start > 0 {
        file.seek(SeekFrom::Start(start)).map_err(|error| failed("read", &path, error))?;
    }
    let body = stream_of(file, path, len);
    Ok(Reading { len, mode: is_file.then(|| metadata.mode() & 0o7777), body })
}

pub(super) fn open(path: &Path) -> Result<(File, std::fs::Metadata)> {
    let file = File::open(path).map_err(|error| failed("read", path, error))?;
    let metadata = file.metadata().map_err(|error| failed("read", path, error))?;
    if metadata.is_dir() {
        return Err(Error::conflict(format!("cannot read `{}`: it is a directory", path.display())));
    }
    Ok((file, metadata))
}

/// The next `len` bytes of a file, or all up to its end.
fn stream_of(file: File, path: PathBuf, len: Option<u64>) -> ByteStream {
    let (sender, receiver) = mpsc::channel(AHEAD);
    // Not before somebody asks: a body that is dropped unread costs no thread.
    let start = move || {
        tokio::task::spawn_blocking(move || pump(file, &path, len, &sender));
    };
    stream::unfold((Some(start), receiver), |(start, mut receiver)| async move {
        if let Some(start) = start {
            start();
        }
        let next: Option<Result<Bytes>> = receiver.recv().await;
        Ok(next.transpose()?.map(|chunk| (chunk, (None, receiver))))
    })
}

fn pump(mut file: File, path: &Path, len: Option<u64>, sender: &mpsc::Sender<Result<Bytes>>) {
    let mut left = len.unwrap_or(u64::MAX);
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let chunk = match chunk(&mut file, want) {
            Ok(chunk) if chunk.is_empty() && len.is_some() => {
                Err(Error::failure(format!("cannot read `{}`: it shrank meanwhile", path.display())))
            }
            Ok(chunk) if chunk.is_empty() => return,
            Ok(chunk) => Ok(chunk),
            Err(error) => Err(failed("read", path, error)),
        };
        left -= chunk.as_ref().map_or(left, |chunk| chunk.len() as u64);
        // Nobody listens any more: the copy has failed elsewhere.
        if sender.blocking_send(chunk).is_err() {
            return;
        }
    }
}

/// Up to `want` bytes, in one call; none at the end.
pub(super) fn chunk(source: &mut impl Read, want: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; want];
    loop {
        match source.read(&mut buffer) {
            Ok(len) => {
                buffer.truncate(len);
                return Ok(buffer.into());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
