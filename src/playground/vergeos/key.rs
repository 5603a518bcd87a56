//! What identifies a row, and how other rows name it.

use serde_json::Value;
use std::fmt;

/// The key of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    Number(u64),
    Text(String),
}

impl Key {
    /// The key as a row carries it: numbers are numbers here, and strings in the reply to a create.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }

    /// The key that a path or a string names.
    pub(super) fn parse(text: &str, kind: Kind) -> Option<Self> {
        match kind {
            Kind::Number => text.parse().ok().map(Self::Number),
            Kind::Hex | Kind::Uuid | Kind::Name => (!text.is_empty()).then(|| Self::Text(text.to_owned())),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What the keys of a table are (section 2.2 of the reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    /// 40 hexadecimal digits, which are the column `id` too.
    Hex,
    Uuid,
    /// The row's name.
    Name,
}

/// Which row a cell refers to: the table if the cell says it, and the key as text. `None` for a cell that refers to
/// nothing, which null, nothing and 0 all say.
pub(super) fn reference(cell: &Value) -> Option<(Option<&str>, String)> {
    match cell {
        Value::Number(number) => Some((None, number.to_string())).filter(|(_, key)| key != "0"),
        Value::String(text) => {
            // Both forms are stored as they were written.
            let text = text.strip_prefix("/v4/").unwrap_or(text);
            let (table, key) = match text.split_once('/') {
                Some((table, key)) => (Some(table).filter(|table| !table.is_empty()), key),
                None => (None, text),
            };
            Some((table, key.to_owned())).filter(|(_, key)| !key.is_empty() && key != "0")
        }
        _ => None,
    }
}
