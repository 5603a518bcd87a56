//! Dynamic candidates of the shell completion (ux 11.3).
//!
//! Names of a target come from a cache of 30 s, or are asked for within 300 ms. Nothing here prompts, and nothing says
//! what went wrong: there is nothing to complete then.

mod ask;
mod cache;
mod rows;

use super::command;
use crate::config::{Config, Dirs, Search};
use crate::context::var;
use crate::output::{Options, Output};
use crate::provider::Env;
use crate::provider::registry::DRIVERS;
use crate::resolve::{Registry, Resolver};
use crate::settings::{Flags, Settings, config_file};
use crate::supervisor::Places;
use ask::Noun;
use clap::Command;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::env::Shells;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// The variable by which a script asks for candidates; it holds the name of the shell.
pub const VARIABLE: &str = "COMPLETE";

/// The words of the line that is completed.
static LINE: OnceLock<Vec<String>> = OnceLock::new();

/// A candidate and what is said about it.
type Candidate = (String, String);

/// Answers a completion script: `COMPLETE=bash esker -- WORDS…`. `None` if this is no such call; the `--` keeps a
/// variable of the same name that means something else from getting in the way.
pub fn answer(argv: &[OsString], shell: &str) -> Option<u8> {
    let shells = Shells::builtins();
    let shell = shells.completer(shell)?;
    let [_, dashes, words @ ..] = argv else { return None };
    if dashes != "--" {
        return None;
    }
    // The engines count on a first word.
    if !words.is_empty() {
        let _ = LINE.set(words.iter().map(|word| word.to_string_lossy().into_owned()).collect());
        let mut candidates = Vec::new();
        let here = std::env::current_dir().ok();
        if shell.write_complete(&mut completed(words), words.to_vec(), here.as_deref(), &mut candidates).is_ok() {
            let _ = Output::new(Options::default()).bytes(&candidates);
        }
    }
    Some(0)
}

/// The command to complete. The flags of every command would drown the names, so they wait for a dash.
fn completed(words: &[OsString]) -> Command {
    let index = var("_CLAP_COMPLETE_INDEX").and_then(|index| index.parse().ok()).unwrap_or(words.len() - 1);
    let is_flag = words.get(index).is_some_and(|word| word.as_encoded_bytes().starts_with(b"-"));
    command().mut_args(|arg| if is_flag || !arg.is_global_set() { arg } else { arg.hide(true) })
}

/// Completes the name of a service.
pub fn services() -> ArgValueCompleter {
    of(|around| ask::names(around, Noun::Services))
}

/// Completes the name of a check.
pub fn checks() -> ArgValueCompleter {
    of(|around| ask::names(around, Noun::Checks))
}

/// Completes the id of a change.
pub fn changes() -> ArgValueCompleter {
    of(|around| ask::names(around, Noun::Changes))
}

/// Completes the name of an identity.
pub fn identities() -> ArgValueCompleter {
    of(|around| ask::names(around, Noun::Identities))
}

/// Completes the id of a checkpoint.
pub fn checkpoints() -> ArgValueCompleter {
    of(|around| ask::names(around, Noun::Checkpoints))
}

/// Completes the id of a notice.
pub fn notices() -> ArgValueCompleter {
    of(|around| ask::names(around, Noun::Notices))
}

/// Completes the id of a run.
pub fn runs() -> ArgValueCompleter {
    of(|around| ask::names(around, Noun::Runs))
}

/// Completes the name of a snippet.
pub fn snippets() -> ArgValueCompleter {
    of(|around| ask::names(around, Noun::Snippets))
}

/// Completes the id of a recording.
pub fn recordings() -> ArgValueCompleter {
    of(|around| ask::names(around, Noun::Recordings))
}

/// Completes the name of a session that outlives its command.
pub fn agents() -> ArgValueCompleter {
    of(|around| {
        let places = Places::find(around.dirs.state.as_deref(), &|name| var(name).map(Into::into));
        places.map(|places| places.names()).unwrap_or_default().into_iter().map(|name| (name, String::new())).collect()
    })
}

/// Completes a path over there; a short name or an endpoint before its colon.
pub fn remote_paths() -> ArgValueCompleter {
    within(|around, word| {
        if word.contains(':') || word.starts_with('/') {
            return ask::paths(around, word);
        }
        let places = around.short_names().chain(around.endpoints());
        let mut places: Vec<Candidate> = places.map(|(name, help)| (format!("{name}:/"), help)).collect();
        if let Some((endpoint, name)) = word.split_once('/') {
            let names = ask::places(around, endpoint, name);
            places.extend(names.into_iter().map(|(name, help)| (format!("{name}:/"), help)));
        }
        places
    })
}

/// Completes a path here or over there.
pub fn paths() -> ArgValueCompleter {
    let there = remote_paths();
    ArgValueCompleter::new(move |word: &OsStr| {
        let text = word.to_string_lossy();
        let is_local = text.starts_with('/') || text.starts_with("./") || text.starts_with("../");
        let mut found = if is_local { Vec::new() } else { there.complete(word) };
        if !text.contains(':') {
            found.extend(PathCompleter::any().complete(word));
        }
        found
    })
}

/// Completes a target: a short name or an endpoint, and behind its slash a place inside it.
pub fn targets() -> ArgValueCompleter {
    within(|around, word| match word.split_once('/') {
        Some((endpoint, name)) => ask::places(around, endpoint, name),
        None => around.short_names().chain(around.endpoints()).collect(),
    })
}

