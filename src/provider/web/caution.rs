//! Care with a touchy server: it locks an account for everybody who uses it after a few failed sign-ins, and drops
//! connections that come in bursts (vergeos reference, sections 1.2 and 1.7).

use super::pace::Pace;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::{Mutex, MutexGuard, SemaphorePermit};

/// What is known of the credential.
const UNTRIED: u8 = 0;
const GOOD: u8 = 1;
const REFUSED: u8 = 2;

/// Lets requests out one by one until the credential is known to be good, then at a pace; after a 401 none.
#[derive(Default)]
pub(super) struct Caution {
    standing: AtomicU8,
    first: Mutex<()>,
    pace: Pace,
}

/// The leave to send a request, which counts as under way until this is dropped.
pub(super) struct Leave<'a> {
    caution: &'a Caution,
    _lane: Option<SemaphorePermit<'a>>,
    _alone: Option<MutexGuard<'a, ()>>,
}

impl Caution {
    /// Waits until a request may go out; `None` if the credential was refused before.
    pub(super) async fn leave(&self) -> Option<Leave<'_>> {
        let lane = self.pace.turn().await;
        // Alone until the credential is known to be good: several that fail at once would lock the account.
        let alone = match self.standing.load(Ordering::Acquire) {
            GOOD => None,
            _ => Some(self.first.lock().await),
        };
        let is_refused = self.standing.load(Ordering::Acquire) == REFUSED;
        (!is_refused).then_some(Leave { caution: self, _lane: lane, _alone: alone })
    }
}

impl Leave<'_> {
    /// Notes how the request was answered.
    pub(super) fn answered(&self, status: u16) {
        self.caution.standing.store(if status == 401 { REFUSED } else { GOOD }, Ordering::Release);
    }
}

const _: () = assert!(UNTRIED == 0, "what a new atomic holds");
