//! Edits of a configuration as text, so that comments, order and style stay as somebody wrote them.
//!
//! Every edit is checked by reading the result: it must say exactly what was asked, or nothing is changed. A shape
//! that would take more than moving whole lines is refused instead of being written anew.

use super::document::{self, Entry, Node, Value};
use super::lines::Lines;
use serde_json::Value as Json;

/// A change to a configuration file.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Adds an entry to a top-level map, or replaces it.
    Put {
        /// `endpoints` or `targets`.
        section: &'static str,
        /// The name of the entry.
        name: String,
        /// A text, a list of texts, or a map of such.
        content: Json,
    },
    /// Removes an entry of a top-level map.
    Remove {
        /// `endpoints` or `targets`.
        section: &'static str,
        /// The name of the entry.
        name: String,
    },
    /// Sets a top-level key, or removes it.
    Set {
        /// The key.
        key: &'static str,
        /// Its value; `None` removes the key.
        value: Option<String>,
    },
}

/// Applies an edit to the text of a file; the error says why that is not safe.
pub(super) fn apply(text: &str, edit: &Edit) -> Result<String, String> {
    let read = |text: &str| document::parse(text).map_err(|fault| format!("line {}: {}", fault.line, fault.what));
    let root = read(text)?.unwrap_or_else(empty);
    if root.flow {
        return Err("the file is one inline map".to_owned());
    }
    let mut lines = Lines::new(text);
    let entries = root.map().ok_or("the file is not a map")?;
    match edit {
        Edit::Put { section, name, content } => put(&mut lines, entries, section, name, content)?,
        Edit::Remove { section, name } => remove(&mut lines, entries, section, name)?,
        Edit::Set { key, value } => set(&mut lines, entries, key, value.as_deref()),
    }
    let edited = lines.text();
    let meant = meaning(&root, edit)?;
    let result = read(&edited).map(|root| root.unwrap_or_else(empty));
    if result.is_ok_and(|result| result == meant) {
        Ok(edited)
    } else {
        Err("its layout leaves no room for it".to_owned())
    }
}

fn put(lines: &mut Lines, root: &[Entry], section: &str, name: &str, content: &Json) -> Result<(), String> {
    let Some(section_entry) = find(root, section) else {
        let mut new = vec![format!("{section}:")];
        new.extend(render(name, content, 2));
        lines.append(new);
        return Ok(());
    };
    let entries = section_entry.value.map().ok_or_else(|| format!("`{section}` is not a map"))?;
    let Some(first) = entries.first() else {
        if section_entry.value.flow {
            lines.cut(&section_entry.value)?;
        }
        lines.insert(section_entry.line, render(name, content, 2));
        return Ok(());
    };
    inline(section, &section_entry.value)?;
    let new = render(name, content, first.column);
    if let Some(old) = find(entries, name) {
        lines.replace(old, new);
    } else {
        let last = entries.last().unwrap_or(first);
        let end = lines.end(last);
        lines.insert(end, new);
    }
    Ok(())
}

fn remove(lines: &mut Lines, root: &[Entry], section: &str, name: &str) -> Result<(), String> {
    let missing = || format!("there is no `{name}` in `{section}`");
    let section_entry = find(root, section).ok_or_else(missing)?;
    let entry = find(section_entry.value.map().ok_or_else(missing)?, name).ok_or_else(missing)?;
    inline(section, &section_entry.value)?;
    lines.replace(entry, Vec::new());
    Ok(())
}

fn set(lines: &mut Lines, root: &[Entry], key: &str, value: Option<&str>) {
    let line = value.map(|value| format!("{key}: {}", scalar(value)));
    match (find(root, key), value) {
        (None, _) => lines.append(line.into_iter().collect()),
        (Some(old), None) => lines.replace(old, Vec::new()),
        // In place, so that a comment behind the value stays.
        (Some(old), Some(value)) if old.value.text().is_some() && old.value.line == old.value.end => {
            lines.splice(&old.value, &scalar(value));
        }
        (Some(old), Some(_)) => lines.replace(old, line.into_iter().collect()),
    }
}

fn inline(section: &str, node: &Node) -> Result<(), String> {
    if node.flow { Err(format!("`{section}` is written inline, in braces")) } else { Ok(()) }
}

fn find<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.key == key)
}

