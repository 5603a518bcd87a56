//! What changes between two texts, line by line.

use similar::TextDiff;

/// The changes from `old` to `new` as a unified diff with three lines around each; empty if there are none.
pub fn diff(old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().header("now", "then").to_string()
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn only_what_changes_is_shown() {
        assert_eq!(diff("a\nb\n", "a\nb\n"), "");
        let expected = "--- now\n+++ then\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
        assert_eq!(diff("a\nb\n", "a\nc\n"), expected);
    }
}
