//! Reading a batch. The archive comes on the program's stdout and the checksums follow on its stderr, so the verdict on
//! a file comes after its content. What is missing, cut or not what was summed is read again by itself: the wire may
//! lose output of programs in silence, and what `tar` says of a failure is no answer to give.

use super::super::program::{Program, keep};
use super::super::sh;
use super::super::sums::{self, Sum};
use super::super::tar::{Piece, Reader};
use super::{LACKS, TarBulk, is_listable};
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::exec::{Event, Exit};
use crate::provider::files::Part;
use crate::stream::{self, ByteStream, Items};
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::{HashMap, VecDeque};

/// Packs the files whose names come on stdin, then sums them. Hard links are packed as files of their own, and what
/// symbolic links lead to instead of them.
const PACK: &str = r#"
LC_ALL=C; export LC_ALL
command -v tar xargs sha256sum mktemp >/dev/null || exit 94
list=$(mktemp) || exit 90
trap 'rm -f "$list"' EXIT
trap 'exit 99' HUP INT TERM
cat >"$list" && cd / || exit 91
tar --null --hard-dereference -h -c -f - -T "$list" 2>/dev/null
xargs -0 sha256sum -- <"$list" 1>&2
exit 0
"#;

/// A batch that is being read.
pub(super) struct Reading {
    bulk: TarBulk,
    paths: Vec<RemotePath>,
    by_name: HashMap<Vec<u8>, usize>,
    program: Option<Program>,
    archive: Reader,
    /// The sum of each file that has come whole.
    come: Vec<Option<String>>,
    now: Option<(usize, Sum)>,
    stderr: Vec<u8>,
    /// What is still to be read by itself, once the program has ended.
    again: Option<VecDeque<usize>>,
    body: Option<ByteStream>,
}

impl TarBulk {
    /// Reads `paths`: see [`Bulk::read_many`](crate::provider::files::Bulk::read_many).
    pub fn read_many(&self, paths: Vec<RemotePath>) -> Items<Part> {
        let by_name = paths.iter().enumerate().filter(|(_, path)| is_listable(path));
        let reading = Reading {
            bulk: self.clone(),
            by_name: by_name.map(|(index, path)| (listed(path), index)).collect(),
            program: None,
            archive: Reader::default(),
            come: vec![None; paths.len()],
            now: None,
            stderr: Vec::new(),
            again: None,
            body: None,
            paths,
        };
        stream::unfold(reading, |mut reading| async move { Ok(reading.next().await?.map(|part| (part, reading))) })
    }
}

/// How a path stands in the list: below `.`, where no name looks like an option.
fn listed(path: &RemotePath) -> Vec<u8> {
    let trimmed = path.as_bytes().iter().position(|byte| *byte != b'/').unwrap_or(path.as_bytes().len());
    [b"./", &path.as_bytes()[trimmed..]].concat()
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Part>> {
        loop {
            if self.again.is_some() {
                return self.alone().await;
            }
            match self.packed().await {
                Ok(Some(part)) => return Ok(Some(part)),
                // Whatever went wrong, what did not come is read by itself.
                Ok(None) | Err(_) => self.again = Some(self.judge()),
            }
        }
    }

    /// The next piece of the archive; `None` once the program has ended.
    async fn packed(&mut self) -> Result<Option<Part>> {
        if self.program.is_none() {
            if self.bulk.lacks() {
                return Ok(None);
            }
            let mut list = Vec::new();
            for path in self.paths.iter().filter(|path| is_listable(path)) {
                list.extend(listed(path));
                list.push(0);
            }
            let list = stream::iter([Ok(Bytes::from(list))]);
            self.program = Some(Program::start(&*self.bulk.exec, sh(PACK, &[]), Some(list)).await?);
        }
        loop {
            if let Some(piece) = self.archive.next()? {
                if let Some(part) = self.part(piece) {
                    return Ok(Some(part));
                }
                continue;
            }
            let program = self.program.as_mut().expect("it was started just now");
            match program.next().await? {
                Event::Stdout(bytes) => self.archive.push(&bytes),
                Event::Stderr(bytes) => keep(&mut self.stderr, &bytes)?,
                Event::Note(_) => {}
                Event::Exit(exit) => {
                    if exit == Exit::Code(LACKS) {
                        self.bulk.note_lack();
                    }
                    return Ok(None);
                }
            }
        }
    }

    fn part(&mut self, piece: Piece) -> Option<Part> {
        match piece {
            Piece::Begin { name, .. } => {
                let index = *self.by_name.get(&name)?;
                self.now = Some((index, Sum::new()));
                Some(Part::Begin(index))
            }
            Piece::Data(data) => {
                let (_, sum) = self.now.as_mut()?;
                sum.update(&data);
                Some(Part::Data(data))
            }
            Piece::End => {
                let (index, sum) = self.now.take()?;
                self.come[index] = Some(sum.hex());
                Some(Part::End)
            }
        }
    }

    /// What did not come as it was summed.
    fn judge(&mut self) -> VecDeque<usize> {
        self.program = None;
        self.now = None;
        let sums = sums::read(&self.stderr);
        let is_whole = |index: usize| {
            let come = self.come[index].as_ref();
            come.is_some() && come == sums.get(&listed(&self.paths[index]))
        };
        (0..self.paths.len()).filter(|index| !is_whole(*index)).collect()
    }

    /// The next part of what is read by itself. A file that had begun already begins again.
    async fn alone(&mut self) -> Result<Option<Part>> {
        loop {
            let again = self.again.get_or_insert_default();
            let Some(index) = again.front().copied() else { return Ok(None) };
            let Some(body) = &mut self.body else {
                match self.bulk.single.read(&self.paths[index], None).await {
                    Ok(reading) => {
                        self.body = Some(reading.body);
                        return Ok(Some(Part::Begin(index)));
                    }
                    Err(error) => return Ok(Some(self.failed(index, error))),
                }
            };
            match body.next().await {
                Some(Ok(data)) => return Ok(Some(Part::Data(data))),
                Some(Err(error)) => return Ok(Some(self.failed(index, error))),
                None => {
                    self.body = None;
                    again.pop_front();
                    return Ok(Some(Part::End));
                }
            }
        }
    }

    fn failed(&mut self, index: usize, error: Error) -> Part {
        self.body = None;
        self.again.get_or_insert_default().pop_front();
        Part::Failed(index, error)
    }
}
