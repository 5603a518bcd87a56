//! Lists and single objects in every format: one place that knows `--fields`, `--sort` and `--limit`.

use super::table::{self, Look, Table};
use super::{Cell, Column, Format, Output, csv, fields, sanitize, watch};
use crate::error::{Error, Result};
use crate::model::{At, Row};
use schemars::JsonSchema;

/// What the user asked of a list beside its content.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// `--sort FIELD[:desc]`.
    pub sort: Option<String>,
    /// `--limit`.
    pub limit: Option<usize>,
}

/// A column over rows that know their place.
enum Shown<'a, T> {
    Provider,
    Target,
    Own(&'a Column<T>),
}

impl<T> Clone for Shown<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shown<'_, T> {}

impl<T> Shown<'_, T> {
    fn key(&self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Target => "target",
            Self::Own(column) => column.key,
        }
    }

    fn header(&self) -> &'static str {
        match self {
            Self::Provider => "PROVIDER",
            Self::Target => "TARGET",
            Self::Own(column) => column.header,
        }
    }

    fn is_elastic(&self) -> bool {
        matches!(self, Self::Own(column) if column.is_elastic)
    }

    fn cell(&self, row: &At<T>) -> Cell {
        match self {
            Self::Provider => Cell::text(row.provider),
            Self::Target => Cell::text(&row.target),
            Self::Own(column) => (column.cell)(&row.value),
        }
    }
}

impl Output {
    /// A list in the format that was asked for. An empty one is said on stderr (U4.4), and so is a cut one (U4.15).
    ///
    /// Rows keep their order unless `--sort` is given. Tables start with a TARGET column if the rows are from several
    /// targets, and in `wide` and `csv` always. An unknown field is a usage error, also if there are no rows.
    pub fn list<T: Row>(&self, rows: &[At<T>], columns: &[Column<T>], options: &ListOptions) -> Result<()> {
        self.listed(rows, columns, options, true)
    }

    /// A list of what is of this machine and at no target: settings, say. Its rows have no `provider` and `target`.
    pub fn local_list<T: Row>(&self, rows: Vec<T>, columns: &[Column<T>], options: &ListOptions) -> Result<()> {
        let rows: Vec<At<T>> = rows.into_iter().map(nowhere).collect();
        self.listed(&rows, columns, options, false)
    }

    /// The table of a list that changes, in place of the one before it: for a terminal alone (U6.3).
    ///
    /// Rows that do not fit on the screen are left out, or the top of the table would be out of reach.
    pub fn repaint<T: Row>(&self, rows: &[At<T>], columns: &[Column<T>], options: &ListOptions) -> Result<()> {
        let all = all(columns, true);
        let sorted = sorted(rows, &all, options)?;
        let wide = self.format() == Format::Wide;
        let shown = self.shown(&all, wide, true)?;
        let (table, look) = self.drawn(&sorted, &shown);
        self.paint(table, look)
    }

    pub(super) fn paint(&self, mut table: Table, look: Look) -> Result<()> {
        let mut text = Vec::new();
        table.write(&mut text, look).map_err(Error::internal)?;
        let height = crate::tty::size().map_or(usize::MAX, |size| usize::from(size.rows).saturating_sub(1));
        self.print(|out| {
            out.write_all(b"\x1b[H")?;
            for line in text.split_inclusive(|byte| *byte == b'\n').take(height) {
                out.write_all(line.strip_suffix(b"\n").unwrap_or(line))?;
                out.write_all(b"\x1b[K\n")?;
            }
            out.write_all(b"\x1b[J")
        })
    }

    fn listed<T: Row>(&self, rows: &[At<T>], columns: &[Column<T>], options: &ListOptions, placed: bool) -> Result<()> {
        let all = all(columns, placed);
        let total = rows.len();
        let sorted = sorted(rows, &all, options)?;
        if self.watches() {
            return self.listed_again(&sorted, &all, placed);
        }
        match self.format() {
            Format::Json | Format::Jsonl | Format::Yaml => {
                if placed {
                    self.check_fields::<At<T>>()?;
                    self.rows(&sorted)?;
                } else {
                    self.check_fields::<T>()?;
                    self.rows(&sorted.iter().map(|row| &row.value).collect::<Vec<_>>())?;
                }
            }
            Format::Name => self.names(&sorted)?,
            Format::Csv => {
                let shown = self.shown(&all, true, true)?;
                self.csv(&sorted, &shown)?;
            }
            Format::Table | Format::Wide => {
                let several = sorted.iter().any(|row| row.target != sorted[0].target);
                let wide = self.format() == Format::Wide;
                let shown = self.shown(&all, wide, wide || several || T::IS_TARGET)?;
                if !sorted.is_empty() {
                    self.table(&sorted, &shown)?;
                }
            }
        }
        if total == 0 {
            self.done(&format!("no {}", T::NOUN));
        } else if sorted.len() < total {
            self.note(&format!("showing {} of {total} {} (`--limit`)", sorted.len(), T::NOUN));
        }
        Ok(())
    }

