//! YAML with positions: a small tree whose every key and value knows its line, for messages and careful edits.
//!
//! Scalars stay text until somebody knows what they should be, so a version `1.10` never turns into a number.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::HashMap;

/// Deeper nesting than any configuration has: a bound, since a directory file may come from a stranger.
const DEPTH: usize = 16;
/// More values than any configuration has: a bound on what aliases may multiply.
const SIZE: usize = 100_000;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its first line, counted from 1.
    pub line: usize,
    /// Its last line.
    pub end: usize,
    /// Where it begins in its first line and ends in its last one, in characters; for edits in place.
    pub columns: (usize, usize),
    /// Its content.
    pub value: Value,
    /// Whether it is written inline: `{…}` or `[…]`.
    pub flow: bool,
}

/// The content of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text; `plain` if it stands without quotes, so that an empty or `null` one means nothing at all.
    Scalar {
        /// As written, unquoted.
        text: String,
        /// Written without quotes.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// An entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// The line of the key.
    pub line: usize,
    /// The column of the key, counted from 0.
    pub column: usize,
    /// Its value.
    pub value: Node,
}

/// What is wrong with a document, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line, counted from 1.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) what: String,
}

/// Content alone counts: two nodes are equal wherever they stand.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key == b.key && a.value == b.value)
            }
            _ if self.is_null() || other.is_null() => self.is_null() && other.is_null(),
            (Value::Scalar { text: a, .. }, Value::Scalar { text: b, .. }) => a == b,
            (a, b) => a == b,
        }
    }
}

impl Node {
    /// A text that stands in no document.
    pub(super) fn scalar(text: &str) -> Self {
        let value = Value::Scalar { text: text.to_owned(), plain: false };
        Self { line: 1, end: 1, columns: (0, 0), value, flow: false }
    }

    /// Whether nothing is written there.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a map; none where nothing is written.
    pub fn map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ if self.is_null() => Some(&[]),
            _ => None,
        }
    }

    fn size(&self) -> usize {
        1 + match &self.value {
            Value::Scalar { .. } => 0,
            Value::List(items) => items.iter().map(Self::size).sum(),
            Value::Map(entries) => entries.iter().map(|entry| entry.value.size()).sum(),
        }
    }
}

/// A list or map whose end has not come yet.
struct Open {
    node: Node,
    anchor: usize,
    /// The key whose value comes next: its text, line and column.
    key: Option<(String, usize, usize)>,
}

/// Reads one document; `None` if nothing but blanks and comments is there.
pub(super) fn parse(text: &str) -> Result<Option<Node>, Fault> {
    let mut builder = Builder { lines: text.lines().collect(), ..Builder::default() };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| Fault { line: e.marker().line(), what: e.info().to_owned() })?;
        builder.take(event, span)?;
    }
    Ok(builder.root)
}

