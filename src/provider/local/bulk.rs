//! Many small files at once: one thread for all of a batch.

use super::read::{AHEAD, CHUNK, chunk, open};
use super::write::{Pending, commit_all};
use super::{Inner, LocalFiles, blocking, failed, local_path};
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::files::{BatchLimits, Bulk, Part, WriteSpec};
use crate::stream::{self, Items};
use async_trait::async_trait;
use futures_util::StreamExt;
use std::sync::Arc;
use tokio::sync::mpsc;

#[async_trait]
impl Bulk for LocalFiles {
    /// Nothing here is asked for all at once: the other end says what suits it.
    fn reads(&self) -> BatchLimits {
        BatchLimits { files: 4096, bytes: 64 << 20, largest: 1 << 20, paths: 4 << 20 }
    }

    fn read_many(&self, paths: Vec<RemotePath>) -> Items<Part> {
        let (sender, receiver) = mpsc::channel(AHEAD * 16);
        tokio::task::spawn_blocking(move || {
            for (index, path) in paths.iter().enumerate() {
                if let Err(error) = send(index, path, &sender)
                    && sender.blocking_send(Part::Failed(index, error)).is_err()
                {
                    return;
                }
            }
        });
        stream::unfold(receiver, |mut receiver| async move { Ok(receiver.recv().await.map(|part| (part, receiver))) })
    }

    async fn write_many(&self, specs: Vec<WriteSpec>, mut parts: Items<Part>) -> Result<Vec<Result<()>>> {
        let mut batch = Batch::new(specs);
        // Chunks are gathered, so that a thread is asked once for many small files.
        let mut gathered = Vec::new();
        let mut size = 0;
        loop {
            let part = parts.next().await.transpose()?;
            let is_last = part.is_none();
            if let Some(part) = part {
                size += if let Part::Data(data) = &part { data.len() } else { 0 };
                gathered.push(part);
            }
            if is_last || size >= CHUNK {
                let (inner, parts) = (Arc::clone(&self.0), std::mem::take(&mut gathered));
                size = 0;
                batch = blocking(move || {
                    batch.apply(&inner, parts);
                    Ok(batch)
                })
                .await?;
            }
            if is_last {
                return commit_all(batch.files).await;
            }
        }
    }
}

/// Files that are being written, one after the other.
struct Batch {
    specs: Vec<WriteSpec>,
    files: Vec<Result<Pending>>,
    /// The one whose content comes.
    now: usize,
}

impl Batch {
    fn new(specs: Vec<WriteSpec>) -> Self {
        let nothing = |_: &WriteSpec| Err(Error::internal("a batch that lacks one of its files"));
        Self { files: specs.iter().map(nothing).collect(), specs, now: 0 }
    }

    fn apply(&mut self, inner: &Arc<Inner>, parts: Vec<Part>) {
        for part in parts {
            match part {
                Part::Begin(index) => {
                    self.now = index;
                    self.files[index] = Pending::begin(Arc::clone(inner), &self.specs[index]);
                }
                Part::Data(data) => {
                    let file = &mut self.files[self.now];
                    if let Ok(pending) = file
                        && let Err(error) = pending.write(&data)
                    {
                        *file = Err(error);
                    }
                }
                Part::End => {}
                Part::Failed(index, error) => self.files[index] = Err(error),
            }
        }
    }
}

fn send(index: usize, path: &RemotePath, sender: &mpsc::Sender<Part>) -> Result<()> {
    let path = local_path(path);
    let (mut file, metadata) = open(path)?;
    // One byte more than it has: so its end is seen without another chunk.
    let want = usize::try_from(metadata.len()).unwrap_or(CHUNK).clamp(1024, CHUNK - 1) + 1;
    let gone = |_| Error::interrupted("nobody reads any more");
    sender.blocking_send(Part::Begin(index)).map_err(gone)?;
    loop {
        let data = chunk(&mut file, want).map_err(|error| failed("read", path, error))?;
        if data.is_empty() {
            return sender.blocking_send(Part::End).map_err(gone);
        }
        sender.blocking_send(Part::Data(data)).map_err(gone)?;
    }
}
