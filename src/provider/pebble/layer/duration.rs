//! Durations as Go writes them: `300ms`, `1.5s`, `1h2m`, `0`. A bare number other than zero is not one.

/// The units, largest first, in nanoseconds. Both code points of the micro sign are in use.
const UNITS: [(&str, u64); 8] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ns", 1),
];

/// The nanoseconds of `text`, or `None` if that is no duration or longer than 292 years.
pub fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (whole, fraction) = rest[..number].split_once('.').unwrap_or((&rest[..number], ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        rest = &rest[number..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = UNITS.iter().find(|(name, _)| *name == &rest[..end])?.1;
        rest = &rest[end..];
        let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()?.checked_mul(unit)? };
        total = total.checked_add(whole)?.checked_add(part_of(fraction, unit))?;
        if total > 1 << 63 {
            return None;
        }
    }
    if negative { 0_i64.checked_sub_unsigned(total) } else { i64::try_from(total).ok() }
}

/// The decimal fraction `digits` of `unit`; digits beyond what can count are dropped.
fn part_of(digits: &str, unit: u64) -> u64 {
    let digits = &digits[..digits.len().min(18)];
    let numerator = digits.parse::<u128>().unwrap_or(0);
    let part = numerator * u128::from(unit) / 10_u128.pow(u32::try_from(digits.len()).expect("at most 18"));
    u64::try_from(part).expect("less than the unit")
}

/// The duration in the server's spelling: `1h2m0s`, `1.5s`, `300ms`, `0s`.
pub fn format(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let total = nanoseconds.unsigned_abs();
    let small = |unit: u64, name: &str| format!("{sign}{}{name}", decimal(total, unit));
    match total {
        0 => "0s".to_owned(),
        1..1_000 => small(1, "ns"),
        1_000..1_000_000 => small(1_000, "\u{b5}s"),
        1_000_000..1_000_000_000 => small(1_000_000, "ms"),
        _ => {
            let minutes = total / 60_000_000_000;
            let seconds = decimal(total % 60_000_000_000, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// `value / unit` with all its digits and no trailing zeros; `unit` is a power of ten.
fn decimal(value: u64, unit: u64) -> String {
    let (whole, fraction) = (value / unit, value % unit);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    format!("{whole}.{}", format!("{fraction:0width$}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::{format, parse};
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("300ms", Some(300_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("1h2m", Some(3_720_000_000_000)),
            (".5s", Some(500_000_000)),
            ("1.s", Some(1_000_000_000)),
            ("-1s", Some(-1_000_000_000)),
            ("1\u{b5}s", Some(1_000)),
            ("0.0000000001s", Some(0)),
            ("2562047h47m16.854775807s", Some(i64::MAX)),
            ("2562047h47m16.854775808s", None),
            ("-2562047h47m16.854775808s", Some(i64::MIN)),
            ("5", None),
            ("", None),
            ("-", None),
            (".s", None),
            ("1.2.3s", None),
            ("1 s", None),
            ("1d", None),
            ("s", None),
            ("1sm", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (text, written) in [
            ("0", "0s"),
            ("1500ms", "1.5s"),
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("1500us", "1.5ms"),
            ("1.1us", "1.1\u{b5}s"),
            ("-90m", "-1h30m0s"),
            ("5ns", "5ns"),
        ] {
            assert_eq!(format(parse(text).expect(text)), written);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nanoseconds: i64) {
            prop_assert_eq!(parse(&format(nanoseconds)), Some(nanoseconds));
        }

        #[test]
        fn no_text_is_too_odd(text in "[-+]?[0-9.hmsnu\u{b5} ]{0,40}") {
            let _ = parse(&text);
        }
    }
}
