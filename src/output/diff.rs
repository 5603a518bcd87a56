//! What changes between two texts, line by line.

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{DiffTag, group_diff_ops};
use std::fmt::Write as _;

/// How many unchanged lines are shown around a change.
const CONTEXT: usize = 3;

/// The changes from `old` to `new` as a unified diff; empty if there are none.
///
/// One algorithm is named here: `TextDiff` can choose any of six at run time, and each of them would be in the binary.
pub fn diff(old: &str, new: &str) -> String {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let mut hook = Compact::new(Replace::new(Capture::new()), &*old, &*new);
    let Ok(()) = myers::diff_deadline_raw(&mut hook, &*old, 0..old.len(), &*new, 0..new.len(), None);
    let mut text = String::new();
    for hunk in group_diff_ops(hook.into_inner().into_inner().into_ops(), CONTEXT) {
        if text.is_empty() {
            text.push_str("--- now\n+++ then\n");
        }
        let _ = writeln!(text, "{}", UnifiedHunkHeader::new(&hunk));
        for op in hunk {
            let (tag, from, to) = op.as_tag_tuple();
            if tag == DiffTag::Equal {
                push(&mut text, ' ', &old[from]);
            } else {
                push(&mut text, '-', &old[from]);
                push(&mut text, '+', &new[to]);
            }
        }
    }
    text
}

fn push(text: &mut String, mark: char, lines: &[&str]) {
    for line in lines {
        text.push(mark);
        text.push_str(line);
        if !line.ends_with('\n') {
            text.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn only_what_changes_is_shown() {
        assert_eq!(diff("a\nb\n", "a\nb\n"), "");
        let expected = "--- now\n+++ then\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
        assert_eq!(diff("a\nb\n", "a\nc\n"), expected);
        let expected = "--- now\n+++ then\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n";
        assert_eq!(diff("", "a\nb"), expected);
    }

    #[test]
    fn changes_that_are_far_apart_are_hunks_of_their_own() {
        let lines = |changed: &[usize]| -> String {
            (1..=20).map(|i| if changed.contains(&i) { format!("new {i}\n") } else { format!("{i}\n") }).collect()
        };
        let shown = diff(&lines(&[]), &lines(&[2, 18]));
        let heads: Vec<&str> = shown.lines().filter(|line| line.starts_with("@@")).collect();
        assert_eq!(heads, ["@@ -1,5 +1,5 @@", "@@ -15,6 +15,6 @@"]);
        assert!(shown.contains(" 1\n-2\n+new 2\n 3\n"), "{shown}");
    }
}
