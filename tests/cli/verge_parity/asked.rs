//! What was asked of the system, and how far two of such lists say the same.
//!
//! Of what changes something every request counts: method, path, decoded query and body. Of what only reads, the last
//! request does: the table, the rows that came back, the conditions of the filter, the order, and whether all fields are
//! asked for that the other one asks for. Rows that are looked up on the way are not compared: esker has the server look
//! for them, the official CLI reads whole tables.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A request as the simulator wrote it down.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    body: Value,
    /// The keys of the rows that were answered, sorted; what has none is left out.
    answered: Vec<String>,
}

impl Asked {
    pub(super) fn read(line: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let keys = list(&line["answered"]).into_iter().filter(|key| !key.is_null());
        let mut answered: Vec<String> = keys.map(|key| key.to_string()).collect();
        answered.sort();
        Self {
            method: text(&line["method"]),
            path: text(&line["path"]).trim_start_matches("/api/v4/").to_owned(),
            query: list(&line["query"]).iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
            body: plain(&line["body"]).unwrap_or_default(),
            answered,
        }
    }

    /// Whether this only asks whether anybody is there: the SDK begins with it.
    pub(super) fn is_greeting(&self) -> bool {
        self.path == "system" && self.of("fields").contains("yb_version")
    }

    fn changes(&self) -> bool {
        self.method != "GET"
    }

    fn table(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// A parameter of the query.
    fn of(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The fields that are asked for, without the names that they get.
    fn fields(&self) -> BTreeSet<String> {
        let fields = parts(self.of("fields"), ",");
        let bare = fields.into_iter().map(|field| field.rsplit_once(" as ").map_or(field, |(field, _)| field));
        bare.filter(|field| !field.is_empty()).map(str::to_owned).collect()
    }
}

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?} {}", self.method, self.path, self.query, self.body)
    }
}

/// How two lists of requests differ; empty if they do not.
pub(super) fn differences(theirs: &[Asked], ours: &[Asked], strict: Strictness) -> String {
    let changes = |asked: &[Asked]| asked.iter().filter(|asked| asked.changes()).cloned().collect::<Vec<_>>();
    let (their_changes, our_changes) = (changes(theirs), changes(ours));
    if !their_changes.is_empty() || !our_changes.is_empty() {
        return of_changes(&their_changes, &our_changes, strict.only_named);
    }
    match (theirs.last(), ours.last()) {
        (None, None) => String::new(),
        (Some(theirs), Some(ours)) => of_reads(theirs, ours, strict),
        (Some(theirs), None) => format!("only vrg asks: {theirs}\n"),
        (None, Some(ours)) => format!("only esker asks: {ours}\n"),
    }
}

/// What of a row is compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strictness {
    /// Fields that only vrg sends are no difference.
    pub(super) only_named: bool,
    /// How the rows were found is no difference: one row was asked for by its name.
    pub(super) one: bool,
    /// How many rows are wanted was said by whoever asked.
    pub(super) limited: bool,
    /// The fields were named by whoever asked.
    pub(super) projected: bool,
}

fn of_changes(theirs: &[Asked], ours: &[Asked], only_named: bool) -> String {
    let is_same = |(theirs, ours): (&Asked, &Asked)| {
        theirs.method == ours.method
            && theirs.path == ours.path
            && theirs.query == ours.query
            && (theirs.body == ours.body || only_named && is_part(&ours.body, &theirs.body))
    };
    if theirs.len() == ours.len() && theirs.iter().zip(ours).all(is_same) {
        return String::new();
    }
    let lines = |asked: &[Asked]| asked.iter().fold(String::new(), |text, asked| format!("{text}\n    {asked}"));
    format!("vrg{}\n  esker{}\n", lines(theirs), lines(ours))
}

