//! Filters as the API really reads them (section 2.4): no `like` and no `in`, `and` and `or` strictly from left to
//! right, a backslash before `\`, `'` and `{` in a literal, and `{…}` a variable wherever it stands.

use super::path::{At, Path};
use super::pattern::Pattern;
use super::refusal::{Answer, Refusal};
use super::times;
use serde_json::Value;
use std::borrow::Cow;
use std::cmp::Ordering;

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    Compare(Comparison),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

/// A value on the left, a literal on the right.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comparison {
    left: Path,
    operator: Operator,
    right: Value,
}

#[derive(Clone, Debug, PartialEq)]
enum Operator {
    Equal,
    Unequal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    BeginsWith,
    EndsWith,
    Contains,
    ContainsIgnoringCase,
    Matches(Pattern),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Literal(Value),
    Open,
    Close,
}

impl Filter {
    /// Reads a filter.
    pub(super) fn parse(text: &str) -> Answer<Self> {
        let tokens = tokens(text).ok_or_else(Refusal::argument)?;
        let mut reader = Reader { tokens: tokens.into_iter().peekable() };
        let filter = reader.chain().ok_or_else(Refusal::argument)?;
        if reader.tokens.next().is_some() {
            return Err(Refusal::argument());
        }
        Ok(filter)
    }

    /// Whether a row passes.
    pub(super) fn holds(&self, at: At<'_>) -> bool {
        match self {
            Self::Compare(comparison) => comparison.holds(at),
            Self::And(left, right) => left.holds(at) && right.holds(at),
            Self::Or(left, right) => left.holds(at) || right.holds(at),
        }
    }
}

struct Reader {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Reader {
    /// Conditions, each joined to all that stand before it.
    fn chain(&mut self) -> Option<Filter> {
        let mut left = self.one()?;
        while let Some(Token::Word(word)) = self.tokens.peek() {
            let join = match word.as_str() {
                "and" => Filter::And,
                "or" => Filter::Or,
                _ => return None,
            };
            self.tokens.next();
            left = join(Box::new(left), Box::new(self.one()?));
        }
        Some(left)
    }

    fn one(&mut self) -> Option<Filter> {
        match self.tokens.next()? {
            Token::Open => {
                let inner = self.chain()?;
                matches!(self.tokens.next()?, Token::Close).then_some(inner)
            }
            Token::Word(left) => {
                let Token::Word(operator) = self.tokens.next()? else { return None };
                let right = match self.tokens.next()? {
                    Token::Literal(value) => value,
                    Token::Word(word) => bare(&word)?,
                    _ => return None,
                };
                Comparison::new(Path::parse(&left)?, &operator, right).map(Filter::Compare)
            }
            _ => None,
        }
    }
}

/// What stands on the right without quotes.
fn bare(word: &str) -> Option<Value> {
    match word {
        "null" => Some(Value::Null),
        "true" => Some(true.into()),
        "false" => Some(false.into()),
        _ => word.parse::<i64>().map(Value::from).or_else(|_| word.parse::<f64>().map(Value::from)).ok(),
    }
}

/// The words of a filter; `None` if a literal or a variable does not end.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        match c {
            _ if c.is_whitespace() => {
                chars.next();
            }
            '(' | ')' => {
                chars.next();
                tokens.push(if c == '(' { Token::Open } else { Token::Close });
            }
            '\'' => {
                chars.next();
                tokens.push(Token::Literal(literal(&mut chars)?.into()));
                // Two literals that touch are a quote doubled, which is no escape here.
                if chars.peek() == Some(&'\'') {
                    return None;
                }
            }
            '{' => {
                chars.next();
                tokens.push(Token::Literal(variable(&mut chars)?));
            }
            _ => {
                let mut word = String::new();
                let mut depth = 0_u32;
                while let Some(&c) = chars.peek() {
                    match c {
                        _ if c.is_whitespace() && depth == 0 => break,
                        // A function of a column: `count(members)`.
                        '(' if !word.is_empty() => depth += 1,
                        ')' if depth > 0 => depth -= 1,
                        '(' | ')' | '\'' | '{' => break,
                        _ => {}
                    }
                    word.push(c);
                    chars.next();
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Some(tokens)
}

/// The rest of a literal. A variable in it is replaced; there are none that mean anything in a name.
fn literal(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            '\'' => return Some(text),
            '\\' => text.push(chars.next()?),
            '{' => {
                if let Value::Number(number) = variable(chars)? {
                    text.push_str(&number.to_string());
                }
            }
            c => text.push(c),
        }
    }
}

