//! Tar archives as far as they carry files: written for any `tar` to unpack, and read as GNU's and busybox's pack them.
//!
//! ustar headers, and GNU's long names where a name does not fit: every `tar` in use knows them, and they carry any
//! bytes, which the records of pax do not. Reading also takes pax records for the path and the size. A crate for this
//! reads and writes blocking files only, and brings what we never unpack: owners, times, devices.

use crate::error::{Error, Result};
use bytes::{Buf, Bytes, BytesMut};

/// What archives are made of.
const BLOCK: usize = 512;

/// What an archive is padded to: a `tar` that reads a pipe reads so much at once.
const RECORD: usize = 20 * BLOCK;

/// The longest extended header that is taken.
const EXTENDED_MAX: usize = 1 << 20;

/// What a name or the target of a link may have in a header of its own.
const NAME_MAX: usize = 100;

/// Writes an archive, piece by piece.
#[derive(Default)]
pub struct Writer {
    written: usize,
}

impl Writer {
    /// What stands before the content of a file of `size` bytes.
    pub fn file(&mut self, name: &[u8], size: u64, mode: u32) -> Bytes {
        let mut bytes = BytesMut::new();
        self.long(&mut bytes, b'L', name);
        self.header(&mut bytes, name, size, mode, b'0', b"");
        bytes.freeze()
    }

    /// A symbolic link.
    pub fn link(&mut self, name: &[u8], target: &[u8]) -> Bytes {
        let mut bytes = BytesMut::new();
        self.long(&mut bytes, b'K', target);
        self.long(&mut bytes, b'L', name);
        self.header(&mut bytes, name, 0, 0o777, b'2', target);
        bytes.freeze()
    }

    /// What follows the content of a file of `size` bytes, all of which were written.
    pub fn end_file(&mut self, size: u64) -> Bytes {
        let rest = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        self.written += usize::try_from(size).unwrap_or(0);
        let padding = (BLOCK - rest) % BLOCK;
        self.written += padding;
        Bytes::from(vec![0; padding])
    }

    /// The end of the archive.
    pub fn finish(self) -> Bytes {
        let end = 2 * BLOCK;
        let padding = (RECORD - (self.written + end) % RECORD) % RECORD;
        Bytes::from(vec![0; end + padding])
    }

    /// A name that is too long for its header stands before it as the content of an entry of its own.
    fn long(&mut self, bytes: &mut BytesMut, kind: u8, name: &[u8]) {
        if name.len() <= NAME_MAX {
            return;
        }
        let size = name.len() as u64 + 1;
        self.header(bytes, b"././@LongLink", size, 0, kind, b"");
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(&[0]);
        bytes.extend_from_slice(&self.end_file(size));
    }

    fn header(&mut self, bytes: &mut BytesMut, name: &[u8], size: u64, mode: u32, kind: u8, link: &[u8]) {
        let mut block = [0; BLOCK];
        let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
        put(0, &name[..name.len().min(NAME_MAX)]);
        put(100, format!("{:07o}", mode & 0o7777).as_bytes());
        put(108, b"0000000");
        put(116, b"0000000");
        put(124, &number(size));
        put(136, b"00000000000");
        put(148, b"        ");
        put(156, &[kind]);
        put(157, &link[..link.len().min(NAME_MAX)]);
        // GNU's own magic: long names belong to it.
        put(257, b"ustar  \0");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend_from_slice(&block);
        self.written += BLOCK;
    }
}

/// Eleven octal digits, or what GNU made of larger numbers.
fn number(size: u64) -> [u8; 12] {
    let mut field = [0; 12];
    if size < 1 << 33 {
        field[..11].copy_from_slice(format!("{size:011o}").as_bytes());
    } else {
        field[0] = 0x80;
        field[4..].copy_from_slice(&size.to_be_bytes());
    }
    field
}

/// What an archive holds, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A regular file begins.
    Begin {
        /// Its name.
        name: Vec<u8>,
        /// Its size.
        size: u64,
    },
    /// Some of its content.
    Data(Bytes),
    /// All of its content has come.
    End,
}

