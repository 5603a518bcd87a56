//! The plan as YAML, laid out as Go's encoder does it: four blanks a level, lists indented too.

use super::go;
use serde::Serialize;
use serde_json::{Map, Value};

/// Plain data as YAML.
pub(super) fn write(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).expect("plain data has a JSON form");
    match &value {
        Value::Object(map) if !map.is_empty() => {
            let mut text = String::new();
            object(map, 0, &mut text);
            text
        }
        other => format!("{}\n", scalar(other, 0)),
    }
}

fn object(map: &Map<String, Value>, level: usize, text: &mut String) {
    for (key, value) in map {
        indent(level, text);
        text.push_str(&string(key));
        text.push(':');
        nested(value, level, text);
    }
}

fn nested(value: &Value, level: usize, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            object(map, level + 1, text);
        }
        Value::Array(list) if !list.is_empty() => {
            text.push('\n');
            for item in list {
                indent(level + 1, text);
                text.push_str("- ");
                text.push_str(&scalar(item, level + 2));
                text.push('\n');
            }
        }
        value => {
            text.push(' ');
            text.push_str(&scalar(value, level + 1));
            text.push('\n');
        }
    }
}

fn indent(level: usize, text: &mut String) {
    text.extend(std::iter::repeat_n("    ", level));
}

fn scalar(value: &Value, level: usize) -> String {
    match value {
        Value::String(text) if is_block(text) => {
            let mut block = String::from(if text.ends_with('\n') { "|" } else { "|-" });
            for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
                block.push('\n');
                if !line.is_empty() {
                    indent(level, &mut block);
                    block.push_str(line);
                }
            }
            block
        }
        Value::String(text) => string(text),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
        Value::Number(number) => number.to_string().trim_end_matches(".0").to_owned(),
        other => other.to_string(),
    }
}

/// Whether several lines can stand below each other as they are.
fn is_block(text: &str) -> bool {
    let plain = |c: char| c == '\n' || !c.is_control() && c != '\u{feff}';
    text.contains('\n') && !text.starts_with([' ', '\n']) && !text.ends_with("\n\n") && text.chars().all(plain)
}

/// One line of text, quoted where a reader would take it for something else.
fn string(text: &str) -> String {
    // Readers of YAML 1.1 take these for booleans.
    const WORDS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    let written = serde_yaml::to_string(text).unwrap_or_default();
    let is_plain = written.strip_suffix('\n') == Some(text) && !is_word && !looks_like_a_date(text);
    match text {
        _ if is_plain => text.to_owned(),
        // What only needs quotes for its punctuation gets single ones.
        _ if !text.contains(|c: char| c.is_control()) && !is_word && needs_only_quotes(text) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        _ => go::quote(text),
    }
}

fn needs_only_quotes(text: &str) -> bool {
    matches!(serde_yaml::from_str::<serde_yaml::Value>(text), Err(_) | Ok(serde_yaml::Value::String(_)))
        || text.starts_with(['[', '{', '#', '&', '*', '!', '|', '>', '%', '@', '`', '"', '\''])
        || text.contains(": ")
}

fn looks_like_a_date(text: &str) -> bool {
    let digits =
        |range: std::ops::Range<usize>| text.get(range).is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()));
    text.len() >= 10 && digits(0..4) && digits(5..7) && digits(8..10) && text.as_bytes()[4] == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_layout_is_that_of_the_daemon() {
        let plan = json!({"services": {"base1": {
            "description": "multi\nline\n", "command": "sh -c 'trap \"\" TERM; sleep 1'", "after": ["ok"],
            "environment": {"A": "1", "B": "x y"}, "group-id": 0, "backoff-factor": 2.5, "url": "http://a:1/"
        }, "off": {"command": "true", "summary": "a: b"}}});
        let expected = "\
services:
    base1:
        description: |
            multi
            line
        command: sh -c 'trap \"\" TERM; sleep 1'
        after:
            - ok
        environment:
            A: \"1\"
            B: x y
        group-id: 0
        backoff-factor: 2.5
        url: http://a:1/
    \"off\":
        command: \"true\"
        summary: 'a: b'
";
        assert_eq!(write(&plan), expected);
        assert_eq!(write(&json!({})), "{}\n");
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in [
            "",
            " ",
            "a",
            "null",
            "~",
            "1",
            "1e3",
            "0x1f",
            "-",
            "- a",
            "a: b",
            "a #b",
            "#a",
            "'",
            "\"",
            "\\",
            "\t",
            "a\nb",
            "a\n",
            "\na",
            " a\nb",
            "a\n\n",
            "é\u{2028}",
            "2026-01-02",
            "[a",
            "{",
            "!x",
            "*x",
            "&x",
            "%x",
            "@x",
            "yes",
            "no",
            ".5",
            "=",
            "<<",
            "a\u{7}b",
        ] {
            let yaml = write(&json!({"k": text, "l": [text]}));
            let back: serde_json::Value =
                serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{error}: {yaml:?}"));
            assert_eq!(back, json!({"k": text, "l": [text]}), "{yaml:?}");
        }
    }
}
