//! Lines out of bytes (section 2.1), and the large frames that omp cuts into several.
//!
//! A line ends with `\n` and nothing else: U+2028 is data. Memory is bounded and time linear, however the bytes come.

use super::api::{Record, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf as _, Bytes, BytesMut};

/// The longest line that is taken, in bytes without its end. Upstream's own cap for reassembled frames.
pub(super) const LONGEST: usize = 64 * 1024 * 1024;

/// One line, or what is known of one that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its end and never blank.
    Whole(Bytes),
    /// It was longer than is taken: this many bytes without the `\n`.
    TooLong(usize),
    /// It was the last and has no end.
    Torn(Bytes),
}

/// Splits a stream into lines.
#[derive(Debug)]
pub(super) struct Lines {
    buffer: BytesMut,
    /// How much of it holds no line end.
    scanned: usize,
    /// How much of a line that is too long was dropped already.
    dropped: usize,
    longest: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Self::with_longest(LONGEST)
    }
}

impl Lines {
    /// Lines of at most so many bytes.
    pub(super) fn with_longest(longest: usize) -> Self {
        Self { buffer: BytesMut::new(), scanned: 0, dropped: 0, longest }
    }

    /// Takes bytes as they came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next line, once all of it is there. To be asked until it says `None`, before more is pushed.
    pub(super) fn line(&mut self) -> Option<Line> {
        loop {
            let Some(at) = memchr::memchr(b'\n', &self.buffer[self.scanned..]).map(|at| self.scanned + at) else {
                self.scanned = self.buffer.len();
                // One more for the `\r` that may belong to the end.
                if self.scanned > self.longest + 1 {
                    self.dropped += self.scanned;
                    self.buffer.clear();
                    self.scanned = 0;
                }
                return None;
            };
            let line = self.buffer.split_to(at);
            self.buffer.advance(1);
            self.scanned = 0;
            if self.dropped > 0 {
                return Some(Line::TooLong(std::mem::take(&mut self.dropped) + line.len()));
            }
            let length = line.len();
            let line = trimmed(line.freeze());
            if line.len() > self.longest {
                return Some(Line::TooLong(length));
            }
            if !line.trim_ascii().is_empty() {
                return Some(Line::Whole(line));
            }
        }
    }

    /// What is left at the end of the stream.
    pub(super) fn end(&mut self) -> Option<Line> {
        let rest = self.buffer.split().freeze();
        self.scanned = 0;
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            return Some(Line::TooLong(dropped + rest.len()));
        }
        let rest = trimmed(rest);
        (!rest.trim_ascii().is_empty()).then_some(Line::Torn(rest))
    }
}

/// Without the one `\r` that belongs to the end of a line.
fn trimmed(mut line: Bytes) -> Bytes {
    if line.last() == Some(&b'\r') {
        line.truncate(line.len() - 1);
    }
    line
}

/// Puts together what omp sends as `rpc_chunk` (protocol 2).
#[derive(Debug, Default)]
pub(super) struct Chunks(Option<Assembly>);

#[derive(Debug)]
struct Assembly {
    id: String,
    count: u64,
    next: u64,
    length: usize,
    data: Vec<u8>,
}

impl Chunks {
    /// Takes a chunk; returns the frame if it was the last of it. After a fault the frame is lost, and nothing else.
    pub(super) fn take(&mut self, record: &Record<'_>) -> Result<Option<Vec<u8>>, String> {
        let broken = |why: &str| Err(format!("a frame in chunks is broken: {why}"));
        let (Some(id), Some(index), Some(count), Some(length), Some(data)) =
            (&record.chunk_id, record.index, record.count, record.byte_length, text(record.data))
        else {
            self.0 = None;
            return broken("a chunk lacks a key");
        };
        let Ok(data) = STANDARD.decode(data) else {
            self.0 = None;
            return broken("a chunk is not base64");
        };
        let mut assembly = match self.0.take() {
            None if index == 0 => {
                let Some(length) = usize::try_from(length).ok().filter(|length| *length <= LONGEST) else {
                    return broken("it is too long");
                };
                Assembly { id: id.clone(), count, next: 0, length, data: Vec::new() }
            }
            // What follows a frame that is lost already is not another fault.
            None => return Ok(None),
            Some(assembly) if assembly.id == *id && assembly.next == index => assembly,
            Some(_) => return broken("its chunks are out of order"),
        };
        assembly.data.extend_from_slice(&data);
        assembly.next += 1;
        if assembly.data.len() > assembly.length {
            return broken("it is longer than it says");
        }
        if assembly.next < assembly.count {
            self.0 = Some(assembly);
            return Ok(None);
        }
        if assembly.data.len() < assembly.length {
            return broken("it is shorter than it says");
        }
        Ok(Some(assembly.data))
    }

