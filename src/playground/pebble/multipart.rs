//! Multipart bodies as they arrive, and as they are sent (section 2.12).

use crate::stream::ByteStream;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use memchr::memmem;

/// The longest head of a part, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// The parts of a body, one after the other.
pub(super) struct Parts {
    body: ByteStream,
    held: BytesMut,
    /// What stands between two parts: a line break, two dashes and the boundary.
    delimiter: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a part, or in what precedes the first one.
    Inside,
    /// Behind a delimiter: the head of a part comes.
    Between,
    /// Behind the last delimiter.
    Over,
}

/// The head of a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The name of its field.
    pub(super) name: String,
    /// The name of its file; empty if it has none.
    pub(super) file: String,
}

impl Parts {
    pub(super) fn new(body: ByteStream, boundary: &str) -> Self {
        // The first boundary may stand at the very begin, without a line break before it.
        let held = BytesMut::from(&b"\r\n"[..]);
        Self { body, held, delimiter: format!("\r\n--{boundary}").into_bytes(), state: State::Inside }
    }

    /// The head of the next part; what is left of the one before is passed over. `None` at the end.
    ///
    /// # Errors
    ///
    /// The body ends early, or has no such parts.
    pub(super) async fn next(&mut self) -> Result<Option<Head>, String> {
        while self.chunk().await?.is_some() {}
        if self.state == State::Over {
            return Ok(None);
        }
        let end = loop {
            if let Some(end) = memmem::find(&self.held, b"\r\n\r\n") {
                break end;
            }
            if self.held.len() > MAX_HEAD {
                return Err("multipart: message too large".to_owned());
            }
            self.fill().await?;
        };
        let head = self.held.split_to(end + 4);
        self.state = State::Inside;
        Ok(Some(head_of(&String::from_utf8_lossy(&head))))
    }

    /// The next bytes of a part; `None` at its end.
    ///
    /// # Errors
    ///
    /// The body ends early.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            if self.state != State::Inside {
                return Ok(None);
            }
            if let Some(at) = memmem::find(&self.held, &self.delimiter) {
                if at > 0 {
                    return Ok(Some(self.held.split_to(at).freeze()));
                }
                // What follows says whether this was the last one.
                while self.held.len() < self.delimiter.len() + 2 {
                    self.fill().await?;
                }
                drop(self.held.split_to(self.delimiter.len()));
                self.state = if self.held.starts_with(b"--") { State::Over } else { State::Between };
                return Ok(None);
            }
            // The end of what is held may be the begin of a delimiter.
            let sure = self.held.len().saturating_sub(self.delimiter.len());
            if sure > 0 {
                return Ok(Some(self.held.split_to(sure).freeze()));
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), String> {
        match self.body.next().await {
            Some(Ok(bytes)) => {
                self.held.extend_from_slice(&bytes);
                Ok(())
            }
            Some(Err(_)) => Err("unexpected EOF".to_owned()),
            None => Err("multipart: NextPart: EOF".to_owned()),
        }
    }
}

fn head_of(text: &str) -> Head {
    let disposition = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    });
    let disposition = disposition.unwrap_or_default();
    Head { name: parameter(disposition, "name"), file: parameter(disposition, "filename") }
}

/// A parameter of a header; in quotes, a backslash keeps what follows it.
pub(super) fn parameter(header: &str, name: &str) -> String {
    let mut rest = header;
    while let Some((_, tail)) = rest.split_once(';') {
        let tail = tail.trim_start();
        let Some((key, value)) = tail.split_once('=') else { break };
        let (value, after) = value_of(value.trim_start());
        if key.trim().eq_ignore_ascii_case(name) {
            return value;
        }
        rest = after;
    }
    String::new()
}

/// A value, and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// The head of a part that holds a file.
pub(super) fn file_head(boundary: &str, path: &[u8]) -> Vec<u8> {
    let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"").into_bytes();
    for byte in path {
        match byte {
            b'\\' | b'"' => head.extend([b'\\', *byte]),
            b'\r' => head.extend(b"%0D"),
            b'\n' => head.extend(b"%0A"),
            byte => head.push(*byte),
        }
    }
    head.extend(b"\"\r\nContent-Type: application/octet-stream\r\n\r\n");
    head
}

/// The last part, which holds a document, and the end of the body.
pub(super) fn last_part(boundary: &str, document: &str) -> Vec<u8> {
    let head = "Content-Disposition: form-data; name=\"response\"\r\nContent-Type: application/json";
    format!("--{boundary}\r\n{head}\r\n\r\n{document}\r\n--{boundary}--\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream;

    const BODY: &str = "--b\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{}\r\n--b\r\n\
        Content-Disposition: form-data; name=\"files\"; filename=\"/a\\\"\\\\;b\"\r\nX: y\r\n\r\none\r\n--c\r\n\r\n--b--\r\n";

    async fn read(body: &str, size: usize) -> Result<Vec<(Head, String)>, String> {
        let chunks: Vec<_> = body.as_bytes().chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let mut parts = Parts::new(stream::iter(chunks), "b");
        let mut found = Vec::new();
        while let Some(head) = parts.next().await? {
            let mut content = Vec::new();
            while let Some(chunk) = parts.chunk().await? {
                content.extend(chunk);
            }
            found.push((head, String::from_utf8(content).unwrap()));
        }
        Ok(found)
    }

    #[tokio::test]
    async fn parts_are_found_however_they_arrive() {
        let head = |name: &str, file: &str| Head { name: name.to_owned(), file: file.to_owned() };
        for size in 1..=BODY.len() {
            let found = read(BODY, size).await.unwrap();
            let expected =
                [(head("request", ""), "{}".to_owned()), (head("files", "/a\"\\;b"), "one\r\n--c\r\n".to_owned())];
            assert_eq!(found, expected, "{size}");
        }
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_told() {
        for end in [0, 5, 40, 90, BODY.len() - 6] {
            assert!(read(&BODY[..end], 7).await.is_err(), "{end}");
        }
        assert_eq!(read("--b--\r\n", 3).await, Ok(Vec::new()));
    }

    #[test]
    fn names_of_files_are_escaped() {
        let head = String::from_utf8(file_head("b", b"/a\"\\\r\n")).unwrap();
        assert!(head.contains("filename=\"/a\\\"\\\\%0D%0A\"\r\n"), "{head}");
    }
}