/// The rest of a variable, and its value. They nest.
fn variable(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Value> {
    let (mut name, mut depth) = (String::new(), 1);
    while depth > 0 {
        let c = chars.next()?;
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            '\'' => return None,
            _ => {}
        }
        name.push(c);
    }
    Some(if name == "$now}" { times::seconds().into() } else { Value::Null })
}

impl Comparison {
    /// Reads a comparison by itself.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match Filter::parse(text) {
            Ok(Filter::Compare(comparison)) => Some(comparison),
            _ => None,
        }
    }

    fn new(left: Path, operator: &str, right: Value) -> Option<Self> {
        let text = || right.as_str().map_or_else(|| right.to_string(), str::to_owned);
        let operator = match operator {
            "eq" => Operator::Equal,
            "ne" => Operator::Unequal,
            "gt" => Operator::Greater,
            "ge" => Operator::GreaterOrEqual,
            "lt" => Operator::Less,
            "le" => Operator::LessOrEqual,
            "bw" => Operator::BeginsWith,
            "ew" => Operator::EndsWith,
            "cs" => Operator::Contains,
            "ct" => Operator::ContainsIgnoringCase,
            "rx" => Operator::Matches(Pattern::parse(&text())),
            _ => return None,
        };
        Some(Self { left, operator, right })
    }

    /// Whether it is true of a row.
    pub(super) fn holds(&self, at: At<'_>) -> bool {
        let left = self.left.value(at).unwrap_or_default();
        let order = || compare(&left, &self.right);
        let texts = |test: fn(&str, &str) -> bool| test(&plain(&left), &plain(&self.right));
        match &self.operator {
            Operator::Equal => equal(&left, &self.right),
            Operator::Unequal => !equal(&left, &self.right),
            Operator::Greater => order() == Some(Ordering::Greater),
            Operator::GreaterOrEqual => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
            Operator::Less => order() == Some(Ordering::Less),
            Operator::LessOrEqual => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
            Operator::BeginsWith => texts(|left, right| left.starts_with(right)),
            Operator::EndsWith => texts(|left, right| left.ends_with(right)),
            Operator::Contains => texts(|left, right| left.contains(right)),
            Operator::ContainsIgnoringCase => texts(|left, right| left.to_lowercase().contains(&right.to_lowercase())),
            Operator::Matches(pattern) => pattern.is_in(&plain(&left)),
        }
    }
}

/// A value as text; null is none.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value as a number, as far as it is one: `true` is 1, and `"12"` is 12.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        // A reference to nothing is null, 0 or nothing.
        (Value::Null, other) | (other, Value::Null) => other == "" || other == 0,
        (Value::String(left), Value::String(right)) => left == right,
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => (left - right).abs() < f64::EPSILON,
            _ => plain(left) == plain(right),
        },
    }
}

/// How two values are ordered, if they are.
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Value::String(left), Value::String(right)) = (left, right) {
        return Some(left.cmp(right));
    }
    number(left)?.partial_cmp(&number(right)?)
}

