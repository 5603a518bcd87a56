//! The records that our scripts print over a terminal (section 4.8), found in whatever else it shows.
//!
//! A record is `1E NONCE KIND ' ' NUMBER ' ' LENGTH ' ' PAYLOAD '.'`. The nonce is random, and the byte 1E is never typed,
//! so no echo is taken for a record. A payload of another length than is said, or without its dot, was damaged on the
//! way: an error, and never other bytes. The records of bulk, `P` and `F`, say their length at the end of what they carry:
//! their payload goes as far as the dot, which no base64 has.

use memchr::{memchr, memmem};

/// The longest payload, in bytes; the scripts send less than a quarter of it.
const LONGEST: u64 = 1 << 20;

/// The longest payload of bulk; the scripts send less than half of it.
const LONGEST_BULK: usize = 8 << 20;

/// The longest head behind the nonce: a letter, two numbers of up to 20 digits, and blanks.
const HEAD: usize = 44;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is: `O` output, `X` exit, …
    pub kind: u8,
    /// Its number among those of its kind, or 0.
    pub number: u64,
    /// What it says.
    pub payload: Vec<u8>,
}

/// What a terminal showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A record.
    Record(Record),
    /// What is none.
    Plain(Vec<u8>),
}

/// A record that was damaged on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged(pub &'static str);

/// Finds records in bytes that come in pieces.
#[derive(Clone, Debug)]
pub struct Parser {
    /// The byte 1E and the nonce.
    key: Vec<u8>,
    buffer: Vec<u8>,
    /// Where in the buffer it goes on.
    at: usize,
    /// How far behind that the dot of a payload of bulk was looked for.
    sought: usize,
    /// Whether what is no record is wanted too, as it is.
    plain: bool,
}

impl Parser {
    /// A parser of records with this nonce. Everything else is dropped, and carriage returns that a terminal adds.
    pub fn new(nonce: &str) -> Self {
        Self { key: [b"\x1e", nonce.as_bytes()].concat(), buffer: Vec::new(), at: 0, sought: 0, plain: false }
    }

    /// The same, with what is no record as it is.
    pub fn with_plain(self) -> Self {
        Self { plain: true, ..self }
    }

    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        if self.plain || memchr(b'\r', bytes).is_none() {
            self.buffer.extend_from_slice(bytes);
        } else {
            self.buffer.extend(bytes.iter().filter(|byte| **byte != b'\r'));
        }
    }

    /// The next record, or what is none; `None` until more bytes come.
    pub fn item(&mut self) -> Result<Option<Item>, Damaged> {
        loop {
            let rest = &self.buffer[self.at..];
            let start = match memmem::find(rest, &self.key) {
                Some(start) => start,
                // The end of it may be the beginning of a key.
                None => rest.len() - beginning(rest, &self.key),
            };
            if start > 0 {
                let plain = rest[..start].to_vec();
                self.at += start;
                if self.plain {
                    return Ok(Some(Item::Plain(plain)));
                }
                continue;
            }
            if rest.len() < self.key.len() {
                return Ok(None);
            }
            let Some(head) = head(&rest[self.key.len()..])? else { return Ok(None) };
            let begin = self.key.len() + head.len;
            let length = usize::try_from(head.length).map_err(|_| Damaged("it is too long"))?;
            let end = if matches!(head.kind, b'P' | b'F') {
                let from = begin.max(self.sought);
                let dot = memchr(b'.', &rest[from..]).map_or(rest.len(), |dot| from + dot);
                if dot - begin > LONGEST_BULK {
                    return Err(Damaged("it is too long"));
                }
                self.sought = if dot < rest.len() { 0 } else { dot };
                dot
            } else {
                begin + length
            };
            if rest.len() <= end {
                return Ok(None);
            }
            if rest[end] != b'.' {
                return Err(Damaged("its length is not what it says"));
            }
            let record = Record { kind: head.kind, number: head.number, payload: rest[begin..end].to_vec() };
            self.at += end + 1;
            return Ok(Some(Item::Record(record)));
        }
    }
}

/// How many bytes at the end of `rest` are the beginning of `key`.
pub(super) fn beginning(rest: &[u8], key: &[u8]) -> usize {
    let longest = rest.len().min(key.len() - 1);
    (1..=longest).rev().find(|len| rest.ends_with(&key[..*len])).unwrap_or(0)
}

struct Head {
    kind: u8,
    number: u64,
    length: u64,
    /// How long the head itself is.
    len: usize,
}

