//! Lines of a stream, split at `\n` and nowhere else: a lone `\r` and U+2028 are data in JSON.

use crate::error::{Error, Result};
use crate::stream::{self, ByteStream, Items};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::Fuse;

/// The lines of `body` without their `\n`, the last one also if it has none. Memory holds one chunk and one line.
///
/// # Errors
///
/// `Failure` for a line of more than `max` bytes, and the body's own error. A line that an error cuts is not yielded.
pub fn lines(body: ByteStream, max: usize) -> Items<Bytes> {
    let state = Lines { body: body.fuse(), chunk: Bytes::new(), begun: BytesMut::new(), max };
    stream::unfold(state, |mut lines| async move { Ok(lines.next().await?.map(|line| (line, lines))) })
}

struct Lines {
    /// Asked once more after its end, if the last line was a cut one.
    body: Fuse<ByteStream>,
    /// What was read and not looked at yet.
    chunk: Bytes,
    /// The beginning of a line that earlier chunks held; it has no `\n`.
    begun: BytesMut,
    max: usize,
}

impl Lines {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.chunk) {
                let mut line = self.chunk.split_to(end + 1);
                line.truncate(end);
                self.check(line.len())?;
                if self.begun.is_empty() {
                    return Ok(Some(line));
                }
                self.begun.extend_from_slice(&line);
                return Ok(Some(std::mem::take(&mut self.begun).freeze()));
            }
            self.check(self.chunk.len())?;
            self.begun.extend_from_slice(&self.chunk);
            let Some(chunk) = self.body.next().await.transpose()? else {
                self.chunk.clear();
                let last = std::mem::take(&mut self.begun).freeze();
                return Ok(Some(last).filter(|last| !last.is_empty()));
            };
            self.chunk = chunk;
        }
    }

    fn check(&self, more: usize) -> Result<()> {
        if self.begun.len() + more > self.max {
            return Err(Error::failure(format!("the server sent a line of more than {} bytes", self.max)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tests::{at_once, pieces};
    use proptest::prelude::*;

    async fn read(body: ByteStream, max: usize) -> Result<Vec<Bytes>> {
        stream::collect(lines(body, max)).await
    }

    #[tokio::test]
    async fn only_a_line_feed_ends_a_line() {
        let body = || stream::iter([Ok(Bytes::from("a\r\n\n\u{2028}b\rc\nlast"))]);
        assert_eq!(read(body(), 100).await.unwrap(), ["a\r", "", "\u{2028}b\rc", "last"]);
        assert!(read(stream::iter([]), 1).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_line_over_the_limit_is_an_error_wherever_its_chunks_end() {
        for split in 0..=6 {
            assert_eq!(read(pieces(b"12345\n", &[split]), 5).await.unwrap(), ["12345"]);
            let error = read(pieces(b"123456\n", &[split]), 5).await.unwrap_err();
            assert_eq!(error.to_string(), "the server sent a line of more than 5 bytes");
        }
    }

    #[tokio::test]
    async fn an_error_ends_the_lines_and_its_cut_line_is_not_shown() {
        let mut lines = lines(stream::iter([Ok(Bytes::from("a\nb")), Err(Error::unreachable("lost"))]), 10);
        assert_eq!(lines.next().await.unwrap().unwrap(), "a");
        assert_eq!(lines.next().await.unwrap().unwrap_err().to_string(), "lost");
        assert!(lines.next().await.is_none());
    }

    #[test]
    fn a_body_is_not_asked_for_more_than_it_has() {
        // This kind of stream panics if it is asked again after its end.
        let body = stream::unfold(0, |n| async move { Ok((n < 1).then(|| (Bytes::from("cut"), n + 1))) });
        assert_eq!(at_once(read(body, 10)).unwrap(), ["cut"]);
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(data in prop::collection::vec(prop::sample::select(b"ab\n\r".to_vec()), 0..80), cuts in prop::collection::vec(0usize..80, 0..12)) {
            let mut expected: Vec<_> = data.split(|b| *b == b'\n').map(Bytes::copy_from_slice).collect();
            if expected.last().is_some_and(Bytes::is_empty) {
                expected.pop();
            }
            let found = at_once(read(pieces(&data, &cuts), 100)).unwrap();
            prop_assert_eq!(found, expected);
        }
    }
}
