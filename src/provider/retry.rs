//! Asking again, in the one place where that is decided (ux 6.4): only what had no effect over there, a few times, with
//! growing pauses, and never longer than a user would wait.

use crate::error::{Effect, Error, ErrorKind, Result};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep};

/// How often it is asked again.
const AGAIN: u32 = 3;

/// The first pause; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(250);

/// The longest pause that a server may ask for, and all of them together.
const PATIENCE: Duration = Duration::from_secs(30);

/// Does `work` until it succeeds or fails for good.
///
/// Whoever calls vouches that repeating is harmless. What is busy, rate limited or out of reach is tried again unless
/// the error says that something may have happened over there.
pub async fn retrying<T, F, Fut>(mut work: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let begun = Instant::now();
    let mut pause = PAUSE;
    let mut left = AGAIN;
    loop {
        let error = match work().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let wait = error.parts().retry_after.unwrap_or_else(|| jittered(pause));
        if left == 0 || !is_passing(&error) || begun.elapsed() + wait > PATIENCE {
            return Err(error);
        }
        sleep(wait).await;
        left -= 1;
        pause *= 2;
    }
}

/// Whether the cause may go away by itself, and nothing was done.
pub fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::TryLater | ErrorKind::Unreachable) && error.parts().effect == Effect::None
}

/// Three quarters to five quarters of `pause`, so that many clients do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    pause * (75 + nanos / 1000 % 51) / 100
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    async fn tries(make: impl Fn(u32) -> Result<u32>) -> (Result<u32>, u32) {
        let count = Cell::new(0);
        let outcome = retrying(|| {
            count.set(count.get() + 1);
            let answer = make(count.get());
            async { answer }
        })
        .await;
        (outcome, count.get())
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_asked_again() {
        let (outcome, count) = tries(|n| if n < 3 { Err(Error::try_later("busy")) } else { Ok(n) }).await;
        assert_eq!((outcome.unwrap(), count), (3, 3));
        let (outcome, count) = tries(|_| Err(Error::unreachable("gone"))).await;
        assert_eq!((outcome.unwrap_err().kind(), count), (ErrorKind::Unreachable, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_final_or_unknown_is_not() {
        assert_eq!(tries(|_| Err(Error::not_found("no"))).await.1, 1);
        assert_eq!(tries(|_| Err(Error::unreachable("lost").effect(Effect::Unknown))).await.1, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_may_ask_for_a_pause_but_not_for_an_hour() {
        let begun = Instant::now();
        let patient = |n| if n == 1 { Err(Error::try_later("").retry_after(Duration::from_secs(7))) } else { Ok(n) };
        assert_eq!(tries(patient).await.0.unwrap(), 2);
        assert_eq!(begun.elapsed().as_secs(), 7);
        let (_, count) = tries(|_| Err(Error::try_later("").retry_after(Duration::from_hours(1)))).await;
        assert_eq!(count, 1);
    }
}
