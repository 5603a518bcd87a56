//! Durations as people write them: `90s`, `5m`, `1h30m`, `2d`; a bare number is seconds (ux 2.5, 4.11).

use std::time::Duration;

/// Units and their lengths in nanoseconds.
const UNITS: &[(&str, u128)] = &[
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// Reads a duration, exactly; the error says what is expected, fit for "invalid value …: {error}". Parts may have a
/// fraction (`1.5h`).
pub fn parse(text: &str) -> Result<Duration, String> {
    let expected = || "expected a duration such as `90s`, `5m` or `1h30m`".to_owned();
    let text = text.trim();
    let mut total = 0u128;
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        total = decimal(text, 1_000_000_000).ok_or_else(expected)?;
    } else {
        let mut rest = text;
        while !rest.is_empty() {
            let (number, tail) = rest.split_at(rest.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(expected)?);
            let (unit, tail) = tail.split_at(tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len()));
            let (_, length) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?;
            total = decimal(number, *length).and_then(|part| total.checked_add(part)).ok_or_else(expected)?;
            rest = tail;
        }
    }
    u64::try_from(total).map(Duration::from_nanos).map_err(|_| "too long for a duration".to_owned())
}

/// Writes a duration so that it reads back: `5s`, `1m30s`, `1.5s`.
pub fn show(duration: Duration) -> String {
    let total = duration.as_secs();
    let mut text = String::new();
    for (unit, size) in [("d", 86_400), ("h", 3600), ("m", 60)] {
        let n = if unit == "d" { total / size } else { total / size % if unit == "h" { 24 } else { 60 } };
        if n > 0 {
            text = format!("{text}{n}{unit}");
        }
    }
    let millis = duration.subsec_millis();
    match (total % 60, millis) {
        (0, 0) if !text.is_empty() => text,
        (0, 1..) if text.is_empty() => format!("{millis}ms"),
        (s, 0) => text + &format!("{s}s"),
        (s, _) => text + format!("{s}.{millis:03}").trim_end_matches('0') + "s",
    }
}

/// An unsigned decimal number times `scale`, without a detour over floating point.
pub(crate) fn decimal(text: &str, scale: u128) -> Option<u128> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn people_write_durations_in_many_ways() {
        let ms = |text| parse(text).map(|d| d.as_millis());
        for (text, millis) in [
            ("90s", 90_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("250ms", 250),
            ("0.5", 500),
            ("10", 10_000),
            ("0", 0),
        ] {
            assert_eq!(ms(text), Ok(millis), "{text}");
        }
        for text in ["", "s", "-1", "5 m", "1h30", "5y", "1..2s", "NaN", "inf", "1.s", ".5s", "1e3", "５s", "5s3"] {
            assert!(ms(text).is_err(), "{text}");
        }
        assert_eq!(parse("99999999999d"), Err("too long for a duration".into()));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(millis in 0u64..4_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&show(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9.hmsd]{0,30}") {
            let _ = parse(&text);
        }
    }
}
