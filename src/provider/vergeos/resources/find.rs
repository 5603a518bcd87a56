//! Finding rows: names and keys are looked up by the server, with one meaning each (section 2.2).

use super::{Held, VergeResources};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Record;
use crate::provider::machines::{Row, Selector};
use crate::provider::vergeos::api::text;
use crate::provider::vergeos::filter::{all, equals};
use crate::provider::vergeos::rows::Select;
use crate::provider::vergeos::tables::{self, Def, Holder};
use crate::suggest::nearest;
use serde_json::Value;

/// Columns that name rows and hold numbers.
const NUMBERED: [&str; 2] = ["tier", "asn"];
/// Names that are looked at for a near miss.
const NEAR: usize = 200;

/// A row that was looked up to be named in a request.
#[derive(Clone, Debug)]
pub(in crate::provider::vergeos) struct Found {
    /// Its key.
    pub key: String,
    /// What was asked for of it.
    pub row: Row,
}

/// The condition that a row of `def` is the one with this key.
pub(in crate::provider::vergeos) fn condition(def: &Def, key: &str) -> String {
    match def.table.key {
        "hash" => equals("id", &key.to_ascii_lowercase()),
        "uuid" => equals("uuid", key),
        "word" => equals("name", key),
        _ => format!("$key eq {key}"),
    }
}

/// The condition that it has this name.
fn named(def: &Def, name: &str) -> Option<String> {
    if def.table.label.is_empty() {
        return None;
    }
    if NUMBERED.contains(&def.table.label) {
        return name.parse::<u64>().ok().map(|number| format!("{} eq {number}", def.table.label));
    }
    Some(equals(def.table.label, name))
}

/// The condition that it is meant: by name, by key, or by either.
fn meant(def: &Def, which: &Selector) -> Result<String> {
    let one = &def.table.one;
    let by_key = |key: &str| def.is_key(key).then(|| condition(def, key));
    match which {
        Selector::Name(name) => named(def, name).ok_or_else(|| {
            Error::usage(format!("a {one} has no name"))
                .hint("name it by its key: `esker vm resource TABLE list` shows it")
        }),
        Selector::Key(key) => by_key(key.as_str())
            .ok_or_else(|| Error::usage(format!("`{key}` is no key of a {one}: expected a {}", def.table.key))),
        // A number is what such a row is called by, and its key is another number: a tier, say.
        Selector::Auto(text) if NUMBERED.contains(&def.table.label) => meant(def, &Selector::Name(text.clone())),
        Selector::Auto(text) => match (named(def, text), by_key(text)) {
            (Some(name), Some(key)) if name != key => Ok(format!("{name} or {key}")),
            (Some(condition), _) | (None, Some(condition)) => Ok(condition),
            (None, None) => Err(Error::usage(format!("`{text}` is no key of a {one}: expected a {}", def.table.key))),
        },
    }
}

