//! The messages of a terminal (section 4.2 and 4.3): what the server makes of bytes, and of what clients send.

use crate::provider::rexec::api::Frame;
use serde_json::Value;

/// Makes text of what a terminal wrote, and loses what is none (section 4.5).
#[derive(Debug, Default)]
pub(super) struct Sanitizer;

impl Sanitizer {
    /// Bytes that are no UTF-8 are deleted, and so are characters that two reads share; reports of the mouse too.
    pub(super) fn text(bytes: &[u8]) -> String {
        let text: String = bytes.utf8_chunks().map(|chunk| chunk.valid()).collect();
        without_mouse(&text)
    }
}

/// `ESC [ < N ; N ; N M` (or `m`) is what a terminal says of the mouse in its SGR form.
fn without_mouse(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\x1b[<") {
        let tail = &rest[at + 3..];
        let end = tail.find(|c: char| !c.is_ascii_digit() && c != ';');
        match end.filter(|end| *end > 0 && matches!(tail.as_bytes()[*end], b'M' | b'm')) {
            Some(end) => {
                kept.push_str(&rest[..at]);
                rest = &tail[end + 1..];
            }
            None => {
                kept.push_str(&rest[..at + 3]);
                rest = tail;
            }
        }
    }
    kept + rest
}

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// For the terminal.
    Input(Vec<u8>),
    /// Another size.
    Resize(u16, u16),
    /// To be answered.
    Ping,
    /// Nothing that anybody acts on.
    Nothing,
}

/// Takes a message: an object is a frame, `null` is one that says nothing, and everything else is typed as it is.
pub(super) fn sent(payload: &[u8]) -> Sent {
    let Ok(value) = serde_json::from_slice::<Value>(payload) else { return Sent::Input(payload.to_vec()) };
    let Value::Object(object) = value else {
        return if value.is_null() { Sent::Nothing } else { Sent::Input(payload.to_vec()) };
    };
    // Go matches keys whatever their case.
    let lower = object.into_iter().map(|(key, value)| (key.to_lowercase(), value)).collect::<serde_json::Map<_, _>>();
    if !lower.get("data").is_none_or(|data| data.is_string() || data.is_null()) {
        return Sent::Input(payload.to_vec());
    }
    let Ok(frame) = serde_json::from_value::<Frame>(with_type(lower)) else { return Sent::Nothing };
    match frame.kind.as_str() {
        "input" => Sent::Input(frame.data().as_bytes().to_vec()),
        "resize" if frame.cols > 0 && frame.rows > 0 => Sent::Resize(frame.cols, frame.rows),
        "ping" => Sent::Ping,
        _ => Sent::Nothing,
    }
}

fn with_type(mut object: serde_json::Map<String, Value>) -> Value {
    object.entry("type").or_insert_with(|| "".into());
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_lost() {
        assert_eq!(Sanitizer::text(b"h\xc3\xa9\xff\n"), "hé\n");
        assert_eq!(Sanitizer::text(b"half \xc3"), "half ");
        assert_eq!(Sanitizer::text(b"a\x1b[<0;12;3Mb\x1b[<0;1mc\x1b[<x"), "abc\x1b[<x");
    }

    #[test]
    fn objects_are_swallowed_and_all_else_is_typed() {
        let input = |text: &str| Sent::Input(text.as_bytes().to_vec());
        assert_eq!(sent(br#"{"type":"input","data":"ls\n"}"#), input("ls\n"));
        assert_eq!(sent(br#"{"TYPE":"resize","Cols":100,"rows":40}"#), Sent::Resize(100, 40));
        assert_eq!(sent(br#"{"type":"resize","cols":0,"rows":40}"#), Sent::Nothing);
        for swallowed in ["{}", "null", r#"{"a":1}"#, " {}\n"] {
            assert_eq!(sent(swallowed.as_bytes()), Sent::Nothing, "{swallowed}");
        }
        for typed in ["ls\n", "[1]", "123", "\"x\"", "{"] {
            assert_eq!(sent(typed.as_bytes()), input(typed), "{typed}");
        }
        assert_eq!(sent(b"\xff\x00"), Sent::Input(b"\xff\x00".to_vec()));
    }
}
