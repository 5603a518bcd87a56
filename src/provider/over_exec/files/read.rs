//! Contents, as a program prints them.

use super::super::program::Program;
use super::super::sh;
use super::{ShellFiles, absolute};
use crate::error::{Error, Result};
use crate::model::RemotePath;
use crate::provider::exec::{Event, Exit};
use crate::provider::files::Reading;
use crate::stream;
use bytes::Bytes;
use std::ops::Range;

/// Says the size of the file `$1` on a line, or a dash, and then what lies from `$2` on, at most `$3` bytes of it. Of one
/// with more than `$4` bytes it says only `SIZE SUM`, where that can be made.
const READ: &str = r#"LC_ALL=C; export LC_ALL; [ -e "$1" ] || [ -h "$1" ] || exit 44
[ ! -d "$1" ] || { echo 'Is a directory' >&2; exit 45; }
exec <"$1" || exit 1
s=-; [ ! -f "$1" ] || [ -n "$2$3" ] || s=$(stat -L -c %s -- "$1" 2>/dev/null) || s=-
if [ -n "$4" ] && [ "$s" != - ] && [ "$s" -gt "$4" ] && command -v sha256sum >/dev/null 2>&1; then
    echo "$s $(sha256sum)"; exit 0
fi
echo "$s"
if [ -z "$2$3" ]; then exec cat; fi
if [ -z "$3" ]; then exec tail -c "+$2"; fi
tail -c "+$2" | head -c "$3""#;

/// A file that was opened.
pub enum Opened {
    /// Its content, as it is printed.
    Content(Reading),
    /// It is larger than was wanted: its size and its checksum.
    Large(u64, String),
}

impl ShellFiles {
    /// All of a file, or a part of it.
    pub(super) async fn content(&self, path: &RemotePath, range: Option<Range<u64>>) -> Result<Reading> {
        match self.open(path, range, None).await? {
            Opened::Content(reading) => Ok(reading),
            Opened::Large(..) => Err(Error::internal("a file was too large where any would do")),
        }
    }

    /// All of a file, unless it has more than `limit` bytes and there is another way.
    pub async fn read_up_to(&self, path: &RemotePath, limit: u64) -> Result<Opened> {
        self.open(path, None, Some(limit)).await
    }

    async fn open(&self, path: &RemotePath, range: Option<Range<u64>>, limit: Option<u64>) -> Result<Opened> {
        absolute(path)?;
        let (from, most) = match &range {
            None => (String::new(), String::new()),
            Some(range) if range.is_empty() => {
                return Ok(Opened::Content(Reading { len: Some(0), mode: None, body: stream::iter([]) }));
            }
            Some(range) if range.end == u64::MAX => ((range.start + 1).to_string(), String::new()),
            Some(range) => ((range.start + 1).to_string(), (range.end - range.start).to_string()),
        };
        let limit = limit.map(|limit| limit.to_string()).unwrap_or_default();
        let argv = sh(READ, &[path.as_bytes(), from.as_bytes(), most.as_bytes(), limit.as_bytes()]);
        let mut reader = Reader {
            files: self.clone(),
            path: path.clone(),
            program: Program::start(&*self.exec, argv, None).await?,
            stderr: Vec::new(),
        };
        // The first line is ours.
        let mut head = Vec::new();
        let (size, rest) = loop {
            match reader.next().await? {
                Some(bytes) => {
                    head.extend_from_slice(&bytes);
                    if let Some(end) = memchr::memchr(b'\n', &head) {
                        let text = String::from_utf8_lossy(&head[..end]).into_owned();
                        let mut words = text.split_whitespace();
                        let size = words.next().and_then(|text| text.parse().ok());
                        if let (Some(size), Some(sum)) = (size, words.next()) {
                            return Ok(Opened::Large(size, sum.to_owned()));
                        }
                        break (size, Bytes::from(head.split_off(end + 1)));
                    }
                }
                None => break (None, Bytes::new()),
            }
        };
        // What the kernel makes up as it is read says that it is empty.
        let len = size.filter(|size| *size > 0);
        let body = stream::unfold((reader, Some(rest)), |(mut reader, first)| async move {
            if let Some(first) = first.filter(|first| !first.is_empty()) {
                return Ok(Some((first, (reader, None))));
            }
            Ok(reader.next().await?.map(|bytes| (bytes, (reader, None))))
        });
        Ok(Opened::Content(Reading { len, mode: None, body }))
    }
}

struct Reader {
    files: ShellFiles,
    path: RemotePath,
    program: Program,
    stderr: Vec<u8>,
}

impl Reader {
    /// More of it; `None` at its clean end.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.program.next().await? {
                Event::Stdout(bytes) => return Ok(Some(bytes)),
                Event::Stderr(bytes) => self.stderr.extend_from_slice(&bytes),
                Event::Note(_) => {}
                Event::Exit(Exit::Code(0)) => return Ok(None),
                Event::Exit(exit) => return Err(self.files.failed("read", &self.path, &exit, &self.stderr)),
            }
        }
    }
}
