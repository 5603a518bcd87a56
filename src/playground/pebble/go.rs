//! The forms of Go's standard library that clients of the daemon see: durations, quoted text, JSON.

use crate::model::Time;
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Duration;

/// Units and their lengths in nanoseconds.
const UNITS: &[(&str, u128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration such as `1h2m3.5s`; the error is Go's.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut total, mut rest) = (0u128, text);
    if rest.is_empty() {
        return Err(invalid());
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(end);
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        if !number.bytes().any(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quote(text)));
        }
        let Some((_, length)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("time: unknown unit {} in duration {}", quote(unit), quote(text)));
        };
        let part = part(number, *length).ok_or_else(invalid)?;
        total = total.checked_add(part).ok_or_else(invalid)?;
        rest = tail;
    }
    i64::try_from(total).ok().and_then(|nanos| u64::try_from(nanos).ok()).map(Duration::from_nanos).ok_or_else(invalid)
}

/// A decimal number of units in nanoseconds.
fn part(number: &str, length: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut total = whole.checked_mul(length)?;
    let mut scale = length;
    for digit in fraction.chars() {
        scale /= 10;
        total += u128::from(digit.to_digit(10)?) * scale;
    }
    Some(total)
}

/// Writes a duration as Go does: `1h0m0s`, `1.5s`, `300ms`.
pub(super) fn show(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let with = |unit: u128, name: &str| {
        let mut text = format!("{}", nanos / unit);
        let rest = nanos % unit;
        if rest > 0 {
            let width = unit.ilog10() as usize;
            let _ = write!(text, ".{}", format!("{rest:0width$}").trim_end_matches('0'));
        }
        text + name
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => with(1, "ns"),
        1_000..1_000_000 => with(1_000, "µs"),
        1_000_000..1_000_000_000 => with(1_000_000, "ms"),
        _ => {
            let (hours, minutes) = (nanos / 3_600_000_000_000, nanos / 60_000_000_000 % 60);
            let seconds = Duration::from_nanos(u64::try_from(nanos % 60_000_000_000).unwrap_or_default());
            let mut text = format!("{}", seconds.as_secs());
            if seconds.subsec_nanos() > 0 {
                let _ = write!(text, ".{}", format!("{:09}", seconds.subsec_nanos()).trim_end_matches('0'));
            }
            match (hours, minutes) {
                (0, 0) => format!("{text}s"),
                (0, _) => format!("{minutes}m{text}s"),
                _ => format!("{hours}h{minutes}m{text}s"),
            }
        }
    }
}

/// Text between quotes, as `%q` writes it.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_ascii_control() => {
                let _ = write!(quoted, "\\x{:02x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// JSON with the characters escaped that are special in HTML, as Go's encoder has it, and a newline behind it.
pub(super) fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("plain data has a JSON form");
    // Outside of strings none of them occurs.
    let mut escaped = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(escaped, "\\u{:04x}", c as u32);
            }
            c => escaped.push(c),
        }
    }
    escaped + "\n"
}

/// What Go's decoder says of a JSON document that it cannot read.
pub(super) fn json_error(error: &serde_json::Error, empty: bool) -> String {
    match error.classify() {
        serde_json::error::Category::Eof if empty => "EOF".to_owned(),
        serde_json::error::Category::Eof => "unexpected EOF".to_owned(),
        _ => {
            let text = error.to_string();
            let text = text.split(" at line ").next().unwrap_or_default();
            match text.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) {
                Some((is, wanted)) => {
                    let wanted = match wanted {
                        "a string" => "string",
                        "a sequence" => "[]string",
                        wanted => wanted,
                    };
                    format!("json: cannot unmarshal {} into Go value of type {wanted}", kind(is))
                }
                None => text.to_owned(),
            }
        }
    }
}

/// What Go calls the JSON type that serde describes.
fn kind(described: &str) -> &str {
    match described.split(' ').next().unwrap_or_default() {
        "integer" | "floating" => "number",
        "boolean" => "bool",
        "sequence" => "array",
        "map" => "object",
        other => other,
    }
}

/// A time to the second, as in task logs and listings.
pub(super) fn seconds(time: Time) -> String {
    time.round(jiff::TimestampRound::new().smallest(jiff::Unit::Second).mode(jiff::RoundMode::Floor))
        .unwrap_or(time)
        .to_string()
}

/// A time to the millisecond, always with three digits.
pub(super) fn millis(time: Time) -> String {
    format!("{time:.3}")
}

/// How a system error reads in Go: `no such file or directory`, in the system's own words, small.
pub(super) fn errno(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_as_go_has_them() {
        for (text, shown) in [
            ("0", "0s"),
            ("300ms", "300ms"),
            ("1.5s", "1.5s"),
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("168h", "168h0m0s"),
            ("2us", "2µs"),
            ("1.000000001s", "1.000000001s"),
            (".5s", "500ms"),
            ("1h2m3.25s", "1h2m3.25s"),
        ] {
            assert_eq!(show(duration(text).unwrap()), shown, "{text}");
        }
        assert_eq!(duration("5").unwrap_err(), "time: missing unit in duration \"5\"");
        assert_eq!(duration("x").unwrap_err(), "time: invalid duration \"x\"");
        assert_eq!(duration("").unwrap_err(), "time: invalid duration \"\"");
        assert_eq!(duration("5d").unwrap_err(), "time: unknown unit \"d\" in duration \"5d\"");
        assert!(duration("999999999999h").is_err());
    }

    #[test]
    fn json_is_safe_in_a_page() {
        assert_eq!(json(&"<a> & \u{2028}\n"), "\"\\u003ca\\u003e \\u0026 \\u2028\\n\"\n");
    }

    #[test]
    fn errors_of_json_have_the_words_of_go() {
        let error = |text: &str| {
            let error = serde_json::from_str::<Vec<String>>(text).unwrap_err();
            json_error(&error, text.is_empty())
        };
        assert_eq!(error(""), "EOF");
        assert_eq!(error("["), "unexpected EOF");
        assert_eq!(error("{}"), "json: cannot unmarshal object into Go value of type []string");
    }

    #[test]
    fn times_have_a_fixed_precision() {
        let time: Time = "2026-11-21T10:44:16.302447051Z".parse().unwrap();
        assert_eq!(seconds(time), "2026-11-21T10:44:16Z");
        assert_eq!(millis(time), "2026-11-21T10:44:16.302Z");
    }
}
