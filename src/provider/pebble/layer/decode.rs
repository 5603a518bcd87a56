//! From a YAML tree to typed data, by the schema: finds keys that do not exist, values of the wrong type and repeated
//! keys, all of them, and tells the report where everything stands.

use super::document::{Document, Object, Value};
use super::node::{Data, Mark, Node};
use super::report::{Report, below};
use super::schema::{Key, Kind, PAIRING, Section, TOP, suggest};
use super::{duration, scalar};
use crate::model::Severity;
use scalar::Scalar;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

/// Entries read through aliases, in all: the daemon refuses documents that blow up by aliases, too.
const MAX_ALIASED: usize = 100_000;

/// Reads the layer under `root`, reporting what is wrong with its shape.
pub(super) fn decode(root: &Rc<Node>, report: &mut Report) -> Document {
    let mut decoder = Decoder { report, aliased: 0 };
    let mut document = Document::default();
    if root.is_null() {
        return document;
    }
    for (name, node) in decoder.mapping(root, &[]) {
        let path = vec![name];
        // The daemon reads each section as a document of its own, and finds none here.
        if path[0] != "pairing"
            && matches!(&node.data, Data::Scalar(text, true) if text.is_empty())
            && node.tag.is_none()
        {
            let message = format!("`{}` has no value, which the daemon refuses: leave it out", path[0]);
            decoder.report.error(&path, message);
            continue;
        }
        match path[0].as_str() {
            "summary" | "description" => {
                decoder.text(&node, &path);
            }
            // The daemon looks only into something that holds something.
            "pairing" if !matches!(node.data, Data::Map(_) | Data::List(_)) => {
                if !node.is_null() {
                    decoder.report.warning(&path, format!("`pairing` must be a mapping; {} is ignored", node.kind()));
                }
            }
            "pairing" if matches!(&node.data, Data::List(items) if items.is_empty()) => {}
            "pairing" => document.pairing = decoder.object(&node, PAIRING, &path),
            name => {
                if let Some(section) = Section::ALL.into_iter().find(|section| section.name() == name) {
                    *document.section_mut(section) = decoder.section(&node, section, &path);
                } else {
                    let suggestion = suggest(name, TOP);
                    decoder.report.error_in_key(&path, format!("unknown section `{name}`")).suggestion = suggestion;
                }
            }
        }
    }
    document
}

struct Decoder<'a> {
    report: &'a mut Report,
    aliased: usize,
}

