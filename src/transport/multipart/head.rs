//! The heads of parts, and the boundary between them.

use crate::error::Result;
use crate::transport::Fault;

/// What stands before a part's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHead {
    /// The field's name.
    pub name: Vec<u8>,
    /// The file's name, with `%0D`, `%0A` and `%22` decoded as browsers and Go encode them.
    pub filename: Option<Vec<u8>>,
    /// What the content is.
    pub content_type: Option<String>,
    /// The file's name with only its backslashes decoded, where that differs.
    verbatim: Option<Vec<u8>>,
}

impl PartHead {
    /// Whether this is the file that the server knows as `path`.
    ///
    /// A name that holds the very characters `%22` looks like an encoded quote, so both readings count.
    pub fn is_file(&self, path: &[u8]) -> bool {
        self.filename.as_deref() == Some(path) || self.verbatim.as_deref() == Some(path)
    }

    /// Reads the header lines of a part.
    pub(super) fn parse(lines: &[u8]) -> Result<Self> {
        let mut head = Self::default();
        let mut named = false;
        for line in lines.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let (key, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if key.eq_ignore_ascii_case(b"content-type") {
                head.content_type = Some(String::from_utf8_lossy(value).into_owned());
            } else if key.eq_ignore_ascii_case(b"content-disposition") {
                for (key, value) in parameters(value) {
                    if key.eq_ignore_ascii_case(b"name") {
                        head.name = value;
                        named = true;
                    } else if key.eq_ignore_ascii_case(b"filename") {
                        let decoded = decode(&value);
                        head.verbatim = Some(value).filter(|value| *value != decoded);
                        head.filename = Some(decoded);
                    }
                }
            }
        }
        if !named {
            return Err(Fault::Protocol.error("the server sent a multipart answer with a nameless part"));
        }
        Ok(head)
    }
}

/// The boundary that a `Content-Type` names, quoted or not.
pub fn boundary(content_type: &str) -> Option<String> {
    let (kind, _) = content_type.split_once(';')?;
    if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let parameters = parameters(content_type.as_bytes());
    let (_, value) = parameters.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(b"boundary"))?;
    // RFC 2046 section 5.1.1
    String::from_utf8(value).ok().filter(|text| (1..=70).contains(&text.len()) && !text.contains(['\r', '\n']))
}

/// The `; key=value` parameters of a header, quotes and backslashes decoded.
fn parameters(text: &[u8]) -> Vec<(&[u8], Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(semicolon) = memchr::memchr(b';', rest) {
        rest = rest[semicolon + 1..].trim_ascii_start();
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'=' | b';')) else { break };
        if rest[end] == b';' {
            rest = &rest[end..];
            continue;
        }
        let key = rest[..end].trim_ascii();
        let (value, after) = value(rest[end + 1..].trim_ascii_start());
        found.push((key, value));
        rest = after;
    }
    found
}

/// A token or quoted string, and what stands behind it.
fn value(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = memchr::memchr(b';', text).unwrap_or(text.len());
        return (text[..end].trim_ascii().to_vec(), &text[end..]);
    };
    let mut value = Vec::new();
    let mut at = 0;
    while at < quoted.len() && quoted[at] != b'"' {
        // Browsers leave the backslashes of Windows paths alone, so only what needs escaping is unescaped.
        if quoted[at] == b'\\' && matches!(quoted.get(at + 1), Some(b'\\' | b'"')) {
            at += 1;
        }
        value.push(quoted[at]);
        at += 1;
    }
    (value, &quoted[quoted.len().min(at + 1)..])
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [b'0', b'D' | b'd', ..] if *first == b'%' => Some(b'\r'),
            [b'0', b'A' | b'a', ..] if *first == b'%' => Some(b'\n'),
            [b'2', b'2', ..] if *first == b'%' => Some(b'"'),
            _ => None,
        };
        decoded.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_found_quoted_or_not() {
        for (text, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("Multipart/Form-Data;charset=x; BOUNDARY=\"a b;c\"", Some("a b;c")),
            ("multipart/form-data; boundary=abc ; x=y", Some("abc")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; xboundary=a", None),
            ("text/plain; boundary=abc", None),
        ] {
            assert_eq!(boundary(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn names_are_decoded_and_a_percent_sign_stays_findable() {
        let head = PartHead::parse(
            b"content-type: a/b\r\nContent-Disposition: form-data; name=\"a\\\\\\\"b\"; filename=\"/x%0D%0a%22; y\\z%2f\"",
        )
        .unwrap();
        assert_eq!(head.name, b"a\\\"b");
        assert_eq!(head.filename.as_deref(), Some(&b"/x\r\n\"; y\\z%2f"[..]));
        assert_eq!(head.content_type.as_deref(), Some("a/b"));
        assert!(head.is_file(b"/x\r\n\"; y\\z%2f") && head.is_file(b"/x%0D%0a%22; y\\z%2f") && !head.is_file(b"/x"));
        assert!(PartHead::parse(b"Content-Disposition: form-data").is_err());
    }
}
