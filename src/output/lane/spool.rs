//! Bytes that are kept: in memory, and in an unnamed temporary file once they are many.

use crate::scratch;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// How much is read back at a time: a multiple of three, for base64.
const CHUNK: usize = 48 * 1024;

/// A growing run of bytes that takes at most `limit` of memory.
pub(super) struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    /// Bytes in the file.
    filed: u64,
    limit: usize,
}

impl Spool {
    pub(super) fn new(limit: usize) -> Self {
        Self { memory: Vec::new(), file: None, filed: 0, limit }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.memory.len() + bytes.len() > self.limit {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(scratch::file()?),
            };
            for part in [&self.memory, bytes] {
                file.write_all(part)?;
                self.filed += part.len() as u64;
            }
            self.memory.clear();
        } else {
            self.memory.extend_from_slice(bytes);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn is_filed(&self) -> bool {
        self.file.is_some()
    }

    /// All of it, in pieces of up to [`CHUNK`], each but the last of exactly that.
    pub(super) fn each(&self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(CHUNK);
        let mut offset = 0;
        let total = self.filed + self.memory.len() as u64;
        while offset < total {
            let length = usize::try_from(total - offset).unwrap_or(CHUNK).min(CHUNK);
            buffer.resize(length, 0);
            let filed = usize::try_from(self.filed.saturating_sub(offset)).unwrap_or(length).min(length);
            if let Some(file) = &self.file {
                file.read_exact_at(&mut buffer[..filed], offset)?;
            }
            let start = usize::try_from(offset.saturating_sub(self.filed)).unwrap_or(0);
            if filed < length {
                buffer[filed..].copy_from_slice(&self.memory[start..start + length - filed]);
            }
            take(&buffer)?;
            offset += length as u64;
        }
        Ok(())
    }

    /// All of it as text, in pieces; `false` at the first byte that is not UTF-8.
    fn each_text(&self, mut take: impl FnMut(&str) -> io::Result<()>) -> io::Result<bool> {
        let mut held: Vec<u8> = Vec::new();
        let mut is_text = true;
        self.each(|chunk| {
            if !is_text {
                return Ok(());
            }
            held.extend_from_slice(chunk);
            let whole = match std::str::from_utf8(&held) {
                Ok(text) => text.len(),
                Err(error) => {
                    is_text = error.error_len().is_none();
                    error.valid_up_to()
                }
            };
            take(std::str::from_utf8(&held[..whole]).unwrap_or_default())?;
            held.drain(..whole);
            Ok(())
        })?;
        Ok(is_text && held.is_empty())
    }

    pub(super) fn is_text(&self) -> io::Result<bool> {
        self.each_text(|_| Ok(()))
    }
}

/// A spool as a JSON string that is never whole in memory. A failure to read it back is left in `failure`, since
/// serialisers take a failing `Display` for a bug.
pub(super) struct Told<'a> {
    pub(super) spool: &'a Spool,
    pub(super) is_text: bool,
    pub(super) failure: &'a RefCell<Option<io::Error>>,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = Ok(());
        let mut show = |piece: &dyn fmt::Display| {
            written = write!(f, "{piece}");
            // The writer's own error is with the serialiser; this one only stops the reading.
            written.map_err(|_| io::Error::from(io::ErrorKind::WriteZero))
        };
        let outcome = if self.is_text {
            self.spool.each_text(|text| show(&text)).map(drop)
        } else {
            self.spool.each(|chunk| show(&Base64Display::new(chunk, &STANDARD)))
        };
        written?;
        if let Err(error) = outcome {
            self.failure.replace(Some(error));
        }
        Ok(())
    }
}

impl serde::Serialize for Told<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
