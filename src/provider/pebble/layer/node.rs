//! A YAML document with the place of every node, and aliases kept as such: the daemon treats them differently from
//! what they stand for.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Deeper than anything in a layer; keeps recursion over a hostile document within the stack.
const MAX_DEPTH: usize = 100;

/// A place in the text, both counted from 1; columns are characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Mark {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it starts.
    pub mark: Mark,
    /// Its explicit tag in short form (`!!str`).
    pub tag: Option<String>,
    /// What it holds.
    pub data: Data,
}

/// What a node holds.
#[derive(Debug)]
pub(super) enum Data {
    /// Text, and whether it stood without quotes.
    Scalar(String, bool),
    /// Items.
    List(Vec<Rc<Node>>),
    /// Keys and values in the order of the text, repeated keys included.
    Map(Vec<(Rc<Node>, Rc<Node>)>),
    /// Another node.
    Alias(Rc<Node>),
}

impl Node {
    /// The node itself, or what it is an alias of.
    pub(super) fn target(self: &Rc<Self>) -> &Rc<Self> {
        match &self.data {
            Data::Alias(target) => target.target(),
            _ => self,
        }
    }

    /// Whether it means nothing.
    pub(super) fn is_null(&self) -> bool {
        match (&self.data, self.tag.as_deref()) {
            (Data::Scalar(text, plain), None) => *plain && super::scalar::is_null(text),
            (Data::Scalar(..), Some(tag)) => tag == "!!null",
            (Data::Alias(target), _) => target.is_null(),
            _ => false,
        }
    }

    /// Whether it is the key `<<`, which merges its value into the mapping it stands in.
    pub(super) fn is_merge(&self) -> bool {
        match &self.data {
            Data::Scalar(text, plain) => {
                text == "<<" && (*plain || self.tag.is_some()) && matches!(self.tag.as_deref(), None | Some("!!merge"))
            }
            _ => false,
        }
    }

    /// What a message calls it.
    pub(super) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Scalar(..) => "a single value",
            Data::List(_) => "a list",
            Data::Map(_) => "a mapping",
            Data::Alias(target) => target.kind(),
        }
    }

    /// A document that came as JSON; it has no places.
    pub(super) fn from_json(value: &serde_json::Value) -> Rc<Self> {
        use serde_json::Value;
        let scalar = |text: String, plain| Data::Scalar(text, plain);
        let data = match value {
            Value::Null => scalar(String::new(), true),
            Value::String(text) => scalar(text.clone(), false),
            Value::Bool(_) | Value::Number(_) => scalar(value.to_string(), true),
            Value::Array(items) => Data::List(items.iter().map(Self::from_json).collect()),
            Value::Object(map) => {
                let key = |text: &String| {
                    Rc::new(Self { mark: Mark::default(), tag: None, data: scalar(text.clone(), false) })
                };
                Data::Map(map.iter().map(|(name, value)| (key(name), Self::from_json(value))).collect())
            }
        };
        Rc::new(Self { mark: Mark::default(), tag: None, data })
    }
}

/// Something that keeps a document from being read, or a part of it from being used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Where.
    pub mark: Mark,
    /// What, as a phrase.
    pub message: String,
}

/// The first document of a text.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Its root; `None` if there is none.
    pub root: Option<Rc<Node>>,
    /// What stops the daemon from reading it.
    pub errors: Vec<Problem>,
    /// Where a second document starts: the daemon does not look at it.
    pub more: Option<Mark>,
}

/// How many places are put right where our parser is stricter, each at the price of reading the text again.
const MAX_REPAIRS: usize = 64;

/// Further right than anything in a layer is indented.
const PAD: usize = 200;

/// Reads the first document of `text`, as the daemon does.
pub(super) fn parse(text: &str) -> Document {
    let mut text = Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text));
    if let Some(problem) = unreadable(&text).or_else(|| bad_directive(&text)) {
        return Document { errors: vec![problem], ..Document::default() };
    }
    let mut padded = HashSet::new();
    for _ in 0..MAX_REPAIRS {
        let document = parse_once(&text, &padded);
        let fixed = document.errors.iter().find_map(|problem| repair(&text, problem, &mut padded));
        let Some(fixed) = fixed else { return document };
        text = Cow::Owned(fixed);
    }
    parse_once(&text, &padded)
}

/// The text without what our parser refuses at `problem`, and the daemon does not. `padded` are the lines that were
/// moved to the right by [`PAD`].
fn repair(text: &str, problem: &Problem, padded: &mut HashSet<usize>) -> Option<String> {
    let Mark { line, column } = problem.mark;
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    // The daemon minds no indentation inside of brackets, where alone this is said.
    if problem.message.ends_with("invalid indentation") || problem.message.ends_with("indentation in flow construct") {
        return padded.insert(line).then(|| format!("{}{:PAD$}{}", &text[..start], "", &text[start..]));
    }
    // It takes tabs as well as spaces after a colon in braces.
    if problem.message.contains("':' must be followed") && !padded.contains(&line) {
        let (offset, c) = text[start..].char_indices().nth(column.checked_sub(2)?)?;
        let at = start + offset;
        return (c == '\t').then(|| format!("{} {}", &text[..at], &text[at + 1..]));
    }
    None
}