    /// The same where it is printed again and again.
    fn listed_again<T: Row>(&self, rows: &[&At<T>], all: &[Shown<'_, T>], placed: bool) -> Result<()> {
        let shown = self.shown(all, self.format() == Format::Wide, T::IS_TARGET)?;
        if self.repaints() {
            let (table, look) = self.drawn(rows, &shown);
            return self.paint(table, look);
        }
        let mut told = Vec::with_capacity(rows.len());
        for row in rows {
            let value = if placed { serde_json::to_value(row) } else { serde_json::to_value(&row.value) };
            let cells = shown.iter().filter(|column| !matches!(column, Shown::Target));
            let cells: Vec<_> = cells.map(|column| sanitize_cell(column.cell(row).show(None))).collect();
            told.push(watch::Row {
                target: row.target.clone(),
                id: row.value.id(),
                value: value.map_err(Error::internal)?,
                line: cells.join(" "),
            });
        }
        self.tell(told)
    }

    /// One object: for people a `HEADER:  value` line per column, wide ones included; for programs a bare object.
    pub fn one<T: Row>(&self, row: &At<T>, columns: &[Column<T>]) -> Result<()> {
        self.single(row, columns, true)
    }

    /// One object of this machine, at no target.
    pub fn local_one<T: Row>(&self, value: T, columns: &[Column<T>]) -> Result<()> {
        self.single(&nowhere(value), columns, false)
    }

    fn single<T: Row>(&self, row: &At<T>, columns: &[Column<T>], placed: bool) -> Result<()> {
        let all = all(columns, placed);
        match self.format() {
            Format::Json | Format::Jsonl | Format::Yaml if placed => {
                self.check_fields::<At<T>>()?;
                self.object(row)
            }
            Format::Json | Format::Jsonl | Format::Yaml => {
                self.check_fields::<T>()?;
                self.object(&row.value)
            }
            Format::Name => self.names(&[row]),
            Format::Csv => self.csv(&[row], &self.shown(&all, true, true)?),
            format => {
                let shown = self.shown(&all, true, format == Format::Wide || T::IS_TARGET)?;
                let now = self.relative_to();
                let lines = shown.iter().map(|column| {
                    let cell = column.cell(row);
                    let text = sanitize_cell(cell.show(now));
                    (column.header(), text, cell.tone())
                });
                let lines: Vec<_> = lines.collect();
                self.print(|out| table::block(out, &lines, self.stdout_has_colors()))
            }
        }
    }

    fn table<T>(&self, rows: &[&At<T>], shown: &[Shown<'_, T>]) -> Result<()> {
        let (mut table, look) = self.drawn(rows, shown);
        self.print(|out| table.write(out, look))
    }

    /// A table and how it is to look.
    fn drawn<T>(&self, rows: &[&At<T>], shown: &[Shown<'_, T>]) -> (Table, Look) {
        let now = self.relative_to();
        let cell = |column: &Shown<'_, T>, row: &At<T>| {
            let cell = column.cell(row);
            (sanitize_cell(cell.show(now)), cell.tone())
        };
        let table = Table {
            headers: shown.iter().map(|column| column.header().to_owned()).collect(),
            elastic: shown.iter().map(Shown::is_elastic).collect(),
            rows: rows.iter().map(|row| shown.iter().map(|column| cell(column, row)).collect()).collect(),
        };
        (table, self.look())
    }

    /// How tables look here.
    pub(super) fn look(&self) -> Look {
        Look {
            header: !self.0.options.no_header,
            width: self.width().map(usize::from),
            utf8: self.0.options.utf8,
            colors: self.stdout_has_colors(),
        }
    }

    fn csv<T>(&self, rows: &[&At<T>], shown: &[Shown<'_, T>]) -> Result<()> {
        self.print(|out| {
            if !self.0.options.no_header {
                csv::record(out, shown.iter().map(Shown::key))?;
            }
            rows.iter().try_for_each(|row| csv::record(out, shown.iter().map(|column| column.cell(row).raw())))
        })
    }

    fn names<T: Row>(&self, rows: &[&At<T>]) -> Result<()> {
        if self.0.options.fields.is_some() {
            return Err(Error::usage("`--fields` does not apply to `-o name`").hint("use `-o csv --no-header`"));
        }
        self.print(|out| {
            rows.iter().try_for_each(|row| {
                let id = if T::IS_TARGET { row.target.clone() } else { row.value.id() };
                let id = if self.stdout_is_tty() { sanitize::line(&id) } else { id.as_str().into() };
                writeln!(out, "{id}")
            })
        })
    }

    /// The columns to print: those of `--fields`, or those of the format.
    fn shown<'a, T>(&self, all: &[Shown<'a, T>], wide: bool, target: bool) -> Result<Vec<Shown<'a, T>>> {
        if let Some(names) = &self.0.options.fields {
            let find = |name: &String| {
                fields::check(name, "--fields", all.iter().map(Shown::key))?;
                Ok(all.iter().find(|column| column.key() == name).copied())
            };
            return names.iter().filter_map(|name| find(name).transpose()).collect();
        }
        let fits = |column: &&Shown<'a, T>| match column {
            Shown::Provider => false,
            Shown::Target => target,
            Shown::Own(column) => wide || !column.is_wide,
        };
        Ok(all.iter().filter(fits).copied().collect())
    }

    fn check_fields<T: JsonSchema>(&self) -> Result<()> {
        let Some(names) = &self.0.options.fields else { return Ok(()) };
        let keys = fields::keys::<T>();
        names.iter().try_for_each(|name| fields::check(name, "--fields", keys.iter().map(String::as_str)))
    }

    /// The clock for relative times, which only a terminal gets (U4.11).
    pub(super) fn relative_to(&self) -> Option<crate::model::Time> {
        (self.stdout_is_tty() && !self.0.options.abs_time).then(|| self.0.options.now())
    }
}

