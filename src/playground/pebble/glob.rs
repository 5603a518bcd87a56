//! Patterns of file names as Go's `filepath.Match` has them: `*`, `?`, `[a-z]`, `[^a-z]`, a backslash before anything.

/// Whether it is a pattern.
pub(super) fn is_valid(pattern: &str) -> bool {
    parse(pattern).is_some()
}

/// Whether the whole name is meant. What is no pattern means nothing.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    parse(pattern).is_some_and(|parts| fits(&parts, &name))
}

enum Part {
    /// Any characters but slashes.
    Star,
    /// One character but a slash.
    Any,
    /// This one.
    One(char),
    /// One of these, or none of these.
    Set { ranges: Vec<(char, char)>, negated: bool },
}

fn parse(pattern: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => Part::Star,
            '?' => Part::Any,
            '\\' => Part::One(chars.next()?),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while ranges.is_empty() || chars.peek() != Some(&']') {
                    let first = member(&mut chars)?;
                    let last = if chars.next_if_eq(&'-').is_some() { member(&mut chars)? } else { first };
                    ranges.push((first, last));
                }
                chars.next();
                Part::Set { ranges, negated }
            }
            c => Part::One(c),
        });
    }
    Some(parts)
}

/// One end of a range.
fn member(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}

fn fits(parts: &[Part], name: &[char]) -> bool {
    let Some((part, rest)) = parts.split_first() else { return name.is_empty() };
    if let Part::Star = part {
        return (0..=name.len()).take_while(|at| !name[..*at].contains(&'/')).any(|at| fits(rest, &name[at..]));
    }
    let Some((c, tail)) = name.split_first() else { return false };
    let is_meant = match part {
        Part::Star => false,
        Part::Any => *c != '/',
        Part::One(one) => c == one,
        Part::Set { ranges, negated } => ranges.iter().any(|(first, last)| (first..=last).contains(&c)) != *negated,
    };
    is_meant && fits(rest, tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        for (pattern, name, is) in [
            ("", "", true),
            ("abc", "abc", true),
            ("*", "abc", true),
            ("a*c", "abbc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[\\-]", "-", true),
            ("*é", "aé", true),
        ] {
            assert_eq!(matches(pattern, name), is, "{pattern} {name}");
        }
        for pattern in ["[", "[a", "[]a]", "[-]", "[a-]", "\\"] {
            assert!(!is_valid(pattern), "{pattern}");
        }
    }
}
