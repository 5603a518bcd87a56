//! Waiting for a condition: until it is met, or can no longer be, or the time is up (ux 6.2).

use crate::config::duration;
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Opt, Value};
use std::time::Duration;
use tokio::time::Instant;

/// How long is waited unless `--timeout` says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Between two looks, at first and at most (ux 6.4).
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// What a look showed.
pub(super) enum Look {
    /// The condition is met.
    Met,
    /// Not yet; this is how it is.
    NotYet(String),
    /// It can no longer be met, and why.
    Never(String),
}

/// Looks again and again, ever less often. A server that goes away meanwhile may come back in time.
pub(super) async fn until<F, Fut>(ctx: &Ctx, place: &str, what: &str, look: F) -> Result<()>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Look>>,
{
    let limit = match ctx.settings.value(Opt::Timeout) {
        Value::Unset => Some(DEFAULT_TIMEOUT),
        _ => ctx.settings.duration(Opt::Timeout),
    };
    let deadline = limit.map(|limit| Instant::now() + limit);
    let progress = ctx.out.progress(what);
    let mut pause = PAUSE.0;
    let mut last: Option<String> = None;
    loop {
        let looked = match deadline {
            // A server that does not answer must not hold up the end.
            Some(deadline) => tokio::time::timeout_at(deadline, look()).await.ok(),
            None => Some(look().await),
        };
        let Some(looked) = looked else { return Err(gave_up(what, limit, last)) };
        match looked {
            Ok(Look::Met) => {
                progress.finish();
                return Ok(());
            }
            Ok(Look::NotYet(state)) => last = Some(state),
            Ok(Look::Never(why)) => {
                return Err(Error::conflict(format!("`{what}` can no longer be met on `{place}`: {why}")));
            }
            Err(error) if error.kind() == ErrorKind::Unreachable && last.is_some() => {
                last = Some(error.to_string());
            }
            Err(error) => return Err(error),
        }
        progress.tick();
        // Jitter keeps many waiters of one server apart; the clock's nanoseconds are random enough for that.
        let jitter =
            pause.mul_f64(f64::from(crate::model::Time::now().subsec_nanosecond().unsigned_abs() % 100) / 1000.0);
        let next = Instant::now() + pause + jitter;
        if deadline.is_some_and(|deadline| next > deadline) {
            if let Some(deadline) = deadline {
                tokio::time::sleep_until(deadline).await;
            }
            return Err(gave_up(what, limit, last));
        }
        tokio::time::sleep_until(next).await;
        pause = (pause * 3 / 2).min(PAUSE.1);
    }
}

fn gave_up(what: &str, limit: Option<Duration>, last: Option<String>) -> Error {
    let limit = duration::show(limit.unwrap_or_default());
    let state = last.unwrap_or_else(|| "no answer came".to_owned());
    Error::timeout(format!("`{what}` gave up after {limit}: {state}"))
}
