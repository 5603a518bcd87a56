//! The display of bytes on their way.

use crate::output::{Output, Progress};
use crate::transfer::Observer;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shows how many bytes have moved.
pub(super) struct Meter {
    out: Output,
    progress: Progress,
    found: AtomicU64,
    moved: AtomicU64,
}

impl Meter {
    /// A display with this label.
    pub(super) fn new(label: &str, out: &Output) -> Self {
        let progress = out.progress_in_bytes(label);
        Self { out: out.clone(), progress, found: AtomicU64::new(0), moved: AtomicU64::new(0) }
    }

    fn tell(&self) {
        let moved = self.moved.load(Ordering::Relaxed);
        // Files of unknown size are counted when they come.
        let total = self.found.load(Ordering::Relaxed).max(moved);
        self.progress.set(Some(moved), (total > 0).then_some(total));
    }
}

impl Observer for Meter {
    fn found(&self, bytes: u64) {
        self.found.fetch_add(bytes, Ordering::Relaxed);
        self.tell();
    }

    fn moved(&self, bytes: u64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        self.tell();
    }

    fn skipped(&self, what: &str, why: &str) {
        self.out.warn(&format!("skipped `{what}`: {why}"));
    }
}
