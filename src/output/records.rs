//! Rows whose columns are known only when they are asked for: those of a provider's own tables.

use super::table::{self, Table};
use super::{Cell, Format, Output, csv, document, fields, sanitize, yaml};
use crate::error::{Error, Result};
use crate::model::{At, Heading, Record, Time, Unit};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// From here on a moment is in microseconds: as seconds it would lie thousands of years ahead.
const MICROSECONDS: i64 = 100_000_000_000;

/// The keys that every document of a row has.
const OWN: [&str; 7] = ["provider", "target", "table", "key", "name", "fields", "answer"];

impl Output {
    /// A list of rows in the format that was asked for, in their order. `one` is what a row is called.
    pub fn records(&self, rows: &[At<Record>], headings: &[Heading], one: &str) -> Result<()> {
        let asked = self.asked(rows, headings)?;
        if self.watches() && !self.repaints() {
            return self.records_again(rows, headings);
        }
        match self.format() {
            Format::Json | Format::Jsonl | Format::Yaml => self.record_documents(rows)?,
            Format::Name => self.record_keys(rows)?,
            Format::Csv => self.record_lines(rows, headings, asked.as_deref())?,
            format => self.record_table(rows, headings, asked.as_deref(), format == Format::Wide)?,
        }
        if rows.is_empty() {
            self.done(&format!("no {one}"));
        }
        Ok(())
    }

    /// One row: for people a `HEADER:  value` line per field, for programs a bare object.
    pub fn record(&self, row: &At<Record>, headings: &[Heading]) -> Result<()> {
        let rows = std::slice::from_ref(row);
        let asked = self.asked(rows, headings)?;
        match (self.format(), &asked) {
            (Format::Json | Format::Jsonl | Format::Yaml, None) => self.value(row),
            (Format::Json | Format::Jsonl | Format::Yaml, Some(_)) => self.value(&self.picked(row)),
            (Format::Name, _) => self.record_keys(rows),
            (Format::Csv, _) => self.record_lines(rows, headings, asked.as_deref()),
            _ => {
                let columns: Vec<Heading> = asked.unwrap_or_else(|| every(row, headings));
                let now = self.relative_to();
                let lines: Vec<_> = columns
                    .iter()
                    .map(|column| {
                        let cell = cell(row, column);
                        (column.header.as_str(), super::list::sanitize_cell(cell.show(now)), cell.tone())
                    })
                    .collect();
                self.print(|out| table::block(out, &lines, self.stdout_has_colors()))
            }
        }
    }

    /// The columns of `--fields`, if it is given. A name that neither a column nor any row has is refused.
    fn asked(&self, rows: &[At<Record>], headings: &[Heading]) -> Result<Option<Vec<Heading>>> {
        let Some(names) = &self.0.options.fields else { return Ok(None) };
        let mut known: BTreeSet<&str> = OWN.into_iter().chain(headings.iter().map(|h| h.key.as_str())).collect();
        known.extend(rows.iter().flat_map(|row| row.value.fields.keys().map(String::as_str)));
        let heading = |name: &String| {
            fields::check(name, "--fields", known.iter().copied())?;
            let found = headings.iter().find(|heading| heading.key == *name).cloned();
            Ok(found.unwrap_or_else(|| plain(name)))
        };
        names.iter().map(heading).collect::<Result<Vec<_>>>().map(Some)
    }

    /// The keys of `--fields` alone: those of the row itself, and the fields in it.
    fn picked(&self, row: &At<Record>) -> Value {
        let names = self.0.options.fields.as_deref().unwrap_or_default();
        Value::Object(names.iter().map(|name| (name.clone(), value(row, name))).collect::<Map<_, _>>())
    }

    fn records_again(&self, rows: &[At<Record>], headings: &[Heading]) -> Result<()> {
        let told = rows.iter().map(|row| {
            let shown = headings.iter().filter(|heading| !heading.is_wide);
            let cells: Vec<_> =
                shown.map(|heading| super::list::sanitize_cell(cell(row, heading).show(None))).collect();
            Ok(super::watch::Row {
                target: row.target.clone(),
                id: row.value.key.0.clone(),
                value: serde_json::to_value(row)?,
                line: cells.join(" "),
            })
        });
        self.tell(told.collect::<serde_json::Result<_>>().map_err(Error::internal)?)
    }

    fn record_documents(&self, rows: &[At<Record>]) -> Result<()> {
        if self.0.options.fields.is_some() {
            let picked: Vec<Value> = rows.iter().map(|row| self.picked(row)).collect();
            return self.record_values(&picked);
        }
        self.record_values(rows)
    }

    fn record_values<T: Serialize>(&self, rows: &[T]) -> Result<()> {
        self.print(|out| match self.format() {
            Format::Jsonl => rows.iter().try_for_each(|row| document::json_line(out, row)),
            Format::Yaml => yaml::write(out, &serde_json::to_value(rows)?),
            _ => document::json(out, &rows),
        })
    }

    fn record_keys(&self, rows: &[At<Record>]) -> Result<()> {
        if self.0.options.fields.is_some() {
            return Err(Error::usage("`--fields` does not apply to `-o name`").hint("use `-o csv --no-header`"));
        }
        self.print(|out| rows.iter().try_for_each(|row| writeln!(out, "{}", sanitize::line(&row.value.key.0))))
    }