/// A directive that the daemon refuses: for another YAML than 1.1, or one that it does not know.
fn bad_directive(text: &str) -> Option<Problem> {
    for (index, line) in text.lines().enumerate() {
        if let Some(version) = line.strip_prefix("%YAML ") {
            let version = version.split_whitespace().next().unwrap_or_default();
            let message = format!("the daemon does not read YAML {version}: leave this line out");
            return (version != "1.1").then(|| Problem { mark: Mark { line: index + 1, column: 1 }, message });
        }
        if line.starts_with('%') && !line.starts_with("%TAG ") {
            let message = "there is no such directive".to_owned();
            return Some(Problem { mark: Mark { line: index + 1, column: 1 }, message });
        }
        if !line.starts_with(['%', '#']) && !line.trim().is_empty() {
            break;
        }
    }
    None
}

fn parse_once(text: &str, padded: &HashSet<usize>) -> Document {
    let mut document = Document::default();
    let lines: Vec<&str> = text.lines().collect();
    let is_flow = |span: &Span| {
        let line = span.start.line().checked_sub(1).and_then(|index| lines.get(index));
        line.and_then(|line| line.chars().nth(span.start.col())).is_some_and(|c| matches!(c, '[' | '{'))
    };
    // The scanner may take the end of a text without a final newline for one line more.
    let last = text.matches(['\n', '\r']).count() + 1;
    let mark = |mark: &Marker| {
        let pad = if padded.contains(&mark.line()) { PAD } else { 0 };
        Mark { line: mark.line().min(last), column: (mark.col() + 1).saturating_sub(pad).max(1) }
    };
    let mut builder = Builder::default();
    let mut ended = false;
    for event in Parser::new_from_str(text) {
        match event {
            Ok((Event::DocumentStart(_), span)) if ended => {
                document.more = Some(mark(&span.start));
                break;
            }
            Ok((Event::DocumentEnd, _)) => ended = true,
            Ok((event, span)) => {
                if let Err(problem) = builder.event(event, mark(&span.start), is_flow(&span)) {
                    document.errors.push(problem);
                    return document;
                }
            }
            // After the first document the daemon stops reading.
            Err(_) if ended => break,
            Err(error) => {
                document.errors.extend(explain(text, mark(error.marker()), error.info()));
                return document;
            }
        }
    }
    document.errors.append(&mut builder.errors);
    document.root = builder.root;
    document
}

/// A character that the daemon's reader refuses anywhere in a text.
fn unreadable(text: &str) -> Option<Problem> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    let (index, found) = text.char_indices().find(|(_, c)| !allowed(*c))?;
    let before = &text[..index];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let message = format!("control character U+{:04X} is not allowed", u32::from(found));
    Some(Problem { mark: Mark { line, column }, message })
}

/// The error of the parser, and every line indented by a tab: that alone may be the reason.
fn explain(text: &str, at: Mark, why: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        if let (Some(tab), false) = (indent.find('\t'), line.trim().is_empty()) {
            let mark = Mark { line: index + 1, column: tab + 1 };
            problems.push(Problem { mark, message: "a tab cannot indent YAML; use spaces".to_owned() });
        }
    }
    if problems.iter().all(|problem| problem.mark.line != at.line) {
        problems.push(Problem { mark: at, message: format!("not valid YAML: {why}") });
    }
    problems
}

/// A collection that is not closed yet.
#[derive(Debug)]
struct Frame {
    mark: Mark,
    tag: Option<String>,
    anchor: usize,
    is_map: bool,
    is_flow: bool,
    children: Vec<Rc<Node>>,
}

