//! A small VergeOS that a test can bend: rows in memory, the filters that esker sends, and whatever a test answers
//! first. It knows no projections: rows hold what any of them asks for.

use super::fake::{Asked, Fake, Reply};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The key that tests use.
pub(crate) const TOKEN: &str = "hunter2";

type Tables = BTreeMap<String, Vec<Value>>;

/// One system.
pub(crate) struct Verge {
    pub(crate) fake: Fake,
    tables: Arc<Mutex<Tables>>,
}

/// A virtual machine as lists have it.
pub(crate) fn vm(key: u64, name: &str, status: &str) -> Value {
    json!({
        "$key": key, "name": name, "machine": key + 100, "status": status, "reads": status, "running": status == "running",
        "is_snapshot": false, "cpu_cores": 2, "ram": 2048, "created": 1_769_904_000, "cluster_name": "c1", "node": 1,
        "node_name": "node1", "started": 1, "os_family": "linux", "need_restart": false,
    })
}

/// An answer with a document.
pub(crate) fn document(status: u16, body: &Value) -> Reply {
    Reply::Text(status, body.to_string())
}

impl Verge {
    /// A system with these tables.
    pub(crate) fn start(tables: Value) -> Self {
        Self::bent(tables, |_, _| None)
    }

    /// The same, where `first` may answer instead, or change the tables on the way.
    pub(crate) fn bent(
        tables: Value,
        first: impl Fn(&Asked, &mut Tables) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let tables: Tables =
            tables.as_object().expect("tables").iter().map(|(name, list)| (name.clone(), rows(list))).collect();
        let tables = Arc::new(Mutex::new(tables));
        let inside = tables.clone();
        let fake = Fake::start(move |asked| {
            let mut tables = inside.lock().unwrap_or_else(PoisonError::into_inner);
            first(asked, &mut tables).unwrap_or_else(|| answer(asked, &mut tables))
        });
        Self { fake, tables }
    }

    /// esker, with this system as the endpoint `vergeos`.
    pub(crate) fn esker(&self) -> assert_cmd::Command {
        let mut command = super::esker();
        command.env("VERGE_HOST", format!("unix://{}", self.fake.socket().display())).env("VERGE_TOKEN", TOKEN);
        command
    }

    /// Runs a command.
    pub(crate) fn run(&self, args: &[&str]) -> std::process::Output {
        self.esker().args(args).output().expect("it runs")
    }

    /// The rows of a table as they are now.
    pub(crate) fn rows(&self, table: &str) -> Vec<Value> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).get(table).cloned().unwrap_or_default()
    }

    /// `METHOD PATH BODY` of every request that changed something.
    pub(crate) fn changes(&self) -> Vec<String> {
        let asked = self.fake.asked();
        let changes = asked.iter().filter(|asked| asked.method != "GET");
        changes
            .map(|asked| format!("{} {} {}", asked.method, target(asked), asked.body).trim_end().to_owned())
            .collect()
    }

    /// The filters that were sent about a table.
    pub(crate) fn filters(&self, table: &str) -> Vec<String> {
        let asked = self.fake.asked();
        let about = asked.iter().filter(|asked| asked.method == "GET" && asked.path == format!("/api/v4/{table}"));
        about.map(|asked| parameter(asked, "filter").unwrap_or_default()).collect()
    }
}

fn target(asked: &Asked) -> String {
    let path = asked.path.strip_prefix("/api/v4/").unwrap_or(&asked.path);
    if asked.query.is_empty() { path.to_owned() } else { format!("{path}?{}", asked.query) }
}

