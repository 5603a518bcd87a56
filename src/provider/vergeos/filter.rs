//! Filters: literals that mean exactly the text they hold, and the rewriting of what a user typed (section 2.4).
//!
//! The grammar is the server's own. Three characters are escaped with a backslash in a text, `and` and `or` have no
//! precedence, and `like` and `in` do not exist.

use crate::error::{Error, Result};
use crate::notes::Notes;

/// The comparisons that there are.
const OPERATORS: &[&str] = &["eq", "ne", "gt", "ge", "lt", "le", "bw", "ew", "cs", "ct", "rx"];

/// A text as a literal. `{` begins a variable unless it is escaped, and would match another row.
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for c in text.chars() {
        if matches!(c, '\\' | '\'' | '{') {
            literal.push('\\');
        }
        literal.push(c);
    }
    literal.push('\'');
    literal
}

/// `column eq 'text'`.
pub(super) fn equals(column: &str, text: &str) -> String {
    format!("{column} eq {}", literal(text))
}

/// All of these conditions. Each one that is not simple stands in parentheses, since there is no precedence.
pub(super) fn all(parts: impl IntoIterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => {
            let grouped: Vec<_> = several.iter().map(|part| grouped(part)).collect();
            Some(grouped.join(" and "))
        }
    }
}

/// One comparison stays as it is; anything more is put into parentheses.
fn grouped(part: &str) -> String {
    let joined =
        tokens(part).is_ok_and(|tokens| tokens.iter().any(|token| token.is_word("and") || token.is_word("or")));
    if joined { format!("({part})") } else { part.to_owned() }
}

/// A user's filter, checked and with the columns of `live` in place of bare names that are there and always null.
///
/// What the server does not know is `Usage` and names what it does; a mixture of `and` and `or` without parentheses is
/// warned about.
pub(super) fn prepare(filter: &str, live: &[(&str, &str)], notes: &Notes) -> Result<String> {
    let tokens = tokens(filter)?;
    check(filter, &tokens)?;
    if mixes(&tokens) {
        notes.warn(format!(
            "the filter `{filter}` mixes `and` and `or`, which the server reads from left to right: use parentheses"
        ));
    }
    let mut text = String::with_capacity(filter.len());
    let mut end = 0;
    for (at, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Word && begins(&tokens, at) {
            let is_compared =
                tokens.get(at + 1).is_some_and(|next| OPERATORS.iter().any(|operator| next.is_word(operator)));
            let live = live.iter().find(|(name, _)| *name == token.text).filter(|_| is_compared);
            if let Some((_, column)) = live {
                text.push_str(&filter[end..token.at]);
                text.push_str(column);
                end = token.at + token.text.len();
            }
        }
    }
    text.push_str(&filter[end..]);
    Ok(text)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Text,
    Open,
    Close,
}

#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    at: usize,
}

impl Token<'_> {
    fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }
}

/// Whether the token at `at` is the left side of a condition.
fn begins(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|before| tokens.get(before)) else { return true };
    before.kind == Kind::Open || before.is_word("and") || before.is_word("or") || before.is_word("not")
}

fn tokens(filter: &str) -> Result<Vec<Token<'_>>> {
    let mut found = Vec::new();
    let mut chars = filter.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let kind = match c {
            c if c.is_whitespace() => continue,
            '(' => Kind::Open,
            ')' => Kind::Close,
            '\'' => {
                let mut is_closed = false;
                while let Some((_, c)) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '\'' => {
                            is_closed = true;
                            break;
                        }
                        _ => {}
                    }
                }
                if !is_closed {
                    return Err(broken(filter, "a quote is not closed").hint("write a quote in a text as \\'"));
                }
                Kind::Text
            }
            _ => {
                while chars.peek().is_some_and(|(_, c)| !c.is_whitespace() && !matches!(c, '\'' | ')')) {
                    // A parenthesis right after a word calls a function.
                    chars.next();
                }
                Kind::Word
            }
        };
        let end = chars.peek().map_or(filter.len(), |(end, _)| *end);
        found.push(Token { kind, text: &filter[at..end], at });
    }
    Ok(found)
}

fn check(filter: &str, tokens: &[Token<'_>]) -> Result<()> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.checked_sub(1).ok_or_else(|| broken(filter, "a `)` has no `(` before it"))?;
            }
            Kind::Word if at > 0 && is_side(tokens, at - 1) => known(filter, token.text)?,
            Kind::Text if at > 0 && tokens[at - 1].kind == Kind::Text => {
                return Err(broken(filter, "two texts stand side by side").hint("write a quote in a text as \\'"));
            }
            Kind::Word | Kind::Text => {}
        }
    }
    if depth > 0 {
        return Err(broken(filter, "a `(` is not closed"));
    }
    if tokens.is_empty() {
        return Err(broken(filter, "it is empty"));
    }
    Ok(())
}

