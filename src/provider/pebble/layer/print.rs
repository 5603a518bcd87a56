//! A plan in the server's own form, so that a comparison with what it answers shows changes and nothing else: sections
//! and keys in its order, names in its sorting, four spaces, its quoting.

use super::document::{Document, Object, Value};
use super::duration;
use super::scalar;
use super::schema::{Key, Kind, PAIRING, Section};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The text of `plan`.
pub(super) fn print(plan: &Document) -> String {
    let mut text = String::new();
    for section in Section::ALL {
        let mut objects: Vec<_> = plan.section(section).collect();
        if objects.is_empty() {
            continue;
        }
        objects.sort_by(|a, b| by_name(a.0, b.0));
        let _ = writeln!(text, "{}:", section.name());
        for (name, object) in objects {
            put_object(&mut text, 4, name, object, section.keys());
        }
    }
    if !plan.pairing.0.is_empty() {
        put_object(&mut text, 0, "pairing", &plan.pairing, PAIRING);
    }
    if text.is_empty() { "{}\n".to_owned() } else { text }
}

fn put_object(text: &mut String, indent: usize, name: &str, object: &Object, keys: &[Key]) {
    if object.0.is_empty() && !keys.iter().any(|key| key.always) {
        let _ = writeln!(text, "{:indent$}{}: {{}}", "", quote_key(name));
        return;
    }
    let _ = writeln!(text, "{:indent$}{}:", "", quote_key(name));
    let indent = indent + 4;
    for key in keys {
        match object.0.get(key.name) {
            Some(Value::Object(inner)) => {
                let Kind::Object(keys) = &key.kind else { continue };
                put_object(text, indent, key.name, inner, keys);
            }
            Some(value) => put_value(text, indent, key.name, value),
            None if key.always => {
                let empty = if matches!(key.kind, Kind::Texts) { "[]" } else { "\"\"" };
                let _ = writeln!(text, "{:indent$}{}: {empty}", "", key.name);
            }
            None => {}
        }
    }
}

fn put_value(text: &mut String, indent: usize, name: &str, value: &Value) {
    let _ = write!(text, "{:indent$}{name}:", "");
    let inner = indent + 4;
    match value {
        Value::Text(value) => put_line(text, inner, value),
        Value::Int(number) => {
            let _ = writeln!(text, " {number}");
        }
        Value::Float(number) => {
            let _ = writeln!(text, " {}", float(*number));
        }
        Value::Duration(nanoseconds) => {
            let _ = writeln!(text, " {}", duration::format(*nanoseconds));
        }
        Value::Texts(items) => {
            text.push('\n');
            for item in items {
                let _ = write!(text, "{:inner$}-", "");
                put_line(text, inner + 4, item);
            }
        }
        Value::Map(map) => put_map(text, inner, map),
        Value::Object(_) => {}
    }
}

fn put_map(text: &mut String, indent: usize, map: &BTreeMap<String, String>) {
    text.push('\n');
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|a, b| by_name(a.0, b.0));
    for (name, value) in entries {
        let _ = write!(text, "{:indent$}{}:", "", quote_key(name));
        put_line(text, indent + 4, value);
    }
}

/// The end of a line that holds `value`, and the lines below it if it has several.
fn put_line(text: &mut String, indent: usize, value: &str) {
    if !value.contains('\n') || !is_block(value) {
        let _ = writeln!(text, " {}", quote(value));
        return;
    }
    let hint = if value.starts_with([' ', '\n']) { "4" } else { "" };
    let chomp = match value.strip_suffix('\n') {
        None => "-",
        Some("") => "+",
        Some(rest) if rest.ends_with('\n') => "+",
        Some(_) => "",
    };
    let _ = writeln!(text, " |{hint}{chomp}");
    // The server's printer takes a first line break for the end of the line with the key, and so loses it.
    let body = value.strip_prefix('\n').unwrap_or(value);
    if body.is_empty() {
        return;
    }
    let body = body.strip_suffix('\n').unwrap_or(body);
    for line in body.split('\n') {
        let indent = if line.is_empty() { 0 } else { indent };
        let _ = writeln!(text, "{:indent$}{line}", "");
    }
}