    fn record_lines(&self, rows: &[At<Record>], headings: &[Heading], asked: Option<&[Heading]>) -> Result<()> {
        let usual = || ["provider", "target", "key"].into_iter().map(plain).chain(headings.iter().cloned()).collect();
        let columns: Vec<Heading> = asked.map_or_else(usual, <[Heading]>::to_vec);
        self.print(|out| {
            if !self.0.options.no_header {
                csv::record(out, columns.iter().map(|column| column.key.as_str()))?;
            }
            rows.iter().try_for_each(|row| csv::record(out, columns.iter().map(|column| cell(row, column).raw())))
        })
    }

    fn record_table(
        &self,
        rows: &[At<Record>],
        headings: &[Heading],
        asked: Option<&[Heading]>,
        is_wide: bool,
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let several = rows.iter().any(|row| row.target != rows[0].target);
        let usual = || {
            let place = (is_wide || several).then(|| plain("target"));
            let own = headings.iter().filter(|heading| is_wide || !heading.is_wide).cloned();
            place.into_iter().chain([plain("key")]).chain(own).collect()
        };
        let columns: Vec<Heading> = asked.map_or_else(usual, <[Heading]>::to_vec);
        let now = self.relative_to();
        let line = |row: &At<Record>| {
            let cells = columns.iter().map(|column| {
                let cell = cell(row, column);
                (super::list::sanitize_cell(cell.show(now)), cell.tone())
            });
            cells.collect()
        };
        let mut table = Table {
            headers: columns.iter().map(|column| column.header.clone()).collect(),
            elastic: columns.iter().map(|column| matches!(column.key.as_str(), "description" | "text")).collect(),
            rows: rows.iter().map(line).collect(),
        };
        if self.watches() {
            return self.paint(table, self.look());
        }
        self.print(|out| table.write(out, self.look()))
    }
}

/// All that a row tells: its shown columns, then the others.
fn every(row: &At<Record>, headings: &[Heading]) -> Vec<Heading> {
    let mut columns: Vec<Heading> = vec![plain("key")];
    columns.extend(headings.iter().filter(|heading| row.value.fields.contains_key(&heading.key)).cloned());
    for name in row.value.fields.keys().filter(|name| !name.starts_with('$')) {
        if !columns.iter().any(|column| column.key == *name) {
            columns.push(plain(name));
        }
    }
    columns
}

fn plain(name: &(impl AsRef<str> + ?Sized)) -> Heading {
    let name = name.as_ref();
    Heading { key: name.to_owned(), header: name.replace('_', " ").to_uppercase(), is_wide: false, unit: Unit::Plain }
}

/// What a row has under a key of its own, or in its fields.
fn value(row: &At<Record>, name: &str) -> Value {
    if let Some(found) = row.value.fields.get(name) {
        return found.clone();
    }
    let record = &row.value;
    match name {
        "provider" => row.provider.into(),
        "target" => row.target.clone().into(),
        "table" => record.table.clone().into(),
        "key" => record.key.0.clone().into(),
        "name" => record.name.clone().into(),
        "fields" => record.fields.clone().into(),
        "answer" => record.answer.clone().into(),
        _ => Value::Null,
    }
}

fn cell(row: &At<Record>, column: &Heading) -> Cell {
    match (value(row, &column.key), column.unit) {
        (Value::Null, _) => Cell::Empty,
        (Value::Bool(yes), _) => Cell::yes_no(yes),
        (Value::Number(number), unit) => measured(&number, unit),
        (Value::String(text), Unit::State) => Cell::state(text),
        // Large numbers come as texts from some tables.
        (Value::String(text), unit) if unit != Unit::Plain => match text.parse::<u64>() {
            Ok(number) => measured(&number.into(), unit),
            Err(_) => Cell::text(text),
        },
        (Value::String(text), _) => Cell::text(text),
        (other, _) => Cell::text(other.to_string()),
    }
}

fn measured(number: &serde_json::Number, unit: Unit) -> Cell {
    match unit {
        Unit::Moment => Cell::Time(number.as_i64().filter(|moment| *moment > 0).and_then(moment)),
        Unit::Bytes => Cell::Size(number.as_u64()),
        Unit::Mebibytes => Cell::Size(number.as_u64().and_then(|mebibytes| mebibytes.checked_mul(1 << 20))),
        Unit::Plain | Unit::State => Cell::text(number.to_string()),
    }
}

fn moment(number: i64) -> Option<Time> {
    if number > MICROSECONDS { Time::from_microsecond(number).ok() } else { Time::from_second(number).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(value: Value, unit: Unit) -> String {
        let fields = Map::from_iter([("x".to_owned(), value)]);
        let row = At { provider: "p", target: "t".to_owned(), value: Record { fields, ..Record::default() } };
        cell(&row, &Heading { unit, ..plain("x") }).show(None).unwrap_or_default()
    }

    #[test]
    fn fields_are_shown_by_their_unit() {
        assert_eq!(shown(json!(1_769_904_000), Unit::Moment), "2026-02-01T00:00:00Z");
        assert_eq!(shown(json!(1_769_904_000_500_000_i64), Unit::Moment), "2026-02-01T00:00:00Z");
        assert_eq!(shown(json!(0), Unit::Moment), "");
        assert_eq!(shown(json!(2048), Unit::Mebibytes), "2.0 GiB");
        assert_eq!(shown(json!("1073741824"), Unit::Bytes), "1.0 GiB");
        assert_eq!(shown(json!(true), Unit::Plain), "yes");
        assert_eq!(shown(json!([1, 2]), Unit::Plain), "[1,2]");
        assert_eq!(shown(json!(null), Unit::Plain), "");
    }
}
