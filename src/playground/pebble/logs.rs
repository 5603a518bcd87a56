//! What services write: a ring of bytes for each, and the entries that are read out of it (section 2.11).

use super::go;
use crate::model::Time;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// How much is kept of a service, its times included, in bytes.
const CAPACITY: usize = 100 * 1024;

/// The longest part of a line that becomes one entry, in bytes.
const PART: usize = 4096;

/// How many lines of a service are shown when it does not start.
const RECENT: usize = 20;

/// What stands for output that was overwritten before it was read.
const TRUNCATED: &str = "(... output truncated ...)";

/// The output of one service, the latest [`CAPACITY`] bytes of it.
pub(super) struct Ring {
    service: String,
    held: Mutex<Held>,
    /// Told about every write, whatever the service.
    written: Arc<watch::Sender<u64>>,
}

struct Held {
    bytes: VecDeque<u8>,
    /// How many bytes came before those held.
    dropped: u64,
    /// Whether the next byte begins a line.
    fresh: bool,
}

/// A line, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// When its line began.
    pub(super) time: Time,
    /// Who wrote it.
    pub(super) service: String,
    /// The text without its newline.
    pub(super) message: String,
}

/// How far somebody has read.
pub(super) struct Reader {
    ring: Arc<Ring>,
    at: u64,
    /// When the line began that is being read; `None` between lines and in a line whose begin was overwritten.
    line: Option<Time>,
    /// Between lines.
    fresh: bool,
    /// The last time that was read.
    last: Option<Time>,
}

impl Ring {
    pub(super) fn new(service: &str, written: Arc<watch::Sender<u64>>) -> Self {
        let held = Held { bytes: VecDeque::new(), dropped: 0, fresh: true };
        Self { service: service.to_owned(), held: Mutex::new(held), written }
    }

    /// Takes output.
    pub(super) fn write(&self, output: &[u8], now: Time) {
        let mut held = self.lock();
        for line in output.split_inclusive(|byte| *byte == b'\n') {
            if held.fresh {
                held.push(format!("{} [{}] ", go::millis(now), self.service).as_bytes());
            }
            held.push(line);
            held.fresh = line.ends_with(b"\n");
        }
        drop(held);
        self.written.send_modify(|count| *count += 1);
    }

    /// Everything that is held, from its first whole line.
    pub(super) fn entries(self: &Arc<Self>) -> (Vec<Entry>, Reader) {
        let (at, fresh) = {
            let held = self.lock();
            (held.dropped, held.dropped == 0)
        };
        let mut reader = Reader { ring: self.clone(), at, line: None, fresh, last: None };
        let entries = reader.read();
        (entries, reader)
    }

    /// The latest lines, each indented, as a task's log shows them.
    pub(super) fn recent(self: &Arc<Self>) -> String {
        let (entries, _) = self.entries();
        let skipped = entries.len().saturating_sub(RECENT);
        let first = if skipped > 0 { vec!["(...)"] } else { Vec::new() };
        let lines: Vec<&str> =
            first.into_iter().chain(entries[skipped..].iter().map(|entry| entry.message.as_str())).collect();
        format!("    {}", lines.join("\n    "))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let over = self.bytes.len().saturating_sub(CAPACITY);
        self.bytes.drain(..over);
        self.dropped += over as u64;
    }
}

