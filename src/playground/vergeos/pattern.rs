//! POSIX extended regular expressions, as `rx` has them: found anywhere, case-sensitive. What other dialects add is not an
//! error: it matches nothing.

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern(Option<Node>);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Start,
    End,
    Any,
    Char(char),
    Class { ranges: Vec<(char, char)>, is_negated: bool },
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat { node: Box<Node>, least: u32, most: u32 },
}

/// The classes in brackets, by their characters. Letters beyond ASCII are in none.
const CLASSES: &[(&str, &[(char, char)])] = &[
    ("alpha", &[('a', 'z'), ('A', 'Z')]),
    ("digit", &[('0', '9')]),
    ("alnum", &[('a', 'z'), ('A', 'Z'), ('0', '9')]),
    ("lower", &[('a', 'z')]),
    ("upper", &[('A', 'Z')]),
    ("space", &[('\t', '\r'), (' ', ' ')]),
    ("blank", &[(' ', ' '), ('\t', '\t')]),
    ("punct", &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
    ("xdigit", &[('0', '9'), ('a', 'f'), ('A', 'F')]),
];

impl Pattern {
    /// Reads an expression; one that cannot be read matches nothing.
    pub(super) fn parse(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        let node = either(&chars, &mut at);
        Self(node.filter(|_| at == chars.len()))
    }

    /// Whether it matches anywhere in `text`.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let Some(node) = &self.0 else { return false };
        let text: Vec<char> = text.chars().collect();
        (0..=text.len()).any(|start| node.matches(&text, start, &mut |_| true))
    }
}

impl Node {
    /// Matches from `at`, and then whatever `rest` wants of the position behind it.
    fn matches(&self, text: &[char], at: usize, rest: &mut dyn FnMut(usize) -> bool) -> bool {
        let mut one = |test: &dyn Fn(char) -> bool| text.get(at).is_some_and(|c| test(*c)) && rest(at + 1);
        match self {
            Self::Start => at == 0 && rest(at),
            Self::End => at == text.len() && rest(at),
            Self::Any => one(&|_| true),
            Self::Char(wanted) => one(&|c| c == *wanted),
            Self::Class { ranges, is_negated } => {
                one(&|c| ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *is_negated)
            }
            Self::Either(nodes) => nodes.iter().any(|node| node.matches(text, at, rest)),
            Self::Sequence(nodes) => match nodes.split_first() {
                None => rest(at),
                Some((first, others)) => {
                    // Sequences are short: what is left of one is one too.
                    let others = Self::Sequence(others.to_vec());
                    first.matches(text, at, &mut |next| others.matches(text, next, rest))
                }
            },
            Self::Repeat { node, least, most } => {
                if *most > 0 {
                    let fewer = Self::Repeat {
                        node: node.clone(),
                        least: least.saturating_sub(1),
                        most: if *most == u32::MAX { u32::MAX } else { most - 1 },
                    };
                    // Something that matched nothing would match it forever.
                    if node.matches(text, at, &mut |next| next > at && fewer.matches(text, next, rest)) {
                        return true;
                    }
                }
                *least == 0 && rest(at)
            }
        }
    }
}

fn either(chars: &[char], at: &mut usize) -> Option<Node> {
    let mut options = vec![sequence(chars, at)?];
    while chars.get(*at) == Some(&'|') {
        *at += 1;
        options.push(sequence(chars, at)?);
    }
    Some(if options.len() == 1 { options.remove(0) } else { Node::Either(options) })
}

fn sequence(chars: &[char], at: &mut usize) -> Option<Node> {
    let mut nodes = Vec::new();
    while let Some(c) = chars.get(*at).filter(|c| !['|', ')'].contains(*c)) {
        *at += 1;
        let node = match c {
            '^' => Node::Start,
            '$' => Node::End,
            '.' => Node::Any,
            '[' => class(chars, at)?,
            '(' => {
                let inner = either(chars, at)?;
                (chars.get(*at) == Some(&')')).then_some(())?;
                *at += 1;
                inner
            }
            '*' | '+' | '?' => return None,
            '\\' => {
                let escaped = *chars.get(*at)?;
                *at += 1;
                // `\d` and its like are of another dialect.
                (!escaped.is_alphanumeric()).then_some(())?;
                Node::Char(escaped)
            }
            c => Node::Char(*c),
        };
        nodes.push(repeated(node, chars, at)?);
    }
    Some(Node::Sequence(nodes))
}

fn repeated(mut node: Node, chars: &[char], at: &mut usize) -> Option<Node> {
    loop {
        let (least, most) = match chars.get(*at) {
            Some('*') => (0, u32::MAX),
            Some('+') => (1, u32::MAX),
            Some('?') => (0, 1),
            Some('{') => {
                let end = *at + chars[*at..].iter().position(|c| *c == '}')?;
                let text: String = chars[*at + 1..end].iter().collect();
                *at = end;
                match text.split_once(',') {
                    Some((least, "")) => (least.parse().ok()?, u32::MAX),
                    Some((least, most)) => (least.parse().ok()?, most.parse().ok()?),
                    None => (text.parse().ok()?, text.parse().ok()?),
                }
            }
            _ => return Some(node),
        };
        *at += 1;
        node = Node::Repeat { node: Box::new(node), least, most };
    }
}

fn class(chars: &[char], at: &mut usize) -> Option<Node> {
    let is_negated = chars.get(*at) == Some(&'^');
    *at += usize::from(is_negated);
    let mut ranges = Vec::new();
    loop {
        let c = *chars.get(*at)?;
        *at += 1;
        match c {
            // The first one is itself.
            ']' if !ranges.is_empty() => return Some(Node::Class { ranges, is_negated }),
            '[' if chars.get(*at) == Some(&':') => {
                let rest: String = chars[*at + 1..].iter().collect();
                let (name, _) = rest.split_once(":]")?;
                let (_, class) = CLASSES.iter().find(|(known, _)| *known == name)?;
                ranges.extend_from_slice(class);
                *at += name.chars().count() + 3;
            }
            low if chars.get(*at) == Some(&'-') && chars.get(*at + 1).is_some_and(|c| *c != ']') => {
                ranges.push((low, chars[*at + 1]));
                *at += 2;
            }
            c => ranges.push((c, c)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_match_anywhere() {
        for (pattern, text) in [
            ("", "x"),
            ("b", "abc"),
            ("^a.*c$", "abc"),
            ("^(web|db)-[0-9]+$", "db-12"),
            ("^a{2,3}$", "aaa"),
            ("[[:digit:]]x", "7x"),
            ("[]a]", "]"),
            (r"\.", "a.b"),
            ("^(a*)*$", "aaa"),
            ("a|^$", ""),
        ] {
            assert!(Pattern::parse(pattern).is_in(text), "{pattern} in {text}");
        }
        for (pattern, text) in
            [("^b", "abc"), ("A", "a"), ("^a{2}$", "aaa"), ("[^a-c]", "abc"), (r"\d", "1d"), ("(?i)A", "a"), ("(", "(")]
        {
            assert!(!Pattern::parse(pattern).is_in(text), "{pattern} in {text}");
        }
    }
}