fn of_reads(theirs: &Asked, ours: &Asked, strict: Strictness) -> String {
    let mut text = String::new();
    if theirs.table() != ours.table() {
        return format!("the tables: {} and {}\n", theirs.path, ours.path);
    }
    if !theirs.answered.is_empty() && theirs.answered != ours.answered {
        let _ = writeln!(text, "the rows: {:?} and {:?}", theirs.answered, ours.answered);
    }
    let is_by_key = theirs.path.contains('/');
    if !is_by_key && !strict.one {
        let (a, b) = (conditions(theirs.of("filter")), conditions(ours.of("filter")));
        if a != b {
            let _ = writeln!(text, "the filters: {a:?} and {b:?}");
        }
        let (a, b) = (theirs.of("sort"), ours.of("sort"));
        if !b.replace('+', "").starts_with(&*a.replace('+', "")) {
            let _ = writeln!(text, "the order: {a} and {b}");
        }
        if strict.limited && theirs.of("limit") != ours.of("limit") {
            let _ = writeln!(text, "the limit: {} and {}", theirs.of("limit"), ours.of("limit"));
        }
    }
    let asked = ours.fields();
    let is_covered = |field: &String| {
        let is_own = field.bytes().all(|b| b.is_ascii_alphanumeric() || b"_$".contains(&b));
        asked.contains(field) || is_own && asked.contains("all")
    };
    let missing: Vec<String> = theirs.fields().into_iter().filter(|field| !is_covered(field)).collect();
    if !strict.projected && !asked.is_empty() && !missing.is_empty() {
        let _ = writeln!(text, "only vrg asks for {missing:?}");
    }
    text
}

/// A body without what says nothing: numbers and truths as such however they are written (section 2.2), keys as numbers,
/// times as that, no empty parameters.
fn plain(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Null => return None,
        Value::Object(fields) if fields.is_empty() => return None,
        Value::Object(fields) => {
            let fields = fields.iter().filter_map(|(name, value)| match name.as_str() {
                "expires" | "snooze" if value != &json!(0) => Some((name.clone(), json!("a time"))),
                _ => Some((name.clone(), plain(value)?)),
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().filter_map(plain).collect(),
        Value::String(text) if text == "true" || text == "false" => (text == "true").into(),
        Value::String(text) => text.parse::<u64>().map_or_else(|_| value.clone(), Value::from),
        other => other.clone(),
    })
}

/// Whether every field of `part` is in `whole` as it is there, inner ones too.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|other| is_part(value, other)))
        }
        _ => part == whole,
    }
}

/// The conditions that must all be met, without the parentheses around them. Truths are numbers in some filters.
fn conditions(filter: &str) -> BTreeSet<String> {
    let filter = bare(filter);
    if filter.is_empty() {
        return BTreeSet::new();
    }
    let all = parts(filter, " and ");
    if all.len() > 1 {
        return all.into_iter().flat_map(conditions).collect();
    }
    let mut any: Vec<&str> = parts(filter, " or ").into_iter().map(bare).collect();
    any.sort_unstable();
    let is_switch = |one: &str| ["enabled", "downloaded", "inbox"].contains(&one.split(' ').next().unwrap_or_default());
    let any = any.into_iter().map(|one| match one.rsplit_once(" eq ") {
        Some((switch, "1")) if is_switch(one) => format!("{switch} eq true"),
        Some((switch, "0")) if is_switch(one) => format!("{switch} eq false"),
        _ => one.to_owned(),
    });
    BTreeSet::from([any.collect::<Vec<_>>().join(" or ")])
}

/// What stands in parentheses, as long as they are around all of it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        Some(inner) if is_closed(inner) => bare(inner),
        _ => text,
    }
}

/// Whether no parenthesis closes that was not opened here.
fn is_closed(text: &str) -> bool {
    let mut depth = 0;
    text.chars().all(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth >= 0
    })
}

/// The parts of a text between separators that stand outside of brackets and quotes.
fn parts<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut found, mut depth, mut is_quoted, mut is_escaped, mut begin) = (Vec::new(), 0, false, false, 0);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '\'' => is_quoted = !is_quoted,
            '(' | '[' if !is_quoted => depth += 1,
            ')' | ']' if !is_quoted => depth -= 1,
            _ if !is_quoted && depth == 0 && at >= begin && text[at..].starts_with(separator) => {
                found.push(text[begin..at].trim());
                begin = at + separator.len();
            }
            _ => {}
        }
    }
    found.push(text[begin..].trim());
    found
}

#[test]
fn filters_are_taken_apart() {
    let set = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        conditions("((name ne ' and ') and a eq 1) and (x eq 2)"),
        set(&["name ne ' and '", "a eq 1", "x eq 2"])
    );
    assert_eq!(conditions("(b eq 1) or (a eq 2)"), set(&["a eq 2 or b eq 1"]));
    assert_eq!(conditions("enabled eq 1"), set(&["enabled eq true"]));
    assert_eq!(conditions(r"name eq 'o\' and '"), set(&[r"name eq 'o\' and '"]));
    assert_eq!(conditions(""), set(&[]));
}
