//! Taking a form apart while it arrives. Content passes through uncopied; only a boundary that chunks cut in two is
//! put together.

use super::PartHead;
use crate::error::Result;
use crate::stream::{self, ByteStream, Items};
use crate::transport::Fault;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use memchr::memmem::{self, Finder};

/// The longest head of a part, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// A piece of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A part begins.
    Begin(PartHead),
    /// Some of its content, never empty.
    Data(Bytes),
    /// The part has ended.
    End,
}

/// The pieces of `body`, whose parts are separated by `boundary`.
///
/// # Errors
///
/// `Unreachable` if the body ends before the form does or is no form, and the body's own error.
pub fn read(body: ByteStream, boundary: &str) -> Items<Piece> {
    let needle = format!("\r\n--{boundary}");
    let reader = Reader {
        body,
        finder: Finder::new(needle.as_bytes()).into_owned(),
        // The first boundary may open the body, so the line end before it is taken as read.
        held: 2,
        buf: Bytes::new(),
        state: State::Preamble,
    };
    stream::unfold(reader, |mut reader| async move { Ok(reader.next().await?.map(|piece| (piece, reader))) })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Preamble,
    /// Behind a boundary.
    Boundary,
    /// In a part's content.
    Content,
    /// Behind the last boundary.
    Epilogue,
}

struct Reader {
    body: ByteStream,
    finder: Finder<'static>,
    /// How much of a boundary the chunks so far ended with; the buffer is empty then.
    held: usize,
    /// What was read and not dealt with yet.
    buf: Bytes,
    state: State,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Piece>> {
        loop {
            match self.state {
                State::Preamble => {
                    while self.content().await?.is_some() {}
                    self.state = State::Boundary;
                }
                State::Boundary => {
                    if let Some(head) = self.head().await? {
                        self.state = State::Content;
                        return Ok(Some(Piece::Begin(head)));
                    }
                    self.state = State::Epilogue;
                }
                State::Content => {
                    let Some(bytes) = self.content().await? else {
                        self.state = State::Boundary;
                        return Ok(Some(Piece::End));
                    };
                    return Ok(Some(Piece::Data(bytes)));
                }
                State::Epilogue => {
                    // Read to the end, so that the connection can be used again.
                    while self.body.next().await.transpose()?.is_some() {}
                    return Ok(None);
                }
            }
        }
    }

