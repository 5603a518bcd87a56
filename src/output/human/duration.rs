//! Durations: `90s`, `5m`, `1h30m`, `2d`.

use crate::error::{Error, Result};
use std::time::Duration;

/// Unit and length in nanoseconds, longest first.
const UNITS: [(&str, u128); 5] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
];

/// Reads a duration. A bare number is seconds; parts may have a fraction (`1.5h`).
pub fn parse_duration(text: &str) -> Result<Duration> {
    let invalid =
        || Error::usage(format!("invalid duration `{text}`")).hint("write it like `90s`, `5m`, `1h30m` or `2d`");
    if let Some(seconds) = decimal(text, 1_000_000_000) {
        return nanos(seconds).ok_or_else(invalid);
    }
    let mut rest = text;
    let mut total = 0u128;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(invalid)?;
        let (number, tail) = rest.split_at(unit_at);
        let unit_end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let (_, length) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?;
        total = decimal(number, *length).and_then(|part| total.checked_add(part)).ok_or_else(invalid)?;
        rest = tail;
    }
    if text.is_empty() { Err(invalid()) } else { nanos(total).ok_or_else(invalid) }
}

fn nanos(total: u128) -> Option<Duration> {
    u64::try_from(total).ok().map(Duration::from_nanos)
}

/// An unsigned decimal number times `scale`, without a detour over floating point.
pub(super) fn decimal(text: &str, scale: u128) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() > 20 || fraction.len() > 12 {
        return None;
    }
    let power = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    let whole: u128 = whole.parse().ok()?;
    let fraction: u128 = fraction.parse().ok()?;
    whole.checked_mul(scale)?.checked_add(fraction.checked_mul(scale)? / power)
}

/// Writes a duration exactly to the millisecond, in the form that [`parse_duration`] reads: `1h30m`, `4s`, `250ms`.
pub fn duration(duration: Duration) -> String {
    let mut left = duration.as_nanos();
    let mut text = String::new();
    for (unit, length) in UNITS {
        if left >= length {
            text.extend([(left / length).to_string().as_str(), unit]);
            left %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_in_every_form() {
        let millis = |text: &str| parse_duration(text).unwrap().as_millis();
        assert_eq!(
            ["90s", "5m", "1h30m", "2d", "0", "30", "1.5h", "250ms", "0.5"].map(millis),
            [90_000, 300_000, 5_400_000, 172_800_000, 0, 30_000, 5_400_000, 250, 500]
        );
        for bad in ["", "s", "5x", "-5s", "1h 30m", "5s3", "1.s", ".5s", "99999999999d", "1e3", "５s"] {
            let error = parse_duration(bad).unwrap_err();
            assert_eq!(error.kind(), crate::error::ErrorKind::Usage, "{bad}");
            assert_eq!(error.to_string(), format!("invalid duration `{bad}`"));
        }
    }

    #[test]
    fn durations_are_written_short() {
        let write = |ms| duration(Duration::from_millis(ms));
        assert_eq!([0, 250, 4_000, 5_400_000, 90_061_001].map(write), ["0s", "250ms", "4s", "1h30m", "1d1h1m1s1ms"]);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(ms in 0u64..10_000_000_000_000) {
            let exact = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&duration(exact)).unwrap(), exact);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9.hmsd]{0,30}") {
            let _ = parse_duration(&text);
        }
    }
}