/// Completes a machine: a short name, or the full name of one inside an endpoint.
pub fn machines() -> ArgValueCompleter {
    within(|around, word| {
        if let Some((endpoint, name)) = word.split_once('/') {
            return ask::places(around, endpoint, name);
        }
        let endpoints = around.resolver.endpoints().into_iter().filter(|endpoint| endpoint.starts_with(word));
        let machines = endpoints.flat_map(|endpoint| ask::places(around, &endpoint, "")).collect::<Vec<_>>();
        around.short_names().chain(machines).collect()
    })
}

/// Completes a table of resources.
pub fn tables() -> ArgValueCompleter {
    of(rows::tables)
}

/// Completes what can be done to the table of the line.
pub fn verbs() -> ArgValueCompleter {
    of(rows::verbs)
}

/// Completes a row of the table that the line is about.
pub fn rows() -> ArgValueCompleter {
    of(|around| rows::rows(around, rows::Whose::Own))
}

/// Completes a row that those of the table belong to.
pub fn parents() -> ArgValueCompleter {
    of(|around| rows::rows(around, rows::Whose::Parent))
}

/// Completes the name of an endpoint.
pub fn endpoints() -> ArgValueCompleter {
    of(|around| around.endpoints().collect())
}

/// Completes a short name.
pub fn short_names() -> ArgValueCompleter {
    of(|around| around.short_names().collect())
}

/// Completes the id of a provider.
pub fn providers() -> ArgValueCompleter {
    of(|_| DRIVERS.iter().map(|driver| (driver.id.to_owned(), driver.summary.to_owned())).collect())
}

/// A completer that offers what begins as the word does.
fn of(candidates: fn(&Surroundings) -> Vec<Candidate>) -> ArgValueCompleter {
    within(move |around, _| candidates(around))
}

/// The same where the word says whom to ask.
fn within(candidates: impl Fn(&Surroundings, &str) -> Vec<Candidate> + Send + Sync + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(move |word: &OsStr| {
        let word = word.to_string_lossy();
        let Some(around) = Surroundings::find() else { return Vec::new() };
        let fits = candidates(&around, &word).into_iter().filter(|(name, help)| {
            // A name with a control character would be several candidates, or act on the terminal.
            name.starts_with(&*word) && !name.contains(char::is_control) && !help.contains(char::is_control)
        });
        fits.map(|(name, help)| CompletionCandidate::new(name).help((!help.is_empty()).then(|| help.into()))).collect()
    })
}

/// What a line is completed with.
struct Surroundings {
    config: Arc<Config>,
    settings: Settings,
    resolver: Resolver,
    dirs: Dirs,
}

impl Surroundings {
    /// Reads configuration and variables. Unlike a command's context it has nowhere to say anything.
    fn find() -> Option<Self> {
        let line = LINE.get().map(Vec::as_slice).unwrap_or_default();
        let flags = Flags {
            target: last(line, "--target").into_iter().collect(),
            config: last(line, "--config").map(PathBuf::from),
            ..Flags::default()
        };
        let dirs = Dirs::find(&|name| std::env::var_os(name).filter(|value| !value.is_empty()));
        let search = Search::new(&dirs, std::env::current_dir().ok(), config_file(&flags, &var));
        let config = Arc::new(Config::load(&search, &Registry(DRIVERS)).ok()?);
        let settings = Settings::resolve(&flags, &var, &config).ok()?;
        let env = Env {
            net: crate::context::net_within(ask::LIMIT),
            home: var("HOME").map(PathBuf::from),
            state: dirs.state.clone(),
            ..Env::default()
        };
        let resolver = Resolver::new(Arc::clone(&config), Box::new(var), DRIVERS, env);
        Some(Self { config, settings, resolver, dirs })
    }

    fn short_names(&self) -> impl Iterator<Item = Candidate> + '_ {
        self.config.targets.iter().map(|(name, target)| (name.clone(), target.address.clone()))
    }

    fn endpoints(&self) -> impl Iterator<Item = Candidate> + '_ {
        let configured = self.config.endpoints.values();
        let configured = configured.map(|endpoint| (endpoint.name.clone(), endpoint.provider.clone()));
        let implicit = DRIVERS.iter().filter(|driver| !self.config.endpoints.contains_key(driver.id));
        configured.chain(implicit.map(|driver| (driver.id.to_owned(), driver.summary.to_owned())))
    }
}

/// The last value of a flag in a line that is not complete; what follows `--` belongs to somebody else.
fn last(line: &[String], flag: &str) -> Option<String> {
    let mut found = None;
    let mut words = line.iter().take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == flag {
            found = words.next().cloned().or(found);
        } else if let Some(value) = word.strip_prefix(flag).and_then(|rest| rest.strip_prefix('=')) {
            found = Some(value.to_owned());
        }
    }
    found.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::last;

    #[test]
    fn the_target_of_an_unfinished_line_is_found() {
        let line = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(last(&line("esker svc show --target lab we"), "--target").as_deref(), Some("lab"));
        assert_eq!(last(&line("esker --target=lab svc show"), "--target").as_deref(), Some("lab"));
        assert_eq!(last(&line("esker --target a --target b x"), "--target").as_deref(), Some("b"));
        assert_eq!(last(&line("esker exec lab -- x --target b"), "--target"), None);
        assert_eq!(last(&line("esker svc show --target "), "--target"), None);
    }
}