/// The head of a record; `None` until all of it is there.
fn head(rest: &[u8]) -> Result<Option<Head>, Damaged> {
    let broken = Damaged("its head cannot be read");
    let mut fields = rest.iter().take(HEAD).enumerate().filter(|(_, byte)| **byte == b' ').map(|(at, _)| at);
    let (first, second, third) = (fields.next(), fields.next(), fields.next());
    let (Some(first), Some(second), Some(third)) = (first, second, third) else {
        let is_possible = rest.iter().take(HEAD).skip(1).all(|byte| byte.is_ascii_digit() || *byte == b' ');
        return if rest.len() < HEAD && is_possible { Ok(None) } else { Err(broken) };
    };
    let number = |from: usize, to: usize| {
        let text = std::str::from_utf8(&rest[from + 1..to]).ok()?;
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?
    };
    match (rest[0], first, number(first, second), number(second, third)) {
        (kind @ b'A'..=b'Z', 1, Some(number), Some(length)) if length <= LONGEST => {
            Ok(Some(Head { kind, number, length, len: third + 1 }))
        }
        _ => Err(broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONCE: &str = "0123456789abcdef";

    fn record(kind: u8, number: u64, payload: &[u8]) -> Record {
        Record { kind, number, payload: payload.to_vec() }
    }

    fn wire(record: &Record) -> Vec<u8> {
        let length = if matches!(record.kind, b'P' | b'F') { 0 } else { record.payload.len() };
        let head = format!("\x1e{NONCE}{} {} {length} ", char::from(record.kind), record.number);
        [head.as_bytes(), &record.payload, b".\n"].concat()
    }

    /// Everything that comes out when `bytes` come in pieces of these sizes.
    fn parsed(parser: Parser, bytes: &[u8], sizes: &[usize]) -> Result<Vec<Item>, Damaged> {
        let (mut parser, mut items, mut at) = (parser, Vec::new(), 0);
        let mut sizes = sizes.iter().copied().cycle();
        while at < bytes.len() {
            let end = (at + sizes.next().unwrap_or(bytes.len()).max(1)).min(bytes.len());
            parser.push(&bytes[at..end]);
            while let Some(item) = parser.item()? {
                items.push(item);
            }
            at = end;
        }
        Ok(items)
    }

    /// Bytes, as a terminal or a program could show them, tricky ones among them.
    fn noise() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            Just(b"\x1e".to_vec()),
            Just(format!("\x1e{}", &NONCE[..7]).into_bytes()),
            Just(NONCE.as_bytes().to_vec()),
            Just(b" exec /bin/sh -c 'printf \"\\036%sR 0 0 .\"' 0123456789abcdef\r\n".to_vec()),
        ]
    }

    fn records() -> impl Strategy<Value = Record> {
        let payload = "[A-Za-z0-9+/=\n]{0,200}";
        (b'A'..=b'Z', any::<u64>(), payload)
            .prop_map(|(kind, number, payload)| record(kind, number, payload.as_bytes()))
    }

    proptest! {
        #[test]
        fn records_come_out_whatever_is_between_them_and_however_they_are_cut(
            all in proptest::collection::vec((noise(), records()), 0..6),
            sizes in proptest::collection::vec(1_usize..30, 1..20),
            returns in any::<bool>(),
        ) {
            let bytes: Vec<u8> = all.iter().flat_map(|(noise, record)| [noise.clone(), wire(record)].concat()).collect();
            // A terminal that is not raw puts a return before every newline.
            let bytes: Vec<u8> = if returns {
                bytes.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] }).collect()
            } else { bytes };
            let found = parsed(Parser::new(NONCE), &bytes, &sizes);
            let expected: Vec<Item> = all.iter().map(|(_, record)| Item::Record(record.clone())).collect();
            prop_assert_eq!(found, Ok(expected));
        }

        #[test]
        fn what_is_no_record_is_passed_on_as_it_is(
            noise in proptest::collection::vec(noise(), 0..6),
            sizes in proptest::collection::vec(1_usize..30, 1..20),
        ) {
            let end = record(b'X', 0, b"3");
            // Pieces that make the head of a record together are damage, which is told.
            let head = format!("\x1e{NONCE}").into_bytes();
            prop_assume!(!noise.concat().windows(head.len()).any(|window| window == head));
            let bytes = [noise.concat(), wire(&end)].concat();
            let found = parsed(Parser::new(NONCE).with_plain(), &bytes, &sizes).unwrap();
            let plain: Vec<u8> = found.iter().filter_map(|item| match item {
                Item::Plain(bytes) => Some(bytes.clone()),
                Item::Record(_) => None,
            }).flatten().collect();
            prop_assert_eq!(plain, [noise.concat(), b"\n".to_vec()].concat());
            prop_assert!(found.contains(&Item::Record(end)));
        }

        #[test]
        fn a_record_that_lost_or_gained_bytes_is_never_another_record(
            payload in "[A-Za-z0-9+/]{4,100}",
            from in 0_usize..100,
            len in 1_usize..40,
            gains in any::<bool>(),
        ) {
            let whole = record(b'O', 7, payload.as_bytes());
            let mut bytes = [wire(&whole), wire(&record(b'X', 0, b"0"))].concat();
            let head = bytes.len() - payload.len();
            let from = (NONCE.len() + 1 + from % head.max(1)).min(bytes.len());
            let to = (from + len).min(bytes.len());
            if gains {
                let _ = bytes.splice(from..from, std::iter::repeat_n(b'A', len));
            } else {
                bytes.drain(from.min(to)..to);
            }
            let found = parsed(Parser::new(NONCE), &bytes, &[9]).unwrap_or_default();
            // It may be whole (what was hit was beside it), or not there; another number or payload it never has, save
            // where only its number was hit, which whoever counts finds out; and where a part of the next head is in it,
            // which is no base64.
            for item in found {
                let Item::Record(found) = item else { continue };
                if found.kind == b'O' {
                    let is_base64 = found.payload.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
                    prop_assert!(found == whole || found.number != whole.number || !is_base64, "{found:?}");
                }
            }
        }
    }

    #[test]
    fn a_damaged_record_is_an_error() {
        let good = String::from_utf8(wire(&record(b'O', 1, b"QUJD"))).unwrap();
        for (from, to) in [(" 4 ", " 3 "), (" 4 ", " 5 "), ("O 1", "o 1"), ("O 1 4", "O 1 x"), (" 4 ", " 99999999 ")] {
            let bad = good.replace(from, to) + "more and more and more and more and more and more";
            assert!(parsed(Parser::new(NONCE), bad.as_bytes(), &[1]).is_err(), "{bad}");
        }
    }
}
