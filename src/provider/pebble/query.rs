//! Query strings: every value escaped, so that a name can hold anything but what the server itself splits on.

use crate::error::{Error, Result};
use std::fmt::Write as _;

/// A path with its query, under construction.
pub(super) struct Query {
    text: String,
    first: bool,
}

impl Query {
    /// The query of `path`.
    pub(super) fn new(path: &str) -> Self {
        Self { text: path.to_owned(), first: true }
    }

    /// Adds one parameter; bytes outside the unreserved set are escaped, UTF-8 or not.
    pub(super) fn with(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.text.push(if self.first { '?' } else { '&' });
        self.first = false;
        self.text.push_str(key);
        self.text.push('=');
        self.text.push_str(&escape(value.as_ref()));
        self
    }

    /// Adds one parameter if there is a value.
    pub(super) fn maybe(self, key: &str, value: Option<impl AsRef<[u8]>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Adds a list by repeating the parameter. The server also splits at commas (section 2.1), so a value with one
    /// would silently select something else: refused.
    pub(super) fn list(mut self, key: &str, values: &[String]) -> Result<Self> {
        for value in values {
            if value.contains(',') {
                return Err(Error::usage(format!("cannot select `{value}`: Pebble splits names at commas")));
            }
            self = self.with(key, value);
        }
        Ok(self)
    }

    /// The path and query.
    pub(super) fn build(self) -> String {
        self.text
    }
}

/// Percent-encodes everything that is not unreserved.
pub(super) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(byte) {
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
    fn a_name_with_a_comma_is_refused() {
        assert!(Query::new("/v1/services").list("names", &["a,b".into()]).is_err());
    }
}
