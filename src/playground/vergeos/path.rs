//! Paths to values: `machine#status#display(status)`, as projections, filters and sorts have them (section 2.3).

use super::key::Key;
use super::schema::{Kind, Limit};
use super::store::{Id, Row, Store};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The way from a row to a value: references to follow, and what to take at their end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    pub(super) hops: Vec<String>,
    pub(super) last: Last,
}

/// What is taken at the end of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Last {
    /// A column, or `$key`, or `$row`.
    Column(String),
    /// What the row is called.
    Display,
    /// A function of a column, or over the rows that refer to this one.
    Call(Function, Box<Path>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Display,
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Datetime,
    Upper,
    Lower,
    Diskspace,
    Hex,
    Sha1,
}

/// The functions by name.
const FUNCTIONS: &[(&str, Function)] = &[
    ("display", Function::Display),
    ("count", Function::Count),
    ("sum", Function::Sum),
    ("avg", Function::Avg),
    ("min", Function::Min),
    ("max", Function::Max),
    ("datetime", Function::Datetime),
    ("upper", Function::Upper),
    ("lower", Function::Lower),
    ("diskspace", Function::Diskspace),
    ("hex", Function::Hex),
    ("sha1", Function::Sha1),
];

/// A row while its values are taken.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) store: &'a Store,
    pub(super) table: usize,
    pub(super) key: &'a Key,
    pub(super) row: &'a Row,
}

/// What following a reference leads to.
enum Hop<'a> {
    Row(At<'a>),
    /// A reference to nothing.
    Null,
    /// A reference to nothing that might have been to any table: nobody knows what the rest of the path would be.
    NullAny,
    /// There is no such column, or it refers to nothing ever.
    Unknown,
}

impl Path {
    /// Reads a whole path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts: Vec<&str> = text.trim().split('#').collect();
        // What a function is of may be a path too.
        if let Some(open) = text.find('(') {
            let start = text[..open].rfind('#').map_or(0, |at| at + 1);
            parts = text[..start].split_terminator('#').chain([&text[start..]]).collect();
        }
        let last = parts.pop()?.trim();
        let hops: Vec<String> = parts.into_iter().map(|part| part.trim().to_owned()).collect();
        if hops.iter().any(|hop| !is_name(hop)) {
            return None;
        }
        let last = match last.strip_suffix(')').and_then(|call| call.split_once('(')) {
            Some((name, inner)) => {
                let (_, function) = FUNCTIONS.iter().find(|(known, _)| *known == name.trim())?;
                Last::Call(*function, Box::new(Self::parse(inner)?))
            }
            None if last == "$display" => Last::Display,
            None if ["$key", "$row"].contains(&last) || is_name(last) => Last::Column(last.to_owned()),
            None => return None,
        };
        Some(Self { hops, last })
    }

    /// The value at the end of the path; `None` if there is no such column, or nobody can know.
    pub(super) fn value<'a>(&self, from: At<'a>) -> Option<Cow<'a, Value>> {
        let mut at = from;
        for hop in &self.hops {
            match at.follow(hop) {
                Hop::Row(next) => at = next,
                Hop::Null => return Some(Cow::Owned(Value::Null)),
                Hop::NullAny | Hop::Unknown => return None,
            }
        }
        match &self.last {
            Last::Column(name) => at.column(name),
            Last::Display => Some(Cow::Owned(at.display())),
            Last::Call(function, inner) => at.call(*function, inner).map(Cow::Owned),
        }
    }
}

/// Whether `text` can be the name of a column. A letter or `_` comes first.
fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || c == '_';
    text.chars().next().is_some_and(|c| inner(c) && !c.is_ascii_digit()) && text.chars().all(inner)
}

impl<'a> At<'a> {
    /// The row of `id`, if it is there.
    pub(super) fn of(store: &'a Store, id: &'a Id) -> Option<Self> {
        store.row(id.table, &id.key).map(|row| Self { store, table: id.table, key: &id.key, row })
    }

    /// The row that the column `name` refers to.
    pub(super) fn next(self, name: &str) -> Option<Self> {
        match self.follow(name) {
            Hop::Row(at) => Some(at),
            _ => None,
        }
    }

