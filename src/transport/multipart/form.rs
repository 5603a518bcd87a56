//! A form to send, part after part, none of them held in memory.

use crate::error::{Error, Result};
use crate::stream::{self, ByteStream};
use crate::transport::{Body, random};
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::fmt::Write as _;

/// A form: parts in order.
pub struct Form {
    boundary: String,
    parts: Vec<Part>,
}

/// A part of a form.
pub struct Part {
    name: Vec<u8>,
    filename: Option<Vec<u8>>,
    content_type: Option<String>,
    body: Body,
}

impl Part {
    /// A part with a name, which may be any bytes but line ends.
    pub fn new(name: impl Into<Vec<u8>>, body: impl Into<Body>) -> Self {
        Self { name: name.into(), filename: None, content_type: None, body: body.into() }
    }

    /// Makes it a file's content. Line ends are refused by [`Form::push`]: no encoding of them is agreed upon.
    pub fn filename(mut self, filename: impl Into<Vec<u8>>) -> Self {
        self.filename = Some(filename.into());
        self
    }

    /// Says what it is.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    fn head(&self, boundary: &str) -> Bytes {
        let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=").into_bytes();
        quote(&mut head, &self.name);
        if let Some(filename) = &self.filename {
            head.extend_from_slice(b"; filename=");
            quote(&mut head, filename);
        }
        head.extend_from_slice(b"\r\n");
        if let Some(content_type) = &self.content_type {
            head.extend_from_slice(format!("Content-Type: {content_type}\r\n").as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        head.into()
    }
}

fn quote(head: &mut Vec<u8>, text: &[u8]) {
    head.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            head.push(b'\\');
        }
        head.push(*byte);
    }
    head.push(b'"');
}

impl Default for Form {
    fn default() -> Self {
        Self::new()
    }
}

impl Form {
    /// A form without parts, its boundary chosen at random.
    pub fn new() -> Self {
        let mut boundary = String::with_capacity(60);
        for byte in random::<30>() {
            let _ = write!(boundary, "{byte:02x}");
        }
        Self { boundary, parts: Vec::new() }
    }

    /// Adds a part.
    ///
    /// # Errors
    ///
    /// `Usage` if a name, file name or type holds a line end.
    pub fn push(&mut self, part: Part) -> Result<()> {
        let named: [(&str, &[u8]); 3] = [
            ("part name", &part.name),
            ("file name", part.filename.as_deref().unwrap_or_default()),
            ("content type", part.content_type.as_deref().unwrap_or_default().as_bytes()),
        ];
        for (what, text) in named {
            if text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                let text = text.escape_ascii();
                return Err(Error::usage(format!("cannot send `{text}`: a {what} cannot hold a line end or a NUL")));
            }
        }
        self.parts.push(part);
        Ok(())
    }

    /// Adds a part and returns the form.
    pub fn with(mut self, part: Part) -> Result<Self> {
        self.push(part)?;
        Ok(self)
    }

    /// The value of the `Content-Type` header.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// The length of the whole body in bytes, if that of every part is known.
    pub fn len(&self) -> Option<u64> {
        let mut len = self.end().len() as u64;
        for part in &self.parts {
            let body = match &part.body {
                Body::Empty => 0,
                Body::Bytes(bytes) => bytes.len() as u64,
                Body::Stream { len, .. } => (*len)?,
            };
            len += part.head(&self.boundary).len() as u64 + body + 2;
        }
        Some(len)
    }

    /// Whether it has no part.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn end(&self) -> String {
        format!("--{}--\r\n", self.boundary)
    }

    /// The body. A part is touched when its turn has come.
    ///
    /// # Errors
    ///
    /// Those of the parts' streams, and `Failure` if one yields more or fewer bytes than announced.
    pub fn into_stream(self) -> ByteStream {
        let end = self.end();
        let Self { boundary, parts } = self;
        let state = Writer { boundary, parts: parts.into(), now: VecDeque::new(), end: Some(end.into()) };
        stream::unfold(state, |mut writer| async move { Ok(writer.next().await?.map(|bytes| (bytes, writer))) })
    }
}

struct Writer {
    boundary: String,
    parts: VecDeque<Part>,
    /// What is left of the part whose turn it is.
    now: VecDeque<Segment>,
    end: Option<Bytes>,
}