/// Whether a value of several lines can stand below its key as it is.
fn is_block(value: &str) -> bool {
    !value.ends_with(' ') && !value.contains(" \n") && value.chars().all(|c| c == '\t' || is_printable(c))
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Keys are never taller than a line, and never empty without quotes.
fn quote_key(name: &str) -> String {
    quote(name)
}

/// `value` on one line, with quotes where the server puts them.
fn quote(value: &str) -> String {
    if value.contains('\n') || !is_text(value) {
        return double_quoted(value);
    }
    if value.contains('\t') || !value.chars().all(is_printable) {
        return double_quoted(value);
    }
    if is_plain(value) { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}

/// Whether a reader would take the bare `value` for text, readers of YAML 1.1 included.
fn is_text(value: &str) -> bool {
    const OLD_BOOLEANS: [&str; 16] =
        ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
    !(scalar::is_null(value)
        || scalar::is_bool(value)
        || scalar::number(value).is_some()
        || scalar::is_date(value)
        || OLD_BOOLEANS.contains(&value)
        || is_base_60(value))
}

/// `1:30`, a float in YAML 1.1: `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`.
fn is_base_60(value: &str) -> bool {
    let value = value.strip_prefix(['-', '+']).unwrap_or(value);
    let (value, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit() || c == b'_');
    let mut groups = value.split(':');
    let first = groups.next().unwrap_or_default();
    let mut rest = groups.peekable();
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && rest.peek().is_some()
        && rest.all(|group| matches!(group.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
        && digits(fraction)
}

/// Whether `value`, one printable line, can stand without quotes.
fn is_plain(value: &str) -> bool {
    let mut chars = value.chars();
    let Some(first) = chars.next() else { return false };
    let second_is_blank = chars.next().is_none_or(|c| c == ' ');
    let indicator = match first {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => true,
        '?' | ':' | '-' => second_is_blank,
        _ => false,
    };
    !(indicator
        || value.starts_with(' ')
        || value.ends_with(' ')
        || value.starts_with("---")
        || value.starts_with("...")
        || value.contains(": ")
        || value.ends_with(':')
        || value.contains(" #")
        || value.contains(['\u{2028}', '\u{2029}']))
}

fn double_quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\0' => text.push_str("\\0"),
            '\x07' => text.push_str("\\a"),
            '\x08' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\x0b' => text.push_str("\\v"),
            '\x0c' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            '\x1b' => text.push_str("\\e"),
            '\u{85}' => text.push_str("\\N"),
            '\u{2028}' => text.push_str("\\L"),
            '\u{2029}' => text.push_str("\\P"),
            c if is_printable(c) => text.push(c),
            c => {
                let code = u32::from(c);
                let _ = match code {
                    0..=0xff => write!(text, "\\x{code:02X}"),
                    0x100..=0xffff => write!(text, "\\u{code:04X}"),
                    _ => write!(text, "\\U{code:08X}"),
                };
            }
        }
    }
    text.push('"');
    text
}

/// The shortest text of a number, in the server's notation: `2`, `1.5`, `1e+06`.
fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').expect("the exponent is always written");
    let exponent: i32 = exponent.parse().expect("a decimal exponent");
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// The server's order of names: letters after other characters, runs of digits by value.
fn by_name(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else { return a.len().cmp(&b.len()) };
    let in_number = at > 0 && a[at - 1].is_numeric();
    match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
        (true, true) => return a[at].cmp(&b[at]),
        // A letter ends a number, so it comes first there; elsewhere it comes last.
        (true, false) => return if in_number { Ordering::Less } else { Ordering::Greater },
        (false, true) => return if in_number { Ordering::Greater } else { Ordering::Less },
        (false, false) => {}
    }
    // A zero that differs counts as a digit of the number only if something but zeros stands before it.
    let zero = a[at] == '0' || b[at] == '0';
    let before = a[..at].iter().rev().take_while(|c| c.is_ascii_digit());
    let lead: u64 = u64::from(zero && before.into_iter().any(|c| *c != '0'));
    let value = |text: &[char]| {
        let digits = text[at..].iter().map_while(|c| c.to_digit(10));
        digits.fold((lead, 0_usize), |(value, count), digit| {
            (value.wrapping_mul(10).wrapping_add(u64::from(digit)), count + 1)
        })
    };
    value(&a).cmp(&value(&b)).then_with(|| a[at].cmp(&b[at]))
}

#[cfg(test)]
mod tests {
    use super::{by_name, float, quote};

    #[test]
    fn text_is_quoted_where_the_server_quotes_it() {
        for (value, quoted) in [
            ("sleep 1000", "sleep 1000"),
            ("", "\"\""),
            ("yes", "\"yes\""),
            ("12", "\"12\""),
            ("1:30", "\"1:30\""),
            ("2020-01-02", "\"2020-01-02\""),
            ("a: b", "'a: b'"),
            ("- a", "'- a'"),
            ("-a", "-a"),
            ("it's", "it's"),
            ("'it'", "'''it'''"),
            ("a #b", "'a #b'"),
            (" a", "' a'"),
            ("a\tb", "\"a\\tb\""),
            ("é", "é"),
            ("@a", "'@a'"),
            ("{a}", "'{a}'"),
            ("a\u{7}", "\"a\\a\""),
        ] {
            assert_eq!(quote(value), quoted, "{value:?}");
        }
    }

    #[test]
    fn names_are_sorted_as_the_server_sorts_them() {
        let mut names = vec!["b", "a10", "a9", "a-b", "ab", "a", "A", "_", "a01", "a1"];
        names.sort_by(|a, b| by_name(a, b));
        assert_eq!(names, ["_", "A", "a", "a-b", "a1", "a01", "a9", "a10", "ab", "b"]);
    }

    #[test]
    fn floats_are_written_as_the_server_writes_them() {
        for (number, text) in [
            (2.0, "2"),
            (1.5, "1.5"),
            (1e21, "1e+21"),
            (1e-5, "1e-05"),
            (f64::INFINITY, ".inf"),
            (1_000_000.0, "1e+06"),
            (100_000.0, "100000"),
        ] {
            assert_eq!(float(number), text);
        }
    }
}
