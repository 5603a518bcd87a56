//! The rate limits: so many requests of a kind in a window (section 2.2).

use super::errors::{Answer, Refusal};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Api,
    Auth,
    Create,
    Socket,
}

impl Kind {
    const fn limit(self) -> u32 {
        match self {
            Self::Api => 500,
            Self::Auth => 60,
            Self::Create => 120,
            Self::Socket => 100,
        }
    }
}

/// The windows that are open. All clients are on this machine: there is one of each kind.
#[derive(Default)]
pub(super) struct Limits(Mutex<HashMap<Kind, (Instant, u32)>>);

impl Limits {
    /// Counts a request; returns the limit and what is left of it.
    pub(super) fn count(&self, kind: Kind, window: Duration) -> Answer<(u32, u32)> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = windows.entry(kind).or_insert_with(|| (Instant::now(), 0));
        if entry.0.elapsed() >= window {
            *entry = (Instant::now(), 0);
        }
        entry.1 += 1;
        if entry.1 > kind.limit() {
            return Err(exceeded(window));
        }
        Ok((kind.limit(), kind.limit() - entry.1))
    }
}

/// 429 with a header that HTTP does not know: a duration as Go writes it.
pub(super) fn exceeded(window: Duration) -> Refusal {
    let seconds = window.as_secs();
    Refusal::body(429, &json!({ "error": "rate limit exceeded", "retry_after": seconds }))
        .header("retry-after", go(window))
        .header("x-ratelimit-remaining", 0)
}

/// A duration in the words of Go, whole seconds: `1m0s`.
fn go(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds >= 3600 => format!("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60),
        seconds if seconds >= 60 => format!("{}m{}s", seconds / 60, seconds % 60),
        seconds => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_used_up_and_opens_again() {
        let limits = Limits::default();
        let day = Duration::from_hours(24);
        for left in (0..60).rev() {
            assert_eq!(limits.count(Kind::Auth, day).ok(), Some((60, left)));
        }
        let refusal = limits.count(Kind::Auth, day).err().unwrap();
        assert_eq!(refusal.0.status, 429);
        assert!(limits.count(Kind::Auth, Duration::ZERO).is_ok());
        assert_eq!([go(Duration::from_mins(1)), go(Duration::from_secs(7))], ["1m0s", "7s"]);
    }
}