#[derive(Debug, Default)]
struct Builder {
    open: Vec<Frame>,
    root: Option<Rc<Node>>,
    /// Closed nodes by the number of their anchor, and the section each is in.
    anchors: HashMap<usize, (Rc<Node>, Option<usize>)>,
    errors: Vec<Problem>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, mark: Mark, is_flow: bool) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let empty = text.is_empty() && self.quotes_nothing();
                let data = Data::Scalar(text.into_owned(), style == ScalarStyle::Plain && !empty);
                self.close(Node { mark, tag: tag.as_deref().and_then(short), data }, anchor);
            }
            Event::SequenceStart(anchor, tag) => self.open(mark, tag.as_deref(), anchor, (false, is_flow))?,
            Event::MappingStart(anchor, tag) => self.open(mark, tag.as_deref(), anchor, (true, is_flow))?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(frame) = self.open.pop() {
                    let Frame { mark, tag, anchor, is_map, children, .. } = frame;
                    let data = if is_map { Data::Map(pairs(children)) } else { Data::List(children) };
                    self.close(Node { mark, tag, data }, anchor);
                }
            }
            Event::Alias(anchor) => {
                let Some((target, section)) = self.anchors.get(&anchor).cloned() else {
                    return Err(Problem { mark, message: "this alias is part of what it stands for".to_owned() });
                };
                // The daemon takes the document apart into its sections before it resolves aliases.
                let here = self.section();
                if here.is_some() && here != section {
                    let message = "an alias cannot refer to an anchor outside of its section".to_owned();
                    self.errors.push(Problem { mark, message });
                }
                self.close(Node { mark, tag: None, data: Data::Alias(target) }, 0);
            }
            _ => {}
        }
        Ok(())
    }

    /// The section that the next node is in: which value of the root, unless that is merged into the root.
    fn section(&self) -> Option<usize> {
        let root = self.open.first().filter(|root| root.is_map)?;
        let count = root.children.len();
        let merged = root.children.last().is_some_and(|key| key.is_merge());
        (count % 2 == 1 && !merged).then_some(count)
    }

    /// Whether nothing at all, here, is empty text to the daemon and not null: it writes each section anew before it
    /// reads it, with quotes around nothing in braces and in the place of a key.
    fn quotes_nothing(&self) -> bool {
        let inside = self.open.get(1..).unwrap_or_default();
        let is_key = inside.last().is_some_and(|frame| frame.is_map && frame.children.len() % 2 == 0);
        is_key || inside.iter().any(|frame| frame.is_flow)
    }

    fn open(&mut self, mark: Mark, tag: Option<&Tag>, anchor: usize, kind: (bool, bool)) -> Result<(), Problem> {
        let (is_map, is_flow) = kind;
        if self.open.len() >= MAX_DEPTH {
            return Err(Problem { mark, message: "nested too deeply".to_owned() });
        }
        self.open.push(Frame { mark, tag: tag.and_then(short), anchor, is_map, is_flow, children: Vec::new() });
        Ok(())
    }

    fn close(&mut self, node: Node, anchor: usize) {
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, (Rc::clone(&node), self.section()));
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
    }
}

fn pairs(children: Vec<Rc<Node>>) -> Vec<(Rc<Node>, Rc<Node>)> {
    let mut children = children.into_iter();
    std::iter::from_fn(|| Some((children.next()?, children.next()?))).collect()
}

/// `!!str` for `tag:yaml.org,2002:str`. The tag `!` alone changes nothing.
fn short(tag: &Tag) -> Option<String> {
    let full = format!("{}{}", tag.handle, tag.suffix);
    match full.strip_prefix("tag:yaml.org,2002:") {
        Some(name) => Some(format!("!!{name}")),
        None => (full != "!").then_some(full),
    }
}

#[cfg(test)]
mod tests {
    use super::{Data, Mark, parse};

    #[test]
    fn nodes_know_their_place_in_characters() {
        let document = parse("\u{feff}é: {ü: ä, b: [1, 2]}\r\nc: d\r\n");
        let Data::Map(root) = &document.root.as_ref().expect("a root").data else { panic!("a mapping") };
        assert_eq!(root[0].0.mark, Mark { line: 1, column: 1 });
        let Data::Map(inner) = &root[0].1.data else { panic!("a mapping") };
        assert_eq!(inner[0].1.mark, Mark { line: 1, column: 8 });
        assert_eq!(root[1].1.mark, Mark { line: 2, column: 4 });
    }

    #[test]
    fn all_tabs_are_reported_at_once() {
        let document = parse("services:\n\tweb:\n\t\tcommand: x\n");
        let lines: Vec<usize> = document.errors.iter().map(|problem| problem.mark.line).collect();
        assert_eq!(lines, [2, 3]);
    }

    #[test]
    fn a_second_document_is_noticed_and_not_read() {
        assert_eq!(parse("a: 1\n---\n[").more.map(|mark| mark.line), Some(2));
        assert!(parse("a: 1\n---\n[").errors.is_empty());
        assert!(parse("").root.is_none());
    }

    #[test]
    fn aliases_stay_inside_their_section() {
        assert!(parse("services: {a: &x {}, b: *x}").errors.is_empty());
        assert_eq!(parse("services: {a: &x {}}\nchecks: {b: *x}").errors.len(), 1);
        assert_eq!(parse("services: &x {a: *x}").errors.len(), 1);
    }

    #[test]
    fn depth_is_bounded() {
        assert_eq!(parse(&"[".repeat(5000)).errors.len(), 1);
    }
}
