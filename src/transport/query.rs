//! Paths and query strings: every value escaped byte by byte, UTF-8 or not.

use std::fmt::Write as _;

/// A path with its query, under construction.
pub struct Query {
    text: String,
    first: bool,
}

impl Query {
    /// The query of `path`.
    pub fn new(path: &str) -> Self {
        Self { text: path.to_owned(), first: true }
    }

    /// Adds one parameter; bytes outside the unreserved set are escaped, UTF-8 or not.
    pub fn with(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.text.push(if self.first { '?' } else { '&' });
        self.first = false;
        self.text.push_str(key);
        self.text.push('=');
        self.text.push_str(&escape(value.as_ref()));
        self
    }

    /// Adds one parameter if there is a value.
    pub fn maybe(self, key: &str, value: Option<impl AsRef<[u8]>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// The path and query.
    pub fn build(self) -> String {
        self.text
    }
}

/// Percent-encodes everything that is neither unreserved nor a slash.
pub fn escape(bytes: &[u8]) -> String {
    escape_but(bytes, b"-._~/")
}

/// Percent-encodes one segment of a path, its slashes included.
pub fn segment(bytes: &[u8]) -> String {
    // A segment of dots alone would be taken for a step in the tree.
    if bytes == b"." || bytes == b".." {
        return "%2E".repeat(bytes.len());
    }
    escape_but(bytes, b"-._~")
}

fn escape_but(bytes: &[u8], plain: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || plain.contains(byte) {
            text.push(char::from(*byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_byte_by_byte() {
        let query =
            Query::new("/v1/files").with("action", "list").with("path", b"/a b&c\xff+\n").maybe("x", None::<&str>);
        assert_eq!(query.build(), "/v1/files?action=list&path=/a%20b%26c%FF%2B%0A");
    }

    #[test]
    fn a_segment_is_one_segment() {
        assert_eq!(segment("a/b ü".as_bytes()), "a%2Fb%20%C3%BC");
        assert_eq!(segment(b".."), "%2E%2E");
    }
}
