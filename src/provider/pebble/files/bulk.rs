//! Many small files in one request, which no official client does: one round trip instead of one per file.

use super::PebbleFiles;
use super::read::{Answer, VERDICTS};
use super::wire::{self, File};
use super::write::{form_of, part};
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::files::{Bulk, Part, WriteSpec};
use crate::stream::{self, Items};
use crate::transport::Body;
use crate::transport::multipart::Piece;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use std::collections::VecDeque;

/// The most that one file of a batch may bring, in bytes: a batch is held in memory, and a file may grow after it was
/// chosen for one.
const FILE_MAX: usize = 8 << 20;

#[async_trait]
impl Bulk for PebbleFiles {
    fn read_many(&self, paths: Vec<RemotePath>) -> Items<Part> {
        if let Some(error) = paths.iter().find_map(|path| wire::absolute(path).err()) {
            return stream::fail(error);
        }
        let batch = Batch {
            files: self.clone(),
            seen: vec![false; paths.len()],
            paths,
            next: 0,
            answer: None,
            late: VecDeque::new(),
            is_judged: false,
        };
        stream::unfold(batch, |mut batch| async move { Ok(batch.next().await?.map(|part| (part, batch))) })
    }

    async fn write_many(&self, specs: Vec<WriteSpec>, parts: Items<Part>) -> Result<Vec<Result<()>>> {
        let mut contents = collect(specs.len(), parts).await?;
        let mut files = Vec::new();
        for (spec, content) in specs.iter().zip(&mut contents) {
            if content.is_ok() {
                match File::new(spec) {
                    Ok(file) => files.push(file),
                    Err(error) => *content = Err(error),
                }
            }
        }
        if files.is_empty() {
            return Ok(contents.into_iter().map(|content| content.map(|_| ())).collect());
        }
        let what = format!("write {} files", files.len());
        let mut form = form_of(files)?;
        for (spec, content) in specs.iter().zip(&contents) {
            if let Ok(content) = content {
                form.push(part(&spec.path, Body::Bytes(content.clone())))?;
            }
        }
        let mut said = self.send_form(&what, form).await?.into_iter();
        let judged = specs.iter().zip(contents).map(|(spec, content)| {
            content?;
            self.verdict("write", &spec.path, said.next())
        });
        Ok(judged.collect())
    }
}

/// The content of each file of a batch, or why there is none.
async fn collect(count: usize, mut parts: Items<Part>) -> Result<Vec<Result<Bytes>>> {
    let nothing = || Err(Error::internal("a batch that lacks one of its files"));
    let mut contents: Vec<Result<Bytes>> = (0..count).map(|_| nothing()).collect();
    let mut now: Option<(usize, Chunks)> = None;
    while let Some(part) = parts.next().await.transpose()? {
        match part {
            Part::Begin(index) => now = Some((index, Chunks::default())),
            Part::Data(data) => {
                if let Some((_, chunks)) = &mut now {
                    chunks.push(data);
                }
            }
            Part::End => {
                if let Some((index, chunks)) = now.take() {
                    contents[index] = chunks.whole();
                }
            }
            Part::Failed(index, error) => {
                now = None;
                contents[index] = Err(error);
            }
        }
    }
    Ok(contents)
}

/// What came of one file.
#[derive(Default)]
struct Chunks {
    first: Bytes,
    rest: BytesMut,
    is_too_long: bool,
}

impl Chunks {
    fn push(&mut self, data: Bytes) {
        if self.first.len() + self.rest.len() + data.len() > FILE_MAX {
            self.is_too_long = true;
        } else if self.first.is_empty() && self.rest.is_empty() {
            self.first = data;
        } else {
            if self.rest.is_empty() {
                self.rest.extend_from_slice(&std::mem::take(&mut self.first));
            }
            self.rest.extend_from_slice(&data);
        }
    }

    fn whole(self) -> Result<Bytes> {
        if self.is_too_long {
            return Err(Error::failure("a file that was small when the copy began is large now").hint("copy it again"));
        }
        Ok(if self.rest.is_empty() { self.first } else { self.rest.freeze() })
    }
}

/// Several files of one answer.
struct Batch {
    files: PebbleFiles,
    paths: Vec<RemotePath>,
    /// Whose content has come.
    seen: Vec<bool>,
    /// The first of the paths whose content may still come.
    next: usize,
    answer: Option<Answer>,
    /// What is to be said after all content.
    late: VecDeque<Part>,
    is_judged: bool,
}

impl Batch {
    async fn next(&mut self) -> Result<Option<Part>> {
        if self.is_judged {
            return Ok(self.late.pop_front());
        }
        if self.answer.is_none() {
            let what = format!("read {} files", self.paths.len());
            self.answer = Some(self.files.ask_for(what, &self.paths).await?);
        }
        let answer = self.answer.as_mut().expect("it was set just now");
        match answer.next().await? {
            Some(Piece::Begin(head)) if head.name == VERDICTS => {
                let said = answer.verdicts().await?;
                self.judge(said);
                Ok(self.late.pop_front())
            }
            Some(Piece::Begin(head)) => {
                // Files that cannot be opened have no part, so some may be passed over.
                let found = (self.next..self.paths.len()).find(|i| head.is_file(self.paths[*i].as_bytes()));
                let Some(index) = found else {
                    return Err(self.files.0.garbled(&answer.what, "it holds a file that was not asked for"));
                };
                self.seen[index] = true;
                self.next = index + 1;
                Ok(Some(Part::Begin(index)))
            }
            Some(Piece::Data(data)) => Ok(Some(Part::Data(data))),
            Some(Piece::End) => Ok(Some(Part::End)),
            None => Err(self.files.0.garbled(&answer.what, "the content is not followed by a verdict")),
        }
    }

    fn judge(&mut self, said: Vec<crate::provider::pebble::api::FileResult>) {
        let mut said = said.into_iter();
        for (index, path) in self.paths.iter().enumerate() {
            match self.files.verdict("read", path, said.next()) {
                Ok(()) if self.seen[index] => {}
                Ok(()) => {
                    let error = self.files.0.garbled("read files", "one of them has neither content nor an error");
                    self.late.push_back(Part::Failed(index, error));
                }
                Err(error) => self.late.push_back(Part::Failed(index, error)),
            }
        }
        self.is_judged = true;
    }
}
