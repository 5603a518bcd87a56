//! Durations as people write them: `90s`, `5m`, `1h30m`, `2d`; a bare number is seconds (ux 2.5, 4.11).

use std::time::Duration;

const UNITS: &[(&str, f64)] =
    &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0), ("w", 604_800.0)];

/// Reads a duration; the error says what is expected, fit for "invalid value …: {error}".
pub fn parse(text: &str) -> Result<Duration, String> {
    let expected = || "expected a duration such as `90s`, `5m` or `1h30m`".to_owned();
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(expected());
    }
    let mut seconds = 0.0;
    let mut first = true;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| expected())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match (&rest[..letters], first) {
            ("", true) => 1.0,
            (unit, _) => UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?.1,
        };
        seconds += number * unit;
        rest = &rest[letters..];
        first = false;
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| "too long for a duration".to_owned())
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
        for text in ["", "s", "-1", "5 m", "1h30", "5y", "1..2s", "NaN", "inf"] {
            assert!(ms(text).is_err(), "{text}");
        }
        assert_eq!(parse("99999999999999999999999d"), Err("too long for a duration".into()));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(millis in 0u64..4_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&show(duration)), Ok(duration));
        }
    }
}
