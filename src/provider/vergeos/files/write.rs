//! Writing: under a hidden name, in parts of 256 KiB of which several are under way, compared with what arrived, and
//! only then given its own name. A part that was lost is sent again.

use super::{HIDDEN, VergeFiles, number};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::Feature;
use crate::provider::feature::unsupported;
use crate::provider::files::{WriteSpec, Written};
use crate::provider::machines::Row;
use crate::provider::vergeos::api::{Created, PART, ROOT};
use crate::provider::vergeos::rows::Select;
use crate::scratch;
use crate::stream::{self, ByteStream};
use crate::transport::header::{CONTENT_TYPE, HeaderValue};
use crate::transport::{Body, Method, Request, nonce};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use std::fs::File;
use std::io::{Read, Seek, Write};

/// Parts under way at once, as official clients have it.
const AT_ONCE: usize = 4;

impl VergeFiles {
    pub(super) async fn write_one(&self, to: WriteSpec, body: ByteStream) -> Result<Written> {
        let name = Self::name(&to.path)?;
        if to.owner.is_some() {
            return Err(unsupported(&super::super::DRIVER, Feature::FilesOwner, "--owner"));
        }
        let (len, body) = match to.len {
            Some(len) => (len, body),
            None => spooled(body).await?,
        };
        let what = format!("write `{}`", to.path);
        // The type of a file is read from the end of its name, which stays.
        let hidden = format!("{HIDDEN}{}-{name}", &nonce()[..8]);
        let size = len.to_string();
        let spec = json!({"name": hidden, "allocated_bytes": size});
        let created: Created = self.client.send(&what, Method::POST, "files", Some(&spec)).await?;
        let Some(key) = created.key() else {
            return Err(self
                .client
                .garbled(&what, "it tells no key")
                .cause(format!("`{hidden}` may be left in the catalog")));
        };
        let armed = {
            let (files, key, what) = (self.clone(), key.clone(), what.clone());
            let undo = async move { files.delete(&what, &key).await };
            self.cleanups.add(format!("`{hidden}` in the catalog of `{}`", self.client.endpoint()), Box::pin(undo))
        };
        let written = self.write_to(&what, &key, &name, len, body).await;
        if written.is_err() && self.delete(&what, &key).await.is_err() {
            self.client.notes().warn(format!("`{hidden}` is left in the catalog of `{}`", self.client.endpoint()));
        }
        armed.disarm();
        written
    }

    async fn write_to(&self, what: &str, key: &str, name: &str, len: u64, body: ByteStream) -> Result<Written> {
        let sent = parts(body)
            .map(|part| async move {
                let (at, part) = part?;
                let end = at + part.len() as u64;
                if end > len {
                    return Err(Error::failure(self.client.cannot(what, "there is more of it than was said")));
                }
                self.put_part(what, key, at, part).await?;
                Ok(end)
            })
            .buffer_unordered(AT_ONCE)
            .try_fold(0_u64, |end, part| async move { Ok(end.max(part)) })
            .await?;
        if sent != len {
            return Err(Error::failure(self.client.cannot(what, &format!("it ended after {sent} of {len} bytes"))));
        }
        let select = Select::new("files", "$key,filesize").filter(format!("$key eq {key}")).limit(1);
        let row: Option<Row> = self.client.row(what, &select).await?;
        let arrived = row.as_ref().and_then(|row| number(row, "filesize"));
        if arrived.is_some_and(|arrived| arrived != len) {
            let why = format!("{} of {len} bytes arrived", arrived.unwrap_or_default());
            return Err(self.client.error(ErrorKind::Failure, what, &why));
        }
        self.rename_key(what, key, name).await?;
        Ok(Written { size_bytes: len })
    }

    /// Puts a part at its place. Sent again it does the same.
    async fn put_part(&self, what: &str, key: &str, at: u64, part: Bytes) -> Result<()> {
        let request = || {
            let path = format!("{ROOT}/files/{key}?filepos={at}");
            let request = Request::put(path).body(Body::Bytes(part.clone()));
            request.header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
        };
        self.client.repeat(what, &request).await.map(drop)
    }
}

/// A body in parts, each with its place.
fn parts(body: ByteStream) -> stream::Items<(u64, Bytes)> {
    let size = usize::try_from(PART).unwrap_or(usize::MAX);
    stream::unfold((body, BytesMut::new(), 0_u64, false), move |(mut body, mut ready, at, mut ended)| async move {
        while ready.len() < size && !ended {
            match body.next().await.transpose()? {
                Some(chunk) => ready.extend_from_slice(&chunk),
                None => ended = true,
            }
        }
        let part = ready.split_to(ready.len().min(size)).freeze();
        if part.is_empty() {
            return Ok(None);
        }
        let next = at + part.len() as u64;
        Ok(Some(((at, part), (body, ready, next, ended))))
    })
}

/// A body of unknown length, put aside: the catalog must be told a length first.
async fn spooled(mut body: ByteStream) -> Result<(u64, ByteStream)> {
    let cannot = |error: std::io::Error| {
        Error::failure("cannot put aside what is written, whose length is unknown").source(error)
    };
    let mut file: File = scratch::file().map_err(cannot)?;
    let mut len = 0;
    while let Some(chunk) = body.next().await.transpose()? {
        file.write_all(&chunk).map_err(cannot)?;
        len += chunk.len() as u64;
    }
    file.rewind().map_err(cannot)?;
    let body = stream::unfold(file, move |mut file| async move {
        let mut chunk = vec![0; usize::try_from(PART).unwrap_or(1 << 16)];
        let read = file.read(&mut chunk).map_err(cannot)?;
        chunk.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(chunk), file)))
    });
    Ok((len, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn cut(chunks: &[usize]) -> Vec<(u64, usize)> {
        let chunks: Vec<_> = chunks.iter().map(|len| Ok(Bytes::from(vec![7; *len]))).collect();
        stream::collect(parts(stream::iter(chunks))).await.unwrap().iter().map(|(at, part)| (*at, part.len())).collect()
    }

    #[tokio::test]
    async fn a_body_is_cut_into_parts_whatever_its_chunks() {
        let part = usize::try_from(PART).unwrap();
        assert_eq!(cut(&[]).await, []);
        assert_eq!(cut(&[part]).await, [(0, part)]);
        assert_eq!(cut(&[part + 1]).await, [(0, part), (PART, 1)]);
        assert_eq!(cut(&[1, part - 1, 3, 0]).await, [(0, part), (PART, 3)]);
        // The size that official clients were seen to upload (section 7.2).
        assert_eq!(cut(&[600_000]).await, [(0, 262_144), (262_144, 262_144), (524_288, 75_712)]);
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_is_measured() {
        let (len, body) =
            spooled(stream::iter([Ok(Bytes::from_static(b"ab")), Ok(Bytes::from_static(b"c"))])).await.unwrap();
        let whole: Vec<u8> = stream::collect(body).await.unwrap().concat();
        assert_eq!((len, whole), (3, b"abc".to_vec()));
    }
}