/// A parameter of the query, decoded.
pub(crate) fn parameter(asked: &Asked, name: &str) -> Option<String> {
    let raw = asked.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    let mut bytes = Vec::new();
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: Vec<u8> = rest.by_ref().take(2).collect();
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn answer(asked: &Asked, tables: &mut Tables) -> Reply {
    if asked.path == "/version.json" {
        return document(200, &json!({"version": "26.1.8"}));
    }
    if asked.authorization.as_deref() != Some(&format!("Bearer {TOKEN}")) {
        return document(401, &json!({"err": "Login required"}));
    }
    let missing = || document(404, &json!({"err": "No such file or directory"}));
    let Some(path) = asked.path.strip_prefix("/api/v4/") else { return missing() };
    let (table, key) = path.split_once('/').unwrap_or((path, ""));
    let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    if table.ends_with("_actions") {
        return Reply::Text(200, String::new());
    }
    let rows = tables.entry(table.to_owned()).or_default();
    let is_it = |row: &Value| text(&row["$key"]) == key;
    match (asked.method.as_str(), key) {
        ("GET", "") => {
            let filter = parameter(asked, "filter").unwrap_or_default();
            let number = |name: &str| parameter(asked, name).and_then(|text| text.parse::<usize>().ok());
            let found = rows.iter().filter(|row| admits(&filter, row));
            let found: Vec<&Value> =
                found.skip(number("offset").unwrap_or(0)).take(number("limit").unwrap_or(usize::MAX)).collect();
            document(200, &json!(found))
        }
        ("POST", "") => {
            let key = rows.iter().filter_map(|row| row["$key"].as_u64()).max().unwrap_or(0) + 1;
            let mut row: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
            row.insert("$key".to_owned(), key.into());
            if table == "vms" {
                row.insert("machine".to_owned(), (key + 100).into());
                row.insert("is_snapshot".to_owned(), false.into());
                row.insert("status".to_owned(), "stopped".into());
            }
            rows.push(row.into());
            let name = format!("{table}/{key}");
            document(
                201,
                &json!({"location": format!("/v4/{name}"), "dbpath": name, "$row": key, "$key": key.to_string()}),
            )
        }
        ("PUT" | "POST", verb) if verb.contains('/') => Reply::Text(200, String::new()),
        ("PUT", _) => match rows.iter_mut().find(|row| is_it(row)) {
            None => missing(),
            Some(row) => {
                for (name, value) in body.as_object().into_iter().flatten() {
                    row[name] = value.clone();
                }
                Reply::Text(200, String::new())
            }
        },
        ("DELETE", _) => {
            let before = rows.len();
            rows.retain(|row| !is_it(row));
            if rows.len() == before { missing() } else { Reply::Text(200, String::new()) }
        }
        _ => missing(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a row meets a filter of comparisons that are joined by one kind of word, or are in parentheses.
fn admits(filter: &str, row: &Value) -> bool {
    let split = |word: &str| split_outside(filter, word);
    let filter = filter.trim();
    if filter.is_empty() {
        return true;
    }
    if split(" and ").len() > 1 {
        return split(" and ").iter().all(|part| admits(part, row));
    }
    if split(" or ").len() > 1 {
        return split(" or ").iter().any(|part| admits(part, row));
    }
    if let Some(inner) = filter.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return admits(inner, row);
    }
    let mut words = filter.splitn(3, ' ');
    let (Some(column), Some(operator), Some(literal)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    // A traversal stands in the rows under the name that it is asked for by.
    let name = if column.ends_with("#status#status") { "status" } else { column };
    let wanted = literal.trim_matches('\'').replace("\\'", "'").replace("\\{", "{").replace("\\\\", "\\");
    let has = if row[name].is_null() && name == "id" { text(&row["$key"]) } else { text(&row[name]) };
    match operator {
        "eq" => has == wanted,
        "ne" => has != wanted,
        "bw" => has.starts_with(&wanted),
        "gt" => has.parse::<f64>().unwrap_or(0.0) > wanted.parse().unwrap_or(0.0),
        _ => false,
    }
}

fn split_outside<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let (mut depth, mut quoted, mut escaped, mut from) = (0, false, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ' ' if !quoted && depth == 0 && at >= from && text[at..].starts_with(word) => {
                parts.push(&text[from..at]);
                from = at + word.len();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}
