//! Sizes as people write them: `512`, `4K`, `4KiB`, `4MB` (ux 4.11).

use super::duration::decimal;

/// The prefixes of units, each 1024 or 1000 times the one before.
pub const PREFIXES: &str = "KMGTPE";

/// Reads a number of bytes, exactly: `K` and `KiB` are 1024, `KB` is 1000; likewise M, G, T, P, E, in either case.
pub fn parse(text: &str) -> Option<u64> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic() || c == ' ').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    factor(unit.strip_prefix(' ').unwrap_or(unit))
        .filter(|factor| *factor > 1 || !number.contains('.'))
        .and_then(|factor| decimal(number, factor))
        .and_then(|bytes| u64::try_from(bytes).ok())
}

fn factor(unit: &str) -> Option<u128> {
    let unit = unit.to_ascii_uppercase();
    let Some(power) = unit.chars().next().and_then(|prefix| PREFIXES.find(prefix)) else {
        return matches!(unit.as_str(), "" | "B").then_some(1);
    };
    let power = u32::try_from(power).ok()? + 1;
    match &unit[1..] {
        "" | "IB" => Some(1024u128.pow(power)),
        "B" => Some(1000u128.pow(power)),
        _ => None,
    }
}
