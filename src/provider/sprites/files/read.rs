//! Reading. A small file is asked for again until it has come; a large one goes on where the connection was lost, if it
//! is still the same.

use super::resume::Resuming;
use super::{SpritesFiles, wire};
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::files::Reading;
use crate::provider::retry::retrying;
use crate::provider::sprites::DRIVER;
use crate::stream::{self, ByteStream};
use crate::transport::header::{CONTENT_RANGE, HeaderValue, RANGE};
use crate::transport::{Request, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use std::ops::Range;

/// The largest file that is asked for as a whole, in bytes.
const SMALL: u64 = 1 << 20;

enum Opened {
    Whole(Bytes),
    Large(Response),
}

impl SpritesFiles {
    /// All of a file.
    pub(super) async fn read_whole(&self, path: &RemotePath) -> Result<Reading> {
        let query = wire::query(self, "read", path)?.build();
        let what = self.doing("read", path);
        let opened = retrying(|| async {
            let response = self.client.open(&what, Request::get(&query)).await?;
            match response.content_length() {
                Some(len) if len <= SMALL => {
                    let limit = usize::try_from(SMALL).unwrap_or(usize::MAX);
                    let whole = response.bytes(limit).await.map_err(|error| self.client.broken(&what, error))?;
                    Ok(Opened::Whole(whole))
                }
                _ => Ok(Opened::Large(response)),
            }
        });
        match opened.await.map_err(|error| self.refused("read", path, error))? {
            Opened::Whole(bytes) => {
                let len = Some(bytes.len() as u64);
                Ok(Reading { len, mode: None, body: stream::iter([Ok(bytes)]) })
            }
            Opened::Large(response) => {
                let len = response.content_length();
                let body = response.into_stream();
                let body = match len {
                    Some(len) => Resuming::new(self.clone(), path.clone(), len, body).await.into_stream(),
                    None => self.blamed(what, body),
                };
                Ok(Reading { len, mode: None, body })
            }
        }
    }

    /// Part of a file; what lies past its end is empty (9.60).
    pub(super) async fn read_part(&self, path: &RemotePath, range: Range<u64>) -> Result<Reading> {
        let nothing = || Reading { len: Some(0), mode: None, body: stream::iter([]) };
        if range.is_empty() {
            return Ok(nothing());
        }
        let opened = retrying(|| self.open_at(path, &range));
        match opened.await {
            Err(error) if error.parts().wire.as_ref().is_some_and(|wire| wire.status == Some(416)) => Ok(nothing()),
            Err(error) => Err(self.refused("read", path, error)),
            Ok((response, skip)) => {
                let wanted = range.end - range.start;
                let len = response.content_length().map(|len| len.saturating_sub(skip).min(wanted));
                let body = self.blamed(self.doing("read", path), window(response.into_stream(), skip, wanted));
                Ok(Reading { len, mode: None, body })
            }
        }
    }

    /// Asks for the content from `range.start` on; returns how much of the answer lies before it, since a server may
    /// not know ranges.
    pub(super) async fn open_at(&self, path: &RemotePath, range: &Range<u64>) -> Result<(Response, u64)> {
        let query = wire::query(self, "read", path)?.build();
        let what = self.doing("read", path);
        let last = range.end - 1;
        let wanted = if range.end == u64::MAX {
            format!("bytes={}-", range.start)
        } else {
            format!("bytes={}-{last}", range.start)
        };
        let value = HeaderValue::try_from(wanted).expect("digits can stand in a header");
        let response = self.client.open(&what, Request::get(query).header(RANGE, value)).await?;
        if response.status != 206 {
            return Ok((response, range.start));
        }
        let start = response.header(CONTENT_RANGE).and_then(|text| {
            let (start, _) = text.trim().strip_prefix("bytes ")?.split_once('-')?;
            start.trim().parse::<u64>().ok()
        });
        match start {
            Some(start) if start <= range.start => Ok((response, range.start - start)),
            _ => Err(self.client.garbled(&what, "it is another part than was asked for")),
        }
    }

    /// A body whose errors say what they kept from being done.
    fn blamed(&self, what: String, body: ByteStream) -> ByteStream {
        let client = self.client.clone();
        body.map(move |chunk| chunk.map_err(|error| client.broken(&what, error))).boxed()
    }

    /// The file is not what it was.
    pub(super) fn changed(&self, path: &RemotePath) -> Error {
        let why = "it was changed while it was read";
        Error::conflict(self.client.cannot(&self.doing("read", path), why)).at(DRIVER.id, self.client.endpoint())
    }
}

/// The bytes of `body` after the first `skip`, at most `len`.
pub(super) fn window(body: ByteStream, skip: u64, len: u64) -> ByteStream {
    stream::unfold((body, skip, len), |(mut body, mut skip, len)| async move {
        while len > 0 {
            let Some(mut chunk) = body.next().await.transpose()? else { return Ok(None) };
            let before = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
            skip -= before as u64;
            let mut wanted = chunk.split_off(before);
            wanted.truncate(usize::try_from(len).unwrap_or(usize::MAX));
            if !wanted.is_empty() {
                let left = len - wanted.len() as u64;
                return Ok(Some((wanted, (body, skip, left))));
            }
        }
        Ok(None)
    })
}