/// Sorts by `+name,-created`. A sort that names nothing is refused.
pub(super) fn sort(rows: &mut [At<'_>], text: &str) -> Answer<()> {
    let mut keys = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (is_descending, name) = match part.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, part.strip_prefix('+').unwrap_or(part).trim()),
        };
        keys.push((is_descending, Path::parse(name).ok_or_else(Refusal::argument)?));
    }
    // Taken once for each row, not once for each comparison.
    let mut with: Vec<(Vec<Value>, At<'_>)> = rows
        .iter()
        .map(|row| (keys.iter().map(|(_, path)| path.value(*row).map_or(Value::Null, Cow::into_owned)).collect(), *row))
        .collect();
    with.sort_by(|(left, _), (right, _)| {
        let orders = keys.iter().zip(left.iter().zip(right)).map(|((is_descending, _), (left, right))| {
            let order = order(left, right);
            if *is_descending { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
    for (row, (_, sorted)) in rows.iter_mut().zip(with) {
        *row = sorted;
    }
    Ok(())
}

/// An order of all values: nothing first.
fn order(left: &Value, right: &Value) -> Ordering {
    compare(left, right).unwrap_or_else(|| match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        _ => plain(left).cmp(&plain(right)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playground::vergeos::store::Store;
    use serde_json::json;

    fn names(filter: &str) -> Result<Vec<String>, u16> {
        let mut store = Store::new();
        let rows = [
            ("web", 1024, true),
            ("db", 4096, false),
            ("o'brien", 8192, true),
            ("a{x}b", 256, true),
            ("ab", 512, true),
        ];
        for (name, ram, enabled) in rows {
            let machine = store.add("machines", [("name", json!(name))]);
            let status = store.follow(&machine, "status").unwrap();
            store.set(&status, "status", if enabled { "running" } else { "stopped" });
            let cells = [("ram", json!(ram)), ("enabled", json!(enabled)), ("machine", machine.key.to_value())];
            let id = store.add("vms", [("name", json!(name))]);
            store.set_all(&id, cells);
        }
        let filter = Filter::parse(filter).map_err(|refusal| refusal.status)?;
        let table = store.table("vms");
        let rows = store.rows(table).map(|(key, row)| At { store: &store, table, key, row });
        let rows = rows.filter(|row| filter.holds(*row));
        Ok(rows.map(|row| row.display().as_str().unwrap().to_owned()).collect())
    }

    #[test]
    fn words_compare_values_through_links() {
        assert_eq!(names("name eq 'web'").unwrap(), ["web"]);
        assert_eq!(names("$key eq 2").unwrap(), ["db"]);
        assert_eq!(names("ram ge 4096").unwrap(), ["db", "o'brien"]);
        assert_eq!(names("enabled eq false").unwrap(), ["db"]);
        assert_eq!(names("enabled eq 1 and ram lt 1000").unwrap(), ["a{x}b", "ab"]);
        assert_eq!(names("machine#status#status eq 'stopped'").unwrap(), ["db"]);
        assert_eq!(names("name bw 'w' or name ew 'b'").unwrap(), ["web", "db", "a{x}b", "ab"]);
        assert_eq!(names("name cs 'E'").unwrap(), [""; 0]);
        assert_eq!(names("name ct 'E'").unwrap(), ["web", "o'brien"]);
        assert_eq!(names("name rx '^[a-w]+b$'").unwrap(), ["web", "db", "ab"]);
        assert_eq!(names("cluster eq null").unwrap().len(), 5);
        assert_eq!(names("created le {$now}").unwrap().len(), 5);
    }

    #[test]
    fn there_is_no_precedence() {
        // As `(web or db) and ram > 2000`.
        assert_eq!(names("name eq 'web' or name eq 'db' and ram gt 2000").unwrap(), ["db"]);
        assert_eq!(names("name eq 'web' or (name eq 'db' and ram gt 2000)").unwrap(), ["web", "db"]);
    }

    #[test]
    fn a_backslash_escapes_and_a_brace_is_a_variable() {
        assert_eq!(names(r"name eq 'o\'brien'").unwrap(), ["o'brien"]);
        assert_eq!(names(r"name eq 'a\{x}b'").unwrap(), ["a{x}b"]);
        // The trap: what stands in braces is gone, and another row is found.
        assert_eq!(names("name eq 'a{x}b'").unwrap(), ["ab"]);
        assert_eq!(names("name eq 'a{x{y}}b'").unwrap(), ["ab"]);
    }

    #[test]
    fn what_other_grammars_have_is_an_invalid_argument() {
        for bad in [
            "name like 'web*'",
            "name in ('a','b')",
            "name eq 'o''brien'",
            "name eq 'a{b'",
            "name eq 'open",
            "name eq",
            "(name eq 'a'",
            "name eq 'a')",
            "name eq 'a' name eq 'b'",
            "name = 'a'",
            "",
        ] {
            assert_eq!(names(bad), Err(422), "{bad}");
        }
    }
}
