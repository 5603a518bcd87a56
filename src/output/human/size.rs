//! Sizes: read as `512`, `4K`, `4KiB`, `4MB`; written in IEC units.

use crate::config::size;
use crate::config::size::PREFIXES;
use crate::error::{Error, Result};

/// Reads a number of bytes: `K` and `KiB` are 1024, `KB` is 1000; likewise M, G, T, P, E, in either case.
pub fn parse_size(text: &str) -> Result<u64> {
    size::parse(text).ok_or_else(|| {
        Error::usage(format!("invalid size `{text}`")).hint("write it like `512`, `4K`, `4KiB` or `4MB`")
    })
}

/// Writes a number of bytes: `512 B`, `1.5 GiB`.
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = None;
    for prefix in PREFIXES.chars() {
        // What would round to 1024.0 is 1.0 of the next unit.
        if value < if unit.is_none() { 1024.0 } else { 1023.95 } {
            break;
        }
        value /= 1024.0;
        unit = Some(prefix);
    }
    match unit {
        None => format!("{bytes} B"),
        Some(prefix) => format!("{value:.1} {prefix}iB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_in_every_form() {
        let read = |text: &str| parse_size(text).unwrap();
        assert_eq!(
            ["512", "512B", "4K", "4KiB", "4kb", "4MB", "1.5G", "2 MiB", "0"].map(read),
            [512, 512, 4096, 4096, 4000, 4_000_000, 1_610_612_736, 2_097_152, 0]
        );
        for bad in ["", "K", "4X", "-1", "4KiBB", "1.5", "1.5B", "16E", "4  K", "4Ki"] {
            assert_eq!(parse_size(bad).unwrap_err().to_string(), format!("invalid size `{bad}`"));
        }
    }

    #[test]
    fn sizes_are_written_in_iec_units() {
        assert_eq!(
            [0, 1023, 1024, 1536, 1_048_575, 1_610_612_736, u64::MAX].map(size),
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1.5 GiB", "16.0 EiB"]
        );
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_within_its_rounding(bytes in 0u64..1 << 62) {
            let back = parse_size(&size(bytes)).unwrap();
            prop_assert!(back.abs_diff(bytes) as f64 <= bytes as f64 * 0.051, "{} {}", bytes, back);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9.KMGiB ]{0,30}") {
            let _ = parse_size(&text);
        }
    }
}
