//! The archive of a batch that is written, made while its files come.
//!
//! `t0` is a link to the first directory that is written to and `f0/` holds the files that go there, and so on. Last
//! comes `sums`, with the checksums of all: an archive without it is a part, and nothing of it is used.

use super::super::sums::{self, Sum};
use super::super::tar::Writer;
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::files::{Part, WriteSpec};
use crate::stream::{self, ByteStream, Items};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// The most that one file of a batch may bring, in bytes: its header holds its size, so all of it comes first.
const FILE_MAX: usize = 16 << 20;

/// The mode of a file that was given none.
const MODE: u32 = 0o644;

/// Why files of a batch were not packed, by their place in it; those that were have none.
pub(super) type Left = Arc<Mutex<HashMap<usize, Error>>>;

/// The name that a file has in the archive.
pub(super) fn name_of(directory: usize, path: &RemotePath) -> Vec<u8> {
    [format!("f{directory}/").as_bytes(), path.file_name()].concat()
}

/// The directories of `specs`, each once, and which one each file goes to.
pub(super) fn directories(specs: &[WriteSpec]) -> (Vec<RemotePath>, Vec<usize>) {
    let mut directories: Vec<RemotePath> = Vec::new();
    let mut known: HashMap<RemotePath, usize> = HashMap::new();
    let places = specs.iter().map(|spec| {
        let parent = spec.path.parent();
        *known.entry(parent).or_insert_with_key(|parent| {
            directories.push(parent.clone());
            directories.len() - 1
        })
    });
    let places = places.collect();
    (directories, places)
}

struct Packing {
    specs: Vec<WriteSpec>,
    places: Vec<usize>,
    parts: Items<Part>,
    writer: Writer,
    queue: VecDeque<Bytes>,
    now: Option<(usize, BytesMut)>,
    /// The sum of each file that is packed, by its name there: a file that begins again replaces itself.
    sums: HashMap<Vec<u8>, String>,
    left: Left,
    is_over: bool,
}

/// The archive. If `parts` fails, so does it, without its last entry.
pub(super) fn pack(specs: Vec<WriteSpec>, parts: Items<Part>, left: Left) -> ByteStream {
    let (directories, places) = directories(&specs);
    let mut writer = Writer::default();
    let links = directories.iter().enumerate();
    let queue = links.map(|(at, path)| writer.link(format!("t{at}").as_bytes(), path.as_bytes())).collect();
    {
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        left.extend((0..specs.len()).map(|index| (index, Error::internal("a batch that lacks one of its files"))));
    }
    let sums = HashMap::new();
    let packing = Packing { specs, places, parts, writer, queue, now: None, sums, left, is_over: false };
    stream::unfold(packing, |mut packing| async move { Ok(packing.next().await?.map(|bytes| (bytes, packing))) })
}

impl Packing {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(bytes) = self.queue.pop_front() {
                return Ok(Some(bytes));
            }
            if self.is_over {
                return Ok(None);
            }
            match self.parts.next().await.transpose()? {
                Some(Part::Begin(index)) => self.now = Some((index, BytesMut::new())),
                Some(Part::Data(data)) => self.take(&data),
                Some(Part::End) => {
                    if let Some((index, content)) = self.now.take() {
                        self.file(index, content.freeze());
                    }
                }
                Some(Part::Failed(index, error)) => {
                    self.now = None;
                    self.sums.remove(&name_of(self.places[index], &self.specs[index].path));
                    self.leave(index, error);
                }
                None => self.end(),
            }
        }
    }

    fn take(&mut self, data: &Bytes) {
        let Some((index, content)) = &mut self.now else { return };
        if content.len() + data.len() > FILE_MAX {
            let index = *index;
            self.now = None;
            let why = "a file that was small when the copy began is large now";
            self.leave(index, Error::failure(why).hint("copy it again"));
            return;
        }
        content.extend_from_slice(data);
    }

    fn leave(&mut self, index: usize, error: Error) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(index, error);
    }

    fn file(&mut self, index: usize, content: Bytes) {
        let spec = &self.specs[index];
        let name = name_of(self.places[index], &spec.path);
        let mut sum = Sum::new();
        sum.update(&content);
        self.entry(&name, spec.mode.unwrap_or(MODE), content);
        self.sums.insert(name, sum.hex());
        self.left.lock().unwrap_or_else(PoisonError::into_inner).remove(&index);
    }

    fn entry(&mut self, name: &[u8], mode: u32, content: Bytes) {
        let size = content.len() as u64;
        self.queue.push_back(self.writer.file(name, size, mode));
        self.queue.push_back(content);
        self.queue.push_back(self.writer.end_file(size));
    }

    fn end(&mut self) {
        let mut list = Vec::new();
        for (name, sum) in &self.sums {
            list.extend(sums::line(sum, name));
        }
        self.entry(b"sums", 0o600, list.into());
        self.queue.push_back(std::mem::take(&mut self.writer).finish());
        self.is_over = true;
    }
}
