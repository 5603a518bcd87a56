//! How long things take, how durations are written, and how points in time are.

use jiff::Timestamp;
use std::time::Duration;

/// The times that production fixes and tests shorten.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// How long a socket stays open after the exit was sent (section 3.5).
    pub(super) linger: Duration,
    /// How long after the last activity a sprite is frozen.
    pub(super) freeze_after: Duration,
    /// How long a frozen sprite keeps its memory; `None` is for ever.
    pub(super) cold_after: Option<Duration>,
    /// How long a client may not read before it is dropped (section 3.8).
    pub(super) stall: Duration,
    /// How long a process without a terminal outlives its last client.
    pub(super) survive: Duration,
    /// How often the state stream says that it is alive.
    pub(super) heartbeat: Duration,
    /// How often ports and watched files are looked at.
    pub(super) poll: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            linger: Duration::from_secs(5),
            freeze_after: Duration::from_secs(30),
            cold_after: None,
            stall: Duration::from_secs(30),
            survive: Duration::from_secs(10),
            heartbeat: Duration::from_secs(15),
            poll: Duration::from_millis(250),
        }
    }
}

/// Reads a duration as Go's `time.ParseDuration` does: `1m30s`, `2.5s`, `500ms`, `0`. A bare number has no unit and is
/// refused.
pub(super) fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number
            * match &rest[..end] {
                "ns" => 1e-9,
                "us" | "µs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = &rest[end..];
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(total).ok()).flatten()
}

/// Now, as the API's edge writes it.
pub(super) fn edge(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// Now, as a sprite's own server writes it.
pub(super) fn inside(time: Timestamp) -> String {
    format!("{time:.9}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        let good = [("500ms", 0.5), ("2.5s", 2.5), ("1m30s", 90.0), ("0s", 0.0), ("0", 0.0), ("1h", 3600.0)];
        for (text, seconds) in good {
            assert_eq!(duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for bad in ["", "5", "s", "5x", "1m5", "-1s", "1..2s"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_have_the_digits_of_their_server() {
        let time = Timestamp::new(1_767_609_000, 123_456_789).unwrap();
        assert_eq!(edge(time), "2026-01-05T10:30:00.123456Z");
        assert_eq!(inside(time), "2026-01-05T10:30:00.123456789Z");
    }
}