/// Reads an archive as it comes. Entries that are no regular files are passed over.
#[derive(Default)]
pub struct Reader {
    buffer: BytesMut,
    state: State,
    /// What extended headers said of the next entry.
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

#[derive(Default)]
enum State {
    #[default]
    Header,
    /// Content of a file, and its padding.
    Content {
        left: u64,
        padding: usize,
    },
    Padding(usize),
    /// Content that nobody asks for, padding included.
    Skip(u64),
    /// An extended header of this kind, its length, and its padding.
    Extended {
        kind: u8,
        len: usize,
        padding: usize,
    },
    /// Nothing that follows matters.
    Over,
}

impl Reader {
    /// Adds what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        if !matches!(self.state, State::Over) {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Whether the archive was read to its end.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// The next piece, as far as it has come.
    pub fn next(&mut self) -> Result<Option<Piece>> {
        loop {
            match self.state {
                State::Over => return Ok(None),
                State::Header => {
                    if self.buffer.len() < BLOCK {
                        return Ok(None);
                    }
                    let block = self.buffer.split_to(BLOCK);
                    if let Some(begun) = self.header(&block)? {
                        return Ok(Some(begun));
                    }
                }
                State::Content { left: 0, padding } => {
                    self.state = State::Padding(padding);
                    return Ok(Some(Piece::End));
                }
                State::Content { left, padding } => {
                    if self.buffer.is_empty() {
                        return Ok(None);
                    }
                    let len = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let data = self.buffer.split_to(len).freeze();
                    self.state = State::Content { left: left - len as u64, padding };
                    return Ok(Some(Piece::Data(data)));
                }
                State::Padding(len) => {
                    if self.buffer.len() < len {
                        return Ok(None);
                    }
                    self.buffer.advance(len);
                    self.state = State::Header;
                }
                State::Skip(0) => self.state = State::Header,
                State::Skip(left) => {
                    if self.buffer.is_empty() {
                        return Ok(None);
                    }
                    let len = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    self.buffer.advance(len);
                    self.state = State::Skip(left - len as u64);
                }
                State::Extended { kind, len, padding } => {
                    if self.buffer.len() < len + padding {
                        return Ok(None);
                    }
                    let content = self.buffer.split_to(len);
                    self.buffer.advance(padding);
                    self.extended(kind, &content)?;
                    self.state = State::Header;
                }
            }
        }
    }

    fn header(&mut self, block: &[u8]) -> Result<Option<Piece>> {
        if block.iter().all(|byte| *byte == 0) {
            self.state = State::Over;
            self.buffer.clear();
            return Ok(None);
        }
        let sum: u32 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| u32::from(if (148..156).contains(&at) { b' ' } else { *byte }))
            .sum();
        if parse(&block[148..156]) != Some(u64::from(sum)) {
            return Err(broken("a header has another checksum"));
        }
        let size = parse(&block[124..136]).ok_or_else(|| broken("a header has no size"))?;
        let padding = |size: u64| (BLOCK - usize::try_from(size % BLOCK as u64).unwrap_or(0)) % BLOCK;
        match block[156] {
            kind @ (b'L' | b'x') => {
                let len = usize::try_from(size).ok().filter(|len| *len <= EXTENDED_MAX);
                let len = len.ok_or_else(|| broken("a name is too long"))?;
                self.state = State::Extended { kind, len, padding: padding(size) };
                Ok(None)
            }
            b'0' | 0 | b'7' => {
                let size = self.size.take().unwrap_or(size);
                let name = self.name.take().unwrap_or_else(|| short(block));
                self.state = State::Content { left: size, padding: padding(size) };
                Ok(Some(Piece::Begin { name, size }))
            }
            kind => {
                // The target of a long link or what is said of all entries belongs to no name; the rest ends one.
                if !matches!(kind, b'K' | b'g') {
                    self.name = None;
                    self.size = None;
                }
                // Links and directories have no content, whatever their size says.
                let has_content = !matches!(kind, b'1'..=b'6');
                self.state = State::Skip(if has_content { size + padding(size) as u64 } else { 0 });
                Ok(None)
            }
        }
    }

