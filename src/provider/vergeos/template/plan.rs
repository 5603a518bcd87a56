//! What differs between a description and the machine that is there.

use super::{PARTS, VergeTemplates};
use crate::error::{ErrorKind, Result};
use crate::model::{Difference, Key, MachinePlan};
use crate::provider::machines::{Row, Selector};
use crate::provider::templates::Described;
use crate::provider::vergeos::api::text;
use crate::provider::vergeos::filter::equals;
use crate::provider::vergeos::rows::Select;
use crate::provider::vergeos::tables;
use serde_json::Value;

/// What is taken and never told again, or decides only how a part is made.
const ONCE: [&str; 4] = ["media", "media_source", "settings_args", "preserve_drive_format"];

/// A machine as it is: its key, that of its machine, its fields and its parts.
pub(super) struct Live {
    pub(super) key: String,
    pub(super) machine: String,
    fields: Row,
    parts: Vec<(&'static str, Vec<Row>)>,
}

impl Live {
    /// The part of a kind with a name.
    pub(super) fn part(&self, kind: &str, name: &str) -> Option<&Row> {
        let rows = self.parts.iter().find(|(key, _)| *key == kind).map(|(_, rows)| rows)?;
        rows.iter().find(|row| row.get("name").and_then(Value::as_str) == Some(name))
    }
}

impl VergeTemplates {
    /// The plan, and the machine as it is if it is there.
    pub(super) async fn compare(&self, described: &Described) -> Result<(MachinePlan, Option<Live>)> {
        let live = self.live(described).await?;
        let mut differences = Vec::new();
        for (field, to) in &described.document {
            if field == "power_on_after_create" || field == "files" {
                continue;
            }
            if PARTS.iter().any(|part| part.key == field) {
                for item in to.as_array().into_iter().flatten().filter_map(Value::as_object) {
                    self.compare_part(field, item, live.as_ref(), &mut differences).await?;
                }
                continue;
            }
            let from = live.as_ref().and_then(|live| live.fields.get(field)).cloned().unwrap_or(Value::Null);
            if !self.is_same("vms", field, to, &from).await? {
                differences.push(Difference { field: field.clone(), from, to: to.clone() });
            }
        }
        for file in described.document.get("files").and_then(Value::as_array).into_iter().flatten() {
            self.compare_file(file, live.as_ref(), &mut differences).await?;
        }
        let action = match (&live, differences.is_empty()) {
            (None, _) => "create",
            (Some(_), true) => "none",
            (Some(_), false) => "update",
        };
        Ok((MachinePlan { name: described.name.clone(), action: action.to_owned(), differences }, live))
    }

