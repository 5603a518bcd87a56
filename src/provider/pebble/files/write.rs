//! Writing, making and removing.

use super::PebbleFiles;
use super::judge::naming;
use super::wire::{Directory, File, Removal, Request as Wire};
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::files::{MkdirSpec, WriteSpec, Written};
use crate::provider::pebble::api::FileResult;
use crate::stream::ByteStream;
use crate::transport::multipart::{Form, Part};
use crate::transport::{Body, Deadline, Request};
use bytes::Bytes;
use futures_util::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long the daemon may take after the last byte: it brings the file to its disk before it answers.
const SYNC_LIMIT: Duration = Duration::from_mins(10);

impl PebbleFiles {
    /// Writes one file. A body that fails ends the request before the form does, so the daemon drops what it has.
    pub(super) async fn write_one(&self, spec: &WriteSpec, body: ByteStream) -> Result<Written> {
        let file = File::new(spec)?;
        let sent = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&sent);
        let counted = body.inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                count.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
        });
        let content = Body::Stream { body: counted.boxed(), len: spec.len };
        let form = form_of(vec![file])?.with(part(&spec.path, content))?;
        let what = naming("write", &spec.path);
        let said = self.send_form(&what, form).await.map_err(|error| self.about("write", &spec.path, error))?;
        self.verdict("write", &spec.path, said.into_iter().next())?;
        Ok(Written { size_bytes: sent.load(Ordering::Relaxed) })
    }

    /// Sends a form and returns the verdicts, in the order of its files.
    pub(super) async fn send_form(&self, what: &str, form: Form) -> Result<Vec<FileResult>> {
        let mut request = Request::post("/v1/files").form(form);
        request.first_byte = Deadline::After(SYNC_LIMIT);
        let (_, body) = self.0.fetch(what, request).await?;
        self.0.result(what, &body)
    }

    pub(super) async fn make_directory(&self, path: &RemotePath, spec: &MkdirSpec) -> Result<()> {
        let request = Wire::MakeDirs { dirs: vec![Directory::new(path, spec)?] };
        let said: Vec<FileResult> = self.0.post(&naming("make", path), "/v1/files", &request).await?;
        self.verdict("make", path, said.into_iter().next())
    }

    pub(super) async fn remove_all(
        &self,
        paths: &[RemotePath],
        recursive: bool,
    ) -> Result<Vec<(RemotePath, Result<()>)>> {
        let removals = paths.iter().map(|path| Removal::new(path, recursive)).collect::<Result<Vec<_>>>()?;
        let what = match paths {
            [path] => naming("remove", path),
            paths => format!("remove {} paths", paths.len()),
        };
        let mut request = Request::post("/v1/files").json(&Wire::Remove { paths: removals });
        // A large tree takes its time.
        request.first_byte = Deadline::Never;
        let (_, body) = self.0.fetch(&what, request).await?;
        let mut said = self.0.result::<Vec<FileResult>>(&what, &body)?.into_iter();
        Ok(paths.iter().map(|path| (path.clone(), self.verdict("remove", path, said.next()))).collect())
    }
}

/// A form that begins with what is to be written; the content follows.
pub(super) fn form_of(files: Vec<File>) -> Result<Form> {
    let request = serde_json::to_vec(&Wire::Write { files }).map_err(Error::internal)?;
    Form::new().with(Part::new("request", Bytes::from(request)).content_type("application/json"))
}

/// The content of one file.
pub(super) fn part(path: &RemotePath, content: Body) -> Part {
    Part::new("files", content).filename(path.as_bytes()).content_type("application/octet-stream")
}
