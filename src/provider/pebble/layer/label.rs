//! The names of layers and of their files.

use super::report::Report;
use crate::error::{Error, Result};

/// Checks a label before a layer is added under it: the API refuses next to nothing.
///
/// # Errors
/// `Rejected` for what it does refuse: an empty label, and the daemon's own prefix.
pub fn check_label(label: &str) -> Result<()> {
    if label.is_empty() {
        return Err(Error::rejected("cannot add a layer without a label"));
    }
    if label.starts_with("pebble-") {
        return Err(Error::rejected(format!("cannot use label `{label}`: the prefix `pebble-` is reserved")));
    }
    Ok(())
}

/// Whether `file` could stand in a daemon's directory of layers; looked at only if it means to.
///
/// A warning, since the text may as well be added under another label.
pub(super) fn check_file_name(file: &str, report: &mut Report) {
    let name = file.rsplit('/').next().unwrap_or(file);
    let Some((order, rest)) = name.split_once('-') else { return };
    let Some(label) = rest.strip_suffix(".yaml") else { return };
    if order.is_empty() || !order.bytes().all(|c| c.is_ascii_digit()) {
        return;
    }
    if order.len() != 3 || !is_label(label) {
        report.warning(
            &[],
            format!("no daemon starts with a file `{name}` among its layers: names are like `001-some-label.yaml`"),
        );
    } else if label.starts_with("pebble-") {
        report.warning(&[], format!("no daemon starts with a file `{name}` among its layers: `pebble-` is reserved"));
    }
}

/// Lower-case letters and digits, at least three characters, first a letter, single dashes only between others.
fn is_label(label: &str) -> bool {
    let allowed = |part: &str| part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    // The daemon's pattern counts letters and digits, not dashes.
    label.bytes().filter(|c| *c != b'-').count() >= 3
        && label.starts_with(|c: char| c.is_ascii_lowercase())
        && label.split('-').all(|part| !part.is_empty() && allowed(part))
}

#[cfg(test)]
mod tests {
    use super::{check_label, is_label};

    #[test]
    fn labels_of_files_are_stricter_than_those_of_the_api() {
        for label in ["base", "abc", "a-b-c", "a1b", "web-2"] {
            assert!(is_label(label), "{label}");
        }
        for label in ["", "ab", "a-b", "1ab", "a--bc", "abc-", "Abc", "a_bc", "-abc"] {
            assert!(!is_label(label), "{label}");
        }
        assert!(check_label("Any/thing at all").is_ok());
        assert!(check_label("").is_err());
        assert!(check_label("pebble-x").is_err());
    }
}
