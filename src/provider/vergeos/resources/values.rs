//! From what was typed to what a column takes: units, times, references by name.

use crate::config::{boolean, duration, size};
use crate::error::{Error, Result};
use crate::model::Time;
use crate::provider::vergeos::tables::Def;
use serde_json::Value;

/// What a column takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// Bytes; units are read.
    Bytes,
    /// Megabytes; units are read, and rounded up.
    Megabytes,
    /// Seconds since the epoch: a time, a duration from now, or `never`.
    Time,
    /// Any JSON.
    Json,
    /// The key of a row of this table, by name or key.
    Row(&'static str),
    /// Unknown: a number or a boolean where it looks like one.
    Any,
}

impl Kind {
    fn of(word: &'static str) -> Self {
        match word {
            "number" => Self::Number,
            "bool" => Self::Bool,
            "bytes" => Self::Bytes,
            "mb" => Self::Megabytes,
            "time" => Self::Time,
            "json" => Self::Json,
            table => Self::Row(table),
        }
    }

    /// The kind of a column of `def`, if it is known to be one.
    pub(super) fn in_table(def: &Def, column: &str) -> Option<Self> {
        let set = def.set.split_whitespace().find_map(|word| match word.split_once(':') {
            Some((name, kind)) => (name == column).then(|| Self::of(kind)),
            None => (word == column).then_some(Self::Text),
        });
        set.or_else(|| def.columns().any(|known| known == column).then_some(Self::Any))
    }

    /// Reads a value that was typed. A name of another row stays a text, to be looked up.
    pub(super) fn read(self, column: &str, text: &str, now: Time) -> Result<Value> {
        let invalid = |why: &str| Error::usage(format!("invalid value `{text}` of `{column}`: {why}"));
        Ok(match self {
            Self::Text | Self::Row(_) => text.into(),
            Self::Number => number(text).ok_or_else(|| invalid("expected a number"))?,
            Self::Bool => boolean(text).map(Value::from).ok_or_else(|| invalid(crate::config::BOOLEAN))?,
            Self::Bytes => {
                size::parse(text).map(Value::from).ok_or_else(|| invalid("expected a size such as 20GiB"))?
            }
            Self::Megabytes => {
                megabytes(text).map(Value::from).ok_or_else(|| invalid("expected a size such as 4GiB"))?
            }
            Self::Time => time(text, now).map(Value::from).ok_or_else(|| {
                invalid("expected a duration such as 3d, a time such as 2026-03-01T12:00:00Z, or never")
            })?,
            Self::Json => serde_json::from_str(text).map_err(|error| invalid(&format!("no JSON: {error}")))?,
            Self::Any => match text {
                "true" | "false" | "null" => serde_json::from_str(text).expect("it is JSON"),
                _ => number(text).unwrap_or_else(|| text.into()),
            },
        })
    }

    /// Takes a value of a file: texts are read as if they were typed where the column takes something else.
    pub(super) fn take(self, column: &str, value: Value, now: Time) -> Result<Value> {
        match (self, &value) {
            (Self::Text | Self::Row(_) | Self::Any | Self::Json, _) => Ok(value),
            (_, Value::String(text)) => self.read(column, text, now),
            // What has no unit is a number of what the column counts.
            _ => Ok(value),
        }
    }
}

/// A whole number, or one with a point.
fn number(text: &str) -> Option<Value> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number.into());
    }
    let mut digits = text.strip_prefix('-').unwrap_or(text).bytes();
    let is_plain = text.bytes().any(|b| b.is_ascii_digit()) && digits.all(|b| b.is_ascii_digit() || b == b'.');
    text.parse::<u64>().map(Value::from).ok().or_else(|| {
        let float = text.parse::<f64>().ok().filter(|_| is_plain)?;
        serde_json::Number::from_f64(float).map(Value::Number)
    })
}

/// Megabytes, of which every part of one counts.
pub(super) fn megabytes(text: &str) -> Option<u64> {
    match text.parse::<u64>() {
        Ok(plain) => Some(plain),
        Err(_) => size::parse(text).map(|bytes| bytes.div_ceil(1 << 20)),
    }
}

/// Seconds since the epoch; 0 is never.
fn time(text: &str, now: Time) -> Option<i64> {
    if text.eq_ignore_ascii_case("never") {
        return Some(0);
    }
    // Long numbers are moments, short ones durations in seconds.
    if let Ok(plain) = text.parse::<i64>() {
        return Some(if plain > 1_000_000_000 || plain == 0 { plain } else { now.as_second() + plain });
    }
    if let Ok(span) = duration::parse(text) {
        return now.as_second().checked_add(i64::try_from(span.as_secs()).ok()?);
    }
    let date = || format!("{text}T00:00:00Z").parse::<Time>();
    text.parse::<Time>().or_else(|_| date()).ok().map(Time::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::vergeos::tables;
    use serde_json::json;

    fn read(table: &str, column: &str, text: &str) -> Result<Value> {
        let now = "2026-02-01T00:00:00Z".parse().unwrap();
        Kind::in_table(tables::table(table).unwrap(), column).unwrap().read(column, text, now)
    }

    #[test]
    fn values_are_read_by_column() {
        for (table, column, text, wanted) in [
            ("vms", "ram", "4GiB", json!(4096)),
            ("vms", "ram", "2000", json!(2000)),
            ("vms", "ram", "1025MiB", json!(1025)),
            ("vms", "name", "123", json!("123")),
            ("vms", "enabled", "yes", json!(true)),
            ("machine_drives", "disksize", "512MB", json!(512_000_000)),
            ("machine_drives", "disksize", "1.5TiB", json!(1_649_267_441_664_u64)),
            ("machine_drives", "preferred_tier", "3", json!("3")),
            ("machine_snapshots", "expires", "never", json!(0)),
            ("machine_snapshots", "expires", "1d", json!(1_769_990_400)),
            ("machine_snapshots", "expires", "2026-02-02", json!(1_769_990_400)),
            ("tasks", "settings_args", "{\"a\":1}", json!({"a": 1})),
            ("vnets", "mtu", "9000", json!(9000)),
        ] {
            assert_eq!(read(table, column, text).unwrap(), wanted, "{table}.{column}={text}");
        }
        for (table, column, text) in [
            ("vms", "ram", "much"),
            ("vms", "cpu_cores", "two"),
            ("machine_drives", "disksize", "-1"),
            ("vms", "enabled", "maybe"),
            ("machine_snapshots", "expires", "soon"),
            ("tasks", "settings_args", "{"),
        ] {
            assert!(read(table, column, text).is_err(), "{table}.{column}={text}");
        }
    }

    #[test]
    fn nothing_is_cut_off() {
        assert_eq!(megabytes("1B"), Some(1));
        assert_eq!(megabytes("512MB"), Some(489));
        assert_eq!(Kind::in_table(tables::known("vms"), "advanced_options"), None);
    }
}
