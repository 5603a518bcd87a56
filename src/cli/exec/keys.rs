//! The keys that leave a terminal running (ux 9.1).

use crate::error::{Error, Result};

/// `ctrl-]`, which hardly any program wants.
pub(super) const DEFAULT: &str = "ctrl-]";

/// No keys at all.
pub(super) const NONE: &str = "none";

/// Finds a sequence of keys in what is typed.
#[derive(Debug)]
pub(super) struct Keys {
    sequence: Vec<u8>,
    /// How many of them were just typed.
    typed: usize,
}

impl Keys {
    /// Reads `ctrl-]`, `ctrl-p,ctrl-q` or single characters; `none` for no such keys.
    pub(super) fn parse(text: &str) -> Result<Option<Self>> {
        if text == NONE {
            return Ok(None);
        }
        let bad = || {
            Error::usage(format!("`{text}` are no detach keys"))
                .hint("write keys such as `ctrl-]` or `ctrl-p,ctrl-q`, or `none`")
        };
        let key = |key: &str| match key.strip_prefix("ctrl-").unwrap_or_default().as_bytes() {
            [letter @ (b'a'..=b'z' | b'@' | b'[' | b'\\' | b']' | b'^' | b'_')] => Some(letter & 0x1f),
            _ => <[u8; 1]>::try_from(key.as_bytes()).ok().map(|[byte]| byte).filter(u8::is_ascii_graphic),
        };
        let sequence = text.split(',').map(key).collect::<Option<Vec<u8>>>().ok_or_else(bad)?;
        Ok(Some(Self { sequence, typed: 0 }))
    }

    /// What of `bytes` goes to the program, and whether the keys were typed: what follows them goes nowhere. The start
    /// of a sequence is held back until it is clear that it is none.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if *byte != self.sequence[self.typed] && self.typed > 0 {
                passed.extend_from_slice(&self.sequence[..self.typed]);
                self.typed = 0;
            }
            if *byte != self.sequence[self.typed] {
                passed.push(*byte);
                continue;
            }
            self.typed += 1;
            if self.typed == self.sequence.len() {
                return (passed, true);
            }
        }
        (passed, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_found() {
        let mut keys = Keys::parse(DEFAULT).unwrap().unwrap();
        assert_eq!(keys.pass(b"ls\r"), (b"ls\r".to_vec(), false));
        assert_eq!(keys.pass(b"ab\x1dcd"), (b"ab".to_vec(), true));
        assert!(Keys::parse("none").unwrap().is_none());
        for bad in ["", "ctrl-", "ctrl-1", "meta-x", "a,,b", "\u{e9}"] {
            assert!(Keys::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_start_of_a_sequence_is_held_back_until_it_is_none() {
        let mut keys = Keys::parse("ctrl-p,ctrl-q").unwrap().unwrap();
        assert_eq!(keys.pass(b"a\x10"), (b"a".to_vec(), false));
        assert_eq!(keys.pass(b"b"), (b"\x10b".to_vec(), false));
        assert_eq!(keys.pass(b"\x10\x10"), (b"\x10".to_vec(), false));
        assert_eq!(keys.pass(b"\x11x"), (Vec::new(), true));
    }
}
