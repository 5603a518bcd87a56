//! Projections: what `fields=` asks for (section 2.3).

use super::filter::Comparison;
use super::path::{At, Path};
use super::schema::{Kind, Table};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashSet;

/// What to show of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields(Vec<Item>);

#[derive(Clone, Debug, PartialEq)]
struct Item {
    /// What it is called in the answer.
    alias: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    /// Every column of the row's own.
    All,
    /// A value.
    Value(Path),
    /// Whether a comparison holds: `status#status eq 'running' as is_running`.
    Holds(Comparison),
    /// An object, or a list of them: `stats[reads,writes]`.
    Nested(Vec<String>, Fields),
    /// The first of a list: `collapse(groups[name])`.
    First(Vec<String>, Fields),
    /// The fields of an object among those of the row: `flatten(schedule[name])`.
    Flat(Vec<String>, Fields),
}

impl Fields {
    /// Reads a projection. What cannot be read is dropped, as unknown names are.
    pub(super) fn parse(text: &str) -> Self {
        Self(split(text).into_iter().filter_map(Item::parse).collect())
    }

    /// What a table shows if it is asked for nothing.
    pub(super) fn short(table: &Table) -> Self {
        let names = std::iter::once("$key").chain(table.short.iter().map(String::as_str));
        Self(names.filter_map(Item::parse).collect())
    }

    /// Whether it asks for nothing at all: such a list is counted.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What it shows of many rows, as JSON. Values alone are written as they are found: a list of thousands has a
    /// hundred thousand of them.
    pub(super) fn list<'a>(&self, rows: impl Iterator<Item = At<'a>>) -> Vec<u8> {
        let keys: Vec<Vec<u8>> = self.0.iter().map(|item| json(&item.alias)).collect();
        let are_values = self.0.iter().all(|item| matches!(item.what, What::Value(_)));
        let are_distinct = keys.iter().collect::<HashSet<_>>().len() == keys.len();
        let mut text = vec![b'['];
        for at in rows {
            if text.len() > 1 {
                text.push(b',');
            }
            if are_values && are_distinct {
                self.write_values(at, &keys, &mut text);
            } else {
                text.extend(json(&self.show(at)));
            }
        }
        text.push(b']');
        text
    }

    fn write_values(&self, at: At<'_>, keys: &[Vec<u8>], text: &mut Vec<u8>) {
        text.push(b'{');
        let mut is_first = true;
        for (item, key) in self.0.iter().zip(keys) {
            let What::Value(path) = &item.what else { continue };
            let Some(value) = path.value(at) else { continue };
            if !is_first {
                text.push(b',');
            }
            is_first = false;
            text.extend_from_slice(key);
            text.push(b':');
            serde_json::to_writer(&mut *text, &*value).expect("memory takes everything");
        }
        text.push(b'}');
    }

    /// What it shows of a row.
    pub(super) fn show(&self, at: At<'_>) -> Value {
        let mut object = Map::new();
        self.write(at, &mut object);
        object.into()
    }

    fn write(&self, at: At<'_>, object: &mut Map<String, Value>) {
        for item in &self.0 {
            let value = match &item.what {
                What::All => {
                    all(at, object);
                    continue;
                }
                What::Flat(path, fields) => {
                    match follow(at, path).and_then(|at| at.last().copied()) {
                        Some(row) => fields.write(row, object),
                        None => object.extend(fields.0.iter().map(|item| (item.alias.clone(), Value::Null))),
                    }
                    continue;
                }
                What::Value(path) => path.value(at).map(Cow::into_owned),
                What::Holds(comparison) => Some(comparison.holds(at).into()),
                What::Nested(path, fields) => nested(at, path, fields),
                What::First(path, fields) => match nested(at, path, fields) {
                    Some(Value::Array(list)) => Some(list.into_iter().next().unwrap_or(Value::Null)),
                    other => other,
                },
            };
            if let Some(value) = value {
                object.insert(item.alias.clone(), value);
            }
        }
    }
}

impl Item {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (expression, alias) = match text.rsplit_once(" as ") {
            Some((expression, alias)) if !alias.contains([']', ')']) => (expression.trim(), Some(alias.trim())),
            _ => (text, None),
        };
        let what = match expression {
            "" => return None,
            // The views that a table declares beside these show no more than its columns do.
            "all" | "most" | "summary" | "dashboard" => What::All,
            _ => What::parse(expression)?,
        };
        let alias = alias.unwrap_or_else(|| expression.split_once('[').map_or(expression, |(name, _)| name));
        Some(Self { alias: alias.to_owned(), what })
    }
}

impl What {
    fn parse(text: &str) -> Option<Self> {
        let wrapped = |name: &str| text.strip_prefix(name)?.strip_suffix(')');
        if let Some(inner) = wrapped("collapse(") {
            let (path, fields) = brackets(inner)?;
            return Some(Self::First(path, fields));
        }
        if let Some(inner) = wrapped("flatten(") {
            let (path, fields) = brackets(inner)?;
            return Some(Self::Flat(path, fields));
        }
        if let Some((path, fields)) = brackets(text) {
            return Some(Self::Nested(path, fields));
        }
        match Path::parse(text) {
            Some(path) => Some(Self::Value(path)),
            None => Comparison::parse(text).map(Self::Holds),
        }
    }
}