    fn follow(self, name: &str) -> Hop<'a> {
        let schema = self.store.schema_of(self.table);
        let Some(at) = schema.column(name) else { return Hop::Unknown };
        let column = &schema.columns[at];
        let is_any = column.kind == Kind::Any;
        if !is_any && !matches!(column.kind, Kind::Ref(_) | Kind::Part { .. }) {
            return Hop::Unknown;
        }
        let Some(id) = self.store.target(column, &self.row[at]) else {
            return if is_any { Hop::NullAny } else { Hop::Null };
        };
        // The row outlives this call in the store, its key does too.
        match self.store.entry(&id) {
            Some((key, row)) => Hop::Row(Self { store: self.store, table: id.table, key, row }),
            None => Hop::Null,
        }
    }

    /// The rows that refer to this one by the column `name`.
    pub(super) fn rows(self, name: &str) -> Option<Vec<At<'a>>> {
        let schema = self.store.schema_of(self.table);
        let Kind::Rows { table, back, .. } = &schema.columns[schema.column(name)?].kind else { return None };
        let key = self.key.to_value();
        let named = Value::from(format!("{}/{}", schema.name, self.key));
        let ids = self.store.with(table, back, &key).into_iter();
        // A bare key in a column of any table is not a reference to this one.
        let ids = ids.filter(|id| {
            let cell = self.store.cell(id, back);
            !cell.as_str().is_some_and(|text| text.contains('/')) || super::store::same(&cell, &named)
        });
        let rows = ids.filter_map(|id| {
            let (key, row) = self.store.entry(&id)?;
            Some(Self { store: self.store, table: id.table, key, row })
        });
        Some(rows.collect())
    }

    /// The value of a column of its own; a secret is none.
    pub(super) fn column(self, name: &str) -> Option<Cow<'a, Value>> {
        match name {
            "$key" => return Some(Cow::Owned(self.key.to_value())),
            "$row" => {
                let id = Id { table: self.table, key: self.key.clone() };
                return Some(Cow::Owned(self.store.number_of(&id).into()));
            }
            _ => {}
        }
        let schema = self.store.schema_of(self.table);
        let at = schema.column(name)?;
        match &schema.columns[at].kind {
            Kind::Secret => None,
            Kind::Rows { .. } => Some(Cow::Owned(self.rows(name)?.iter().map(|row| row.key.to_value()).collect())),
            _ => Some(Cow::Borrowed(&self.row[at])),
        }
    }

    /// What the row is called.
    pub(super) fn display(self) -> Value {
        let schema = self.store.schema_of(self.table);
        let named = ["name", "displayname", "domain", "ip", "host", "subject", "text"];
        let cells = named.iter().filter_map(|name| Some(self.row[schema.column(name)?].clone()));
        let mut cells = cells.filter(|cell| cell.as_str().is_some_and(|text| !text.is_empty()));
        cells.next().unwrap_or_else(|| self.key.to_string().into())
    }

    fn call(self, function: Function, inner: &Path) -> Option<Value> {
        match function {
            Function::Display => self.label(inner),
            Function::Count | Function::Sum | Function::Avg | Function::Min | Function::Max => {
                self.aggregate(function, inner)
            }
            _ => Some(transformed(function, &*inner.value(self)?)),
        }
    }

    /// The label of a value: of a choice in words, of a reference the name of the row.
    fn label(self, inner: &Path) -> Option<Value> {
        let mut at = self;
        for hop in &inner.hops {
            at = at.next(hop)?;
        }
        let Last::Column(name) = &inner.last else { return inner.value(self).map(Cow::into_owned) };
        let schema = at.store.schema_of(at.table);
        let column = &schema.columns[schema.column(name)?];
        if matches!(column.kind, Kind::Ref(_) | Kind::Any | Kind::Part { .. }) {
            return match at.follow(name) {
                Hop::Row(row) => Some(row.display()),
                Hop::Null => Some(Value::Null),
                Hop::NullAny | Hop::Unknown => None,
            };
        }
        let value = at.column(name)?;
        match (&column.limit, value.as_str()) {
            (Limit::Choices(_) | Limit::None, Some(text)) => Some(words(text).into()),
            _ => Some(value.into_owned()),
        }
    }

    /// `count(members)`, `sum(drives#disksize)`.
    fn aggregate(self, function: Function, inner: &Path) -> Option<Value> {
        let (rows, rest) = match (inner.hops.split_first(), &inner.last) {
            (Some((first, rest)), _) => {
                (self.rows(first)?, Some(Path { hops: rest.to_vec(), last: inner.last.clone() }))
            }
            (None, Last::Column(name)) => (self.rows(name)?, None),
            _ => return None,
        };
        if function == Function::Count {
            return Some(rows.len().into());
        }
        let rest = rest?;
        let numbers: Vec<f64> = rows.into_iter().filter_map(|row| rest.value(row)?.as_f64()).collect();
        let sum: f64 = numbers.iter().sum();
        let number = match function {
            Function::Sum => sum,
            Function::Avg if numbers.is_empty() => return Some(Value::Null),
            Function::Avg => sum / numbers.len() as f64,
            Function::Min => numbers.into_iter().reduce(f64::min)?,
            _ => numbers.into_iter().reduce(f64::max)?,
        };
        Some(whole(number))
    }
}

/// A number without a fraction if it has none.
fn whole(number: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "what is lost is looked at")]
    let integer = number as i64;
    if (integer as f64 - number).abs() < f64::EPSILON { integer.into() } else { json!(number) }
}

/// `needs_restart` as `Needs Restart`.
fn words(text: &str) -> String {
    let mut label = String::new();
    for word in text.split(['_', '-', ' ']).filter(|word| !word.is_empty()) {
        if !label.is_empty() {
            label.push(' ');
        }
        let mut letters = word.chars();
        label.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        label.push_str(letters.as_str());
    }
    label
}

fn transformed(function: Function, value: &Value) -> Value {
    let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match function {
        Function::Upper => text().to_uppercase().into(),
        Function::Lower => text().to_lowercase().into(),
        Function::Datetime => value
            .as_i64()
            .and_then(|at| Timestamp::from_second(at).ok())
            .map_or(Value::Null, |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string().into()),
        Function::Diskspace => value.as_f64().map_or(Value::Null, |bytes| diskspace(bytes).into()),
        Function::Hex => value.as_u64().map_or(Value::Null, |number| format!("{number:x}").into()),
        _ => {
            let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text().as_bytes());
            let hex = digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            hex.into()
        }
    }
}

fn diskspace(bytes: f64) -> String {
    let mut size = bytes;
    for unit in ["B", "KB", "MB", "GB", "TB"] {
        if size < 1024.0 {
            return format!("{size:.2}{unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.2}PB")
}