impl VergeResources {
    /// The one row that is meant. Two matches are `Conflict`, none is `NotFound` with a near miss.
    pub(in crate::provider::vergeos) async fn look_up(
        &self,
        def: &'static Def,
        which: &Selector,
        held: Option<String>,
        fields: &str,
    ) -> Result<Record> {
        let wanted = which.text();
        let what = format!("find {} `{wanted}`", def.table.one);
        if def.is_single() {
            let row = self.0.row(&what, &Select::new(def.name(), fields)).await?;
            return row
                .map(|row| Self::record(def, row))
                .ok_or_else(|| self.0.error(ErrorKind::NotFound, &what, "it is empty"));
        }
        // Snapshots of machines stand among the machines, with their names.
        let only = if def.only.contains("is_snapshot") && !matches!(which, Selector::Key(_)) { def.only } else { "" };
        let held = held.unwrap_or_default();
        let filter = all([meant(def, which)?, held.clone(), only.to_owned()]);
        let select = Select { filter, ..Select::new(def.name(), fields) }.limit(10);
        let rows: Vec<Row> = self.0.rows(&what, &select).await?;
        let mut found: Vec<Record> = rows.into_iter().map(|row| Self::record(def, row)).collect();
        // A server that did not understand the filter must not choose for us.
        found.retain(|record| {
            let is_name = record.name.as_deref() == Some(wanted) && !matches!(which, Selector::Key(_));
            let is_key = record.key.0.eq_ignore_ascii_case(wanted) && !matches!(which, Selector::Name(_));
            is_name || is_key || def.table.key != "number"
        });
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(self.unknown(def, wanted, &held, &what).await),
            _ => {
                let list: Vec<_> = found.iter().map(described).collect();
                let error = self.0.error(ErrorKind::Conflict, &what, &format!("it names {} rows", found.len()));
                Err(error
                    .cause(list.join(", "))
                    .hint("pass --by-key with a key, or --by-name where one is called like the key of another"))
            }
        }
    }

    async fn unknown(&self, def: &'static Def, wanted: &str, held: &str, what: &str) -> Error {
        let error = self.0.error(ErrorKind::NotFound, what, "there is none");
        if def.table.label.is_empty() || NUMBERED.contains(&def.table.label) {
            return error;
        }
        let fields = format!("$key,{}", def.table.label);
        let select = Select { filter: all([held.to_owned()]), ..Select::new(def.name(), &fields) };
        let rows: Vec<Row> = self.0.rows(what, &select.limit(NEAR)).await.unwrap_or_default();
        let names: Vec<String> = rows.iter().filter_map(|row| row.get(def.table.label).and_then(text)).collect();
        match nearest(wanted, names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("`esker vm resource {} list` shows all", def.name())),
        }
    }

    /// The key of the row of `table` that a text names, and these fields of it.
    pub(in crate::provider::vergeos) async fn key_of(
        &self,
        table: &'static str,
        wanted: &str,
        fields: &str,
    ) -> Result<Found> {
        let def = tables::known(table);
        let label = if def.table.label.is_empty() { String::new() } else { format!(",{}", def.table.label) };
        let id = if def.has_text_keys() && def.table.key != "word" { ",id" } else { "" };
        let fields = format!("$key{id}{label}{}{fields}", if fields.is_empty() { "" } else { "," });
        let record = self.look_up(def, &Selector::Auto(wanted.to_owned()), None, &fields).await?;
        Ok(Found { key: record.key.0, row: record.fields })
    }

    /// Whom the rows of `def` belong to, by name or key.
    pub(super) async fn holder(
        &self,
        def: &'static Def,
        (column, form): (&'static str, Holder),
        wanted: &str,
    ) -> Result<Held> {
        let parent = tables::known(def.table.parent);
        let fields = match form {
            Holder::Machine => "machine,allow_hotplug,machine#status#running as running",
            _ => "",
        };
        let found = self.key_of(parent.name(), wanted, fields).await?;
        let text_of = |prefix: &str| format!("{prefix}{}", found.key);
        let (value, filter) = match form {
            Holder::Machine => {
                // Its own key addresses another machine here (section 3.1).
                let machine = found.row.get("machine").and_then(text).ok_or_else(|| {
                    let what = format!("find the machine of `{wanted}`");
                    self.0.error(ErrorKind::Failure, &what, "the answer does not tell it")
                })?;
                (number(&machine), format!("{column} eq {machine}"))
            }
            Holder::Key if parent.has_text_keys() => (found.key.clone().into(), equals(column, &found.key)),
            Holder::Key => (number(&found.key), format!("{column} eq {}", found.key)),
            Holder::Reference(prefix) => (text_of(prefix).into(), equals(column, &text_of(prefix))),
        };
        let is_on = |column: &str| found.row.get(column) == Some(&Value::Bool(true));
        let running = (is_on("running") && is_on("allow_hotplug")).then(|| found.key.clone());
        let name = found.row.get(parent.table.label).and_then(text).unwrap_or(found.key);
        Ok(Held { column, value, filter, name, running })
    }
}

/// A key as it stands in bodies: a number where it is one.
pub(super) fn number(key: &str) -> Value {
    key.parse::<u64>().map_or_else(|_| key.into(), Value::from)
}

fn described(record: &Record) -> String {
    match &record.name {
        Some(name) => format!("`{name}` (key {})", record.key),
        None => format!("key {}", record.key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(table: &'static str, text: &str) -> Result<String> {
        meant(tables::known(table), &Selector::Auto(text.to_owned()))
    }

    #[test]
    fn names_and_keys_become_conditions() {
        assert_eq!(asked("vms", "o'br{i}en").unwrap(), r"name eq 'o\'br\{i}en'");
        assert_eq!(asked("vms", "123").unwrap(), "name eq '123' or $key eq 123");
        assert_eq!(asked("permissions", "7").unwrap(), "$key eq 7");
        assert_eq!(asked("permissions", "x").unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(asked("storage_tiers", "1").unwrap(), "tier eq 1");
        let hash = "A".repeat(40);
        let lower = hash.to_lowercase();
        assert_eq!(asked("volumes", &hash).unwrap(), format!("name eq '{hash}' or id eq '{lower}'"));
        assert_eq!(asked("volumes", "data").unwrap(), "name eq 'data'");
        assert_eq!(asked("settings", "ui_title").unwrap(), "key eq 'ui_title'");
    }
}