/// What the file must say after the edit.
fn meaning(root: &Node, edit: &Edit) -> Result<Node, String> {
    let mut meant = root.clone();
    if meant.is_null() {
        meant.value = Value::Map(Vec::new());
    }
    match edit {
        Edit::Put { section, name, content } => {
            let sections = map_mut(&mut meant)?;
            if find(sections, section).is_none() {
                sections.push(entry(section, empty()));
            }
            let section = sections.iter_mut().find(|entry| entry.key == *section).ok_or("no section")?;
            if section.value.is_null() {
                section.value.value = Value::Map(Vec::new());
            }
            store(map_mut(&mut section.value)?, name, node(content));
        }
        Edit::Remove { section, name } => {
            let section = map_mut(&mut meant)?.iter_mut().find(|entry| entry.key == *section).ok_or("no section")?;
            let entries = map_mut(&mut section.value)?;
            entries.retain(|entry| entry.key != *name);
            if entries.is_empty() {
                section.value = empty();
            }
        }
        Edit::Set { key, value: Some(value) } => store(map_mut(&mut meant)?, key, node(&Json::from(value.as_str()))),
        Edit::Set { key, value: None } => map_mut(&mut meant)?.retain(|entry| entry.key != *key),
    }
    Ok(if matches!(&meant.value, Value::Map(entries) if entries.is_empty()) { empty() } else { meant })
}

fn map_mut(node: &mut Node) -> Result<&mut Vec<Entry>, String> {
    if let Value::Map(entries) = &mut node.value { Ok(entries) } else { Err("not a map".to_owned()) }
}

fn store(entries: &mut Vec<Entry>, key: &str, value: Node) {
    match entries.iter_mut().find(|entry| entry.key == key) {
        Some(old) => old.value = value,
        None => entries.push(entry(key, value)),
    }
}

fn entry(key: &str, value: Node) -> Entry {
    Entry { key: key.to_owned(), line: 0, column: 0, value }
}

fn empty() -> Node {
    Node { line: 1, end: 1, columns: (0, 0), value: Value::Scalar { text: String::new(), plain: true }, flow: false }
}

fn node(content: &Json) -> Node {
    let value = match content {
        Json::Array(items) => Value::List(items.iter().map(node).collect()),
        Json::Object(map) => Value::Map(map.iter().map(|(key, value)| entry(key, node(value))).collect()),
        Json::String(text) => Value::Scalar { text: text.clone(), plain: false },
        other => Value::Scalar { text: other.to_string(), plain: true },
    };
    Node { value, ..empty() }
}

/// An entry as lines in block style.
fn render(key: &str, content: &Json, indent: usize) -> Vec<String> {
    let pad = " ".repeat(indent);
    let key = scalar(key);
    match content {
        Json::Object(map) if !map.is_empty() => {
            let inner = map.iter().flat_map(|(key, value)| render(key, value, indent + 2));
            std::iter::once(format!("{pad}{key}:")).chain(inner).collect()
        }
        content => vec![format!("{pad}{key}: {}", flow(content))],
    }
}