    async fn live(&self, described: &Described) -> Result<Option<Live>> {
        let def = tables::known("vms");
        let own = described.document.keys().filter(|name| def.columns().any(|column| column == name.as_str()));
        let fields =
            own.fold(
                "$key,name,machine".to_owned(),
                |fields, name| {
                    if name == "name" { fields } else { format!("{fields},{name}") }
                },
            );
        let which = Selector::Name(described.name.clone());
        let record = match self.resources().look_up(def, &which, None, &fields).await {
            Ok(record) => record,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let what = format!("look at virtual machine `{}`", described.name);
        let machine = record.fields.get("machine").and_then(text);
        let machine = machine.ok_or_else(|| self.0.garbled(&what, "its machine is not in it"))?;
        let mut parts = Vec::new();
        for part in &PARTS {
            if described.document.contains_key(part.key) {
                let columns: Vec<&str> =
                    tables::known(part.table).columns().filter(|name| *name != "machine").collect();
                let mut fields = vec!["$key"];
                fields.extend(columns);
                fields.dedup();
                let select = Select::new(part.table, &fields.join(",")).filter(format!("machine eq {machine}"));
                parts.push((part.key, self.0.rows(&what, &select).await?));
            }
        }
        Ok(Some(Live { key: record.key.0, machine, fields: record.fields, parts }))
    }

    async fn compare_part(
        &self,
        kind: &str,
        item: &Row,
        live: Option<&Live>,
        differences: &mut Vec<Difference>,
    ) -> Result<()> {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        let table = PARTS.iter().find(|part| part.key == kind).map_or("", |part| part.table);
        let Some(there) = live.and_then(|live| live.part(kind, name)) else {
            let field = format!("{kind}[{name}]");
            differences.push(Difference { field, from: Value::Null, to: item.clone().into() });
            return Ok(());
        };
        for (column, to) in item.iter().filter(|(column, _)| !ONCE.contains(&column.as_str())) {
            let from = there.get(column).cloned().unwrap_or(Value::Null);
            if self.is_same(table, column, to, &from).await? {
                continue;
            }
            if column == "disksize" && to.as_u64().zip(from.as_u64()).is_some_and(|(to, from)| to < from) {
                let what = format!("shrink drive `{name}`");
                return Err(self.0.error(
                    ErrorKind::Rejected,
                    &what,
                    &format!("it has {from} bytes, and drives only grow"),
                ));
            }
            differences.push(Difference { field: format!("{kind}[{name}].{column}"), from, to: to.clone() });
        }
        Ok(())
    }

    async fn compare_file(&self, file: &Value, live: Option<&Live>, differences: &mut Vec<Difference>) -> Result<()> {
        let name = file.get("name").and_then(Value::as_str).unwrap_or_default();
        let field = format!("cloudinit[{name}]");
        let from = match live {
            None => Value::Null,
            Some(live) => match self.cloudinit_file(&live.key, name).await? {
                None => Value::Null,
                Some(key) => {
                    let path = format!("{}/cloudinit_files/{key}?download=1", crate::provider::vergeos::api::ROOT);
                    let request = || crate::transport::Request::get(path.clone());
                    let bytes = self.0.repeat(&format!("read `{name}`"), &request).await?;
                    String::from_utf8_lossy(&bytes).into_owned().into()
                }
            },
        };
        let to = file.get("contents").cloned().unwrap_or(Value::Null);
        if from != to {
            differences.push(Difference { field, from, to });
        }
        Ok(())
    }

    /// The key of a cloud-init file of a machine, whose names may lack their slash.
    pub(super) async fn cloudinit_file(&self, vm: &str, name: &str) -> Result<Option<String>> {
        let what = format!("find `{name}`");
        let select = Select::new("cloudinit_files", "$key,name").filter(equals("owner", &format!("vms/{vm}")));
        let rows: Vec<Row> = self.0.rows(&what, &select).await?;
        let is_it = |row: &&Row| {
            let found = row.get("name").and_then(Value::as_str).unwrap_or_default();
            found.trim_start_matches('/') == name.trim_start_matches('/')
        };
        Ok(rows.iter().find(is_it).and_then(|row| row.get("$key")).and_then(text))
    }

    /// Whether a column is as described; what is described by name is compared by key.
    async fn is_same(&self, table: &'static str, column: &str, to: &Value, from: &Value) -> Result<bool> {
        let def = tables::known(table);
        let kind = def.set.split_whitespace().find_map(|word| word.split_once(':').filter(|(name, _)| *name == column));
        let target = kind.and_then(|(_, kind)| tables::table(kind));
        let (mut to, from) = (plain(to), plain(from));
        if column == "ram" {
            to = to.parse::<u64>().map_or(to, |ram| ram.next_multiple_of(256).to_string());
        }
        if let Some(target) = target.filter(|target| !target.is_key(&to) && !to.is_empty()) {
            to = self.resources().key_of(target.name(), &to, "").await?.key;
        }
        // `q35` and its like are stored with their version.
        let is_alias =
            column == "machine_type" && from.starts_with(&format!("pc-{}", if to == "pc" { "i440fx" } else { &to }));
        Ok(to == from || is_alias || (is_none(&to) && is_none(&from)))
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(yes) => yes.to_string(),
        other => other.to_string(),
    }
}

fn is_none(text: &str) -> bool {
    matches!(text, "" | "0" | "none")
}

/// What selects a machine by its key.
pub(super) fn by_key(key: &str) -> Selector {
    Selector::Key(Key::from(key))
}
