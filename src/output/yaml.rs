//! YAML for reading: the JSON data model in block style (U4.5).
//!
//! Written from a JSON value by hand, because the emitter of serde_yaml leaves `no`, `on` and dates unquoted, which
//! readers of YAML 1.1 take for something else, and cannot be told otherwise. The tests read it back with serde_yaml.

use serde_json::{Number, Value};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// `value` as a YAML document, with its newline.
pub fn to_yaml(value: &Value) -> String {
    let mut out = Vec::new();
    // Writing to a `Vec` cannot fail, and everything written is text.
    let _ = write(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}

/// Writes `value` as a document.
pub(super) fn write(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    match value {
        Value::Object(map) if !map.is_empty() => node(out, value, 0, true),
        Value::Array(items) if !items.is_empty() => node(out, value, 0, true),
        _ => scalar(out, value, 0),
    }
}

/// Writes a collection at `indent`; `inline` means that the cursor stands where its first line belongs.
fn node(out: &mut dyn Write, value: &Value, indent: usize, inline: bool) -> io::Result<()> {
    let mut inline = inline;
    let mut margin = |out: &mut dyn Write| {
        let width = if std::mem::take(&mut inline) { 0 } else { indent };
        write!(out, "{:width$}", "")
    };
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| {
            margin(out)?;
            out.write_all(b"- ")?;
            if is_block(item) { node(out, item, indent + 2, true) } else { scalar(out, item, indent + 2) }
        }),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| {
            margin(out)?;
            let key = if is_plain(key) { Cow::Borrowed(key.as_str()) } else { quoted(key).into() };
            write!(out, "{key}:")?;
            if is_block(value) {
                out.write_all(b"\n")?;
                // A list may start in the column of its key.
                node(out, value, if value.is_array() { indent } else { indent + 2 }, false)
            } else {
                out.write_all(b" ")?;
                scalar(out, value, indent + 2)
            }
        }),
        other => scalar(out, other, indent),
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    }
}

/// Writes what stands on one line, or a literal block that is indented by `indent`.
fn scalar(out: &mut dyn Write, value: &Value, indent: usize) -> io::Result<()> {
    match value {
        Value::String(text) if is_literal(text) && indent > 0 => literal(out, text, indent),
        Value::String(text) if is_plain(text) => writeln!(out, "{text}"),
        Value::String(text) => writeln!(out, "{}", quoted(text)),
        Value::Number(number) => writeln!(out, "{}", self::number(number)),
        Value::Array(_) => out.write_all(b"[]\n"),
        Value::Object(_) => out.write_all(b"{}\n"),
        other => writeln!(out, "{other}"),
    }
}

fn literal(out: &mut dyn Write, text: &str, indent: usize) -> io::Result<()> {
    let (body, chomp) = match text.strip_suffix('\n') {
        Some(body) => (body, ""),
        None => (text, "-"),
    };
    writeln!(out, "|{chomp}")?;
    body.split('\n')
        .try_for_each(|line| if line.is_empty() { out.write_all(b"\n") } else { writeln!(out, "{:indent$}{line}", "") })
}

/// Whether several lines can stand as they are: the first decides the indentation, so it must not be blank, and a
/// trailing blank line would need another chomping rule.
fn is_literal(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && !text.ends_with("\n\n")
        && text.chars().all(|c| c == '\n' || c == '\t' || is_printable(c))
}

/// YAML 1.1 wants a dot in every float and a sign in every exponent.
fn number(number: &Number) -> String {
    let text = number.to_string();
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return text };
    let dot = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{mantissa}{dot}e{sign}{exponent}")
}

/// Whether a text means itself without quotes, to a reader of YAML 1.1 as of 1.2. Rather too strict than too lax.
fn is_plain(text: &str) -> bool {
    let inner = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                '_' | '-' | '.' | '/' | '+' | '@' | '(' | ')' | ' ' | '`' | '=' | '\'' | ';' | '~' | '^' | '$'
            )
    };
    let Some(first) = text.chars().next() else { return false };
    // What starts with a letter, an underscore or a slash is no number, date, time or indicator.
    (first.is_alphabetic() || matches!(first, '_' | '/'))
        && !text.ends_with(' ')
        && text.chars().all(|c| inner(c) || c == ':' || c == ',')
        && !text.contains(": ")
        && !text.ends_with(':')
        && !is_word(text)
}

/// The words that some version of YAML takes for a boolean or null.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A JSON string is a double-quoted YAML scalar, once what YAML calls unprintable is escaped too.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    for c in Value::from(text).to_string().chars() {
        if is_printable(c) {
            quoted.push(c);
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(quoted, "\\u{:04x}", u32::from(c));
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn scalars_that_yaml_1_1_would_reinterpret_are_quoted() {
        let ambiguous = [
            "no",
            "No",
            "ON",
            "off",
            "y",
            "N",
            "yes",
            "true",
            "null",
            "~",
            "",
            "2026-03-01",
            "1_000",
            "0o17",
            "017",
            "0x1F",
            "1:30",
            "12e3",
            ".inf",
            "-.5",
            ".",
            "=",
            "<<",
            "- a",
            "? x",
            "key: value",
            "a #b",
            "# c",
            "*a",
            "&a",
            "!t",
            "%d",
            "@x",
            "`x",
            "'q'",
            "\"q\"",
            "[a",
            "{b",
            "a:",
            " lead",
            "trail ",
            "+1",
            "1e3",
            "---",
            "...",
        ];
        for text in ambiguous {
            assert_eq!(to_yaml(&json!(text)), format!("{}\n", json!(text)), "{text}");
        }
        for text in ["web", "active", "/bin/sh -c true", "http://x:80/a", "nothing", "Żółw", "a'b", "one, two"] {
            assert_eq!(to_yaml(&json!(text)), format!("{text}\n"));
        }
    }

    #[test]
    fn collections_are_blocks() {
        let value = json!([
            {"name": "web", "extra": {"a": [1, 2.5, null], "e": {}}, "log": ["one\ntwo\n", "x"], "none": []},
            {"no": true, "text": "first\n\n  second", "list": [[1], {"k": "v"}]},
        ]);
        insta::assert_snapshot!(to_yaml(&value), @r#"
        - name: web
          extra:
            a:
            - 1
            - 2.5
            - null
            e: {}
          log:
          - |
            one
            two
          - x
          none: []
        - "no": true
          text: |-
            first

              second
          list:
          - - 1
          - k: v
        "#);
        assert_eq!(to_yaml(&json!([])), "[]\n");
        assert_eq!(to_yaml(&json!({"big": 1e21})), "big: 1.0e+21\n");
    }

    fn documents() -> impl Strategy<Value = Value> {
        let text = prop_oneof!["\\PC{0,12}", "[ -~\n\t]{0,20}", ".{0,8}", "[a-z0-9:.# -]{0,10}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9f64..1e9).prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..5)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_document_reads_back(value in documents()) {
            let text = to_yaml(&value);
            let back: Value = serde_yaml::from_str(&text).map_err(|e| TestCaseError::fail(format!("{e}: {text}")))?;
            prop_assert_eq!(back, value, "{}", text);
        }
    }
}
