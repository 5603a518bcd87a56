//! Reading: what was lost on the way is asked for from there on.

use super::VergeFiles;
use crate::error::{Error, ErrorKind, Result};
use crate::model::RemotePath;
use crate::provider::files::Reading;
use crate::provider::retry::{is_passing, retrying};
use crate::provider::vergeos::api::ROOT;
use crate::provider::vergeos::client::Client;
use crate::stream::{self, ByteStream};
use crate::transport::header::{CONTENT_RANGE, HeaderValue, RANGE};
use crate::transport::query::Query;
use crate::transport::{Request, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use std::ops::Range;

/// How often it is asked for the rest without a byte having come in between.
const AGAIN: u32 = 3;

/// Where a file comes from.
struct Source {
    client: Client,
    what: String,
    path: String,
}

/// A file that is being read.
struct Download {
    source: Source,
    /// The bytes that are still to come.
    left: Range<u64>,
    body: Option<ByteStream>,
    failures: u32,
}

impl VergeFiles {
    pub(super) async fn read_one(&self, path: &RemotePath, range: Option<Range<u64>>) -> Result<Reading> {
        let what = format!("read `{path}`");
        let name = Self::name(path)?;
        let known = self.found(&what, &name).await?;
        let wanted = range.unwrap_or(0..known.size);
        let left = wanted.start.min(known.size)..wanted.end.min(known.size).max(wanted.start.min(known.size));
        let len = Some(left.end - left.start);
        let query =
            Query::new(&format!("{ROOT}/files/{}", known.key)).with("download", "1").with("asname", &name).build();
        let source = Source { client: self.client.clone(), what, path: query };
        // A refusal is told before the first byte.
        let body = if len == Some(0) { None } else { Some(retrying(|| source.open(&left)).await?) };
        let download = Download { source, left, body, failures: 0 };
        let body = stream::unfold(download, |mut download| async move {
            Ok(download.next().await?.map(|chunk| (chunk, download)))
        });
        Ok(Reading { len, mode: None, body })
    }
}

impl Source {
    /// Asks for a part that is not empty.
    async fn open(&self, left: &Range<u64>) -> Result<ByteStream> {
        let range = format!("bytes={}-{}", left.start, left.end - 1);
        let range = HeaderValue::try_from(range).expect("digits can stand in a header");
        let request = Request::get(&self.path).header(RANGE, range).streaming();
        let response = self.client.open(&self.what, request).await?;
        let skip = match (response.status, start(&response)) {
            (206, Some(start)) if start <= left.start => left.start - start,
            (206, _) => return Err(self.client.garbled(&self.what, "it is another part than was asked for")),
            // A server that does not know ranges begins at the beginning.
            _ => left.start,
        };
        Ok(after(response.into_stream(), skip))
    }
}

impl Download {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.left.is_empty() {
                return Ok(None);
            }
            let Some(body) = &mut self.body else {
                self.body = Some(self.source.open(&self.left).await?);
                continue;
            };
            let error = match body.next().await {
                Some(Ok(mut chunk)) => {
                    if chunk.is_empty() {
                        continue;
                    }
                    let left = usize::try_from(self.left.end - self.left.start).unwrap_or(usize::MAX);
                    chunk.truncate(left);
                    self.left.start += chunk.len() as u64;
                    self.failures = 0;
                    return Ok(Some(chunk));
                }
                Some(Err(error)) => self.source.client.broken(&self.source.what, error),
                None => {
                    let Source { client, what, .. } = &self.source;
                    client.error(ErrorKind::Unreachable, what, "the answer ended too early")
                }
            };
            self.lost(error).await?;
        }
    }

    /// The connection is lost: the rest is asked for again, a few times.
    async fn lost(&mut self, error: Error) -> Result<()> {
        self.failures += 1;
        self.body = None;
        let may_pass = is_passing(&error) || error.kind() == ErrorKind::Timeout;
        if self.failures > AGAIN || !may_pass {
            return Err(error);
        }
        let (source, left) = (&self.source, &self.left);
        self.body = Some(retrying(|| source.open(left)).await?);
        Ok(())
    }
}

/// Where a part begins.
fn start(response: &Response) -> Option<u64> {
    let text = response.header(CONTENT_RANGE)?;
    let (start, _) = text.trim().strip_prefix("bytes ")?.split_once('-')?;
    start.trim().parse().ok()
}

/// The bytes of `body` after the first `skip`.
fn after(body: ByteStream, skip: u64) -> ByteStream {
    if skip == 0 {
        return body;
    }
    stream::unfold((body, skip), |(mut body, mut skip)| async move {
        while let Some(mut chunk) = body.next().await.transpose()? {
            let before = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
            skip -= before as u64;
            let rest = chunk.split_off(before);
            if !rest.is_empty() {
                return Ok(Some((rest, (body, skip))));
            }
        }
        Ok(None)
    })
}