/// The rows in the order of `--sort`, as many as `--limit` allows.
fn sorted<'a, T>(rows: &'a [At<T>], all: &[Shown<'_, T>], options: &ListOptions) -> Result<Vec<&'a At<T>>> {
    let mut sorted: Vec<&At<T>> = rows.iter().collect();
    if let Some(sort) = &options.sort {
        let (key, descending) = sort_key(sort)?;
        fields::check(key, "--sort", all.iter().map(Shown::key))?;
        let column = all.iter().find(|column| column.key() == key).copied().unwrap_or(Shown::Target);
        let cells = sorted.iter().map(|row| column.cell(row)).collect();
        sorted = order(cells, descending).into_iter().map(|row| sorted[row]).collect();
    }
    sorted.truncate(options.limit.unwrap_or(usize::MAX));
    Ok(sorted)
}

/// A value that is at no target.
fn nowhere<T>(value: T) -> At<T> {
    At { provider: "", target: String::new(), value }
}

/// The columns of `T` and those of its place, unless it has none or its own of the name.
fn all<T>(columns: &[Column<T>], placed: bool) -> Vec<Shown<'_, T>> {
    let own = columns.iter().map(Shown::Own);
    let place = [Shown::Target, Shown::Provider];
    let is_missing = |shown: &Shown<'_, T>| placed && columns.iter().all(|column| column.key != shown.key());
    place.into_iter().filter(is_missing).chain(own).collect()
}

/// The order of rows by their cells in one column. Apart from the rows, so that sorting is compiled once and not for
/// every type of row.
fn order(cells: Vec<Cell>, descending: bool) -> Vec<usize> {
    let mut keyed: Vec<_> = cells.into_iter().enumerate().collect();
    keyed.sort_by(|(_, a), (_, b)| a.sort(b, descending));
    keyed.into_iter().map(|(row, _)| row).collect()
}

fn sort_key(sort: &str) -> Result<(&str, bool)> {
    match sort.split_once(':') {
        None | Some((_, "asc")) => Ok((sort.split(':').next().unwrap_or(sort), false)),
        Some((key, "desc")) => Ok((key, true)),
        Some((key, other)) => Err(Error::usage(format!("invalid sort order `{other}`"))
            .hint(format!("write `--sort {key}` or `--sort {key}:desc`"))),
    }
}

/// One row is one line: whatever would break it is escaped, on a terminal or not. Nothing is `-`, which tools that
/// split at blanks can count.
pub(super) fn sanitize_cell(text: Option<String>) -> String {
    match text {
        None => "-".to_owned(),
        Some(text) => match sanitize::line(&text) {
            std::borrow::Cow::Borrowed(_) => text,
            std::borrow::Cow::Owned(safe) => safe,
        },
    }
}