impl Decoder<'_> {
    fn section(&mut self, node: &Rc<Node>, section: Section, path: &[String]) -> BTreeMap<String, Object> {
        let mut objects = BTreeMap::new();
        if node.is_null() {
            return objects;
        }
        for (name, node) in self.mapping(node, path) {
            let path = below(path, &name);
            if node.is_null() {
                self.report.error(&path, format!("{} `{name}` cannot be null", section.noun()));
                continue;
            }
            if matches!(node.target().data, Data::Map(_)) {
                objects.insert(name, self.object(&node, section.keys(), &path));
            } else {
                self.wrong(&node, "a mapping", &path);
            }
        }
        objects
    }

    fn object(&mut self, node: &Rc<Node>, keys: &'static [Key], path: &[String]) -> Object {
        let mut object = Object::default();
        for (name, node) in self.mapping(node, path) {
            let path = below(path, &name);
            let Some(key) = keys.iter().find(|key| key.name == name) else {
                let suggestion = suggest(&name, keys.iter().map(|key| key.name));
                self.report.error_in_key(&path, format!("unknown key `{name}`")).suggestion = suggestion;
                continue;
            };
            if let Some(value) = self.value(&node, key, &path) {
                object.0.insert(key.name, value);
            }
        }
        object
    }

    /// The value of a key; `None` if it is unset or wrong.
    fn value(&mut self, node: &Rc<Node>, key: &Key, path: &[String]) -> Option<Value> {
        if node.is_null() {
            return None;
        }
        match &key.kind {
            Kind::Text => self.text(node, path).filter(|text| !text.is_empty()).map(Value::Text),
            Kind::Word { words, strict } => {
                let word = self.text(node, path).filter(|word| !word.is_empty())?;
                self.check_word(&word, words, *strict, path);
                Some(Value::Text(word))
            }
            Kind::Int => self.integer(node, path).filter(|number| *number != 0).map(Value::Int),
            Kind::Id => self.integer(node, path).map(Value::Int),
            Kind::Float => self.float(node, path).map(Value::Float),
            Kind::Duration => self.duration(node, path).map(Value::Duration),
            Kind::Texts => self.list(node, path).filter(|items| !items.is_empty()).map(Value::Texts),
            Kind::TextMap => Some(self.map(node, None, path)).filter(|map| !map.is_empty()).map(Value::Map),
            Kind::WordMap(words) => {
                Some(self.map(node, Some(words), path)).filter(|map| !map.is_empty()).map(Value::Map)
            }
            Kind::Object(keys) => Some(Value::Object(self.object(node, keys, path))),
        }
    }

    fn check_word(&mut self, word: &str, words: &[&str], strict: bool, path: &[String]) {
        if word.is_empty() || words.contains(&word) {
            return;
        }
        let message = format!("`{word}` is none of {}", list(words));
        let suggestion = suggest(word, words.iter().copied());
        let finding = if strict { self.report.error(path, message) } else { self.report.warning(path, message) };
        finding.suggestion = suggestion;
    }

    fn list(&mut self, node: &Rc<Node>, path: &[String]) -> Option<Vec<String>> {
        let Data::List(items) = &node.target().data else {
            self.wrong(node, "a list", path);
            return None;
        };
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = below(path, index.to_string());
            self.report.marks.insert(path.clone(), item.mark);
            if item.is_null() {
                self.report.warning(&path, "an empty item is left out");
            } else if let Some(text) = self.text(item, &path) {
                texts.push(text);
            }
        }
        Some(texts)
    }

    fn map(&mut self, node: &Rc<Node>, words: Option<&[&str]>, path: &[String]) -> BTreeMap<String, String> {
        let mut map = BTreeMap::new();
        for (name, node) in self.mapping(node, path) {
            let path = below(path, &name);
            let text = if node.is_null() { Some(String::new()) } else { self.text(&node, &path) };
            if let (Some(text), Some(words)) = (&text, words) {
                self.check_word(text, words, true, &path);
            }
            map.extend(text.map(|text| (name, text)));
        }
        map
    }

    /// The entries of a mapping as the daemon sees them: aliases and merges resolved, null keys left out.
    fn mapping(&mut self, node: &Rc<Node>, path: &[String]) -> Vec<(String, Rc<Node>)> {
        let mut entries = Vec::new();
        self.collect(node, path, None, false, &mut entries);
        entries
    }

    /// `seen`: keys that are set already, where this mapping is merged into another one.
    fn collect(
        &mut self,
        node: &Rc<Node>,
        path: &[String],
        seen: Option<&mut HashSet<String>>,
        aliased: bool,
        entries: &mut Vec<(String, Rc<Node>)>,
    ) {
        let aliased = aliased || matches!(node.data, Data::Alias(..));
        let Data::Map(pairs) = &node.target().data else {
            self.wrong(node, "a mapping", path);
            return;
        };
        if aliased {
            self.aliased += pairs.len() + 1;
            if self.aliased > MAX_ALIASED {
                self.report.error(path, "too much is repeated by aliases");
                return;
            }
        }
        self.check_unique(pairs, path);
        let mut own = HashSet::new();
        let seen = seen.unwrap_or(&mut own);
        let mut merges = Vec::new();
        for (key, value) in pairs {
            if key.is_merge() {
                merges.push(value);
                continue;
            }
            if key.is_null() {
                self.report.add(key.mark, Severity::Warning, path, "a key that is null is ignored".to_owned());
                continue;
            }
            if !matches!(key.target().data, Data::Scalar(..)) {
                let message = format!("a key must be text, not {}", key.kind());
                self.report.add(key.mark, Severity::Error, path, message);
                continue;
            }
            let Some(name) = self.text(key, path) else { continue };
            if !seen.insert(name.clone()) {
                continue;
            }
            // Keys stand for mappings, whose own place is the line after in block style.
            let is_map = matches!(value.data, Data::Map(_)) || value.is_null();
            self.report.keys.insert(below(path, &name), key.mark);
            self.report.marks.insert(below(path, &name), if is_map { key.mark } else { value.mark });
            entries.push((name, Rc::clone(value)));
        }
        for value in merges {
            let sources = match &value.data {
                Data::List(items) => items.clone(),
                _ => vec![Rc::clone(value)],
            };
            for source in sources {
                if matches!(source.target().data, Data::Map(_)) {
                    self.collect(&source, path, Some(seen), aliased, entries);
                } else {
                    let message = format!("`<<` merges mappings, not {}", source.kind());
                    self.report.add(source.mark, Severity::Error, path, message);
                }
            }
        }
    }

    fn check_unique(&mut self, pairs: &[(Rc<Node>, Rc<Node>)], path: &[String]) {
        let mut first: HashMap<String, Mark> = HashMap::new();
        for (key, _) in pairs {
            let Data::Scalar(name, _) = &key.data else { continue };
            match first.get(name) {
                None => {
                    first.insert(name.clone(), key.mark);
                }
                Some(mark) => {
                    let message = format!("key `{name}` is already set in line {}", mark.line);
                    self.report.add(key.mark, Severity::Error, &below(path, name), message);
                }
            }
        }
    }

    fn scalar(&mut self, node: &Rc<Node>, wanted: &str, path: &[String]) -> Option<Scalar> {
        let target = node.target();
        let Data::Scalar(text, plain) = &target.data else {
            self.wrong(node, wanted, path);
            return None;
        };
        match scalar::resolve(target.tag.as_deref(), text, *plain) {
            Ok(scalar) => Some(scalar),
            Err(message) => {
                self.report.error(path, message);
                None
            }
        }
    }

    fn text(&mut self, node: &Rc<Node>, path: &[String]) -> Option<String> {
        let scalar = self.scalar(node, "text", path)?;
        match (scalar, &node.target().data) {
            (Scalar::Null, _) => None,
            (Scalar::Text(text), _) => Some(text),
            // Numbers keep their spelling.
            (_, Data::Scalar(text, _)) => Some(text.clone()),
            _ => None,
        }
    }

    fn integer(&mut self, node: &Rc<Node>, path: &[String]) -> Option<i64> {
        match self.scalar(node, "an integer", path)? {
            Scalar::Int(number) => Some(number),
            #[allow(clippy::cast_possible_truncation, reason = "what the daemon does, with a warning")]
            Scalar::Float(number) if number < 9_223_372_036_854_775_808.0 => {
                let cut = number as i64;
                if number.fract() != 0.0 || !number.is_finite() {
                    self.report.warning(path, format!("not an integer: the daemon takes it for {cut}"));
                }
                Some(cut)
            }
            Scalar::Null => None,
            other => {
                let quoted = matches!(&other, Scalar::Text(text) if scalar::number(text).is_some());
                let why = if quoted { ": remove the quotes" } else { "" };
                self.report.error(path, format!("an integer is needed here{why}"));
                None
            }
        }
    }

    fn float(&mut self, node: &Rc<Node>, path: &[String]) -> Option<f64> {
        let Data::Scalar(text, _) = &node.target().data else {
            self.wrong(node, "a number", path);
            return None;
        };
        let number = scalar::float(text);
        if number.is_none() {
            self.report.error(path, format!("`{text}` is no number"));
        }
        number
    }

    fn duration(&mut self, node: &Rc<Node>, path: &[String]) -> Option<i64> {
        let Data::Scalar(text, _) = &node.target().data else {
            self.wrong(node, "a duration", path);
            return None;
        };
        let parsed = duration::parse(text);
        if parsed.is_none() {
            let seconds = format!("{text}s");
            let suggestion = duration::parse(&seconds).map(|_| seconds);
            let message = format!("`{text}` is no duration such as `300ms`, `1.5s` or `1m30s`");
            self.report.error(path, message).suggestion = suggestion;
        }
        parsed
    }

    fn wrong(&mut self, node: &Rc<Node>, wanted: &str, path: &[String]) {
        let message = format!("{wanted} is needed here, not {}", node.kind());
        let mark = if path.is_empty() { node.mark } else { self.report.place(path) };
        self.report.add(mark, Severity::Error, path, message);
    }
}

/// `a`, `b`, `c`
fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
