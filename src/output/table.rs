//! Tables for people: upper-case header, two blanks between columns, no borders, one row = one line (U4.2).
//!
//! comfy-table lays out what a person may read. Longer tables, which go to programs, are padded by hand: the same
//! look without a second copy of every cell.

use super::color::Tone;
use std::io::{self, Write};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Rows from which on a table is padded by hand.
const LONG: usize = 2000;
/// Blanks between columns.
const GAP: usize = 2;
/// No elastic column becomes narrower than this.
const NARROWEST: usize = 8;

/// Cells that are safe to print, and their columns.
pub(super) struct Table {
    pub(super) headers: Vec<String>,
    pub(super) elastic: Vec<bool>,
    pub(super) rows: Vec<Vec<(String, Tone)>>,
}

/// How a table is to look.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) header: bool,
    /// The width to fit; `None` shortens nothing.
    pub(super) width: Option<usize>,
    pub(super) utf8: bool,
    pub(super) colors: bool,
}

impl Table {
    pub(super) fn write(&mut self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        let mut widths = self.widths(look.header);
        if let Some(width) = look.width {
            shrink(&mut widths, &self.elastic, &self.headers, width);
            self.shorten(&widths, if look.utf8 { "…" } else { "~" });
        }
        if look.header {
            let headers = self.headers.iter().map(|header| (header.clone(), Tone::Strong)).collect();
            self.rows.insert(0, headers);
        }
        if self.rows.len() > LONG {
            return self.rows.iter().try_for_each(|row| writeln!(out, "{}", pad(row, &widths, look.colors)));
        }
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.add_rows(self.rows.iter().map(|row| row.iter().map(|(text, _)| text)));
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        // It knows no colours in this build, and would count them as width: they are added to the finished line.
        for (line, row) in table.lines().zip(&self.rows) {
            let line = line.trim_end_matches(' ');
            if look.colors { writeln!(out, "{}", paint(line, row))? } else { writeln!(out, "{line}")? }
        }
        Ok(())
    }

    fn widths(&self, header: bool) -> Vec<usize> {
        let headers = self.headers.iter().map(|text| if header { text.width() } else { 0 });
        let mut widths: Vec<_> = headers.collect();
        for row in &self.rows {
            for (width, (text, _)) in widths.iter_mut().zip(row) {
                *width = (*width).max(text.width());
            }
        }
        widths
    }

    fn shorten(&mut self, widths: &[usize], mark: &str) {
        for row in &mut self.rows {
            for ((text, _), width) in row.iter_mut().zip(widths) {
                if text.width() > *width {
                    *text = cut(text, *width, mark);
                }
            }
        }
    }
}

/// Takes from the widest elastic column, again and again, until the line fits or nothing more can be taken.
fn shrink(widths: &mut [usize], elastic: &[bool], headers: &[String], fit: usize) {
    let gaps = GAP * widths.len().saturating_sub(1);
    let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(fit);
    while excess > 0 {
        let candidates = (0..widths.len()).filter(|i| elastic[*i] && widths[*i] > headers[*i].width().max(NARROWEST));
        let Some(widest) = candidates.max_by_key(|i| widths[*i]) else { return };
        widths[widest] -= 1;
        excess -= 1;
    }
}

/// The start of `text` and `mark`, in `width` columns together.
fn cut(text: &str, width: usize, mark: &str) -> String {
    let room = width.saturating_sub(mark.width());
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= room
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.push_str(mark);
    short
}

/// A row as a line, padded but for its last cell.
fn pad(row: &[(String, Tone)], widths: &[usize], colors: bool) -> String {
    let mut line = String::new();
    for (i, ((text, tone), width)) in row.iter().zip(widths).enumerate() {
        tone.push(&mut line, text, colors);
        if i + 1 < row.len() {
            line.extend(std::iter::repeat_n(' ', GAP + width.saturating_sub(text.width())));
        }
    }
    line
}

/// The colours of `row` on its laid out `line`, whose cells come in the same order.
fn paint(line: &str, row: &[(String, Tone)]) -> String {
    let mut painted = String::with_capacity(line.len() + 16);
    let mut rest = line;
    for (text, tone) in row {
        let start = rest.find(text.as_str()).unwrap_or(rest.len());
        let (blanks, tail) = rest.split_at(start);
        painted.push_str(blanks);
        if let Some(tail) = tail.strip_prefix(text.as_str()) {
            tone.push(&mut painted, text, true);
            rest = tail;
        } else {
            rest = "";
        }
    }
    painted.push_str(rest);
    painted
}

/// A `HEADER:  value` line each, the values in one column.
pub(super) fn block(out: &mut dyn Write, lines: &[(&str, String, Tone)], colors: bool) -> io::Result<()> {
    let width = lines.iter().map(|(header, ..)| header.width()).max().unwrap_or(0) + 1 + GAP;
    lines.iter().try_for_each(|(header, text, tone)| {
        let label = format!("{header}:");
        let blanks = width.saturating_sub(label.width());
        writeln!(out, "{}{:blanks$}{}", Tone::Strong.paint(&label, colors), "", tone.paint(text, colors))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(look: Look, rows: usize) -> String {
        let row = |i: usize| {
            vec![
                (format!("svc{i:04}"), Tone::Plain),
                ("active".to_owned(), Tone::Good),
                ("日本語 a long explanation of what went wrong".to_owned(), Tone::Plain),
            ]
        };
        let rows = (0..rows).map(row).collect();
        let mut out = Vec::new();
        let mut table = Table {
            headers: ["NAME", "STATE", "WHY"].map(str::to_owned).to_vec(),
            elastic: vec![false, false, true],
            rows,
        };
        table.write(&mut out, look).unwrap();
        String::from_utf8(out).unwrap()
    }

    const PIPE: Look = Look { header: true, width: None, utf8: true, colors: false };

    #[test]
    fn long_and_short_tables_look_the_same() {
        for look in [
            PIPE,
            Look { colors: true, ..PIPE },
            Look { width: Some(40), colors: true, ..PIPE },
            Look { header: false, width: Some(30), utf8: false, ..PIPE },
        ] {
            let (short, long) = (print(look, 9), print(look, LONG + 1));
            assert!(long.starts_with(&short), "{short}{}", &long[..short.len()]);
        }
    }

    #[test]
    fn only_elastic_columns_shrink() {
        let look = Look { width: Some(32), ..PIPE };
        assert_eq!(print(look, 1), "NAME     STATE   WHY\nsvc0000  active  日本語 a long …\n");
        assert_eq!(
            print(Look { width: Some(5), utf8: false, ..look }, 1),
            "NAME     STATE   WHY\nsvc0000  active  日本語 ~\n"
        );
        assert!(print(look, 1).lines().all(|line| line.width() <= 32));
    }

    #[test]
    fn colours_do_not_move_columns() {
        let colored = print(Look { colors: true, ..PIPE }, 2);
        assert!(colored.contains("\x1b[32mactive\x1b[0m"), "{colored:?}");
        let mut plain = colored;
        for code in ["\x1b[1m", "\x1b[32m", "\x1b[0m"] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, print(PIPE, 2));
    }

    #[test]
    fn a_block_aligns_its_values() {
        let mut out = Vec::new();
        let lines = [("NAME", "web".to_owned(), Tone::Plain), ("STARTUP", "-".to_owned(), Tone::Dim)];
        block(&mut out, &lines, false).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "NAME:     web\nSTARTUP:  -\n");
    }
}
