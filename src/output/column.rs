//! Columns as data, and cells that know how to show and to compare themselves.

use super::color::{Tone, tone};
use super::human;
use crate::model::Time;
use std::cmp::Ordering;

/// One column of a table over `T`. Declared as constants beside the command that prints it.
pub struct Column<T> {
    /// Its header, upper case.
    pub header: &'static str,
    /// What `--fields` and `--sort` call it: the JSON key of the same value.
    pub key: &'static str,
    /// Shown by `-o wide` and `-o csv` only.
    pub is_wide: bool,
    /// Shortened where the terminal is too narrow. Names and ids never are (U4.2).
    pub is_elastic: bool,
    /// Its value.
    pub cell: fn(&T) -> Cell,
}

impl<T> Clone for Column<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Column<T> {}

impl<T> Column<T> {
    /// A column that every table shows in full.
    pub const fn new(header: &'static str, key: &'static str, cell: fn(&T) -> Cell) -> Self {
        Self { header, key, is_wide: false, is_elastic: false, cell }
    }

    /// Leaves it to `-o wide`.
    pub const fn wide(mut self) -> Self {
        self.is_wide = true;
        self
    }

    /// Lets it be shortened.
    pub const fn elastic(mut self) -> Self {
        self.is_elastic = true;
        self
    }
}

/// A value in a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Unknown or not applicable.
    Empty,
    /// Text.
    Text(String),
    /// Text with a meaning.
    Toned(Tone, String),
    /// A moment.
    Time(Option<Time>),
    /// Bytes.
    Size(Option<u64>),
    /// A count.
    Count(Option<u64>),
    /// A duration in seconds.
    Seconds(Option<f64>),
    /// Several texts.
    List(Vec<String>),
}

impl Cell {
    /// Text; empty text is an empty cell.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }

    /// Text that may be missing.
    pub fn maybe(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }

    /// A state, coloured by what it means.
    pub fn state(state: impl Into<String>) -> Self {
        let state = state.into();
        Self::Toned(tone(&state), state)
    }

    /// A count.
    pub fn count(count: impl TryInto<u64>) -> Self {
        Self::Count(count.try_into().ok())
    }

    /// A yes or a no.
    pub fn yes_no(yes: bool) -> Self {
        Self::Text(if yes { "yes" } else { "no" }.to_owned())
    }

    /// Its colour.
    pub(super) fn tone(&self) -> Tone {
        match self {
            Self::Toned(tone, _) => *tone,
            _ if self.is_empty() => Tone::Dim,
            _ => Tone::Plain,
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Empty | Self::Time(None) | Self::Size(None) | Self::Count(None) | Self::Seconds(None) => true,
            Self::Text(text) | Self::Toned(_, text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            _ => false,
        }
    }

    /// It as people read it; `now` makes times relative. `None` if there is nothing to show.
    pub(super) fn show(&self, now: Option<Time>) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        match self {
            Self::Empty => None,
            Self::Text(text) | Self::Toned(_, text) => Some(text.clone()),
            Self::Time(time) => time.map(|time| match now {
                Some(now) => human::relative(time, now),
                None => human::absolute(time),
            }),
            Self::Size(bytes) => bytes.map(human::size),
            Self::Count(count) => count.map(|count| count.to_string()),
            Self::Seconds(seconds) => seconds.map(show_seconds),
            Self::List(items) => Some(items.join(",")),
        }
    }

    /// It as programs read it: numbers in their base unit, absolute times. Empty if there is none.
    pub(super) fn raw(&self) -> String {
        match self {
            Self::Size(Some(bytes)) => bytes.to_string(),
            Self::Seconds(Some(seconds)) => seconds.to_string(),
            other => other.show(None).unwrap_or_default(),
        }
    }

    /// The order of `--sort`. Numbers sort as numbers, also where they are text (ids).
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Size(a) | Self::Count(a), Self::Size(b) | Self::Count(b)) => a.cmp(b),
            (Self::Seconds(Some(a)), Self::Seconds(Some(b))) => a.total_cmp(b),
            (Self::List(a), Self::List(b)) => a.cmp(b),
            (a, b) => {
                let (a, b) = (a.raw(), b.raw());
                let number = |text: &str| text.parse::<u64>().map_err(|_| ());
                // `Ok` sorts before `Err`: numbers first, then texts.
                number(&a).cmp(&number(&b)).then_with(|| a.cmp(&b))
            }
        }
    }

    /// Like [`compare`](Self::compare), reversed if `descending`; what is missing comes last either way.
    pub(super) fn sort(&self, other: &Self, descending: bool) -> Ordering {
        match (self.is_empty(), other.is_empty()) {
            (false, false) if descending => other.compare(self),
            (false, false) => self.compare(other),
            (a, b) => a.cmp(&b),
        }
    }
}

/// Seconds for people: milliseconds below a minute, whole seconds above.
fn show_seconds(seconds: f64) -> String {
    let step = if seconds < 60.0 { 1e3 } else { 1.0 };
    std::time::Duration::try_from_secs_f64((seconds * step).round() / step)
        .map_or_else(|_| seconds.to_string(), human::duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_sort_last_and_numbers_sort_as_numbers() {
        let mut cells = vec![Cell::text("10"), Cell::Empty, Cell::text("9"), Cell::text("b"), Cell::text("a")];
        cells.sort_by(|a, b| a.sort(b, false));
        assert_eq!(cells, [Cell::text("9"), Cell::text("10"), Cell::text("a"), Cell::text("b"), Cell::Empty]);
        cells.sort_by(|a, b| a.sort(b, true));
        assert_eq!(cells, [Cell::text("b"), Cell::text("a"), Cell::text("10"), Cell::text("9"), Cell::Empty]);
    }

    #[test]
    fn cells_show_units_to_people_and_numbers_to_programs() {
        assert_eq!(Cell::Size(Some(1536)).show(None).as_deref(), Some("1.5 KiB"));
        assert_eq!(Cell::Size(Some(1536)).raw(), "1536");
        assert_eq!(Cell::Seconds(Some(5400.4)).show(None).as_deref(), Some("1h30m"));
        assert_eq!(Cell::Seconds(Some(0.25)).show(None).as_deref(), Some("250ms"));
        assert_eq!(Cell::Seconds(Some(f64::NAN)).show(None).as_deref(), Some("NaN"));
        assert_eq!(Cell::List(vec![]).show(None), None);
        assert_eq!(Cell::text("").raw(), "");
    }
}
