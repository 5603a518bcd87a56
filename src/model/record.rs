//! Rows of a provider's own tables.

use super::{Extra, Key, Row, nothing};
use schemars::JsonSchema;
use serde::Serialize;

/// How a field of a row is shown to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// As it is.
    Plain,
    /// A moment, in seconds or microseconds since the epoch; 0 is none.
    Moment,
    /// Bytes.
    Bytes,
    /// Mebibytes.
    Mebibytes,
    /// A state.
    State,
}

/// A column of rows whose columns are known only when they are asked for.
#[derive(Clone, Debug)]
pub struct Heading {
    /// The field.
    pub key: String,
    /// Its header.
    pub header: String,
    /// Shown by `-o wide` and `-o csv` only.
    pub is_wide: bool,
    /// How it is shown.
    pub unit: Unit,
}

/// A row of a table of resources.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Record {
    /// The table.
    pub table: String,
    /// Its key there.
    pub key: Key,
    /// Its name; null where rows have none.
    pub name: Option<String>,
    /// Its fields, in the provider's own words: outside the contract, untouched.
    pub fields: Extra,
    /// What a request answered beside the row: the result of an action, a secret that is told only once.
    #[serde(skip_serializing_if = "nothing")]
    pub answer: Extra,
}

impl Row for Record {
    const NOUN: &'static str = "rows";
    fn id(&self) -> String {
        self.key.0.clone()
    }
}

/// A row after something was done to it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RecordDone {
    /// What was done: `create`, `update`, `start`, …
    pub action: String,
    /// The operation that did it; null where the system has none.
    pub operation_id: Option<String>,
    /// The row as it is now.
    #[serde(flatten)]
    pub record: Record,
}

impl Row for RecordDone {
    const NOUN: &'static str = "rows";
    fn id(&self) -> String {
        self.record.key.0.clone()
    }
}

/// A table of resources, and what can be done with it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TableInfo {
    /// Its name on the wire, which `vm resource` takes.
    pub table: String,
    /// What one row is called.
    pub one: String,
    /// What `vm NOUN` is about it; null if nothing is.
    pub noun: Option<String>,
    /// The kind of its keys: `number`, `hash`, `uuid`, …; may grow.
    pub key: String,
    /// The table whose rows hold its rows.
    pub parent: Option<String>,
    /// Whether rows can only be looked at.
    pub read_only: bool,
    /// What can be done to a row beside that.
    pub actions: Vec<String>,
}

impl Row for TableInfo {
    const NOUN: &'static str = "tables";
    fn id(&self) -> String {
        self.table.clone()
    }
}
