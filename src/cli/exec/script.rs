//! `--stdin-format jsonl`: a terminal or a pipe that a script drives, one event per line (ux 9.2).

use crate::error::{Error, Result};
use crate::provider::exec::{Signal, TermSize};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

/// One thing to do to the program.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// Bytes for its stdin.
    Data(Bytes),
    /// The end of its stdin.
    End,
    /// Its terminal has another size.
    Resize(TermSize),
    /// A signal to it.
    Signal(Signal),
    /// A message of the provider's own.
    Control(serde_json::Value),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum Line {
    Stdin { data: Option<String>, data_base64: Option<String> },
    Eof {},
    Resize { cols: u16, rows: u16 },
    Signal { signal: String },
    Control { message: serde_json::Value },
}

/// Reads events out of bytes that come in pieces.
#[derive(Debug, Default)]
pub(super) struct Script {
    partial: Vec<u8>,
    lines: usize,
}

impl Script {
    /// The events that `bytes` complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Act>> {
        self.partial.extend_from_slice(bytes);
        let mut acts = Vec::new();
        let mut rest = self.partial.as_slice();
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.lines += 1;
            acts.extend(act(&rest[..end], self.lines)?);
            rest = &rest[end + 1..];
        }
        self.partial = rest.to_vec();
        Ok(acts)
    }

    /// The last event, whose line has no end.
    pub(super) fn end(&mut self) -> Result<Option<Act>> {
        act(&std::mem::take(&mut self.partial), self.lines + 1)
    }
}

fn act(line: &[u8], number: usize) -> Result<Option<Act>> {
    let bad = |why: String| {
        Error::usage(format!("line {number} of stdin is no event: {why}"))
            .hint(r#"events are such as {"type":"stdin","data":"ls\r"} or {"type":"resize","cols":80,"rows":24}"#)
    };
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let act = match serde_json::from_slice(line).map_err(|error| bad(error.to_string()))? {
        Line::Stdin { data: Some(text), data_base64: None } => Act::Data(text.into()),
        Line::Stdin { data: None, data_base64: Some(text) } => {
            Act::Data(STANDARD.decode(text).map_err(|error| bad(error.to_string()))?.into())
        }
        Line::Stdin { .. } => return Err(bad("`stdin` has either `data` or `data_base64`".to_owned())),
        Line::Eof {} => Act::End,
        Line::Resize { cols, rows } => Act::Resize(TermSize { cols, rows }),
        Line::Signal { signal } => {
            Act::Signal(Signal::parse(&signal).ok_or_else(|| bad(format!("Linux has no signal `{signal}`")))?)
        }
        Line::Control { message } => Act::Control(message),
    };
    Ok(Some(act))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_any_pieces() {
        let mut script = Script::default();
        assert_eq!(script.push(b"{\"type\":\"stdin\",\"da").unwrap(), []);
        let acts = script.push(b"ta\":\"a\\r\"}\n\n{\"type\":\"resize\",\"cols\":80,\"rows\":24}\n{\"type\":").unwrap();
        assert_eq!(acts, [Act::Data("a\r".into()), Act::Resize(TermSize { cols: 80, rows: 24 })]);
        assert_eq!(script.push(b"\"eof\"}").unwrap(), []);
        assert_eq!(script.end().unwrap(), Some(Act::End));
        assert_eq!(script.end().unwrap(), None);
    }

    #[test]
    fn bytes_come_in_base64_and_signals_by_name() {
        let mut script = Script::default();
        let acts =
            script.push(b"{\"type\":\"stdin\",\"data_base64\":\"/wA=\"}\n{\"type\":\"signal\",\"signal\":\"int\"}\n");
        let expected = vec![Act::Data(Bytes::from_static(b"\xff\0")), Act::Signal(Signal::parse("INT").unwrap())];
        assert_eq!(acts.unwrap(), expected);
    }

    #[test]
    fn what_is_no_event_is_named_by_its_line() {
        for bad in
            ["{}", "nonsense", r#"{"type":"stdin"}"#, r#"{"type":"eof","x":1}"#, r#"{"type":"signal","signal":"FOO"}"#]
        {
            let mut script = Script::default();
            let error = script.push(format!("\n{bad}\n").as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with("line 2 of stdin"), "{error}");
        }
    }
}
