//! What goes over an exec socket: stream ids in front of bytes, and texts (sections 3.2 to 3.4).

use bytes::{BufMut, Bytes, BytesMut};
use serde::Deserialize;
use serde_json::{Value, json};

/// The most bytes of output in one message.
pub(super) const MAX_OUTPUT: usize = 32 * 1024;

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const EXIT: u8 = 3;
const STDIN_EOF: u8 = 4;

/// Which of the two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// What a session says to its clients.
#[derive(Clone, Debug)]
pub(super) enum Out {
    /// Output.
    Data(Stream, Bytes),
    /// A text message.
    Text(String),
    /// It ended with this status; nothing follows.
    Exit(u8),
}

/// What a client says to the program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum In {
    /// Input.
    Data(Bytes),
    /// Its end.
    End,
}

/// Output with its stream id.
pub(super) fn framed(stream: Stream, bytes: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(bytes.len() + 1);
    frame.put_u8(match stream {
        Stream::Out => STDOUT,
        Stream::Err => STDERR,
    });
    frame.put_slice(bytes);
    frame.freeze()
}

/// The exit as a frame.
pub(super) fn exit_frame(status: u8) -> Bytes {
    Bytes::copy_from_slice(&[EXIT, status])
}

/// The exit as a text.
pub(super) fn exit_text(status: u8) -> String {
    json!({ "type": "exit", "exit_code": status }).to_string()
}

/// Something fatal, as a text.
pub(super) fn error_text(error: &str) -> String {
    json!({ "type": "error", "error": error }).to_string()
}

/// Takes a binary message of a client apart; what has no meaning is `None`.
pub(super) fn input(tty: bool, mut message: Bytes) -> Option<In> {
    if tty {
        return (!message.is_empty()).then_some(In::Data(message));
    }
    match message.first()? {
        &STDIN => {
            let bytes = message.split_off(1);
            (!bytes.is_empty()).then_some(In::Data(bytes))
        }
        &STDIN_EOF => Some(In::End),
        _ => None,
    }
}

/// A text message of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Control {
    Resize { cols: u16, rows: u16 },
    Signal(String),
}

/// Reads a text message; what is not known, or makes no sense, is ignored.
pub(super) fn control(text: &str) -> Option<Control> {
    #[derive(Deserialize)]
    struct Message {
        r#type: String,
        #[serde(default)]
        cols: Value,
        #[serde(default)]
        rows: Value,
        #[serde(default)]
        signal: Value,
    }
    let message: Message = serde_json::from_str(text).ok()?;
    let size = |value: &Value| value.as_u64().and_then(|size| u16::try_from(size).ok()).filter(|size| *size > 0);
    match message.r#type.as_str() {
        "resize" => Some(Control::Resize { cols: size(&message.cols)?, rows: size(&message.rows)? }),
        "signal" => Some(Control::Signal(message.signal.as_str()?.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_told_by_its_first_byte() {
        assert_eq!(input(false, Bytes::from_static(b"\0\x04\0a")), Some(In::Data(Bytes::from_static(b"\x04\0a"))));
        assert_eq!(input(false, Bytes::from_static(b"\x04")), Some(In::End));
        for nothing in [&b"\0"[..], b"", b"\x05abc", b"\x07"] {
            assert_eq!(input(false, Bytes::copy_from_slice(nothing)), None);
        }
        assert_eq!(input(true, Bytes::from_static(b"\x04")), Some(In::Data(Bytes::from_static(b"\x04"))));
    }

    #[test]
    fn sizes_of_zero_and_unknown_texts_are_ignored() {
        assert_eq!(control(r#"{"type":"resize","cols":120,"rows":40}"#), Some(Control::Resize { cols: 120, rows: 40 }));
        assert_eq!(control(r#"{"type":"signal","signal":"TERM"}"#), Some(Control::Signal("TERM".into())));
        for nothing in ["{}", "x", r#"{"type":"resize","cols":0,"rows":40}"#, r#"{"type":"hello"}"#] {
            assert_eq!(control(nothing), None, "{nothing}");
        }
    }
}