    fn extended(&mut self, kind: u8, content: &[u8]) -> Result<()> {
        if kind == b'L' {
            let end = content.iter().position(|byte| *byte == 0).unwrap_or(content.len());
            self.name = Some(content[..end].to_vec());
            return Ok(());
        }
        // Records of pax: "LENGTH KEY=VALUE\n", the length being that of the record.
        let mut rest = content;
        while !rest.is_empty() {
            let record = || broken("a record cannot be read");
            let blank = rest.iter().position(|byte| *byte == b' ').ok_or_else(record)?;
            let len: usize =
                std::str::from_utf8(&rest[..blank]).ok().and_then(|text| text.parse().ok()).ok_or_else(record)?;
            let (this, next) = rest.split_at_checked(len).filter(|_| len > blank + 1).ok_or_else(record)?;
            let text = &this[blank + 1..len - 1];
            if let Some(path) = text.strip_prefix(b"path=") {
                self.name = Some(path.to_vec());
            }
            if let Some(size) = text.strip_prefix(b"size=") {
                self.size = std::str::from_utf8(size).ok().and_then(|size| size.parse().ok());
            }
            rest = next;
        }
        Ok(())
    }
}

fn broken(why: &str) -> Error {
    Error::failure(format!("the archive from over there cannot be read: {why}"))
}

/// The name of a header that holds all of it.
fn short(block: &[u8]) -> Vec<u8> {
    let text = |field: &[u8]| field.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    let name = text(&block[..100]);
    // GNU's headers have times where those of ustar have a prefix.
    let prefix = if &block[257..263] == b"ustar\0" { text(&block[345..500]) } else { Vec::new() };
    if prefix.is_empty() { name } else { [prefix, name].join(&b'/') }
}

/// A number in octal digits, or in GNU's binary form.
fn parse(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let tail = field.len() - 8;
        return Some(u64::from_be_bytes(field[tail..].try_into().ok()?));
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches(|c| c == ' ' || c == '\0');
    u64::from_str_radix(text, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of an archive that comes in chunks of `chunk` bytes.
    fn read(archive: &[u8], chunk: usize) -> (Vec<(Vec<u8>, Vec<u8>)>, bool) {
        let mut reader = Reader::default();
        let mut files = Vec::new();
        for chunk in archive.chunks(chunk) {
            reader.push(chunk);
            while let Some(piece) = reader.next().unwrap() {
                match piece {
                    Piece::Begin { name, .. } => files.push((name, Vec::new())),
                    Piece::Data(data) => files.last_mut().unwrap().1.extend_from_slice(&data),
                    Piece::End => {}
                }
            }
        }
        (files, reader.is_over())
    }

    fn write(files: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let mut writer = Writer::default();
        let mut archive = Vec::new();
        archive.extend(writer.link(b"t0", &[b'/'; 200]));
        for (name, content) in files {
            archive.extend(writer.file(name, content.len() as u64, 0o640));
            archive.extend(content);
            archive.extend(writer.end_file(content.len() as u64));
        }
        archive.extend(writer.finish());
        archive
    }

    #[test]
    fn what_is_written_is_read_wherever_it_is_cut() {
        let names: [&[u8]; 5] = [b"a", b"-b\n\xff", &[b'n'; 100], &[b'm'; 101], &[b'o'; 600]];
        let files: Vec<_> = names.iter().enumerate().map(|(i, name)| (name.to_vec(), vec![7; i * 512 + i])).collect();
        let archive = write(&files);
        assert_eq!(archive.len() % RECORD, 0);
        for chunk in [1, 511, 512, 513, 100_000] {
            assert_eq!(read(&archive, chunk), (files.clone(), true), "{chunk}");
        }
        let (part, is_over) = read(&archive[..archive.len() / 2], 512);
        assert!(!is_over && part.len() < files.len() + 1);
    }

    #[test]
    fn large_numbers_and_records_of_pax_are_read() {
        assert_eq!(parse(&number(5)), Some(5));
        assert_eq!(parse(&number(1 << 40)), Some(1 << 40));
        let mut reader = Reader::default();
        reader.extended(b'x', b"13 path=a b\xff\n11 size=12\n").unwrap();
        assert_eq!((reader.name.as_deref(), reader.size), (Some(&b"a b\xff"[..]), Some(12)));
        for bad in [&b"9 path=\n"[..], b"x\n", b"0 \n", b"2 "] {
            assert!(Reader::default().extended(b'x', bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_broken_header_is_an_error() {
        let mut archive = write(&[(b"a".to_vec(), b"x".to_vec())]);
        let at = archive.len() - RECORD + 600;
        archive[at % 500] ^= 1;
        let mut reader = Reader::default();
        reader.push(&archive);
        let mut found = Ok(None);
        for _ in 0..10 {
            found = reader.next();
            if found.is_err() {
                break;
            }
        }
        assert!(found.is_err());
    }
}
