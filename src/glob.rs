//! Names with wildcards: `*` any text, `?` any character, `[a-z]` and `[!a-z]` one of several.

/// Whether a text holds wildcards.
pub fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether `text` matches `glob`: `*` any text, `?` any character, `[a-z]` and `[!a-z]` one of several.
pub fn matches(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    // The last star, and how much of the text it has swallowed: the only place to come back to.
    let (mut g, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match step(&glob[g..], text[t]) {
            Some(0) => {
                star = Some((g, t));
                g += 1;
            }
            Some(len) => {
                g += len;
                t += 1;
            }
            None => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (g, t) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

/// How much of the glob matches `c`: `Some(0)` for a star, `None` if it does not.
fn step(glob: &[char], c: char) -> Option<usize> {
    match glob.first()? {
        '*' => Some(0),
        '?' => Some(1),
        '[' => {
            // A `]` right after the opening is one of the characters.
            let Some(close) = glob.iter().skip(2).position(|c| *c == ']').map(|n| n + 2) else {
                return (c == '[').then_some(1);
            };
            let (negated, set) = match &glob[1..close] {
                ['!' | '^', set @ ..] if !set.is_empty() => (true, set),
                set => (false, set),
            };
            let mut found = false;
            let mut rest = set;
            while let [first, tail @ ..] = rest {
                if let ['-', last, tail @ ..] = tail {
                    found |= (*first..=*last).contains(&c);
                    rest = tail;
                } else {
                    found |= *first == c;
                    rest = tail;
                }
            }
            (found != negated).then_some(close + 1)
        }
        first => (*first == c).then_some(1),
    }
}

/// What a glob begins with before its first wildcard: every text that it matches begins so.
pub fn literal_prefix(glob: &str) -> &str {
    &glob[..glob.find(['*', '?', '[']).unwrap_or(glob.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn globs_match_as_in_a_shell() {
        for (glob, text, wanted) in [
            ("*", "", true),
            ("*", "any", true),
            ("prod-*", "prod-1", true),
            ("prod-*", "prod", false),
            ("*-1", "a-1-1", true),
            ("*a*b", "xaxbxb", true),
            ("*a*b", "xaxbx", false),
            ("w?b", "web", true),
            ("w?b", "wb", false),
            ("w[a-e]b", "web", true),
            ("w[!a-e]b", "web", false),
            ("w[!a-e]b", "wxb", true),
            ("w[]x]b", "w]b", true),
            ("w[b", "w[b", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(glob, text), wanted, "{glob} {text}");
        }
    }

    #[test]
    fn what_matches_begins_as_the_glob_does() {
        assert_eq!(["web-*", "*", "a?c", "[ab]", "plain"].map(literal_prefix), ["web-", "", "a", "", "plain"]);
    }

    proptest! {
        #[test]
        fn a_glob_never_panics_and_a_plain_one_is_equality(glob: String, text: String) {
            matches(&glob, &text);
            if !is_glob(&glob) {
                prop_assert_eq!(matches(&glob, &text), glob == text);
            }
        }

        #[test]
        fn a_match_has_the_literal_prefix(glob in "[ab*?]{0,6}", text in "[ab]{0,6}") {
            prop_assert!(!matches(&glob, &text) || text.starts_with(literal_prefix(&glob)));
        }
    }
}
