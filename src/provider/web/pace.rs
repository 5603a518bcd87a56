//! How fast requests go out: the server drops connections where they come in bursts (section 1.7), and says nothing.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Requests under way at once; also what official clients use for the parts of a file.
const AT_ONCE: usize = 4;
/// Requests that may go out without a pause between them.
const BURST: u32 = 40;
/// The time between two requests after that.
const SPACING: Duration = Duration::from_millis(25);

/// Bounds requests in number and rate.
pub(super) struct Pace {
    lanes: Semaphore,
    /// When the next request would be due if requests came evenly.
    due: Mutex<Option<Instant>>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { lanes: Semaphore::new(AT_ONCE), due: Mutex::new(None) }
    }
}

impl Pace {
    /// Waits until a request may go out. It counts as under way until what is returned is dropped.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there is always a permit in the end.
        let permit = self.lanes.acquire().await.ok();
        let pause = self.book(Instant::now());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        permit
    }

    /// Takes the next slot, and says how long to wait for it.
    fn book(&self, now: Instant) -> Duration {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = due.map_or(now, |due| due.max(now));
        *due = Some(slot + SPACING);
        slot.saturating_duration_since(now).saturating_sub(SPACING * BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_evenly() {
        let pace = Pace::default();
        let begun = Instant::now();
        for _ in 0..=BURST {
            drop(pace.turn().await);
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(pace.turn().await);
        drop(pace.turn().await);
        assert_eq!(begun.elapsed(), SPACING * 2);
        tokio::time::sleep(SPACING * BURST * 2).await;
        let rested = Instant::now();
        for _ in 0..=BURST {
            drop(pace.turn().await);
        }
        assert_eq!(rested.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn few_are_under_way_at_once() {
        let pace = Pace::default();
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(pace.turn().await);
        }
        assert!(tokio::time::timeout(Duration::from_secs(1), pace.turn()).await.is_err());
        held.pop();
        assert!(tokio::time::timeout(Duration::from_secs(1), pace.turn()).await.is_ok());
    }
}
