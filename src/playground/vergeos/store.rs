//! The rows of all tables.

use super::key::{Key, Kind as KeyKind, reference};
use super::random;
use super::schema::{Column, Kind, Schema, Table};
use super::times;
use serde_json::Value;
use std::collections::BTreeMap;

/// The cells of a row, one for each column of its table.
pub(super) type Row = Vec<Value>;

/// A row, by the number of its table and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) table: usize,
    pub(super) key: Key,
}

/// The rows.
pub(super) struct Store {
    pub(super) schema: Schema,
    tables: Vec<Rows>,
}

/// The rows of all tables at some moment.
pub(super) struct Kept(Vec<Rows>);

#[derive(Clone)]
struct Rows {
    rows: BTreeMap<Key, Row>,
    /// The number of the next row. Rows that are keyed by text have one too, by which a reference may name them.
    next: u64,
    numbers: BTreeMap<u64, Key>,
}

/// Machines are counted from here: a VM's key where a machine's belongs leads to nothing, and does not go unnoticed
/// (section 3.1 of the reference).
const FIRST_MACHINE: u64 = 101;

impl Store {
    /// Every table, empty.
    pub(super) fn new() -> Self {
        let schema = Schema::read();
        let first = |table: &Table| if table.name == "machines" { FIRST_MACHINE } else { 1 };
        let tables = schema
            .tables
            .iter()
            .map(|table| Rows { rows: BTreeMap::new(), next: first(table), numbers: BTreeMap::new() })
            .collect();
        Self { schema, tables }
    }

    /// All rows as they are now.
    pub(super) fn keep(&self) -> Kept {
        Kept(self.tables.clone())
    }

    /// Has all rows be as they were.
    pub(super) fn restore(&mut self, kept: &Kept) {
        self.tables.clone_from(&kept.0);
    }

    /// The number of a table that the simulator itself names.
    pub(super) fn table(&self, name: &str) -> usize {
        self.schema.find(name).unwrap_or_else(|| panic!("there is no table `{name}`"))
    }

    pub(super) fn schema_of(&self, table: usize) -> &Table {
        &self.schema.tables[table]
    }

    fn column(&self, table: usize, name: &str) -> usize {
        let schema = self.schema_of(table);
        schema.column(name).unwrap_or_else(|| panic!("there is no column `{name}` in `{}`", schema.name))
    }

    pub(super) fn row(&self, table: usize, key: &Key) -> Option<&Row> {
        self.tables[table].rows.get(key)
    }

    pub(super) fn rows(&self, table: usize) -> impl Iterator<Item = (&Key, &Row)> {
        self.tables[table].rows.iter()
    }

    /// The row with the key as the store has it.
    pub(super) fn entry(&self, id: &Id) -> Option<(&Key, &Row)> {
        self.tables[id.table].rows.get_key_value(&id.key)
    }

    /// The row of this key, if there is one.
    pub(super) fn find(&self, table: &str, key: impl ToString) -> Option<Id> {
        self.named(self.table(table), &key.to_string())
    }

    /// The row that a reference names, by its key or by its number.
    fn named(&self, table: usize, text: &str) -> Option<Id> {
        let kind = self.schema_of(table).keys;
        let by_number =
            (kind != KeyKind::Number).then(|| self.tables[table].numbers.get(&text.parse().ok()?)).flatten();
        let key = by_number.cloned().or_else(|| Key::parse(text, kind))?;
        self.row(table, &key)?;
        Some(Id { table, key })
    }

    /// The number of a row.
    pub(super) fn number_of(&self, id: &Id) -> u64 {
        match &id.key {
            Key::Number(number) => *number,
            Key::Text(_) => {
                let mut numbers = self.tables[id.table].numbers.iter();
                numbers.find(|(_, key)| **key == id.key).map_or(0, |(number, _)| *number)
            }
        }
    }

    /// The row that `cell`, a reference into `table`, names.
    pub(super) fn find_cell(&self, table: &str, cell: &Value) -> Option<Id> {
        let (other, key) = reference(cell)?;
        self.schema.find(other.unwrap_or(table))?;
        self.find(other.unwrap_or(table), key)
    }