enum Segment {
    Bytes(Bytes),
    Stream { body: ByteStream, left: Option<u64>, name: String },
}

impl Writer {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.now.front_mut() {
                Some(Segment::Bytes(bytes)) => {
                    let bytes = std::mem::take(bytes);
                    self.now.pop_front();
                    if !bytes.is_empty() {
                        return Ok(Some(bytes));
                    }
                }
                Some(Segment::Stream { body, left, name }) => match body.next().await.transpose()? {
                    Some(bytes) => {
                        if let Some(left) = left {
                            *left = left.checked_sub(bytes.len() as u64).ok_or_else(|| changed(name, "grew"))?;
                        }
                        return Ok(Some(bytes));
                    }
                    None if left.is_some_and(|left| left > 0) => return Err(changed(name, "shrank")),
                    None => {
                        self.now.pop_front();
                    }
                },
                None => match self.parts.pop_front() {
                    Some(part) => self.begin(part),
                    None => return Ok(self.end.take()),
                },
            }
        }
    }

    fn begin(&mut self, part: Part) {
        self.now.push_back(Segment::Bytes(part.head(&self.boundary)));
        self.now.push_back(match part.body {
            Body::Empty => Segment::Bytes(Bytes::new()),
            Body::Bytes(bytes) => Segment::Bytes(bytes),
            Body::Stream { body, len } => {
                let name = part.filename.unwrap_or(part.name);
                Segment::Stream { body, left: len, name: String::from_utf8_lossy(&name).into_owned() }
            }
        });
        self.now.push_back(Segment::Bytes(Bytes::from_static(b"\r\n")));
    }
}

fn changed(name: &str, how: &str) -> Error {
    Error::failure(format!("cannot send `{name}`: it {how} while it was read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tests::{at_once, pieces};

    fn streamed(content: &[u8], len: Option<u64>) -> Body {
        Body::Stream { body: pieces(content, &[1]), len }
    }

    #[test]
    fn a_form_looks_as_servers_expect() {
        let form = Form::new()
            .with(Part::new("request", Bytes::from("{}")).content_type("application/json"))
            .unwrap()
            .with(Part::new("files", streamed(b"hi", Some(2))).filename("/a\\\"b"))
            .unwrap();
        let boundary = form.boundary.clone();
        assert!(boundary.len() == 60 && boundary != Form::new().boundary);
        assert_eq!(form.content_type(), format!("multipart/form-data; boundary={boundary}"));
        let len = form.len();
        let sent = at_once(stream::collect(form.into_stream())).unwrap().concat();
        assert_eq!(len, Some(sent.len() as u64));
        assert_eq!(
            String::from_utf8(sent).unwrap().replace(&boundary, "B"),
            "--B\r\nContent-Disposition: form-data; name=\"request\"\r\nContent-Type: application/json\r\n\r\n{}\r\n\
             --B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"/a\\\\\\\"b\"\r\n\r\nhi\r\n--B--\r\n"
        );
    }

    #[test]
    fn a_part_that_changes_or_fails_fails_the_form() {
        for (announced, complaint) in
            [(1, "cannot send `f`: it grew while it was read"), (3, "cannot send `f`: it shrank while it was read")]
        {
            let form = Form::new().with(Part::new("f", streamed(b"hi", Some(announced)))).unwrap();
            let error = at_once(stream::collect(form.into_stream())).unwrap_err();
            assert_eq!(error.to_string(), complaint);
        }
        let broken = Body::Stream { body: stream::fail(Error::failure("disk")), len: None };
        let form = Form::new().with(Part::new("f", broken)).unwrap();
        assert_eq!(form.len(), None);
        assert_eq!(at_once(stream::collect(form.into_stream())).unwrap_err().to_string(), "disk");
    }

    #[test]
    fn line_ends_in_names_are_refused_before_anything_is_sent() {
        for part in [
            Part::new("a\nb", Bytes::new()),
            Part::new("a", Bytes::new()).filename("x\r"),
            Part::new("a", Bytes::new()).content_type("a/b\r\nX: y"),
        ] {
            assert_eq!(Form::new().with(part).err().unwrap().kind(), crate::error::ErrorKind::Usage);
        }
    }
}
