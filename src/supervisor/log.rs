//! The log of a session: everything that happened, in two files of which the older one is dropped when the newer one is
//! full. The last events are kept in memory too, for those who follow.

use super::wire::{Entry, Line};
use crate::config::reason;
use crate::error::{Error, Result};
use crate::model::{AgentEvent, Time};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The size of a file at which the next one is begun, in bytes.
const FULL: u64 = 8 * 1024 * 1024;

/// The longest event that is kept, in bytes.
const LONGEST: usize = 1024 * 1024;

/// How much of the last events is kept in memory, in bytes.
const RECENT: usize = 1024 * 1024;

/// The log while it is written.
pub(super) struct Log {
    dir: PathBuf,
    file: File,
    size: u64,
    full: u64,
    next: u64,
    recent: VecDeque<(u64, Arc<str>)>,
    recent_bytes: usize,
}

impl Log {
    /// A new one in `dir`.
    pub(super) fn create(dir: &Path) -> Result<Self> {
        Self::with_full(dir, FULL)
    }

    fn with_full(dir: &Path, full: u64) -> Result<Self> {
        let _ = std::fs::remove_file(older(dir));
        let (file, recent) = (open(dir)?, VecDeque::new());
        Ok(Self { dir: dir.to_owned(), file, size: 0, full, next: 0, recent, recent_bytes: 0 })
    }

    /// The number of the event that comes next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Adds an event. A disk that takes no more loses the past, not the session.
    pub(super) fn add(&mut self, event: AgentEvent) {
        let (seq, time) = (self.next, Time::now());
        let mut text = serde_json::to_string(&Entry { event, seq, time }).unwrap_or_default();
        if text.len() > LONGEST {
            let event =
                AgentEvent::Log { text: format!("(an event of {} bytes, which is too long to be kept)", text.len()) };
            text = serde_json::to_string(&Entry { event, seq, time }).unwrap_or_default();
        }
        self.next += 1;
        if self.size + text.len() as u64 > self.full {
            let _ = std::fs::rename(newer(&self.dir), older(&self.dir));
            if let Ok(file) = open(&self.dir) {
                (self.file, self.size) = (file, 0);
            }
        }
        self.size += text.len() as u64 + 1;
        let _ = self.file.write_all(format!("{text}\n").as_bytes());
        self.recent_bytes += text.len();
        self.recent.push_back((seq, text.into()));
        while self.recent_bytes > RECENT && self.recent.len() > 1 {
            self.recent_bytes -= self.recent.pop_front().map_or(0, |(_, text)| text.len());
        }
    }

    /// What there is from number `seq` on, as lines, and the number after it. What is gone is a gap.
    pub(super) fn since(&self, seq: u64) -> (Vec<Arc<str>>, u64) {
        if self.recent.front().is_some_and(|(first, _)| *first <= seq) {
            let lines = self.recent.iter().filter(|(at, _)| *at >= seq).map(|(_, text)| Arc::clone(text));
            return (lines.collect(), self.next);
        }
        if seq >= self.next {
            return (Vec::new(), self.next);
        }
        let mut lines: Vec<Arc<str>> = Vec::new();
        let mut first = None;
        for text in texts(&self.dir) {
            let Ok(Line::Entry(entry)) = Line::parse(&text) else { continue };
            if entry.seq >= seq {
                first.get_or_insert(entry.seq);
                lines.push(text.into());
            }
        }
        let lost = first.unwrap_or(self.next).saturating_sub(seq);
        if lost > 0 {
            lines.insert(0, Line::gap(lost).into());
        }
        (lines, self.next)
    }
}

/// The events that are left in `dir`, also of a session that has ended.
pub fn read(dir: &Path) -> impl Iterator<Item = Entry> {
    texts(dir).filter_map(|text| match Line::parse(&text) {
        Ok(Line::Entry(entry)) => Some(*entry),
        // What a crash cut off.
        _ => None,
    })
}

fn texts(dir: &Path) -> impl Iterator<Item = String> + use<> {
    let files = [older(dir), newer(dir)].into_iter().filter_map(|path| File::open(path).ok());
    files.flat_map(|file| BufReader::new(file).split(b'\n').map_while(|line| String::from_utf8(line.ok()?).ok()))
}

fn newer(dir: &Path) -> PathBuf {
    dir.join("events.jsonl")
}

fn older(dir: &Path) -> PathBuf {
    dir.join("events.1.jsonl")
}

fn open(dir: &Path) -> Result<File> {
    let path = newer(dir);
    File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| Error::failure(format!("cannot write `{}`: {}", path.display(), reason(&error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(number: u64) -> AgentEvent {
        AgentEvent::Log { text: number.to_string() }
    }

    #[test]
    fn the_log_is_bounded_and_says_what_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::with_full(folder.path(), 1000).unwrap();
        for number in 0..100 {
            log.add(said(number));
        }
        let size = |path: PathBuf| path.metadata().unwrap().len();
        assert!(size(older(folder.path())) <= 1000 && size(newer(folder.path())) <= 1000);
        let left: Vec<u64> = read(folder.path()).map(|entry| entry.seq).collect();
        assert_eq!(left.last(), Some(&99));
        assert!(left.len() < 40 && left.windows(2).all(|pair| pair[1] == pair[0] + 1), "{left:?}");
        // Memory still has them all.
        assert_eq!(log.since(95).0.len(), 5);
        log.recent.clear();
        let (lines, next) = log.since(0);
        assert_eq!((Line::parse(&lines[0]).unwrap(), lines.len(), next), (Line::Gap(left[0]), left.len() + 1, 100));
        assert_eq!(log.since(100), (Vec::new(), 100));
    }

    #[test]
    fn an_event_that_is_too_long_leaves_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::create(folder.path()).unwrap();
        log.add(AgentEvent::Log { text: "x".repeat(2 * LONGEST) });
        let entry = read(folder.path()).next().unwrap();
        assert!(matches!(entry.event, AgentEvent::Log { text } if text.contains("too long to be kept")));
    }
}