    /// The rows whose cell refers to `value` or is equal to it.
    pub(super) fn with(&self, table: &str, column: &str, value: &Value) -> Vec<Id> {
        let table = self.table(table);
        let column = self.column(table, column);
        let found = self.rows(table).filter(|(_, row)| same(&row[column], value));
        found.map(|(key, _)| Id { table, key: key.clone() }).collect()
    }

    /// The first row whose cell refers to `value` or is equal to it.
    pub(super) fn first(&self, table: &str, column: &str, value: &Value) -> Option<Id> {
        let table = self.table(table);
        let column = self.column(table, column);
        let (key, _) = self.rows(table).find(|(_, row)| same(&row[column], value))?;
        Some(Id { table, key: key.clone() })
    }

    /// A cell of a row; null if the row is gone.
    pub(super) fn cell(&self, id: &Id, column: &str) -> Value {
        let at = self.column(id.table, column);
        self.row(id.table, &id.key).map_or(Value::Null, |row| row[at].clone())
    }

    /// A cell as text; nothing if it is none.
    pub(super) fn text(&self, id: &Id, column: &str) -> String {
        self.cell(id, column).as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn flag(&self, id: &Id, column: &str) -> bool {
        self.cell(id, column) == true
    }

    pub(super) fn number(&self, id: &Id, column: &str) -> i64 {
        self.cell(id, column).as_i64().unwrap_or_default()
    }

    /// The row that a cell of `id` refers to.
    pub(super) fn follow(&self, id: &Id, column: &str) -> Option<Id> {
        let at = self.column(id.table, column);
        let row = self.row(id.table, &id.key)?;
        self.target(&self.schema_of(id.table).columns[at], &row[at])
    }

    /// The row that a cell of this column refers to.
    pub(super) fn target(&self, column: &Column, cell: &Value) -> Option<Id> {
        // Almost all references are numbers into one table of numbers.
        if let (Some(table), Some(number)) = (column.target, cell.as_u64())
            && self.schema_of(table).keys == KeyKind::Number
        {
            let id = Id { table, key: Key::Number(number) };
            return self.row(table, &id.key).map(|_| id);
        }
        let (named, key) = reference(cell)?;
        let table = match named {
            Some(name) => self.schema.find(name)?,
            None => column.target?,
        };
        self.named(table, &key)
    }

    /// Writes a cell. Nothing happens if the row is gone.
    pub(super) fn set(&mut self, id: &Id, column: &str, value: impl Into<Value>) {
        let at = self.column(id.table, column);
        if let Some(row) = self.tables[id.table].rows.get_mut(&id.key) {
            row[at] = value.into();
        }
    }

    /// Writes several cells.
    pub(super) fn set_all<const N: usize>(&mut self, id: &Id, cells: [(&str, Value); N]) {
        for (column, value) in cells {
            self.set(id, column, value);
        }
    }

    /// Adds a row, and the parts that belong to it. What `cells` does not say has its default; unknown columns are a
    /// mistake of the simulator's.
    pub(super) fn add<const N: usize>(&mut self, table: &str, cells: [(&str, Value); N]) -> Id {
        let table = self.table(table);
        let mut row = self.blank(table);
        for (name, value) in cells {
            let at = self.column(table, name);
            row[at] = value;
        }
        self.insert(table, row)
    }

    /// A row of defaults.
    pub(super) fn blank(&self, table: usize) -> Row {
        let now = times::seconds();
        let columns = self.schema_of(table).columns.iter();
        let cells = columns.map(|column| match column.kind {
            Kind::Created | Kind::Modified => now.into(),
            _ => column.default.clone(),
        });
        cells.collect()
    }

    /// Adds a row with a key of its own, and its parts.
    pub(super) fn insert(&mut self, table: usize, mut row: Row) -> Id {
        let schema = self.schema_of(table);
        let key = match schema.keys {
            KeyKind::Number => Key::Number(self.tables[table].next),
            KeyKind::Hex => Key::Text(random::id()),
            KeyKind::Uuid => Key::Text(random::uuid()),
            KeyKind::Name => Key::Text(row[self.column(table, "name")].as_str().unwrap_or_default().to_owned()),
        };
        match (schema.keys, &key) {
            (KeyKind::Hex, key) => row[self.column(table, "id")] = key.to_value(),
            (KeyKind::Uuid, key) => row[self.column(table, "uuid")] = key.to_value(),
            _ => {}
        }
        let columns = schema.columns.iter().enumerate();
        let parts = columns.filter_map(|(at, column)| match &column.kind {
            Kind::Part { table, back } => Some((at, table.clone(), back.clone())),
            _ => None,
        });
        let id = Id { table, key };
        for (at, other, back) in parts.collect::<Vec<_>>() {
            // A part of any kind of owner says which.
            let part = self.table(&other);
            let at_back = self.column(part, &back);
            let owner = match self.schema_of(part).columns[at_back].kind {
                Kind::Any => format!("{}/{}", self.schema_of(table).name, id.key).into(),
                _ => id.key.to_value(),
            };
            row[at] = self.add(&other, [(back.as_str(), owner)]).key.to_value();
        }
        let number = self.tables[table].next;
        self.tables[table].next += 1;
        if let Key::Text(_) = &id.key {
            self.tables[table].numbers.insert(number, id.key.clone());
        }
        self.tables[table].rows.insert(id.key.clone(), row);
        id
    }

    /// Removes a row, its parts, and the rows that it owns.
    pub(super) fn remove(&mut self, id: &Id) {
        let Some(row) = self.tables[id.table].rows.remove(&id.key) else { return };
        self.tables[id.table].numbers.retain(|_, key| *key != id.key);
        let schema = self.schema_of(id.table);
        let named = Value::from(format!("{}/{}", schema.name, id.key));
        let mut gone = Vec::new();
        for (column, cell) in schema.columns.iter().zip(&row) {
            match &column.kind {
                Kind::Part { .. } => gone.extend(self.target(column, cell)),
                Kind::Rows { table, back, are_owned: true } => {
                    gone.extend(self.with(table, back, &id.key.to_value()));
                    gone.extend(self.with(table, back, &named));
                }
                _ => {}
            }
        }
        // What was said about any kind of thing goes with the thing.
        for (table, column) in [("tag_members", "member"), ("members", "member"), ("cloudinit_files", "owner")] {
            gone.extend(self.with(table, column, &named));
        }
        for id in gone {
            self.remove(&id);
        }
    }
}

/// Whether a cell is this value, or both refer to the same row.
pub(super) fn same(cell: &Value, value: &Value) -> bool {
    if cell == value {
        return true;
    }
    match (reference(cell), reference(value)) {
        (Some((left_table, left)), Some((right_table, right))) => {
            left == right && (left_table == right_table || left_table.is_none() || right_table.is_none())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_comes_and_goes_with_its_parts_and_what_it_owns() {
        let mut store = Store::new();
        let machine = store.add("machines", [("name", json!("a"))]);
        assert_eq!(machine.key, Key::Number(101));
        let status = store.follow(&machine, "status").unwrap();
        assert_eq!(store.cell(&status, "machine"), json!(101));
        let drive = store.add("machine_drives", [("machine", json!("101"))]);
        assert_eq!(store.with("machine_drives", "machine", &json!(101)), std::slice::from_ref(&drive));
        store.remove(&machine);
        assert!(store.row(status.table, &status.key).is_none());
        assert!(store.row(drive.table, &drive.key).is_none());
        assert_eq!(store.rows(store.table("machine_drive_status")).count(), 0);
    }

    #[test]
    fn references_are_followed_in_every_form_that_is_stored() {
        let mut store = Store::new();
        let vm = store.add("vms", [("name", json!("a"))]);
        let tag = store.add("tags", [("name", json!("t"))]);
        for form in ["vms/1", "/v4/vms/1"] {
            let member = store.add("tag_members", [("tag", json!("1")), ("member", json!(form))]);
            assert_eq!(store.follow(&member, "member"), Some(vm.clone()));
            assert_eq!(store.follow(&member, "tag"), Some(tag.clone()));
        }
        assert_eq!(store.follow(&vm, "machine"), None);
        store.set(&vm, "machine", 0);
        assert_eq!(store.follow(&vm, "machine"), None);
        store.remove(&vm);
        assert_eq!(store.rows(store.table("tag_members")).count(), 0);
    }
}
