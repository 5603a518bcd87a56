//! What is drawn.

use super::keys::Key;
use super::sample::Board;
use crate::context::Ctx;
use crate::model::{At, Time, TopRow};
use crate::output::{Tone, sanitize, tone};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The kinds that are shown alone, one after the other.
const KINDS: [&str; 5] = ["svc", "check", "vm", "run", "agent"];
/// The columns that rows are sorted by, one after the other.
const SORTS: [&str; 4] = ["target", "state", "name", "value"];
/// The heights of a course.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same where there are no such characters.
const PLAIN: [char; 8] = ['_', '_', '.', '.', '-', '-', '=', '#'];

/// What of the board is looked at, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    kind: Option<usize>,
    sort: usize,
    top: usize,
    pub(super) is_paused: bool,
    /// What went wrong, or is under way.
    pub(super) note: String,
}

impl View {
    /// The usual one, with a note.
    pub(super) fn noting(note: &str) -> Self {
        Self { note: note.to_owned(), ..Self::default() }
    }

    /// Does what a key means; `false` to end it.
    pub(super) fn press(&mut self, key: Key, rows: usize) -> bool {
        let last = rows.saturating_sub(1);
        match key {
            Key::Quit => return false,
            Key::Up => self.top = self.top.saturating_sub(1),
            Key::Down => self.top = (self.top + 1).min(last),
            Key::PageUp => self.top = self.top.saturating_sub(10),
            Key::PageDown => self.top = (self.top + 10).min(last),
            Key::Sort => self.sort = (self.sort + 1) % SORTS.len(),
            Key::Pause => self.is_paused = !self.is_paused,
            Key::Filter => {
                self.kind = match self.kind {
                    None => Some(0),
                    Some(kind) if kind + 1 < KINDS.len() => Some(kind + 1),
                    Some(_) => None,
                };
                self.top = 0;
            }
        }
        true
    }
}

/// A frame, line by line.
pub(super) struct Frame(Vec<String>);

/// How it may be drawn.
#[derive(Clone, Copy)]
struct Look {
    width: usize,
    height: usize,
    utf8: bool,
    colors: bool,
}

impl Frame {
    /// Draws it.
    pub(super) fn new(ctx: &Ctx, board: &Board, view: &View, width: usize, height: usize) -> Self {
        let look = Look { width, height, utf8: ctx.out.options().utf8, colors: ctx.out.stdout_has_colors() };
        Self(draw(board, view, look, Time::now()))
    }

    /// Its lines.
    pub(super) fn lines(self) -> Vec<String> {
        self.0
    }

    /// It as the whole screen, over what is there.
    pub(super) fn screen(self) -> String {
        let mut text = "\x1b[H".to_owned();
        let count = self.0.len();
        for (number, line) in self.0.into_iter().enumerate() {
            text.push_str(&line);
            // In raw mode a line break does not go back to the left; one after the last line would scroll.
            text.push_str(if number + 1 < count { "\x1b[K\r\n" } else { "\x1b[K" });
        }
        text.push_str("\x1b[J");
        text
    }
}

fn draw(board: &Board, view: &View, look: Look, now: Time) -> Vec<String> {
    let kind = view.kind.map(|kind| KINDS[kind]);
    let mut rows: Vec<&At<TopRow>> =
        board.rows().filter(|row| kind.is_none_or(|kind| row.value.kind == kind)).collect();
    sort(&mut rows, SORTS[view.sort]);
    let mut lines = vec![fit(&head(board, now), look.width), fit(&legend(view, kind), look.width)];
    let widths = widths(&rows, look.width);
    let titles = ["KIND", "TARGET", "NAME", "STATE", "VALUE"];
    let title: Vec<String> = titles.iter().zip(widths).map(|(title, width)| pad(title, width)).collect();
    lines.push(paint(Tone::Strong, &fit(&title.join(" "), look.width), look.colors));
    let room = look.height.saturating_sub(lines.len() + usize::from(!view.note.is_empty()));
    for row in rows.iter().skip(view.top.min(rows.len().saturating_sub(1))).take(room) {
        lines.push(line(board, row, widths, look));
    }
    if !view.note.is_empty() && lines.len() < look.height.max(1) {
        lines.push(paint(Tone::Warning, &fit(&sanitize::line(&view.note), look.width), look.colors));
    }
    lines.truncate(look.height.max(1));
    lines
}

/// How many of each kind there are, and how many are not well.
fn head(board: &Board, now: Time) -> String {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for row in board.rows() {
        let (all, bad) = counts.entry(&row.value.kind).or_default();
        *all += 1;
        *bad += usize::from(tone(&row.value.state) == Tone::Bad);
    }
    let mut text = format!("esker top  {}", now.round(jiff::Unit::Second).unwrap_or(now));
    for kind in KINDS {
        if let Some((all, bad)) = counts.get(kind) {
            let _ = write!(text, "  {kind} {all}");
            if *bad > 0 {
                let _ = write!(text, " ({bad} bad)");
            }
        }
    }
    text
}

fn legend(view: &View, kind: Option<&str>) -> String {
    let paused = if view.is_paused { "  stopped" } else { "" };
    format!("q quit  f {}  s by {}  space stop{paused}", kind.unwrap_or("all"), SORTS[view.sort])
}