    /// Some bytes before the next boundary; `None` once that was reached and passed.
    async fn content(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.held > 0 {
                let chunk = self.chunk().await?;
                let missing = &self.finder.needle()[self.held..];
                let common = missing.len().min(chunk.len());
                if chunk[..common] != missing[..common] {
                    // A false start: what was held back is content after all.
                    let held = Bytes::copy_from_slice(&self.finder.needle()[..self.held]);
                    (self.held, self.buf) = (0, chunk);
                    return Ok(Some(held));
                }
                if common == missing.len() {
                    (self.held, self.buf) = (0, chunk.slice(common..));
                    return Ok(None);
                }
                self.held += common;
            } else if self.buf.is_empty() {
                self.buf = self.chunk().await?;
            } else if let Some(at) = self.finder.find(&self.buf) {
                if at > 0 {
                    return Ok(Some(self.buf.split_to(at)));
                }
                self.buf.advance(self.finder.needle().len());
                return Ok(None);
            } else {
                self.held = self.cut_boundary();
                let sure = self.buf.split_to(self.buf.len() - self.held);
                self.buf.clear();
                if !sure.is_empty() {
                    return Ok(Some(sure));
                }
            }
        }
    }

    /// How many bytes at the end of the buffer may begin a boundary.
    fn cut_boundary(&self) -> usize {
        let needle = self.finder.needle();
        let tail = &self.buf[self.buf.len().saturating_sub(needle.len() - 1)..];
        // A boundary has its only carriage return at its start.
        let begun = memchr::memrchr(b'\r', tail).map(|at| &tail[at..]);
        begun.filter(|begun| needle.starts_with(begun)).map_or(0, <[u8]>::len)
    }

    /// The head of the next part; `None` behind the last boundary.
    async fn head(&mut self) -> Result<Option<PartHead>> {
        let mut searched = 0;
        loop {
            if self.buf.starts_with(b"--") {
                self.buf.clear();
                return Ok(None);
            }
            if let Some(end) = memmem::find(&self.buf[searched..], b"\r\n\r\n") {
                let head = self.buf.split_to(searched + end + 4);
                // The rest of the boundary's own line may hold blanks only.
                let line = memmem::find(&head, b"\r\n").unwrap_or_default();
                if !head[..line].trim_ascii().is_empty() {
                    return Err(Fault::Protocol.error("the server sent a multipart answer with a malformed boundary"));
                }
                return PartHead::parse(&head[line..]).map(Some);
            }
            if self.buf.len() > MAX_HEAD {
                return Err(Fault::Protocol.error("the server sent a multipart answer with an endless part head"));
            }
            searched = self.buf.len().saturating_sub(3);
            let chunk = self.chunk().await?;
            let mut joined = BytesMut::from(std::mem::take(&mut self.buf));
            joined.extend_from_slice(&chunk);
            self.buf = joined.freeze();
        }
    }

    async fn chunk(&mut self) -> Result<Bytes> {
        let chunk = self.body.next().await.transpose()?;
        chunk.ok_or_else(|| Fault::Lost.error("the server's multipart answer ended early"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Form, Part, boundary};
    use super::*;
    use crate::transport::Body;
    use crate::transport::tests::{at_once, pieces};
    use proptest::prelude::*;

    type Parts = Vec<(Vec<u8>, Vec<u8>)>;

    async fn parts(body: ByteStream, boundary: &str) -> Result<Parts> {
        let mut parts = Parts::new();
        let mut open = false;
        for piece in stream::collect(read(body, boundary)).await? {
            match piece {
                Piece::Begin(head) => {
                    assert!(!open);
                    open = true;
                    parts.push((head.filename.unwrap_or(head.name), Vec::new()));
                }
                Piece::Data(data) => {
                    assert!(open && !data.is_empty());
                    parts.last_mut().unwrap().1.extend_from_slice(&data);
                }
                Piece::End => open = false,
            }
        }
        assert!(!open);
        Ok(parts)
    }

    const GO: &[u8] = b"--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"/a\"\r\n\
        Content-Type: application/octet-stream\r\n\r\none\r\n--B\r\nContent-Disposition: form-data; name=\"response\"\r\n\
        \r\n{}\r\n--B--\r\n";

    #[tokio::test]
    async fn a_form_as_go_writes_it_is_understood_with_or_without_a_preamble() {
        let expected: Parts = vec![(b"/a".to_vec(), b"one".to_vec()), (b"response".to_vec(), b"{}".to_vec())];
        for preamble in ["", "\r\n", "hello\r\n"] {
            let body = [preamble.as_bytes(), GO, b"epilogue"].concat();
            assert_eq!(parts(pieces(&body, &[]), "B").await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn every_truncation_is_an_error() {
        let whole = GO.len() - "--\r\n".len();
        for len in 0..whole {
            let error = parts(pieces(&GO[..len], &[len / 2]), "B").await.unwrap_err();
            assert_eq!(error.to_string(), "the server's multipart answer ended early", "{len}");
        }
        for junk in ["no form at all", "\r\n--Bx\r\n\r\n", "--B\r\nX: y\r\n\r\n"] {
            assert!(parts(pieces(junk.as_bytes(), &[]), "B").await.is_err());
        }
    }

    #[tokio::test]
    async fn an_endless_head_is_refused() {
        let endless = stream::iter((0..100).map(|_| Ok(Bytes::from(vec![b'a'; 4096]))));
        let body = stream::iter([Ok(Bytes::from("--B\r\n"))]).chain(endless).boxed();
        assert!(parts(body, "B").await.unwrap_err().to_string().contains("endless"));
    }

    #[tokio::test]
    async fn content_is_not_copied() {
        let chunk = Bytes::from(
            [b"--B\r\nContent-Disposition: form-data; name=a\r\n\r\n", &[7; 4096][..], b"\r\n--B--"].concat(),
        );
        let range = chunk.as_ptr_range();
        let found = stream::collect(read(stream::iter([Ok(chunk.clone())]), "B")).await.unwrap();
        let Piece::Data(data) = &found[1] else { panic!("{found:?}") };
        assert!(data.len() == 4096 && range.contains(&data.as_ptr()));
    }

    proptest! {
        #[test]
        fn what_a_form_sends_is_what_is_read_however_it_is_cut(
            contents in prop::collection::vec((prop::collection::vec(prop::sample::select(b"ab\r\n-B\"\\;".to_vec()), 0..60), any::<bool>()), 0..4),
            names in prop::collection::vec("[a-z\\\\\"; é]{1,8}", 4),
            cuts in prop::collection::vec(0usize..1200, 0..40),
        ) {
            let mut form = Form::new();
            let mut expected = Parts::new();
            for ((content, streamed), name) in contents.into_iter().zip(names) {
                let body = if streamed {
                    Body::Stream { body: pieces(&content, &cuts), len: Some(content.len() as u64) }
                } else {
                    Body::Bytes(content.clone().into())
                };
                form.push(Part::new("files", body).filename(name.clone())).unwrap();
                expected.push((name.into_bytes(), content));
            }
            let boundary = boundary(&form.content_type()).unwrap();
            let len = form.len().unwrap();
            let sent = at_once(stream::collect(form.into_stream())).unwrap().concat();
            prop_assert_eq!(sent.len() as u64, len);
            prop_assert_eq!(at_once(parts(pieces(&sent, &cuts), &boundary)).unwrap(), expected);
        }

        #[test]
        fn near_boundaries_in_content_are_content(
            content in prop::collection::vec(prop::sample::select(vec!["\r\n--", "\r\n-", "\r", "\n", "--BO", "\r\n--B", "x"]), 0..12),
            cuts in prop::collection::vec(0usize..160, 0..60),
        ) {
            let content = content.concat();
            prop_assume!(!content.contains("\r\n--BO"));
            let sent = format!("--BO\r\nContent-Disposition: form-data; name=n\r\n\r\n{content}\r\n--BO--\r\n");
            let found = at_once(parts(pieces(sent.as_bytes(), &cuts), "BO")).unwrap();
            prop_assert_eq!(found, vec![(b"n".to_vec(), content.into_bytes())]);
        }
    }
}
