//! Reading. The answer is a form: the content first, the verdict on it last. Content whose verdict is missing or bad
//! is not whole, so the body ends in an error then.

use super::PebbleFiles;
use super::judge::naming;
use crate::error::Result;
use crate::model::RemotePath;
use crate::provider::files::Reading;
use crate::provider::pebble::api::FileResult;
use crate::stream::{self, Items};
use crate::transport::multipart::{self, Piece};
use crate::transport::query::Query;
use crate::transport::{Request, header};
use futures_util::StreamExt;

/// The name of the part that holds the verdicts.
pub(super) const VERDICTS: &[u8] = b"response";

/// An answer that is being read.
pub(super) struct Answer {
    pub(super) files: PebbleFiles,
    pub(super) what: String,
    pieces: Items<Piece>,
}

impl Answer {
    /// The next piece of the form.
    pub(super) async fn next(&mut self) -> Result<Option<Piece>> {
        self.pieces.next().await.transpose().map_err(|error| self.files.0.broken(&self.what, error))
    }

    /// The verdicts, once their part has begun. Reads the answer to its end, which frees the connection.
    pub(super) async fn verdicts(&mut self) -> Result<Vec<FileResult>> {
        let mut json = Vec::new();
        while let Some(piece) = self.next().await? {
            match piece {
                Piece::Data(data) => json.extend_from_slice(&data),
                Piece::End => {}
                Piece::Begin(_) => return Err(self.files.0.garbled(&self.what, "content follows the verdicts")),
            }
        }
        self.files.0.result(&self.what, &json)
    }

    fn garbled<T>(&self, why: &str) -> Result<T> {
        Err(self.files.0.garbled(&self.what, why))
    }
}

impl PebbleFiles {
    /// Asks for the content of `paths`.
    pub(super) async fn ask_for(&self, what: String, paths: &[RemotePath]) -> Result<Answer> {
        let mut query = Query::new("/v1/files").with("action", "read");
        for path in paths {
            query = query.with("path", path.as_bytes());
        }
        // Exactly this: a list of types is refused.
        let request = Request::get(query.build()).accept("multipart/form-data");
        let response = self.0.send(&what, request).await?;
        if response.status >= 400 {
            return Err(self.0.failure(&what, response).await);
        }
        match response.header(header::CONTENT_TYPE).and_then(multipart::boundary) {
            Some(boundary) => {
                Ok(Answer { files: self.clone(), what, pieces: multipart::read(response.into_stream(), &boundary) })
            }
            None => Err(self.0.garbled(&what, "it is not a multipart form")),
        }
    }

    pub(super) async fn read_one(&self, path: &RemotePath) -> Result<Reading> {
        let mut answer = self.ask_for(naming("read", path), std::slice::from_ref(path)).await?;
        match answer.next().await? {
            Some(Piece::Begin(head)) if head.name == VERDICTS => {
                let verdict = answer.verdicts().await?.into_iter().next();
                self.verdict("read", path, verdict)?;
                return answer.garbled("it holds no content");
            }
            Some(Piece::Begin(head)) if head.is_file(path.as_bytes()) => {}
            _ => return answer.garbled("it holds something else"),
        }
        let state = (answer, path.clone());
        let body = stream::unfold(state, |(mut answer, path)| async move {
            match answer.next().await? {
                Some(Piece::Data(data)) => Ok(Some((data, (answer, path)))),
                Some(Piece::End) => {
                    match answer.next().await? {
                        Some(Piece::Begin(head)) if head.name == VERDICTS => {}
                        _ => return answer.garbled("the content is not followed by a verdict"),
                    }
                    let verdict = answer.verdicts().await?.into_iter().next();
                    answer.files.verdict("read", &path, verdict)?;
                    Ok(None)
                }
                _ => answer.garbled("a part begins within another"),
            }
        });
        Ok(Reading { len: None, mode: None, body })
    }
}
