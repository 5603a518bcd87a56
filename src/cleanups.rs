//! What must be undone if the command ends early: temporary files over there, machines made for one run.
//!
//! With `panic = "abort"` and signals, dropping is no clean-up. Whoever makes something that must not stay arms an
//! undo here and disarms it when it is no longer needed; `main` runs what is still armed, within a bound.

use crate::error::Result;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

type Undo = (String, BoxFuture<'static, Result<()>>);

/// The undos that are armed. Cheap to clone: all clones share them.
#[derive(Clone, Default)]
pub struct Cleanups(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    next: u64,
    armed: BTreeMap<u64, Undo>,
}

/// An undo that is armed. Dropping it changes nothing: only [`Armed::disarm`] takes it back.
#[must_use = "an undo stays armed until it is disarmed"]
pub struct Armed {
    cleanups: Cleanups,
    key: u64,
}

impl Cleanups {
    /// Arms `undo`; `what` names that which would be left, for the message if the undo fails.
    pub fn add(&self, what: String, undo: BoxFuture<'static, Result<()>>) -> Armed {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = table.next;
        table.next += 1;
        table.armed.insert(key, (what, undo));
        Armed { cleanups: self.clone(), key }
    }

    /// Runs what is armed, newest first, within `bound` in all; returns what could not be undone.
    pub async fn run(&self, bound: Duration) -> Vec<String> {
        let deadline = tokio::time::Instant::now() + bound;
        let mut left = Vec::new();
        loop {
            let newest = self.0.lock().unwrap_or_else(PoisonError::into_inner).armed.pop_last();
            let Some((_, (what, undo))) = newest else { return left };
            if !matches!(tokio::time::timeout_at(deadline, undo).await, Ok(Ok(()))) {
                left.push(what);
            }
        }
    }

    /// Whether nothing is armed.
    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).armed.is_empty()
    }
}

impl Armed {
    /// Takes the undo back: what it guarded is done, or is meant to stay.
    pub fn disarm(self) {
        let mut table = self.cleanups.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.armed.remove(&self.key);
    }
}

impl fmt::Debug for Cleanups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cleanups")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[tokio::test]
    async fn only_what_is_still_armed_runs_newest_first() {
        let cleanups = Cleanups::default();
        let order = Arc::new(Mutex::new(Vec::new()));
        let undo = |n: u8, ok: bool| {
            let order = Arc::clone(&order);
            Box::pin(async move {
                order.lock().unwrap().push(n);
                if ok { Ok(()) } else { Err(Error::failure("no")) }
            })
        };
        let _kept = cleanups.add("one".into(), undo(1, true));
        let done = cleanups.add("two".into(), undo(2, true));
        let _broken = cleanups.add("three".into(), undo(3, false));
        done.disarm();
        assert_eq!(cleanups.run(Duration::from_secs(1)).await, ["three"]);
        assert_eq!(*order.lock().unwrap(), [3, 1]);
        assert!(cleanups.is_empty());
    }
}