    /// Something else came: whether it interrupted a frame.
    pub(super) fn interrupt(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(lines: &mut Lines, bytes: &[u8]) -> Vec<Line> {
        lines.push(bytes);
        std::iter::from_fn(|| lines.line()).collect()
    }

    fn whole(text: &str) -> Line {
        Line::Whole(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn only_a_newline_ends_a_line() {
        let mut lines = Lines::default();
        let text = "{\"a\":\"\u{2028}\u{2029}\u{85}\"}\r\n\n \t\r\n\r\r\nb\r";
        assert_eq!(all(&mut lines, text.as_bytes()), [whole("{\"a\":\"\u{2028}\u{2029}\u{85}\"}")]);
        // A `\r` that is split from its `\n`.
        assert_eq!(all(&mut lines, b"\nrest"), [whole("b")]);
        assert_eq!(lines.end(), Some(Line::Torn(Bytes::from_static(b"rest"))));
        assert_eq!(lines.end(), None);
    }

    #[test]
    fn a_line_of_the_longest_length_is_taken_and_a_longer_one_costs_no_memory() {
        let mut lines = Lines::with_longest(10);
        assert_eq!(all(&mut lines, b"0123456789\r\n01234567890\n"), [whole("0123456789"), Line::TooLong(11)]);
        for _ in 0..1000 {
            assert_eq!(all(&mut lines, b"0123456789"), []);
            assert!(lines.buffer.len() <= 20);
        }
        assert_eq!(all(&mut lines, b"\nok\n"), [Line::TooLong(10_000), whole("ok")]);
        all(&mut lines, &[b'x'; 30]);
        assert_eq!(lines.end(), Some(Line::TooLong(30)));
    }

    #[test]
    fn a_line_of_64_mib_comes_whole_from_small_pieces() {
        let mut lines = Lines::default();
        let piece = vec![b'x'; 4096];
        for _ in 0..LONGEST / 4096 {
            lines.push(&piece);
            assert_eq!(lines.line(), None);
        }
        let Some(Line::Whole(line)) = all(&mut lines, b"\n").pop() else { panic!("it did not come whole") };
        assert_eq!(line.len(), LONGEST);
    }

    fn chunk(id: &str, index: u64, count: u64, length: usize, data: &[u8]) -> String {
        let data = STANDARD.encode(data);
        serde_json::json!({"type": "rpc_chunk", "chunkId": id, "index": index, "count": count,
            "byteLength": length, "data": data})
        .to_string()
    }

    fn take(chunks: &mut Chunks, line: &str) -> Result<Option<Vec<u8>>, String> {
        chunks.take(&serde_json::from_str(line).unwrap())
    }

    #[test]
    fn chunks_make_a_frame() {
        let mut chunks = Chunks::default();
        assert_eq!(take(&mut chunks, &chunk("a", 0, 2, 5, b"abc")), Ok(None));
        assert_eq!(take(&mut chunks, &chunk("a", 1, 2, 5, b"de")), Ok(Some(b"abcde".to_vec())));
        assert!(!chunks.interrupt());
    }

    #[test]
    fn broken_chunks_are_a_fault_and_the_next_frame_is_good_again() {
        let mut chunks = Chunks::default();
        for bad in [
            chunk("b", 1, 2, 5, b"de"),
            chunk("a", 0, 2, 5, b"abc"),
            chunk("a", 1, 2, 5, b"def"),
            chunk("a", 1, 2, 5, b"d"),
            r#"{"type":"rpc_chunk","chunkId":"a","index":1,"count":2,"byteLength":5,"data":"?"}"#.to_owned(),
            r#"{"type":"rpc_chunk"}"#.to_owned(),
        ] {
            assert_eq!(take(&mut chunks, &chunk("a", 0, 2, 5, b"abc")), Ok(None));
            assert!(take(&mut chunks, &bad).is_err(), "{bad}");
            assert_eq!(take(&mut chunks, &chunk("b", 1, 2, 5, b"de")), Ok(None), "the rest is dropped");
        }
        assert!(take(&mut chunks, &chunk("a", 0, 2, LONGEST + 1, b"abc")).is_err());
        assert_eq!(take(&mut chunks, &chunk("a", 0, 2, 5, b"abc")), Ok(None));
        assert!(chunks.interrupt());
        assert_eq!(take(&mut chunks, &chunk("a", 1, 2, 5, b"de")), Ok(None));
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_split_the_lines_are_the_same(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(1usize..20, 1..50),
        ) {
            let mut at_once = Lines::with_longest(16);
            let mut expected = all(&mut at_once, &text);
            expected.extend(at_once.end());
            let mut pieces = Lines::with_longest(16);
            let mut got = Vec::new();
            let mut rest = &text[..];
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, left) = rest.split_at((*cut).min(rest.len()));
                got.extend(all(&mut pieces, piece));
                rest = left;
            }
            got.extend(pieces.end());
            prop_assert_eq!(got, expected);
        }
    }
}