fn flow(content: &Json) -> String {
    match content {
        Json::String(text) => scalar(text),
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// A text as YAML: plain where every reader takes it for a text, otherwise as a JSON string, which YAML reads too.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || "/_~".contains(c))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_.@+-:~".contains(c))
        && !text.ends_with(':')
        && !["~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&&*text.to_ascii_lowercase());
    if plain {
        return text.to_owned();
    }
    // JSON leaves characters as they are that YAML takes for line breaks or refuses.
    let mut quoted = String::new();
    for c in Json::from(text).to_string().chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') {
            quoted = format!("{quoted}\\u{:04x}", u32::from(c));
        } else {
            quoted.push(c);
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FILE: &str = "\
# my machines
default_target: web  # the usual one

endpoints:
  # the real one
  prod: { provider: pebble, socket: /run/p.sock } # careful
  lab:
    provider: pebble
    socket: /run/l.sock

  # the end of endpoints
targets:
  web: prod
";

    fn put(section: &'static str, name: &str, content: Json) -> Edit {
        Edit::Put { section, name: name.to_owned(), content }
    }

    fn remove(section: &'static str, name: &str) -> Edit {
        Edit::Remove { section, name: name.to_owned() }
    }

    fn set(value: Option<&str>) -> Edit {
        Edit::Set { key: "default_target", value: value.map(str::to_owned) }
    }

    #[test]
    fn a_value_changes_in_its_place() {
        let text = apply(FILE, &set(Some("lab"))).unwrap();
        assert_eq!(text, FILE.replace("default_target: web ", "default_target: lab "));
        let text = apply(FILE, &set(None)).unwrap();
        assert_eq!(text, FILE.replace("default_target: web  # the usual one\n", ""));
    }

    #[test]
    fn entries_come_and_go_and_comments_stay() {
        let added = apply(FILE, &put("endpoints", "new", json!({"provider": "pebble", "url": "http://h:1"}))).unwrap();
        let block = "    socket: /run/l.sock\n";
        let new = "  new:\n    provider: pebble\n    url: http://h:1\n";
        assert_eq!(added, FILE.replace(block, &format!("{block}{new}")));
        assert_eq!(apply(&added, &remove("endpoints", "new")).unwrap(), FILE);
        let gone = apply(FILE, &remove("endpoints", "prod")).unwrap();
        assert_eq!(gone, FILE.replace("  prod: { provider: pebble, socket: /run/p.sock } # careful\n", ""));
        let gone = apply(&gone, &remove("endpoints", "lab")).unwrap();
        assert!(gone.contains("  # the real one\n") && gone.contains("  # the end of endpoints\n"), "{gone}");
        let back = apply(&gone, &put("endpoints", "lab", json!({"provider": "pebble"}))).unwrap();
        assert!(back.contains("endpoints:\n  lab:\n    provider: pebble\n"), "{back}");
    }

    #[test]
    fn an_entry_is_replaced_where_it_stands() {
        let text = apply(FILE, &put("endpoints", "prod", json!({"provider": "pebble", "argv": ["a b", "c"]}))).unwrap();
        let new = "  prod:\n    provider: pebble\n    argv: [\"a b\", c]\n";
        assert_eq!(text, FILE.replace("  prod: { provider: pebble, socket: /run/p.sock } # careful\n", new));
    }

    #[test]
    fn a_file_begins_with_its_first_entry() {
        assert_eq!(apply("", &put("targets", "web", json!("prod"))).unwrap(), "targets:\n  web: prod\n");
        assert_eq!(apply("# c", &set(Some("a/b"))).unwrap(), "# c\ndefault_target: a/b\n");
        for empty in ["targets:\n", "targets: {}\n", "targets: {}  \n"] {
            let text = apply(empty, &put("targets", "on", json!("1:2"))).unwrap();
            assert_eq!(text, "targets:\n  \"on\": \"1:2\"\n");
        }
        let crlf = apply("a: 1\r\n", &set(Some("x"))).unwrap();
        assert_eq!(crlf, "a: 1\r\ndefault_target: x\r\n");
    }

    #[test]
    fn a_comment_behind_a_block_of_text_is_not_part_of_it() {
        let text = "targets:\n  a:\n    address: |-\n      # text\n      p\n\n  # about b\n  b: q\n";
        assert_eq!(apply(text, &remove("targets", "a")).unwrap(), "targets:\n\n  # about b\n  b: q\n");
    }

    #[test]
    fn what_is_not_safe_is_refused() {
        let why = |text: &str, edit: &Edit| apply(text, edit).unwrap_err();
        assert_eq!(why("{a: 1}\n", &set(Some("x"))), "the file is one inline map");
        let inline = "targets: {web: prod}\n";
        assert_eq!(why(inline, &put("targets", "a", json!("b"))), "`targets` is written inline, in braces");
        assert_eq!(why(inline, &remove("targets", "web")), "`targets` is written inline, in braces");
        assert_eq!(why(FILE, &remove("targets", "x")), "there is no `x` in `targets`");
        assert_eq!(why("a: 1\n...\n", &set(Some("x"))), "its layout leaves no room for it");
        assert_eq!(why("a: [\n", &set(Some("x"))).split(':').next(), Some("line 2"));
        // Removing what others refer to would change them too.
        let anchored = "targets:\n  a: &x p\n  b: *x\n";
        assert_eq!(why(anchored, &remove("targets", "a")), "its layout leaves no room for it");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_written_so_that_it_reads_back(text: String, name in "[a-z]{1,5}") {
            let file = apply(FILE, &put("targets", &name, json!({"address": text, "workdir": "/"}))).unwrap();
            let gone = apply(&file, &remove("targets", &name)).unwrap();
            if name != "web" {
                proptest::prop_assert_eq!(gone, FILE);
            }
        }
    }
}
