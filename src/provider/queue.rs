//! What a program sends while nobody takes it: some in memory, then the sender waits, then a file.
//!
//! Some servers drop a client that does not read for a while, and whoever reads our output may take its time. So a
//! reader task fills such a queue. While the other end moves, a full queue slows the server down; once it stands still
//! for longer than a server would bear, the rest goes to a file that has no name.

use crate::error::{Error, Result};
use crate::provider::exec::Event;
use crate::scratch;
use bytes::Bytes;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// What is read back of the file at once, in bytes.
const PIECE: usize = 64 * 1024;

/// The bounds of a queue.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of output in memory.
    pub memory: usize,
    /// How long the taker may stand still before the file is used.
    pub patience: Duration,
    /// Bytes in the file; beyond them the server waits, whatever it makes of that.
    pub file: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { memory: 4 << 20, patience: Duration::from_secs(5), file: 8 << 30 }
    }
}

/// A queue of events.
pub fn queue(bounds: Bounds) -> (Filler, Taker) {
    let shared = Arc::new(Shared { bounds, ..Shared::default() });
    (Filler(shared.clone()), Taker(shared))
}

/// Where events are put.
pub struct Filler(Arc<Shared>);

/// Where events are taken.
pub struct Taker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    bounds: Bounds,
    state: Mutex<State>,
    filled: Notify,
    taken: Notify,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// Bytes of output in memory.
    held: usize,
    file: Option<File>,
    /// Where the file is written next; the file begins anew once all of it was taken.
    end: u64,
    /// Items that are in the file.
    filed: usize,
    ended: bool,
}

enum Item {
    Here(Result<Event>),
    Filed { is_stderr: bool, offset: u64, len: u64 },
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Filler {
    /// Puts an event in. Waits while the queue is full and somebody takes from it.
    pub async fn push(&self, event: Result<Event>) {
        let event = match event {
            Ok(Event::Stdout(bytes)) => return self.output(false, bytes).await,
            Ok(Event::Stderr(bytes)) => return self.output(true, bytes).await,
            event => event,
        };
        self.0.lock().items.push_back(Item::Here(event));
        self.0.filled.notify_one();
    }

    async fn output(&self, is_stderr: bool, bytes: Bytes) {
        loop {
            let taken = self.0.taken.notified();
            if self.keep(is_stderr, &bytes) {
                break;
            }
            let bounds = self.0.bounds;
            if timeout(bounds.patience, taken).await.is_ok() {
                continue;
            }
            if self.0.lock().end > bounds.file {
                self.0.taken.notified().await;
                continue;
            }
            let written = self.0.lock().write(is_stderr, &bytes);
            if let Err(error) = written {
                let error = Error::failure("cannot keep output that nobody takes in a temporary file").source(error);
                self.0.lock().items.push_back(Item::Here(Err(error)));
            }
            break;
        }
        self.0.filled.notify_one();
    }

    /// Keeps output in memory if there is room, or in the file if that is used already.
    fn keep(&self, is_stderr: bool, bytes: &Bytes) -> bool {
        let mut state = self.0.lock();
        if state.held == 0 || state.held + bytes.len() <= self.0.bounds.memory {
            state.held += bytes.len();
            let event = if is_stderr { Event::Stderr(bytes.clone()) } else { Event::Stdout(bytes.clone()) };
            state.items.push_back(Item::Here(Ok(event)));
            return true;
        }
        state.filed > 0 && state.end <= self.0.bounds.file && state.write(is_stderr, bytes).is_ok()
    }

    /// Whether some of it had to go to the file.
    pub fn is_filed(&self) -> bool {
        self.0.lock().filed > 0
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.filled.notify_one();
    }
}

impl Taker {
    /// The next event; `None` once the filler is gone and everything was taken. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Event>> {
        loop {
            let filled = self.0.filled.notified();
            {
                let mut state = self.0.lock();
                if let Some(event) = state.take() {
                    drop(state);
                    self.0.taken.notify_one();
                    return Some(event);
                }
                if state.ended {
                    return None;
                }
            }
            filled.await;
        }
    }
}

