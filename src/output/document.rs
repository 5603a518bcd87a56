//! Documents for programs: JSON, JSON lines and YAML.
//!
//! JSON is written straight from the value; only `--fields` and YAML make a tree of it first.

use super::{Format, Output, fields, yaml};
use crate::error::{Error, Result};
use erased_serde::Serialize as Document;
use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};

impl Output {
    /// A document without columns (a schema, a configuration): YAML if asked for, JSON otherwise.
    pub fn value(&self, value: &impl Serialize) -> Result<()> {
        self.document(value)
    }

    /// One line of an event stream: an object whose first key is `type` (U5.2). Flushed.
    ///
    /// `value` must serialise as an object, without a `type` of its own.
    pub fn event(&self, kind: &str, value: &impl Serialize) -> Result<()> {
        #[derive(Serialize)]
        struct Event<'a> {
            r#type: &'a str,
            #[serde(flatten)]
            value: &'a dyn Document,
        }
        self.tagged(&Event { r#type: kind, value })
    }

    /// One line of an event stream whose values say their `type` themselves, before everything else.
    pub fn tagged(&self, event: &impl Serialize) -> Result<()> {
        if self.0.options.fields.is_some() {
            return Err(Error::usage("`--fields` does not apply to events").hint("pipe them through `jq`"));
        }
        self.print(|out| json_line(out, event))
    }

    /// The rows of a list as one document, or one line each.
    pub(super) fn rows<T: Serialize>(&self, rows: &[T]) -> Result<()> {
        self.documents(&rows.iter().map(|row| row as &dyn Document).collect::<Vec<_>>())
    }

    /// One object as a document.
    pub(super) fn object(&self, object: &impl Serialize) -> Result<()> {
        match self.0.options.fields.as_deref() {
            None => self.document(object),
            Some(fields) => self.document(&fields::pick(object, fields).map_err(Error::internal)?),
        }
    }

    // Every row has a type of its own; what follows is compiled once for all of them.

    fn document(&self, value: &dyn Document) -> Result<()> {
        self.print(|out| match self.format() {
            Format::Yaml => yaml::write(out, &serde_json::to_value(value)?),
            Format::Jsonl => json_line(out, value),
            _ => json(out, value),
        })
    }

    fn documents(&self, rows: &[&dyn Document]) -> Result<()> {
        let fields = self.0.options.fields.as_deref();
        self.print(|out| match (self.format(), fields) {
            (Format::Jsonl, None) => rows.iter().try_for_each(|row| json_line(out, row)),
            (Format::Jsonl, Some(fields)) => {
                rows.iter().try_for_each(|row| json_line(out, &fields::pick(row, fields)?))
            }
            (Format::Yaml, None) => yaml::write(out, &serde_json::to_value(rows)?),
            (Format::Yaml, Some(fields)) => yaml::write(out, &picked(rows, fields)?.into()),
            (_, None) => json(out, &rows),
            (_, Some(fields)) => json(out, &picked(rows, fields)?),
        })
    }
}

fn picked(rows: &[&dyn Document], fields: &[String]) -> serde_json::Result<Vec<Value>> {
    rows.iter().map(|row| fields::pick(row, fields)).collect()
}

/// Two-space indent and a trailing newline (U4.4).
pub(super) fn json(out: &mut dyn Write, value: &dyn Document) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

/// One line; a newline inside a string is escaped by JSON itself.
pub(super) fn json_line(out: &mut dyn Write, value: &dyn Document) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}