/// Whether the token at `at` is a left side itself, and no word that joins conditions.
fn is_side(tokens: &[Token<'_>], at: usize) -> bool {
    let token = &tokens[at];
    let joins = ["and", "or", "not"].iter().any(|word| token.is_word(word));
    token.kind == Kind::Word && !joins && begins(tokens, at)
}

/// What stands where an operator belongs.
fn known(filter: &str, word: &str) -> Result<()> {
    let lower = word.to_ascii_lowercase();
    if OPERATORS.contains(&word) || ["and", "or"].contains(&word) {
        return Ok(());
    }
    let hint = match lower.as_str() {
        "like" => {
            "use `ct` (contains), `cs` (contains, case matters), `bw` (begins with) or `ew` (ends with)".to_owned()
        }
        "in" => "write it out: (NAME eq 'a' or NAME eq 'b')".to_owned(),
        "=" | "==" => "use `eq`".to_owned(),
        "!=" | "<>" => "use `ne`".to_owned(),
        ">" => "use `gt`".to_owned(),
        ">=" => "use `ge`".to_owned(),
        "<" => "use `lt`".to_owned(),
        "<=" => "use `le`".to_owned(),
        _ if OPERATORS.contains(&lower.as_str()) => format!("use `{lower}`"),
        _ => format!("the operators are {}", OPERATORS.join(", ")),
    };
    Err(broken(filter, &format!("there is no operator `{word}`")).hint(hint))
}

/// Whether `and` and `or` stand side by side in one group.
fn mixes(tokens: &[Token<'_>]) -> bool {
    let mut seen = vec![(false, false)];
    for token in tokens {
        match token.kind {
            Kind::Open => seen.push((false, false)),
            Kind::Close => drop(seen.pop()),
            _ => {
                if let Some((and, or)) = seen.last_mut() {
                    *and |= token.is_word("and");
                    *or |= token.is_word("or");
                    if *and && *or {
                        return true;
                    }
                }
            }
        }
    }
    false
}

fn broken(filter: &str, why: &str) -> Error {
    Error::usage(format!("cannot use the filter `{filter}`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use proptest::prelude::*;

    const LIVE: &[(&str, &str)] = &[("status", "machine#status#status"), ("running", "machine#status#running")];

    fn ready(filter: &str) -> Result<String> {
        prepare(filter, LIVE, &Notes::default())
    }

    #[test]
    fn a_literal_escapes_what_the_server_reads() {
        assert_eq!(literal("o'brien"), r"'o\'brien'");
        assert_eq!(literal(r"a\b"), r"'a\\b'");
        assert_eq!(literal("{x} \"%+&#?*"), "'\\{x} \"%+&#?*'");
    }

    #[test]
    fn live_columns_take_the_place_of_bare_ones_and_only_of_those() {
        assert_eq!(
            ready("status eq 'running' and ram gt 2048").unwrap(),
            "machine#status#status eq 'running' and ram gt 2048"
        );
        assert_eq!(ready("(running eq true)").unwrap(), "(machine#status#running eq true)");
        assert_eq!(
            ready("name eq 'status eq' or name eq 'it\\'s status'").unwrap(),
            "name eq 'status eq' or name eq 'it\\'s status'"
        );
        assert_eq!(ready("machine#status#status ne 'x'").unwrap(), "machine#status#status ne 'x'");
        assert_eq!(ready("os eq status").unwrap(), "os eq status");
        assert_eq!(ready("(snooze eq 0 or snooze le {$now})").unwrap(), "(snooze eq 0 or snooze le {$now})");
    }

    #[test]
    fn what_the_server_does_not_know_is_refused_and_named() {
        for (filter, hint) in [
            ("name like 'a%'", "`ct`"),
            ("name in ('a','b')", "write it out"),
            ("ram > 1", "`gt`"),
            ("name EQ 'x'", "`eq`"),
            ("name eq 'it''s'", "\\'"),
            ("name eq 'x", "\\'"),
            ("name is 'x'", "the operators"),
        ] {
            let error = ready(filter).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{filter}");
            assert!(error.parts().hint.as_ref().is_some_and(|text| text.contains(hint)), "{filter}: {error:?}");
        }
        for filter in ["(a eq 1", "a eq 1)", "", "  "] {
            assert_eq!(ready(filter).unwrap_err().kind(), ErrorKind::Usage, "{filter}");
        }
    }

    #[test]
    fn groups_keep_their_meaning() {
        let parts = ["a eq 1 or b eq 2".to_owned(), String::new(), "c eq 'x or y'".to_owned()];
        assert_eq!(all(parts).unwrap(), "(a eq 1 or b eq 2) and c eq 'x or y'");
        assert_eq!(all([String::new()]), None);
        assert_eq!(all(["a eq 1 or b eq 2".to_owned()]).unwrap(), "a eq 1 or b eq 2");
    }

    #[test]
    fn a_mixture_is_noticed() {
        let mixed = |filter: &str| mixes(&tokens(filter).unwrap());
        assert!(mixed("a eq 1 or b eq 2 and c eq 3"));
        assert!(!mixed("(a eq 1 or b eq 2) and c eq 3"));
    }

    /// What the server makes of a literal.
    fn unescaped(literal: &str) -> Option<String> {
        let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
        let mut text = String::new();
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => text.push(chars.next().filter(|c| matches!(c, '\\' | '\'' | '{'))?),
                '\'' | '{' => return None,
                c => text.push(c),
            }
        }
        Some(text)
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            prop_assert_eq!(unescaped(&literal(&text)), Some(text.clone()));
            let filter = equals("name", &text);
            prop_assert_eq!(ready(&filter).unwrap(), filter);
        }
    }
}