impl State {
    fn write(&mut self, is_stderr: bool, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(scratch::file()?),
        };
        file.write_all_at(bytes, self.end)?;
        let added = bytes.len() as u64;
        match self.items.back_mut() {
            Some(Item::Filed { is_stderr: same, len, .. }) if *same == is_stderr => *len += added,
            _ => {
                self.items.push_back(Item::Filed { is_stderr, offset: self.end, len: added });
                self.filed += 1;
            }
        }
        self.end += added;
        Ok(())
    }

    fn take(&mut self) -> Option<Result<Event>> {
        match self.items.pop_front()? {
            Item::Here(event) => {
                if let Ok(Event::Stdout(bytes) | Event::Stderr(bytes)) = &event {
                    self.held -= bytes.len();
                }
                Some(event)
            }
            Item::Filed { is_stderr, offset, len } => Some(self.read_back(is_stderr, offset, len)),
        }
    }

    fn read_back(&mut self, is_stderr: bool, offset: u64, len: u64) -> Result<Event> {
        let piece = usize::try_from(len).unwrap_or(PIECE).min(PIECE);
        let mut buffer = vec![0; piece];
        let file = self.file.as_ref().ok_or_else(|| Error::internal("a queue without its file"))?;
        file.read_exact_at(&mut buffer, offset).map_err(|error| {
            Error::failure("cannot read back output that was kept in a temporary file").source(error)
        })?;
        let taken = piece as u64;
        if taken < len {
            self.items.push_front(Item::Filed { is_stderr, offset: offset + taken, len: len - taken });
        } else {
            self.filed -= 1;
            if self.filed == 0 {
                (self.file, self.end) = (None, 0);
            }
        }
        let bytes = Bytes::from(buffer);
        Ok(if is_stderr { Event::Stderr(bytes) } else { Event::Stdout(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::exec::Exit;
    use futures_util::FutureExt;

    fn small() -> (Filler, Taker) {
        queue(Bounds { memory: 10, patience: Duration::from_secs(5), file: 100 })
    }

    fn stdout(text: &str) -> Result<Event> {
        Ok(Event::Stdout(Bytes::copy_from_slice(text.as_bytes())))
    }

    /// What is there now, as text: stderr in brackets.
    fn rest(taker: &mut Taker) -> String {
        let mut text = String::new();
        while let Some(Some(event)) = taker.next().now_or_never() {
            match event.unwrap() {
                Event::Stdout(bytes) => text += std::str::from_utf8(&bytes).unwrap(),
                Event::Stderr(bytes) => text += &format!("[{}]", std::str::from_utf8(&bytes).unwrap()),
                Event::Exit(exit) => text += &format!("{exit:?}"),
                Event::Note(note) => text += &format!("{note:?}"),
            }
        }
        text
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_waits_for_a_taker_that_moves() {
        let (filler, mut taker) = small();
        filler.push(stdout("0123456789")).await;
        let mut more = Box::pin(filler.push(stdout("a")));
        assert!(more.as_mut().now_or_never().is_none());
        assert_eq!(rest(&mut taker), "0123456789");
        more.await;
        assert!(!filler.is_filed());
        assert_eq!(rest(&mut taker), "a");
    }

    #[tokio::test(start_paused = true)]
    async fn for_a_taker_that_stands_still_a_file_is_filled_and_the_order_stays() {
        let (filler, mut taker) = small();
        for text in ["01234567", "89ab", "cd"] {
            filler.push(stdout(text)).await;
        }
        filler.push(Ok(Event::Stderr(Bytes::from("oops")))).await;
        filler.push(Ok(Event::Exit(Exit::Code(3)))).await;
        assert!(filler.is_filed());
        drop(filler);
        assert_eq!(rest(&mut taker), "0123456789abcd[oops]Code(3)");
        assert!(taker.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_file_is_forgotten_once_it_was_taken_and_is_bounded() {
        let (filler, mut taker) = small();
        for round in 0..3 {
            filler.push(stdout("0123456789")).await;
            filler.push(stdout(&"x".repeat(101))).await;
            let mut more = Box::pin(filler.push(stdout("y")));
            assert!(tokio::time::timeout(Duration::from_hours(1), more.as_mut()).await.is_err(), "{round}");
            assert_eq!(rest(&mut taker), format!("0123456789{}", "x".repeat(101)));
            more.await;
            assert!(!filler.is_filed());
            assert_eq!(rest(&mut taker), "y");
        }
    }

    #[tokio::test]
    async fn one_chunk_over_the_bound_passes_alone() {
        let (filler, mut taker) = small();
        filler.push(stdout(&"z".repeat(50))).await;
        assert_eq!(rest(&mut taker).len(), 50);
    }
}