/// `machine#stats[reads,writes]`: the way there, and what is shown of it.
fn brackets(text: &str) -> Option<(Vec<String>, Fields)> {
    let (path, inner) = text.strip_suffix(']')?.split_once('[')?;
    let path = path.split('#').map(|name| name.trim().to_owned()).collect();
    Some((path, Fields::parse(inner)))
}

/// The row at the end of a path, or the rows.
fn follow<'a>(at: At<'a>, path: &[String]) -> Option<Vec<At<'a>>> {
    let (last, hops) = path.split_last()?;
    let mut at = at;
    for hop in hops {
        at = at.next(hop)?;
    }
    at.rows(last).or_else(|| Some(vec![at.next(last)?]))
}

fn nested(at: At<'_>, path: &[String], fields: &Fields) -> Option<Value> {
    let (last, hops) = path.split_last()?;
    let mut at = at;
    for hop in hops {
        at = at.next(hop)?;
    }
    if let Some(rows) = at.rows(last) {
        return Some(rows.into_iter().map(|row| fields.show(row)).collect());
    }
    // A column that is no reference is no object either.
    at.column(last)?;
    Some(at.next(last).map_or(Value::Null, |row| fields.show(row)))
}

/// Every column of the row's own. Some tables leave their key out (section 2.3).
fn all(at: At<'_>, object: &mut Map<String, Value>) {
    let table = at.store.schema_of(at.table);
    if !table.omits.iter().any(|name| name == "$key") {
        object.insert("$key".to_owned(), at.key.to_value());
    }
    for (column, cell) in table.columns.iter().zip(at.row) {
        if !matches!(column.kind, Kind::Secret | Kind::Rows { .. }) {
            object.insert(column.name.clone(), cell.clone());
        }
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data has a JSON form")
}

/// Splits at the commas that are in no brackets and no literal.
pub(super) fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start, mut is_quoted) = (Vec::new(), 0_i32, 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playground::vergeos::store::{Id, Store};
    use serde_json::json;

    fn store() -> (Store, Id) {
        let mut store = Store::new();
        let machine = store.add("machines", [("name", json!("web"))]);
        let vm = store.add("vms", [("name", json!("web")), ("machine", machine.key.to_value())]);
        let status = store.follow(&machine, "status").unwrap();
        store.set_all(&status, [("status", json!("needs_restart")), ("running", json!(true))]);
        for size in [10, 32] {
            store.add("machine_drives", [("machine", json!(101)), ("disksize", json!(size)), ("name", json!("d"))]);
        }
        (store, vm)
    }

    fn show(fields: &str) -> Value {
        let (store, vm) = store();
        Fields::parse(fields).show(At::of(&store, &vm).unwrap())
    }

    #[test]
    fn columns_links_and_labels() {
        assert_eq!(show("name,$key,nonsense,status"), json!({"name": "web", "$key": 1, "status": ""}));
        assert_eq!(
            show("machine#status#running as running,machine#status#display(status) as label,machine#$display as m"),
            json!({"running": true, "label": "Needs Restart", "m": "web"})
        );
        // A link to nothing is null, one that could lead anywhere is not mentioned.
        assert_eq!(show("snapshot_profile#name as p,creator#$display as c"), json!({"p": null}));
        assert_eq!(show("machine#status#status eq 'needs_restart' as x"), json!({"x": true}));
        assert_eq!(show("machine#bogus as b,bogus#name as c"), json!({}));
    }

    #[test]
    fn rows_are_counted_summed_and_nested() {
        assert_eq!(
            show("count(favorites) as none,machine#count(drives) as n,machine#sum(drives#disksize) as s"),
            json!({"none": 0, "n": 2, "s": 42})
        );
        assert_eq!(
            show("machine[name,status[running],drives[disksize]]"),
            json!({"machine": {"name": "web", "status": {"running": true}, "drives": [{"disksize": 10}, {"disksize": 32}]}})
        );
        assert_eq!(
            show("flatten(machine[name as m]),collapse(machine#drives[disksize]) as first"),
            json!({"m": "web", "first": {"disksize": 10}})
        );
        assert_eq!(show("snapshot_profile[name]"), json!({"snapshot_profile": null}));
    }

    #[test]
    fn all_has_every_own_column_and_no_secret() {
        let shown = show("all");
        assert_eq!(shown["ram"], 1024);
        assert_eq!(shown["status"], "");
        assert!(shown.get("console_pass").is_none() && shown.get("favorites").is_none());
        let (mut store, _) = store();
        let node = store.add("nodes", [("name", json!("n"))]);
        let shown = Fields::parse("all").show(At::of(&store, &node).unwrap());
        assert!(shown.get("$key").is_none() && shown["name"] == "n");
        assert!(Fields::parse(",").is_empty() && !Fields::parse("x").is_empty());
    }
}
