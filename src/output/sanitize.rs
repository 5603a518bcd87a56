//! Remote text made safe to show: control and bidirectional characters become visible escapes (U4.12).
//!
//! Machine formats never pass through here; they carry the bytes as they are.

use std::borrow::Cow;
use std::fmt::Write;

/// Text for one line: every control and bidi character, line ends included, is escaped.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, |_| None)
}

/// A log line: tabs stay, and colours stay if `colors`; whatever colour is left on at the end is turned off.
pub fn log(text: &str, colors: bool) -> Cow<'_, str> {
    let mut colored = false;
    let safe = escape(text, |rest| {
        if rest.starts_with('\t') {
            return Some(Keep::As(1));
        }
        let length = sgr(rest)?;
        colored = !matches!(&rest[..length], "\x1b[0m" | "\x1b[m");
        Some(if colors { Keep::As(length) } else { Keep::Drop(length) })
    });
    if colored && colors { Cow::Owned(safe.into_owned() + "\x1b[0m") } else { safe }
}

/// What happens to the next so many bytes instead of an escape.
enum Keep {
    As(usize),
    Drop(usize),
}

fn escape(text: &str, mut keep: impl FnMut(&str) -> Option<Keep>) -> Cow<'_, str> {
    let Some(first) = text.find(is_unsafe) else { return Cow::Borrowed(text) };
    let mut safe = String::with_capacity(text.len() + 16);
    safe.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(c) = rest.chars().next() {
        let length = match keep(rest) {
            _ if !is_unsafe(c) => {
                let length = rest.find(is_unsafe).unwrap_or(rest.len());
                safe.push_str(&rest[..length]);
                length
            }
            Some(Keep::As(length)) => {
                safe.push_str(&rest[..length]);
                length
            }
            Some(Keep::Drop(length)) => length,
            None => {
                push_escaped(&mut safe, c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Cow::Owned(safe)
}

fn push_escaped(safe: &mut String, c: char) {
    // Writing to a `String` cannot fail.
    let _ = match c {
        '\n' => safe.write_str("\\n"),
        '\r' => safe.write_str("\\r"),
        '\t' => safe.write_str("\\t"),
        c if u32::from(c) < 0x80 => write!(safe, "\\x{:02x}", u32::from(c)),
        c => write!(safe, "\\u{{{:x}}}", u32::from(c)),
    };
}

/// Whether a terminal would act on it instead of showing it, or show its neighbours elsewhere.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The length of a colour sequence (SGR) at the start of `text`.
fn sgr(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\x1b[")?;
    let end = parameters.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
    parameters[end..].starts_with('m').then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_and_bidi_become_visible() {
        assert_eq!(line("a\x1b[31mb\nc\td\u{7f}\u{85}"), "a\\x1b[31mb\\nc\\td\\x7f\\u{85}");
        assert_eq!(line("user\u{202e}gpj.exe"), "user\\u{202e}gpj.exe");
        assert!(matches!(line("żółw 🐢"), Cow::Borrowed(_)));
    }

    #[test]
    fn logs_keep_colours_and_nothing_else() {
        assert_eq!(log("\x1b[1;31mred\x1b[0m\tok", true), "\x1b[1;31mred\x1b[0m\tok");
        assert_eq!(log("\x1b[31mred", true), "\x1b[31mred\x1b[0m");
        assert_eq!(log("\x1b[31mred\x1b[m", false), "red");
        assert_eq!(log("\x1b]0;title\x07\x1b[2J\x1b[31", true), "\\x1b]0;title\\x07\\x1b[2J\\x1b[31");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_survives(text in "\\PC*|.*|[\\x00-\\x20m;0-9\\[]*") {
            prop_assert!(!line(&text).contains(is_unsafe));
            let logged = log(&text, false);
            prop_assert!(!logged.replace('\t', "").contains(is_unsafe));
        }
    }
}
