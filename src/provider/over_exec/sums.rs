//! Checksums as `sha256sum` prints and reads them: a name with a backslash or a line break is escaped, and its line
//! begins with a backslash.

use ring::digest::{Context, SHA256};
use std::collections::HashMap;
use std::fmt::Write as _;

/// A checksum under way.
#[derive(Clone)]
pub struct Sum(Context);

impl Sum {
    /// That of nothing yet.
    #[allow(clippy::new_without_default, reason = "nothing is summed by default")]
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Adds some bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// It in hexadecimal digits.
    pub fn hex(self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0.finish().as_ref() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// A line for `sha256sum -c`.
pub(super) fn line(sum: &str, name: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(name.len() + 68);
    let is_odd = name.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
    if is_odd {
        line.push(b'\\');
    }
    line.extend_from_slice(sum.as_bytes());
    line.extend_from_slice(b"  ");
    for byte in name {
        match byte {
            b'\\' => line.extend_from_slice(b"\\\\"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            byte => line.push(*byte),
        }
    }
    line.push(b'\n');
    line
}

/// The sums among the lines of `text`, by name. What is no such line is passed over.
pub(super) fn read(text: &[u8]) -> HashMap<Vec<u8>, String> {
    text.split(|byte| *byte == b'\n').filter_map(entry).collect()
}

fn entry(line: &[u8]) -> Option<(Vec<u8>, String)> {
    let (is_escaped, line) = match line.strip_prefix(b"\\") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (sum, rest) = line.split_at_checked(64)?;
    let is_sum = sum.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    // Two blanks, or one and a star.
    let name = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *")).filter(|_| is_sum)?;
    let sum = String::from_utf8(sum.to_vec()).ok()?;
    Some((if is_escaped { unescaped(name)? } else { name.to_vec() }, sum))
}

fn unescaped(name: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b'\\' => b'\\',
                _ => return None,
            },
            byte => *byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_comes_back() {
        let mut sum = Sum::new();
        sum.update(b"abc");
        let sum = sum.hex();
        assert_eq!(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let names: [&[u8]; 5] = [b"./a", b"./-a b ", b"./a\nb", b"./\\n\r", b"./\xff"];
        let mut text = b"tar: ./x: file changed as we read it\n".to_vec();
        for name in names {
            text.extend(line(&sum, name));
        }
        let found = read(&text);
        assert_eq!(found.len(), names.len());
        for name in names {
            assert_eq!(found.get(name), Some(&sum), "{name:?}");
        }
        assert!(read(format!("{sum} ./a\n{sum}\n\\{sum}  a\\").as_bytes()).is_empty());
    }
}
