//! Reading: what is small by one program, what is large by the download endpoint, if that has the same bytes.

use super::RexecFiles;
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::files::{Files as _, Reading};
use crate::provider::over_exec::{Opened, Sum};
use crate::provider::rexec::DRIVER;
use crate::provider::rexec::find::path as below;
use crate::stream::{self, ByteStream};
use crate::transport::header::{ACCEPT_ENCODING, HeaderValue};
use crate::transport::query::Query;
use crate::transport::{Request, Response};
use futures_util::StreamExt;

/// From how many bytes on the endpoint is worth it; what programs print comes at some megabytes a second.
const LARGE: u64 = 8 << 20;

impl RexecFiles {
    pub(super) async fn read_whole(&self, path: &RemotePath) -> Result<Reading> {
        // An agent has no endpoints.
        if self.spot.docker_id().await.is_err() {
            return self.shell.read(path, None).await;
        }
        let (size, sum) = match self.shell.read_up_to(path, LARGE).await? {
            Opened::Content(reading) => return Ok(reading),
            Opened::Large(size, sum) => (size, sum),
        };
        match self.download(path, size).await {
            Some(response) => {
                let body = self.checked(path, response.into_stream(), size, sum);
                Ok(Reading { len: Some(size), mode: None, body })
            }
            None => self.shell.read(path, None).await,
        }
    }

    /// The endpoint's answer, if it has a file of this size.
    async fn download(&self, path: &RemotePath, size: u64) -> Option<Response> {
        let what = self.doing("read", path);
        let response = self
            .spot
            .with_id(|id| {
                let query = Query::new(&below(&id, "/files")).with("path", path.as_bytes()).build();
                // Compressed, its length would not be what it says (section 2.4).
                let request = Request::get(query).header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
                self.spot.client.open(&what, request)
            })
            .await
            .ok()?;
        let is_link = response.header("x-file-mode").is_some_and(|mode| mode.starts_with('L'));
        (response.content_length() == Some(size) && !is_link).then_some(response)
    }

    /// A body that must have this sum at its end. Where it is cut, as after 30 s, the rest comes by a program.
    fn checked(&self, path: &RemotePath, body: ByteStream, size: u64, sum: String) -> ByteStream {
        let state =
            Checked { files: self.clone(), path: path.clone(), body, come: 0, size, sum: Sum::new(), wanted: sum };
        stream::unfold(state, |mut state| async move {
            loop {
                match state.body.next().await {
                    Some(Ok(chunk)) => {
                        state.sum.update(&chunk);
                        state.come += chunk.len() as u64;
                        return Ok(Some((chunk, state)));
                    }
                    Some(Err(error)) if state.come == state.size => return Err(error),
                    Some(Err(_)) | None if state.come < state.size => {
                        let rest = state.come..u64::MAX;
                        state.body = state.files.shell.read(&state.path, Some(rest)).await?.body;
                        // A program ends well or says why not: no other attempt follows.
                        state.size = state.come;
                    }
                    _ if state.sum.clone().hex() == state.wanted => return Ok(None),
                    _ => {
                        let what = state.files.doing("read", &state.path);
                        let client = &state.files.spot.client;
                        return Err(Error::conflict(client.cannot(&what, "it was changed while it was read"))
                            .at(DRIVER.id, state.files.spot.full()));
                    }
                }
            }
        })
    }
}

struct Checked {
    files: RexecFiles,
    path: RemotePath,
    body: ByteStream,
    come: u64,
    size: u64,
    sum: Sum,
    wanted: String,
}