#[derive(Default)]
struct Builder<'a> {
    lines: Vec<&'a str>,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    size: usize,
    documents: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let line = span.start.line();
        let fault = |what: &str| Fault { line, what: what.to_owned() };
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(fault("a second document is not allowed"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    return Err(fault("tags are not supported"));
                }
                // A block scalar ends where the next line begins.
                let end = span.end.line() - usize::from(span.end.col() == 0 && span.end.line() > line);
                let plain = style == ScalarStyle::Plain;
                let columns = (span.start.col(), span.end.col());
                let node =
                    Node { line, end, columns, value: Value::Scalar { text: text.into_owned(), plain }, flow: false };
                self.add(node, anchor, &span)?;
            }
            Event::Alias(id) => {
                let mut node = self.anchors.get(&id).cloned().ok_or_else(|| fault("an alias refers to itself"))?;
                (node.line, node.end) = (line, line);
                self.size += node.size();
                self.add(node, 0, &span)?;
            }
            Event::SequenceStart(anchor, _) => self.start(Value::List(Vec::new()), anchor, &span)?,
            Event::MappingStart(anchor, _) => self.start(Value::Map(Vec::new()), anchor, &span)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(mut open) = self.open.pop() {
                    if open.node.flow {
                        open.node.end = span.end.line();
                        open.node.columns.1 = span.end.col();
                    }
                    self.add(open.node, open.anchor, &span)?;
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn start(&mut self, value: Value, anchor: usize, span: &Span) -> Result<(), Fault> {
        let line = span.start.line();
        if self.open.len() >= DEPTH {
            return Err(Fault { line, what: "nested too deeply".to_owned() });
        }
        let first = self.lines.get(line - 1).and_then(|text| text.chars().nth(span.start.col()));
        let flow = matches!(first, Some('{' | '['));
        self.open.push(Open {
            node: Node { line, end: line, columns: (span.start.col(), 0), value, flow },
            anchor,
            key: None,
        });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize, span: &Span) -> Result<(), Fault> {
        self.size += 1;
        if self.size > SIZE {
            return Err(Fault { line: node.line, what: "too large for a configuration".to_owned() });
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.node.value {
            Value::List(items) => {
                open.node.end = open.node.end.max(node.end);
                items.push(node);
            }
            Value::Map(entries) => {
                if let Some((key, line, column)) = open.key.take() {
                    // An empty value is reported where the next token is.
                    let end = if node.is_null() { line } else { node.end };
                    open.node.end = open.node.end.max(end);
                    entries.push(Entry { key, line, column, value: Node { end, ..node } });
                    return Ok(());
                }
                let line = node.line;
                let Value::Scalar { text: key, .. } = node.value else {
                    return Err(Fault { line, what: "a key must be a text".to_owned() });
                };
                if entries.iter().any(|entry| entry.key == key) {
                    return Err(Fault { line, what: format!("key `{key}` stands here twice") });
                }
                open.key = Some((key, line, span.start.col()));
            }
            Value::Scalar { .. } => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (usize, String) {
        let Fault { line, what } = parse(text).unwrap_err();
        (line, what)
    }

    #[test]
    fn every_key_and_value_knows_its_lines() {
        let root = parse("# top\na: 1\nb:\n  c: {x: 1,\n      y: 2}\n  d: |\n    one\n    two\n\ne:\nf: x\n")
            .unwrap()
            .unwrap();
        let top = root.map().unwrap();
        let lines: Vec<_> = top.iter().map(|e| (e.key.as_str(), e.line, e.value.end)).collect();
        assert_eq!(lines, [("a", 2, 2), ("b", 3, top[1].value.end), ("e", 10, 10), ("f", 11, 11)]);
        let inner = top[1].value.map().unwrap();
        assert_eq!((inner[0].line, inner[0].value.end, inner[0].value.flow, inner[0].column), (4, 5, true, 2));
        assert_eq!(inner[1].line, 6);
        assert!((8..=9).contains(&inner[1].value.end));
        assert!(top[2].value.is_null());
    }

    #[test]
    fn nothing_is_a_document_too() {
        assert_eq!(parse("").unwrap(), None);
        assert_eq!(parse("# only a comment\n").unwrap(), None);
    }

    #[test]
    fn text_stays_as_written() {
        let root = parse("v: 1.10\nn: \"null\"\ne: ''\n").unwrap().unwrap();
        let texts: Vec<_> = root.map().unwrap().iter().map(|e| e.value.text()).collect();
        assert_eq!(texts, [Some("1.10"), Some("null"), Some("")]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(fault("a: 1\na: 2\n"), (2, "key `a` stands here twice".into()));
        assert_eq!(fault("a: 1\n---\nb: 2\n").1, "a second document is not allowed");
        assert_eq!(fault("a: !!int 1\n"), (1, "tags are not supported".into()));
        assert_eq!(fault("? [a]\n: 1\n"), (1, "a key must be a text".into()));
        assert_eq!(fault(&"[".repeat(40)).1, "nested too deeply");
        assert_eq!(fault("a: [1\nb: 2\n").0, 2);
    }

    #[test]
    fn aliases_are_followed_but_not_multiplied() {
        let root = parse("a: &x {k: v}\nb: *x\n").unwrap().unwrap();
        assert_eq!(root.map().unwrap()[0].value, root.map().unwrap()[1].value);
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..10 {
            let items = vec![format!("*a{}", n - 1); 10].join(",");
            bomb = format!("{bomb}a{n}: &a{n} [{items}]\n");
        }
        assert_eq!(fault(&bomb).1, "too large for a configuration");
    }
}