fn sort(rows: &mut [&At<TopRow>], by: &str) {
    // What is not well comes first where the state counts.
    let rank = |row: &At<TopRow>| match tone(&row.value.state) {
        Tone::Bad => 0,
        Tone::Warning => 1,
        Tone::Good => 3,
        _ => 2,
    };
    rows.sort_by(|a, b| {
        let usual = || (&a.target, &a.value.kind, &a.value.name).cmp(&(&b.target, &b.value.kind, &b.value.name));
        let first = match by {
            "state" => rank(a).cmp(&rank(b)),
            "name" => a.value.name.cmp(&b.value.name),
            "value" => b.value.value.unwrap_or(f64::MIN).total_cmp(&a.value.value.unwrap_or(f64::MIN)),
            _ => std::cmp::Ordering::Equal,
        };
        first.then_with(usual)
    });
}

/// The widths of the columns: names get what is left.
fn widths(rows: &[&At<TopRow>], width: usize) -> [usize; 5] {
    let longest = |cell: &dyn Fn(&At<TopRow>) -> usize, least: usize, most: usize| {
        rows.iter().map(|row| cell(row)).max().unwrap_or(0).clamp(least, most)
    };
    let target = longest(&|row| row.target.width(), 6, 28);
    let state = longest(&|row| row.value.state.width(), 5, 12);
    let value = longest(&|row| row.value.shown().map_or(0, |text| text.width()), 5, 14);
    let rest = width.saturating_sub(5 + target + state + value + 4);
    let name = longest(&|row| row.value.name.width(), 4, 32.min(rest.max(4)));
    [5, target, name, state, value]
}

fn line(board: &Board, row: &At<TopRow>, widths: [usize; 5], look: Look) -> String {
    let [kind, target, name, state, value] = widths;
    let cells = [
        pad(&row.value.kind, kind),
        pad(&sanitize::line(&row.target), target),
        pad(&sanitize::line(&row.value.name), name),
    ];
    let before = cells.join(" ");
    let state_text = pad(&sanitize::line(&row.value.state), state);
    let value_text = pad(&row.value.shown().unwrap_or_default(), value);
    let room = look.width.saturating_sub(before.width() + state_text.width() + value_text.width() + 3);
    let course = course(&board.course(row), room, look.utf8);
    let painted = paint(tone(&row.value.state), &state_text, look.colors);
    // Too narrow a terminal gets what fits, without colours, which could be cut in two.
    let plain = format!("{before} {state_text} {value_text} {course}");
    if plain.width() > look.width || !look.colors {
        return fit(plain.trim_end(), look.width);
    }
    format!("{before} {painted} {value_text} {course}").trim_end().to_owned()
}

/// The newest values that fit, as bars between nothing and the highest.
fn course(values: &[f64], room: usize, utf8: bool) -> String {
    let values = &values[values.len().saturating_sub(room)..];
    let highest = values.iter().copied().fold(0.0, f64::max);
    let bars = if utf8 { BARS } else { PLAIN };
    let bar = |value: &f64| {
        let part = if highest > 0.0 { value / highest * 7.0 } else { 0.0 };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 7")]
        bars[(part.clamp(0.0, 7.0)) as usize]
    };
    values.iter().map(bar).collect()
}

/// `text` in `width` columns, filled with blanks.
fn pad(text: &str, width: usize) -> String {
    let text = fit(text, width);
    let missing = width.saturating_sub(text.width());
    text + &" ".repeat(missing)
}

/// As much of `text` as fits into `width` columns.
fn fit(text: &str, width: usize) -> String {
    let mut taken = 0;
    let fits = |c: &char| {
        taken += c.width().unwrap_or(0);
        taken <= width
    };
    text.chars().take_while(fits).collect()
}

fn paint(tone: Tone, text: &str, colors: bool) -> String {
    tone.painted(text, colors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_is_drawn_between_nothing_and_its_highest() {
        assert_eq!(course(&[0.0, 1.0, 7.0], 10, true), "▁▂█");
        assert_eq!(course(&[1.0, 2.0, 3.0, 4.0], 2, true), "▆█");
        assert_eq!(
            (course(&[0.0, 0.0], 5, false), course(&[], 5, true), course(&[1.0], 0, true)),
            ("__".into(), String::new(), String::new())
        );
    }

    #[test]
    fn no_line_is_wider_and_no_frame_higher_than_the_screen() {
        let board = Board::default();
        for (width, height) in [(0, 0), (1, 1), (10, 3), (200, 60)] {
            let look = Look { width, height, utf8: true, colors: false };
            let view = View { note: "something went wrong at a target".to_owned(), ..View::default() };
            let lines = draw(&board, &view, look, Time::UNIX_EPOCH);
            assert!(lines.len() <= height.max(1) && lines.iter().all(|line| line.width() <= width), "{lines:?}");
        }
    }

    #[test]
    fn keys_change_the_view() {
        let mut view = View::default();
        for _ in 0..KINDS.len() {
            assert!(view.press(Key::Filter, 9));
        }
        assert_eq!(view.kind, Some(KINDS.len() - 1));
        view.press(Key::Filter, 9);
        assert_eq!(view.kind, None);
        view.press(Key::PageDown, 5);
        assert_eq!(view.top, 4);
        assert!(!view.press(Key::Quit, 9));
    }
}
