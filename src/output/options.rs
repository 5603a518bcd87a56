//! What the user and the surroundings decide about output. Filled by settings: nothing here reads the environment.

use crate::error::{Error, Result};
use crate::model::Time;
use crate::suggest::nearest;
use std::str::FromStr;

/// The shape of an answer on stdout (ux section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for people.
    #[default]
    Table,
    /// The same with more columns.
    Wide,
    /// One JSON document.
    Json,
    /// One JSON object per line.
    Jsonl,
    /// The JSON data model as YAML.
    Yaml,
    /// RFC 4180 with a header.
    Csv,
    /// One id per line.
    Name,
}

impl Format {
    /// Every format, in the order of the help.
    pub const ALL: [Self; 7] = [Self::Table, Self::Wide, Self::Json, Self::Jsonl, Self::Yaml, Self::Csv, Self::Name];

    /// What the user writes after `-o`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Wide => "wide",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Yaml => "yaml",
            Self::Csv => "csv",
            Self::Name => "name",
        }
    }

    /// Whether programs read it, so that errors are objects too (U4.10).
    pub const fn is_structured(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl | Self::Yaml)
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        named(text, "output format", Self::ALL, Self::name)
    }
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// By the rules of U8.1, judged per stream.
    #[default]
    Auto,
    /// Even into a pipe.
    Always,
    /// Never.
    Never,
}

impl When {
    /// Every choice, in the order of the help.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    /// What the user writes after `--color`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl FromStr for When {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        named(text, "colour choice", Self::ALL, Self::name)
    }
}

fn named<T: Copy, const N: usize>(text: &str, what: &str, all: [T; N], name: fn(T) -> &'static str) -> Result<T> {
    if let Some(found) = all.into_iter().find(|choice| name(*choice) == text) {
        return Ok(found);
    }
    let names = all.map(name);
    let error = Error::usage(format!("no {what} `{text}`"));
    Err(match nearest(text, names) {
        Some(close) => error.hint(format!("did you mean `{close}`? choose from {}", names.join(", "))),
        None => error.hint(format!("choose from {}", names.join(", "))),
    })
}

/// Everything that decides how output looks.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The format of the answer.
    pub format: Format,
    /// Whether `-o` was given as a flag: `exec` ignores a format that comes from elsewhere (U4.12).
    pub format_from_flag: bool,
    /// `--fields`: the columns or keys to print, in this order.
    pub fields: Option<Vec<String>>,
    /// `--no-header`.
    pub no_header: bool,
    /// `--abs-time`: absolute times on a terminal too.
    pub abs_time: bool,
    /// `-q`: no notes, hints or progress.
    pub quiet: bool,
    /// How many `-v`: 1 info, 2 debug, 3 trace.
    pub verbose: u8,
    /// `--color`.
    pub color: When,
    /// `NO_COLOR` is set and not empty.
    pub no_color_env: bool,
    /// `CLICOLOR_FORCE` or `FORCE_COLOR` asks for colour.
    pub force_color_env: bool,
    /// `TERM` is `dumb`.
    pub term_dumb: bool,
    /// The locale is UTF-8.
    pub utf8: bool,
    /// `CI` is set.
    pub ci: bool,
    /// `--no-progress`.
    pub no_progress: bool,
    /// `--yes`.
    pub yes: bool,
    /// `--confirm`, once per object.
    pub confirm: Vec<String>,
    /// `--confirm-count`.
    pub confirm_count: Option<usize>,
    /// `--no-input`.
    pub no_input: bool,
    /// `COLUMNS`: the width of terminals instead of the measured one.
    pub width: Option<u16>,
    /// A fixed clock for tests; `None` is the machine's.
    pub now: Option<Time>,
}

impl Options {
    /// The time that relative times refer to.
    pub fn now(&self) -> Time {
        self.now.unwrap_or_else(Time::now)
    }

    /// Whether a stream gets colour (U8.1).
    pub(super) fn colors(&self, is_terminal: bool) -> bool {
        match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto if self.no_color_env => false,
            When::Auto if self.force_color_env => true,
            When::Auto => is_terminal && !self.term_dumb,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_read_back_and_near_misses_are_named() {
        for format in Format::ALL {
            assert_eq!(format.name().parse::<Format>().unwrap(), format);
        }
        let error = "jsno".parse::<Format>().unwrap_err();
        assert_eq!(error.to_string(), "no output format `jsno`");
        assert_eq!(
            error.parts().hint.as_deref(),
            Some("did you mean `json`? choose from table, wide, json, jsonl, yaml, csv, name")
        );
        assert_eq!("".parse::<When>().unwrap_err().parts().hint.as_deref(), Some("choose from auto, always, never"));
    }

    #[test]
    fn colour_follows_the_order_of_precedence() {
        let with = |change: fn(&mut Options)| {
            let mut options = Options::default();
            change(&mut options);
            (options.colors(false), options.colors(true))
        };
        assert_eq!(with(|_| ()), (false, true));
        assert_eq!(with(|o| o.term_dumb = true), (false, false));
        assert_eq!(with(|o| (o.term_dumb, o.force_color_env) = (true, true)), (true, true));
        assert_eq!(with(|o| (o.no_color_env, o.force_color_env) = (true, true)), (false, false));
        assert_eq!(with(|o| (o.no_color_env, o.color) = (true, When::Always)), (true, true));
        assert_eq!(with(|o| (o.force_color_env, o.color) = (true, When::Never)), (false, false));
    }
}
