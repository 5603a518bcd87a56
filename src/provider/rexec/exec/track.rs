//! One of the two outputs of a program, as its records bring it: whole, or an error.

use super::record::{Record, beginning};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

/// How much of an output is read at once over there, in bytes. Only a piece as long as this may end in a part of a mark.
const PIECE: usize = 49152;

/// How many digits say at the end of a piece of bulk how long it is.
const DIGITS: usize = 12;

/// How far an output has come.
#[derive(Clone, Debug)]
pub(super) struct Track {
    next: u64,
    ended: bool,
    /// The word that stands behind each piece that was truly read.
    word: Vec<u8>,
    /// What stands in the output once the program has ended, and the beginning of it that may have come.
    mark: Option<Vec<u8>>,
    held: Vec<u8>,
}

impl Track {
    /// One whose pieces end in this word.
    pub(super) fn new(nonce: &str) -> Self {
        Self { next: 0, ended: false, word: nonce.into(), mark: None, held: Vec::new() }
    }

    /// The same of a program: what it wrote itself ends in a mark. Only that shows that all of it has come, however
    /// slow the way is; who else holds the output may write behind it.
    pub(super) fn marked(nonce: &str) -> Self {
        Self { mark: Some(format!("\x1e{nonce}\x1e").into_bytes()), ..Self::new(nonce) }
    }

    /// One that never has anything.
    pub(super) fn ended() -> Self {
        Self { ended: true, ..Self::new("") }
    }

    /// Whether all has come, whoever wrote it.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether all that the program itself wrote has come.
    pub(super) fn is_drained(&self) -> bool {
        self.ended || self.mark.is_none()
    }

    /// The bytes of the next record of this output; `None` at its end.
    pub(super) fn take(&mut self, record: &Record) -> Result<Option<Vec<u8>>, &'static str> {
        if self.ended || record.number != self.next {
            return Err("a part of the output is missing");
        }
        self.next += 1;
        let mut bytes = decoded(&record.payload).ok_or("a part of the output cannot be decoded")?;
        let is_bulk = matches!(record.kind, b'P' | b'F');
        let said = if is_bulk { bytes.split_off(bytes.len().saturating_sub(DIGITS)) } else { Vec::new() };
        if !bytes.ends_with(&self.word) {
            return Err("a part of the output was not read to its end");
        }
        bytes.truncate(bytes.len() - self.word.len());
        if is_bulk {
            if std::str::from_utf8(&said).ok().and_then(|said| said.parse().ok()) != Some(bytes.len()) {
                return Err("a part of the output has another length than it had");
            }
            return Ok(Some(self.without_mark(bytes, true)));
        }
        // Nothing but the word is the end.
        if bytes.is_empty() {
            if self.mark.is_some() {
                return Err("the output ended before its program did");
            }
            self.ended = true;
            return Ok(None);
        }
        let is_full = bytes.len() >= PIECE;
        Ok(Some(self.without_mark(bytes, is_full)))
    }

    /// What is not the mark. Only behind a piece that is full may the rest of one come.
    fn without_mark(&mut self, bytes: Vec<u8>, is_full: bool) -> Vec<u8> {
        let Some(mark) = &self.mark else { return bytes };
        let mut all = std::mem::take(&mut self.held);
        all.extend(bytes);
        if let Some(at) = memmem::find(&all, mark) {
            all.drain(at..at + mark.len());
            self.mark = None;
        } else if is_full {
            self.held = all.split_off(all.len() - beginning(&all, mark));
        }
        all
    }
}

/// Base64 on lines, or the hexadecimal digits of `od`: blanks stand only between those.
pub(super) fn decoded(payload: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = payload.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if payload.first() != Some(&b' ') {
        return STANDARD.decode(text).ok();
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONCE: &str = "0123456789abcdef";

    fn record(number: u64, bytes: &[u8]) -> Record {
        Record { kind: b'O', number, payload: STANDARD.encode([bytes, NONCE.as_bytes()].concat()).into_bytes() }
    }

    fn bulk(number: u64, bytes: &[u8], length: usize) -> Record {
        let end = format!("{NONCE}{length:012}");
        Record { kind: b'P', number, payload: STANDARD.encode([bytes, end.as_bytes()].concat()).into_bytes() }
    }

    #[test]
    fn payloads_are_base64_or_hexadecimal() {
        assert_eq!(decoded(b"aMOp\n/wo=").unwrap(), b"h\xc3\xa9\xff\n");
        assert_eq!(decoded(b" 68 c3 a9\n ff 0a").unwrap(), b"h\xc3\xa9\xff\n");
        for bad in [&b"a"[..], b"aMOp/w", b" 6", b" 6x", b"aM!p"] {
            assert_eq!(decoded(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_output_is_whole_or_an_error() {
        let mut track = Track::new(NONCE);
        assert_eq!(track.take(&record(0, b"a")).unwrap().unwrap(), b"a");
        for (number, bytes) in [(2, &b"a"[..]), (0, b"a"), (2, b"")] {
            assert!(track.clone().take(&record(number, bytes)).is_err(), "{number} {bytes:?}");
        }
        for payload in ["", "YQ==", "YXg", "MDEyMzQ1Njc4OWFiY2Rl"] {
            let record = Record { kind: b'O', number: 1, payload: payload.into() };
            assert!(track.clone().take(&record).is_err(), "{payload}");
        }
        for (bytes, length) in [(&b"bulk"[..], 5_usize), (b"bulk", 3), (b"", 1)] {
            assert!(track.clone().take(&bulk(1, bytes, length)).is_err(), "{length}");
        }
        assert_eq!(track.clone().take(&bulk(1, b"bulk", 4)).unwrap().unwrap(), b"bulk");
        assert_eq!(track.clone().take(&bulk(1, b"", 0)).unwrap().unwrap(), b"", "no end");
        assert_eq!(track.take(&record(1, b"")).unwrap(), None);
        assert!(track.is_ended() && track.take(&record(2, b"a")).is_err());
        assert!(Track::marked(NONCE).take(&record(0, b"")).is_err(), "no end before that of the program");
    }

    proptest! {
        #[test]
        fn a_program_has_written_all_once_its_mark_came(
            own in proptest::collection::vec(any::<u8>(), 0..200),
            other in proptest::collection::vec(any::<u8>(), 0..50),
            fill in 0_usize..80,
        ) {
            // What is read at once is cut anywhere, also within the mark.
            let own = [vec![b'.'; PIECE - fill.min(own.len())], own].concat();
            let mark = format!("\x1e{NONCE}\x1e").into_bytes();
            let all = [&own[..], &mark, &other].concat();
            let mut track = Track::marked(NONCE);
            let mut came = Vec::new();
            for (number, piece) in all.chunks(PIECE).enumerate() {
                prop_assert!(!track.is_drained() || came.len() >= own.len());
                came.extend(track.take(&record(number as u64, piece)).unwrap().unwrap());
            }
            prop_assert!(track.is_drained() && !track.is_ended());
            prop_assert_eq!(came, [own, other].concat());
        }
    }
}
