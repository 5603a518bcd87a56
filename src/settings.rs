//! One table of options, resolved: flag > environment > directory file > user > system > default (ux 10.1).
//!
//! Each value keeps its origin. Nothing here knows clap: the command line arrives as [`Flags`].

mod table;

pub use table::{COLORS, CONFIG_VARIABLE, Kind, OUTPUTS, Opt, Setting, TABLE};

use crate::config::{BOOLEAN, Config, Named, Origin, boolean, duration};
use crate::error::{Error, Result};
use crate::suggest::nearest;
use std::path::PathBuf;
use std::time::Duration;

/// How the environment is read.
pub type Vars<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What the command line says; a switch that is `false` was not given.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--output`.
    pub output: Option<String>,
    /// `--fields`, split.
    pub fields: Vec<String>,
    /// `--no-header`.
    pub no_header: bool,
    /// `--target`.
    pub target: Vec<String>,
    /// `--all`.
    pub all: bool,
    /// `--jobs`.
    pub jobs: Option<u64>,
    /// `--fail-fast`.
    pub fail_fast: bool,
    /// `--connect-timeout`.
    pub connect_timeout: Option<Duration>,
    /// `--quiet`.
    pub quiet: bool,
    /// How often `--verbose` was given.
    pub verbose: u8,
    /// `--yes`.
    pub yes: bool,
    /// `--confirm`.
    pub confirm: Vec<String>,
    /// `--confirm-count`.
    pub confirm_count: Option<u64>,
    /// `--no-input`.
    pub no_input: bool,
    /// `--color`.
    pub color: Option<String>,
    /// `--no-progress`.
    pub no_progress: bool,
    /// `--timeout`.
    pub timeout: Option<Duration>,
    /// `--abs-time`.
    pub abs_time: bool,
    /// `--wait-for-daemon`.
    pub wait_for_daemon: Option<Duration>,
    /// `--config`.
    pub config: Option<PathBuf>,
}

/// A value, checked against its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nobody said anything, and there is no default.
    Unset,
    /// Of a `Bool`.
    Bool(bool),
    /// Of a `Number` or `Level`.
    Number(u64),
    /// Of a `Duration`.
    Duration(Duration),
    /// Of a `Word`.
    Word(&'static str),
    /// Of a `List`.
    List(Vec<String>),
}

impl Value {
    /// The value as `config show` prints it: time spans in seconds, `null` where it is unset.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Unset => serde_json::Value::Null,
            Self::Bool(on) => (*on).into(),
            Self::Number(number) => (*number).into(),
            Self::Duration(duration) if duration.subsec_nanos() == 0 => duration.as_secs().into(),
            Self::Duration(duration) => duration.as_secs_f64().into(),
            Self::Word(word) => (*word).into(),
            Self::List(list) => list.clone().into(),
        }
    }
}

/// Every option with its value and origin.
#[derive(Clone, Debug)]
pub struct Settings(Vec<(Value, Origin)>);

/// The config file that flag or variable name, and which of them did.
pub fn config_file(flags: &Flags, vars: Vars<'_>) -> Option<(PathBuf, Origin)> {
    if let Some(path) = &flags.config {
        return Some((path.clone(), Origin::Flag("--config")));
    }
    let path = vars(CONFIG_VARIABLE).filter(|path| !path.is_empty())?;
    Some((path.into(), Origin::Variable(CONFIG_VARIABLE)))
}

impl Settings {
    /// Resolves every option.
    pub fn resolve(flags: &Flags, vars: Vars<'_>, config: &Config) -> Result<Self> {
        TABLE.iter().map(|setting| one(setting, flags, vars, config)).collect::<Result<_>>().map(Self)
    }

    /// The value of an option.
    pub fn value(&self, option: Opt) -> &Value {
        &self.0[option as usize].0
    }

    /// Where it comes from.
    pub fn origin(&self, option: Opt) -> &Origin {
        &self.0[option as usize].1
    }

    /// Whether a switch is on.
    pub fn on(&self, option: Opt) -> bool {
        matches!(self.value(option), Value::Bool(true))
    }

    /// A number, where it is set.
    pub fn number(&self, option: Opt) -> Option<u64> {
        if let Value::Number(number) = self.value(option) { Some(*number) } else { None }
    }

    /// A time span, where it is set and not zero.
    pub fn duration(&self, option: Opt) -> Option<Duration> {
        if let Value::Duration(duration) = self.value(option) { Some(*duration).filter(|d| !d.is_zero()) } else { None }
    }

    /// The word of an option that is one of several; empty where it is unset.
    pub fn word(&self, option: Opt) -> &'static str {
        if let Value::Word(word) = self.value(option) { word } else { "" }
    }

    /// The texts of a list; empty where it is unset.
    pub fn list(&self, option: Opt) -> &[String] {
        if let Value::List(list) = self.value(option) { list } else { &[] }
    }

    /// How much to say: 0 nothing, 1 info, 2 debug, 3 trace.
    pub fn verbosity(&self) -> u8 {
        self.number(Opt::Verbose).and_then(|n| u8::try_from(n).ok()).unwrap_or(3).min(3)
    }

    /// Every option with its value and origin, for `config show`.
    pub fn each(&self) -> impl Iterator<Item = (&'static Setting, &Value, &Origin)> {
        TABLE.iter().zip(&self.0).map(|(setting, (value, origin))| (setting, value, origin))
    }
}

fn one(setting: &'static Setting, flags: &Flags, vars: Vars<'_>, config: &Config) -> Result<(Value, Origin)> {
    if let Some(value) = flag(setting.option, flags) {
        let value = value.map_err(|why| Error::usage(format!("invalid value of {}: {why}", setting.flag)))?;
        return Ok((value, Origin::Flag(setting.flag)));
    }
    if let Some(name) = setting.variable
        && let Some(text) = vars(name).filter(|text| !text.is_empty())
    {
        let value = read(setting.kind, &text)
            .map_err(|why| Error::config(format!("invalid value `{text}` of {name}: {why}")))?;
        return Ok((value, Origin::Variable(name)));
    }
    let directory = config.directory.as_ref().filter(|_| setting.option == Opt::Target);
    let named = directory.or_else(|| config.settings.get(setting.key?));
    if let Some(Named { node, origin }) = named {
        let key = if directory.is_some() { "target" } else { setting.key.unwrap_or(setting.name) };
        let text = node.text().ok_or_else(|| origin.fault(&format!("`{key}` must be a single value")))?;
        let value = read(setting.kind, text)
            .map_err(|why| origin.fault(&format!("invalid value `{text}` of `{key}`: {why}")))?;
        return Ok((value, origin.clone()));
    }
    let value = match setting.default {
        Some(text) => read(setting.kind, text).map_err(|why| Error::internal(format!("{}: {why}", setting.name)))?,
        None => Value::Unset,
    };
    Ok((value, Origin::Default))
}

/// What the command line says about an option; `None` if nothing.
fn flag(option: Opt, flags: &Flags) -> Option<Result<Value, String>> {
    let switch = |on: bool| on.then_some(Ok(Value::Bool(true)));
    let number = |n: Option<u64>| n.map(|n| Ok(Value::Number(n)));
    let duration = |d: Option<Duration>| d.map(|d| Ok(Value::Duration(d)));
    let list = |list: &[String]| (!list.is_empty()).then(|| Ok(Value::List(list.to_vec())));
    let word = |text: &Option<String>| text.as_ref().map(|text| read(TABLE[option as usize].kind, text));
    match option {
        Opt::Output => word(&flags.output),
        Opt::Fields => list(&flags.fields),
        Opt::NoHeader => switch(flags.no_header),
        Opt::Target => list(&flags.target),
        Opt::All => switch(flags.all),
        Opt::Jobs => flags.jobs.map(|n| positive(n).map(Value::Number)),
        Opt::FailFast => switch(flags.fail_fast),
        Opt::ConnectTimeout => duration(flags.connect_timeout),
        Opt::Quiet => switch(flags.quiet),
        Opt::Verbose => number((flags.verbose > 0).then_some(flags.verbose.into())),
        Opt::Yes => switch(flags.yes),
        Opt::Confirm => list(&flags.confirm),
        Opt::ConfirmCount => number(flags.confirm_count),
        Opt::NoInput => switch(flags.no_input),
        Opt::Color => word(&flags.color),
        Opt::NoProgress => switch(flags.no_progress),
        Opt::Timeout => duration(flags.timeout),
        Opt::AbsTime => switch(flags.abs_time),
        Opt::WaitForDaemon => duration(flags.wait_for_daemon),
    }
}

/// Reads a value of a variable or file.
fn read(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Bool => boolean(text).map(Value::Bool).ok_or_else(|| BOOLEAN.to_owned()),
        Kind::Number => match text.parse() {
            Ok(number) => positive(number).map(Value::Number),
            Err(_) => Err("expected a number".to_owned()),
        },
        Kind::Duration => duration::parse(text).map(Value::Duration),
        Kind::Word(words) => words.iter().find(|word| **word == text).map(|word| Value::Word(word)).ok_or_else(|| {
            let near =
                nearest(text, words.iter().copied()).map_or_else(String::new, |near| format!(", such as `{near}`"));
            format!("expected one of {}{near}", words.join(", "))
        }),
        Kind::List => Ok(Value::List(vec![text.to_owned()])),
        Kind::Level => match text {
            "info" => Ok(Value::Number(1)),
            "debug" => Ok(Value::Number(2)),
            "trace" => Ok(Value::Number(3)),
            _ => text.parse().map(Value::Number).map_err(|_| "expected info, debug, trace or a number".to_owned()),
        },
    }
}

fn positive(number: u64) -> Result<u64, String> {
    if number == 0 { Err("expected at least 1".to_owned()) } else { Ok(number) }
}

#[cfg(test)]
mod tests;