impl Reader {
    /// What came since the last read; a line that is not at its end yet is a part, and the rest of it another one.
    pub(super) fn read(&mut self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let held = self.ring.held.lock().unwrap_or_else(PoisonError::into_inner);
        if self.at < held.dropped {
            let lost =
                self.last.map(|time| Entry { time, service: self.ring.service.clone(), message: TRUNCATED.to_owned() });
            entries.extend(lost);
            (self.at, self.line, self.fresh) = (held.dropped, None, false);
        }
        let from = usize::try_from(self.at - held.dropped).unwrap_or(usize::MAX);
        let bytes: Vec<u8> = held.bytes.range(from.min(held.bytes.len())..).copied().collect();
        self.at += bytes.len() as u64;
        drop(held);
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let end = rest.iter().take(PART).position(|byte| *byte == b'\n');
            let (part, tail) = rest.split_at(end.map_or(rest.len().min(PART), |end| end + 1));
            rest = tail;
            entries.extend(self.entry(part, end.is_some()));
        }
        entries
    }

    /// An entry of a part of a line, unless the begin of the line is lost.
    fn entry(&mut self, part: &[u8], ends: bool) -> Option<Entry> {
        let text = part.strip_suffix(b"\n").unwrap_or(part);
        let (begun, text) = match self.fresh.then(|| begin(text)).flatten() {
            Some((time, text)) => (Some(time), text),
            None => (self.line, text),
        };
        self.fresh = ends;
        self.line = if ends { None } else { begun };
        self.last = begun.or(self.last);
        let message = String::from_utf8_lossy(text).into_owned();
        Some(Entry { time: begun?, service: self.ring.service.clone(), message })
    }
}

/// Parts a line into its time and its text.
fn begin(line: &[u8]) -> Option<(Time, &[u8])> {
    let end = line.windows(2).position(|window| window == b"] ")?;
    let time = std::str::from_utf8(line.get(..24)?).ok()?.parse().ok()?;
    Some((time, &line[end + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Arc<Ring> {
        Arc::new(Ring::new("web", Arc::new(watch::channel(0).0)))
    }

    fn now() -> Time {
        "2026-11-21T10:44:16.302Z".parse().unwrap()
    }

    fn messages(ring: &Arc<Ring>) -> Vec<String> {
        ring.entries().0.into_iter().map(|entry| entry.message).collect()
    }

    #[test]
    fn lines_come_back_with_their_time() {
        let ring = ring();
        ring.write(b"one\ntw", now());
        ring.write(b"o [x] y\n\npart", now());
        let (entries, _) = ring.entries();
        let first = Entry { time: now(), service: "web".to_owned(), message: "one".to_owned() };
        assert_eq!(entries[0], first);
        assert_eq!(messages(&ring), ["one", "two [x] y", "", "part"]);
    }

    /// As a daemon of 1.32.1 cuts it: the first part is shorter by the time and the name.
    #[test]
    fn a_long_line_is_several_entries() {
        let ring = ring();
        ring.write(&[b'x'; 9000], now());
        ring.write(b"\nnext\n", now());
        let (entries, _) = ring.entries();
        let lengths: Vec<usize> = entries.iter().map(|entry| entry.message.len()).collect();
        assert_eq!(lengths, [4065, 4096, 839, 4]);
    }

    #[test]
    fn what_is_overwritten_takes_its_line_with_it() {
        let ring = ring();
        ring.write(b"first\n", now());
        let (_, mut reader) = ring.entries();
        ring.write(&vec![b'y'; CAPACITY * 2], now());
        ring.write(b"\nafter\n", now());
        assert_eq!(messages(&ring), ["after"]);
        let read: Vec<String> = reader.read().into_iter().map(|entry| entry.message).collect();
        assert_eq!(read, [TRUNCATED, "after"]);
    }

    #[test]
    fn a_reader_goes_on_where_it_was() {
        let ring = ring();
        ring.write(b"one\n", now());
        let (_, mut reader) = ring.entries();
        assert_eq!(reader.read(), []);
        ring.write(b"par", now());
        assert_eq!(reader.read()[0].message, "par");
        ring.write(b"tial\nnext\n", now());
        let read: Vec<String> = reader.read().into_iter().map(|entry| entry.message).collect();
        assert_eq!(read, ["tial", "next"]);
    }

    #[test]
    fn the_latest_lines_are_shown_where_a_start_fails() {
        let ring = ring();
        assert_eq!(ring.recent(), "    ");
        for line in 1..=30 {
            ring.write(format!("{line}\n").as_bytes(), now());
        }
        assert!(ring.recent().starts_with("    (...)\n    11\n    12\n") && ring.recent().ends_with("\n    30"));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let ring = ring();
        ring.write(b"a\xff\0b\n", now());
        assert_eq!(messages(&ring), ["a\u{fffd}\0b"]);
    }
}
