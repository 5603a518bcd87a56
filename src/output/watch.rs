//! Lists that are printed again and again (ux 6.3): repainted on a terminal, one event per change otherwise.

use super::{Output, lock, sanitize};
use crate::error::Result;
use crate::model::Time;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What was told of a list so far.
#[derive(Debug, Default)]
pub(super) struct Watching {
    /// Rows by target and id; several may share one, and are numbered.
    told: BTreeMap<(String, String, usize), Row>,
    /// Targets that did not answer this time: their rows are not gone.
    unseen: BTreeSet<String>,
    is_later: bool,
}

/// A row in every form that is printed.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) target: String,
    pub(super) id: String,
    /// Its document.
    pub(super) value: Value,
    /// Its cells, for people.
    pub(super) line: String,
}

impl Output {
    /// From now on every list is compared with the one before it.
    pub fn watch(&self) {
        let _ = self.0.watching.set(std::sync::Mutex::default());
    }

    /// These targets did not answer: what the next list lacks of them is not gone.
    pub fn unseen<'a>(&self, targets: impl Iterator<Item = &'a str>) {
        if let Some(watching) = self.0.watching.get() {
            lock(watching).unseen = targets.map(str::to_owned).collect();
        }
    }

    /// Whether lists are compared.
    pub fn watches(&self) -> bool {
        self.0.watching.get().is_some()
    }

    /// Whether a list that changes is painted over the one before.
    pub(super) fn repaints(&self) -> bool {
        self.stdout_is_tty() && !self.is_structured()
    }

    /// Tells what is new, other or gone since the last list.
    pub(super) fn tell(&self, rows: Vec<Row>) -> Result<()> {
        let Some(watching) = self.0.watching.get() else { return Ok(()) };
        let changes = lock(watching).take(rows);
        for (change, row) in changes {
            self.tell_one(change, &row)?;
        }
        Ok(())
    }

    fn tell_one(&self, change: &str, row: &(Value, String, String)) -> Result<()> {
        let (value, target, line) = row;
        if self.is_structured() {
            let mut event = Map::from_iter([("change".to_owned(), Value::from(change))]);
            if let Value::Object(fields) = value {
                event.extend(fields.clone());
            }
            return self.event("change", &event);
        }
        let now = Time::now().round(jiff::Unit::Second).unwrap_or_default();
        self.line(&sanitize::line(&format!("{now} {change} {target} {line}").replace("  ", " ")))
    }
}

impl Watching {
    /// Takes the rows of now; returns what changed: the word, the document, the target and the line.
    fn take(&mut self, rows: Vec<Row>) -> Vec<(&'static str, (Value, String, String))> {
        let mut now = BTreeMap::new();
        let mut order = Vec::new();
        for row in rows {
            let mut key = (row.target.clone(), row.id.clone(), 0);
            while now.contains_key(&key) {
                key.2 += 1;
            }
            order.push(key.clone());
            now.insert(key, row);
        }
        let form = |row: &Row| (row.value.clone(), row.target.clone(), row.line.clone());
        let mut changes = Vec::new();
        for key in &order {
            let row = &now[key];
            match self.told.get(key) {
                Some(old) if old.value == row.value => {}
                Some(_) => changes.push(("changed", form(row))),
                None => changes.push((if self.is_later { "added" } else { "present" }, form(row))),
            }
        }
        let unseen = std::mem::take(&mut self.unseen);
        for (key, old) in std::mem::take(&mut self.told) {
            if unseen.contains(&key.0) {
                now.entry(key).or_insert(old);
            } else if !now.contains_key(&key) {
                changes.push(("deleted", form(&old)));
            }
        }
        self.told = now;
        self.is_later = true;
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(rows: &[(&str, &str, i32)]) -> Vec<Row> {
        let row = |(target, id, value): &(&str, &str, i32)| Row {
            target: (*target).to_owned(),
            id: (*id).to_owned(),
            value: json!({ "v": value }),
            line: (*id).to_owned(),
        };
        rows.iter().map(row).collect()
    }

    fn words(changes: Vec<(&'static str, (Value, String, String))>) -> Vec<String> {
        changes
            .into_iter()
            .map(|(change, (value, target, id))| format!("{change} {target} {id} {}", value["v"]))
            .collect()
    }

    #[test]
    fn each_change_is_told_once() {
        let mut watching = Watching::default();
        assert_eq!(words(watching.take(rows(&[("t", "b", 1), ("t", "a", 1)]))), ["present t b 1", "present t a 1"]);
        assert!(watching.take(rows(&[("t", "a", 1), ("t", "b", 1)])).is_empty());
        let changes = words(watching.take(rows(&[("t", "a", 2), ("u", "b", 1)])));
        assert_eq!(changes, ["changed t a 2", "added u b 1", "deleted t b 1"]);
    }

    #[test]
    fn rows_of_one_id_are_told_apart_by_their_order() {
        let mut watching = Watching::default();
        watching.take(rows(&[("t", "a", 1), ("t", "a", 2)]));
        assert_eq!(words(watching.take(rows(&[("t", "a", 1)]))), ["deleted t a 2"]);
    }

    #[test]
    fn what_did_not_answer_is_not_gone() {
        let mut watching = Watching::default();
        watching.take(rows(&[("t", "a", 1), ("u", "a", 1)]));
        watching.unseen.insert("u".to_owned());
        assert!(watching.take(rows(&[("t", "a", 1)])).is_empty());
        assert_eq!(words(watching.take(rows(&[("t", "a", 1)]))), ["deleted u a 1"]);
    }
}
