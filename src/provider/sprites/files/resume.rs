//! A large file on its way. A lost connection costs what was under way and no more: the rest is asked for as a range,
//! provided that the file has its size and its time. At the end the checksums of both sides are compared.

use super::SpritesFiles;
use super::read::window;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileEntry, Note, RemotePath, Time};
use crate::provider::exec::Exit;
use crate::provider::over_exec::{Cksum, output, sh};
use crate::provider::sprites::DRIVER;
use crate::stream::{self, ByteStream};
use bytes::Bytes;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::sleep;

/// How often in a row it goes on without having got any further.
const AGAIN: u32 = 4;

/// The first pause; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(250);

/// The checksum of the first `$2` bytes of `$1`: what was added since is another matter.
const SUM: &str = r#"command -v cksum head >/dev/null || exit 94; head -c "$2" -- "$1" | cksum"#;

/// A file that is being read.
pub(super) struct Resuming {
    files: SpritesFiles,
    path: RemotePath,
    len: u64,
    at: u64,
    body: ByteStream,
    sum: Cksum,
    /// What it looked like when it was opened, as far as that is known.
    before: Option<(u64, Time)>,
    fruitless: u32,
}

impl Resuming {
    pub(super) async fn new(files: SpritesFiles, path: RemotePath, len: u64, body: ByteStream) -> Self {
        let before = files.file_itself(&path).await.ok().flatten().as_ref().and_then(looks);
        // What has changed already cannot be gone on with.
        let before = before.filter(|(size, _)| *size == len);
        Self { files, path, len, at: 0, body, sum: Cksum::new(), before, fruitless: 0 }
    }

    pub(super) fn into_stream(self) -> ByteStream {
        stream::unfold(self, |mut reading| async move { Ok(reading.next().await?.map(|chunk| (chunk, reading))) })
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.body.next().await {
                Some(Ok(chunk)) => {
                    self.at += chunk.len() as u64;
                    self.sum.update(&chunk);
                    self.fruitless = 0;
                    return Ok(Some(chunk));
                }
                None if self.at == self.len => return self.verify().await.map(|()| None),
                None => return Err(self.lost(Error::unreachable("the content ended early"))),
                Some(Err(error)) => self.go_on(error).await?,
            }
        }
    }

    /// Opens the rest, or returns why that cannot be.
    async fn go_on(&mut self, error: Error) -> Result<()> {
        let is_passing = matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::TryLater);
        let Some(before) = self.before.filter(|_| is_passing) else { return Err(self.lost(error)) };
        let mut error = error;
        while self.fruitless < AGAIN {
            sleep(PAUSE * 2_u32.pow(self.fruitless)).await;
            self.fruitless += 1;
            match self.rest(before).await {
                Ok(body) => {
                    self.body = body;
                    self.files.client.notes().say(Note::Reconnected { lost: Some(0) });
                    return Ok(());
                }
                Err(next) if next.kind() == ErrorKind::Conflict => return Err(next),
                Err(next) => error = next,
            }
        }
        Err(self.lost(error))
    }

    async fn rest(&mut self, before: (u64, Time)) -> Result<ByteStream> {
        let now = self.files.file_itself(&self.path).await?;
        if now.as_ref().and_then(looks) != Some(before) {
            return Err(self.files.changed(&self.path));
        }
        let (response, skip) = self.files.open_at(&self.path, &(self.at..u64::MAX)).await?;
        Ok(window(response.into_stream(), skip, self.len - self.at))
    }

    /// Compares what has come with what is there. Where there is no `cksum`, its length has to do.
    async fn verify(&mut self) -> Result<()> {
        let come = std::mem::replace(&mut self.sum, Cksum::new()).text();
        let len = self.len.to_string();
        let said = output(&*self.files.exec, sh(SUM, &[self.path.as_bytes(), len.as_bytes()]), None).await;
        let there = match said {
            Ok(said) if said.exit == Exit::Code(0) => said.stdout,
            _ => {
                self.files.client.notes().info(format!("`{}` could not be compared by its checksum", self.path));
                return Ok(());
            }
        };
        if there.trim_ascii_end() == come.as_bytes() { Ok(()) } else { Err(self.files.changed(&self.path)) }
    }

    fn lost(&self, error: Error) -> Error {
        let what = self.files.doing("read", &self.path);
        if error.parts().provider == Some(DRIVER.id) {
            return error;
        }
        self.files.client.broken(&what, error).cause(format!("{} of {} bytes had come", self.at, self.len))
    }
}

/// What tells one version of a file from another.
fn looks(entry: &FileEntry) -> Option<(u64, Time)> {
    Some((entry.size_bytes?, entry.modified_at?))
}
