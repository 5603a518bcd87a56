//! Cutting streams where they may be cut: at line ends, and between characters.

use super::Source;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::ser::{Serialize, SerializeMap, Serializer};
use unicode_width::UnicodeWidthStr;

/// The longest line that is waited for; a longer one is shown in pieces of this size.
const LONGEST: usize = 1024 * 1024;

/// What stands before each target's lines, all of one width.
pub(super) fn prefixes(sources: &[Source]) -> Vec<String> {
    let width = sources.iter().map(|source| source.target.width()).max().unwrap_or(0);
    let prefix = |source: &Source| {
        let blanks = width - source.target.width();
        format!("{}{:blanks$} | ", source.target, "")
    };
    sources.iter().map(prefix).collect()
}

/// Cuts one stream into lines that start with a prefix.
pub(super) struct Lines {
    prefix: String,
    /// The start of a line whose end has not come.
    partial: Vec<u8>,
}

impl Lines {
    pub(super) fn new(prefix: String) -> Self {
        Self { prefix, partial: Vec::new() }
    }

    /// The lines that `bytes` complete, prefixed.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Bytes {
        let mut lines = Vec::with_capacity(bytes.len() + self.prefix.len());
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.partial.len() >= LONGEST {
                self.end_line(&mut lines);
            }
        }
        lines.into()
    }

    /// The last line, which had no end.
    pub(super) fn end(&mut self) -> Bytes {
        let mut line = Vec::new();
        if !self.partial.is_empty() {
            self.end_line(&mut line);
        }
        line.into()
    }

    fn end_line(&mut self, lines: &mut Vec<u8>) {
        lines.extend_from_slice(self.prefix.as_bytes());
        lines.append(&mut self.partial);
        if lines.last() != Some(&b'\n') {
            lines.push(b'\n');
        }
    }
}

/// Holds back the bytes of a character that is not whole yet.
#[derive(Default)]
pub(super) struct Characters(Vec<u8>);

impl Characters {
    /// What can be told of `bytes` and of what was held back.
    pub(super) fn push(&mut self, bytes: Bytes) -> Bytes {
        let mut bytes = if self.0.is_empty() {
            bytes
        } else {
            let mut joined = std::mem::take(&mut self.0);
            joined.extend_from_slice(&bytes);
            joined.into()
        };
        if let Err(error) = std::str::from_utf8(&bytes)
            && error.error_len().is_none()
        {
            self.0 = bytes.split_off(error.valid_up_to()).into();
        }
        bytes
    }

    /// What was held back and never became whole.
    pub(super) fn end(&mut self) -> Bytes {
        std::mem::take(&mut self.0).into()
    }
}

/// Bytes as the entry `data`, or as `data_base64` where they are not UTF-8.
pub(super) struct Data<'a>(pub(super) &'a [u8]);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match std::str::from_utf8(self.0) {
            Ok(text) => map.serialize_entry("data", text)?,
            Err(_) => map.serialize_entry("data_base64", &STANDARD.encode(self.0))?,
        }
        map.end()
    }
}
