//! What JavaScript writes and `serde_json` refuses.

use serde_json::{Map, Value};

/// Whether a line may hold halves of surrogate pairs. Whole pairs are written as the character that they are, so this is
/// rare; parts of a line are not looked into when it is read, so this comes first.
pub fn has_halves(line: &[u8]) -> bool {
    memchr::memmem::find(line, br"\ud").is_some() || memchr::memmem::find(line, br"\uD").is_some()
}

/// A line that `serde_json` refuses and JavaScript does not mind, made acceptable: text that is not UTF-8, halves of
/// surrogate pairs (a stream is cut between them), keys that stand twice. `None` if it is no JSON object at all.
pub fn mend(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let text = whole_surrogates(text.trim_start_matches('\u{feff}'));
    let value: Map<String, Value> = serde_json::from_str(&text).ok()?;
    serde_json::to_string(&value).ok()
}

/// `\ud800` without its other half becomes U+FFFD.
fn whole_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let unit = |at: usize| escape.get(at..at + 6).filter(|e| e.starts_with("\\u")).and_then(hex);
        let len = match (unit(0), unit(6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                out.push('\u{fffd}');
                rest = &escape[6..];
                continue;
            }
            (Some(_), _) => 6,
            // The backslash and what it escapes.
            (None, _) => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&escape[..len]);
        rest = &escape[len..];
    }
    out.push_str(rest);
    out
}

fn hex(escape: &str) -> Option<u32> {
    u32::from_str_radix(&escape[2..], 16).ok()
}

#[cfg(test)]
mod tests {
    use super::super::{Record, id, value};
    use super::*;
    use serde_json::json;

    #[test]
    fn what_javascript_writes_can_be_read() {
        let parse = |line: &str| {
            serde_json::from_str::<Record>(line).ok().map(|record| (record.kind.into_owned(), id(record.id)))
        };
        assert_eq!(parse(r#"{"type":"x","id":7}"#), Some(("x".into(), Some("7".into()))));
        assert_eq!(parse(r#"{"id":null,"type":"x","unknown":{"a":[1e999]}}"#), Some(("x".into(), None)));
        let deep = format!(r#"{{"type":"x","args":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert!(parse(&deep).is_some());
        assert_eq!(value(serde_json::from_str::<Record>(&deep).unwrap().args), Value::Null);
        // What needs mending first.
        let halves = r#"{"type":"a\ud83d","text":"\ud83d\ude00 \\ud83d \ude00"}"#;
        let mended: Value = serde_json::from_str(&mend(halves.as_bytes()).unwrap()).unwrap();
        assert_eq!(mended, json!({"type": "a\u{fffd}", "text": "\u{1f600} \\ud83d \u{fffd}"}));
        assert_eq!(mend(b"{\"type\":\"a\",\"type\":\"b\xff\"}").unwrap(), "{\"type\":\"b\u{fffd}\"}");
        assert_eq!(mend("\u{feff}{\"type\":\"a\"}".as_bytes()).unwrap(), r#"{"type":"a"}"#);
        for not in ["", "null", "[]", "12", "{\"a\"", "{\"a\":\"\\", "\"\\ud8"] {
            assert_eq!(mend(not.as_bytes()), None, "{not}");
        }
    }
}
