//! The one argument that every command receives.

use crate::cleanups::Cleanups;
use crate::config::{Config, Dirs, Origin, Search};
use crate::error::{Error, Result};
use crate::output::{Format, Options, Output, When};
use crate::provider::{Ask, Env, Variables, registry::DRIVERS};
use crate::resolve::{Registry, Resolver};
use crate::settings::{self, Flags, Opt, Settings};
use crate::signal::Signals;
use crate::transport::{Net, NetOptions, Trace};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What a command acts with.
pub struct Ctx {
    /// Where answers and messages go.
    pub out: Output,
    /// Every option, resolved.
    pub settings: Settings,
    /// From the text of a target to a place.
    pub resolver: Resolver,
    /// The configuration as the files have it.
    pub config: Arc<Config>,
    /// Where files of ours are.
    pub dirs: Dirs,
    /// Ctrl-C and its siblings.
    pub signals: Signals,
    /// What is undone if the command ends early.
    pub cleanups: Cleanups,
    /// The full name of the command.
    pub command: String,
    /// The config file that was named on the command line or by the environment.
    pub config_file: Option<PathBuf>,
    /// What is wrong with configuration or variables, for the commands that work nevertheless.
    pub faults: Vec<Error>,
}

/// What of the configuration a command reads before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// All of it; what is invalid ends the command.
    Config,
    /// All of it as far as it is valid, since the command is there to look at it or to repair it.
    ConfigIfValid,
    /// Nothing.
    Nothing,
}

/// Reads a variable; empty means unset (ux 2.4).
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The whole environment, for a program that gets it from us.
pub fn environment() -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    std::env::vars_os().collect()
}

/// The names of the variables that are set and begin with `prefix`, sorted.
pub fn variables(prefix: &str) -> Vec<String> {
    let set = std::env::vars_os().filter(|(_, value)| !value.is_empty());
    let mut names: Vec<String> = set.filter_map(|(name, _)| name.into_string().ok()).collect();
    names.retain(|name| name.starts_with(prefix));
    names.sort();
    names
}

impl Ctx {
    /// Puts it together from the command line, the environment and the config files. Nothing is connected.
    pub fn new(flags: &Flags, command: String, reads: Reads) -> Result<Self> {
        let dirs = Dirs::find(&|name| std::env::var_os(name).filter(|value| !value.is_empty()));
        let named = settings::config_file(flags, &var);
        let config_file = named.as_ref().map(|(path, _)| path.clone());
        let search = Search::new(&dirs, std::env::current_dir().ok(), named);
        let mut faults = Vec::new();
        let config = match reads {
            Reads::Nothing => Config::default(),
            Reads::Config => Config::load(&search, &Registry(DRIVERS))?,
            Reads::ConfigIfValid => Config::load(&search, &Registry(DRIVERS)).unwrap_or_else(|fault| {
                faults.push(fault);
                let writable = search.named.clone().map(|(path, _)| path).or_else(|| search.user.clone());
                Config { writable, ..Config::default() }
            }),
        };
        let config = Arc::new(config);
        let settings = match Settings::resolve(flags, &var, &config) {
            Err(fault) if reads == Reads::ConfigIfValid => {
                faults.push(fault);
                Settings::resolve(flags, &|_| None, &Config::default())?
            }
            settings => settings?,
        };
        let out = Output::new(output_options(&settings)?);
        let cleanups = Cleanups::default();
        let env = Env {
            net: Net::new(net_options(&settings, &out)),
            notes: out.notes(),
            cleanups: cleanups.clone(),
            ask: ask(&out),
            home: var("HOME").map(PathBuf::from),
            state: dirs.state.clone(),
            vars: Variables::new(|name| std::env::var_os(name)),
            config_home: var("XDG_CONFIG_HOME").or_else(|| Some(var("HOME")? + "/.config")).map(PathBuf::from),
        };
        let resolver = Resolver::new(Arc::clone(&config), Box::new(var), DRIVERS, env);
        Ok(Self {
            out,
            settings,
            resolver,
            config,
            dirs,
            signals: Signals::default(),
            cleanups,
            command,
            config_file,
            faults,
        })
    }
}

/// Has the output ask, on a thread of its own.
fn ask(out: &Output) -> Ask {
    let out = out.clone();
    Ask::new(move |question| {
        let out = out.clone();
        Box::pin(async move {
            let asked =
                tokio::task::spawn_blocking(move || out.ask_secret(&question, "an API token without that lock"));
            asked.await.map_err(Error::internal)?
        })
    })
}

/// What the output needs to know, before anything else may fail.
pub fn output_options(settings: &Settings) -> Result<Options> {
    let fields = settings.list(Opt::Fields).to_vec();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| var(name)).unwrap_or_default().to_lowercase();
    Ok(Options {
        format: settings.word(Opt::Output).parse::<Format>()?,
        format_from_flag: matches!(settings.origin(Opt::Output), Origin::Flag(_)),
        fields: (!fields.is_empty()).then_some(fields),
        no_header: settings.on(Opt::NoHeader),
        abs_time: settings.on(Opt::AbsTime),
        quiet: settings.on(Opt::Quiet),
        verbose: settings.verbosity(),
        color: settings.word(Opt::Color).parse::<When>()?,
        no_color_env: var("NO_COLOR").is_some(),
        force_color_env: var("CLICOLOR_FORCE").or_else(|| var("FORCE_COLOR")).is_some_and(|value| value != "0"),
        term_dumb: var("TERM").is_some_and(|term| term == "dumb"),
        utf8: locale.contains("utf-8") || locale.contains("utf8"),
        ci: var("CI").is_some(),
        no_progress: settings.on(Opt::NoProgress),
        yes: settings.on(Opt::Yes),
        confirm: settings.list(Opt::Confirm).to_vec(),
        confirm_count: settings.number(Opt::ConfirmCount).and_then(|count| count.try_into().ok()),
        no_input: settings.on(Opt::NoInput),
        width: var("COLUMNS").and_then(|columns| columns.parse().ok()),
        now: None,
    })
}

/// Connections for a short question: what is not there within `limit` is not there.
pub fn net_within(limit: Duration) -> Net {
    Net::new(NetOptions { connect_timeout: limit, is_connect_timeout_fixed: true, ..NetOptions::default() })
}

fn net_options(settings: &Settings, out: &Output) -> NetOptions {
    let mut options = NetOptions::default();
    if let Some(limit) = settings.duration(Opt::ConnectTimeout) {
        options.connect_timeout = limit;
        options.is_connect_timeout_fixed =
            matches!(settings.origin(Opt::ConnectTimeout), Origin::Flag(_) | Origin::Variable(_));
    }
    options.wait_for_server = settings.duration(Opt::WaitForDaemon);
    if settings.verbosity() >= 3 {
        let out = out.clone();
        options.trace = Trace::new(move |line| out.trace(line));
    }
    options
}
