//! From the text of a target to a place to act on.
//!
//! Parsing does no I/O and never guesses: what is ambiguous or unknown is an error that says what there is. Only
//! expanding a glob over the places of an endpoint asks the system.

mod address;
mod expand;
mod remote;
mod rules;

pub use address::Address;
pub use expand::Resolved;
pub use remote::RemoteArg;
pub use rules::Registry;

pub use crate::config::Defaults;

use crate::config::{Config, EndpointConfig, Logins, Origin};
use crate::error::{Error, Result};
use crate::glob;
use crate::model::Name;
use crate::provider::{Driver, Env, Place, Provider};
use crate::settings::{Opt, Settings};
use crate::suggest::nearest;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A place to act on. Cheap to clone.
#[derive(Clone)]
pub struct Target {
    /// Where it is.
    pub address: Address,
    /// Its full form, which resolves back to it.
    pub full: String,
    /// The endpoint.
    pub provider: Arc<dyn Provider>,
    /// The place.
    pub place: Arc<dyn Place>,
    /// What commands there start with.
    pub defaults: Defaults,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.full)
    }
}

/// What the text of a target means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// One place, and the defaults of the short name that was used for it.
    One(Address, Defaults),
    /// The places of one endpoint whose names match.
    Places {
        /// The endpoint.
        endpoint: String,
        /// What the names match, decoded nowhere: `*`, `?` and `[…]` mean something in it.
        glob: String,
    },
    /// The short names and endpoints that match; an endpoint stands for every place it holds.
    Glob(String),
    /// Every target there is.
    All,
}

/// How the environment is read, shared and owned.
pub type VarsFn = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Turns texts into targets. Endpoints are opened once each, when they are first needed.
pub struct Resolver {
    config: Arc<Config>,
    vars: Box<VarsFn>,
    registry: &'static [&'static Driver],
    env: Env,
    opened: Mutex<BTreeMap<String, Arc<dyn Provider>>>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

impl Resolver {
    /// A resolver over what is configured. No I/O.
    pub fn new(config: Arc<Config>, vars: Box<VarsFn>, registry: &'static [&'static Driver], env: Env) -> Self {
        Self { config, vars, registry, env, opened: Mutex::default() }
    }

    /// What the text of a target means. No I/O.
    pub fn parse(&self, text: &str) -> Result<Pattern> {
        if text.starts_with("unix:") {
            return Ok(Pattern::One(Address::parse(text)?, Defaults::default()));
        }
        let (first, rest) = text.split_once('/').map_or((text, None), |(first, rest)| (first, Some(rest)));
        if glob::is_glob(first) {
            return match rest {
                None => Ok(Pattern::Glob(text.to_owned())),
                Some(_) => Err(Error::usage(format!("cannot match endpoints and names at once: `{text}`"))
                    .hint("name the endpoint, for example `sprites/*`")),
            };
        }
        if let Some(glob) = rest.filter(|rest| glob::is_glob(rest)) {
            self.driver_of(first)?;
            self.accepts_name(first, text)?;
            return Ok(Pattern::Places { endpoint: first.to_owned(), glob: glob.to_owned() });
        }
        let address = Address::parse(text)?;
        let Some(target) = self.config.targets.get(&address.endpoint) else {
            return Ok(Pattern::One(self.known(address)?, Defaults::default()));
        };
        if address.name.is_some() {
            return Err(Error::usage(format!("`{first}` is a short name and takes no name: `{text}`"))
                .hint(format!("it stands for `{}`", target.address)));
        }
        // A short name stands for a full form, never for another short name.
        let address = Address::parse(&target.address)
            .and_then(|address| self.known(address))
            .map_err(|error| fault(&target.origin, &format!("address of target `{first}`: "), &error))?;
        Ok(Pattern::One(address, target.defaults.clone()))
    }

    /// What the command is to act on: what flag, variable, directory file or config name, otherwise the default.
    ///
    /// Where nothing is named, the implicit endpoint of the first provider whose own variables are set counts. Where
    /// nothing is configured either, it is that of the first provider, `pebble`. Anything else would be a guess.
    pub fn wanted(&self, settings: &Settings) -> Result<Vec<Pattern>> {
        if settings.on(Opt::All) {
            return match settings.origin(Opt::Target) {
                Origin::Flag(_) => Err(Error::usage("--all and --target exclude each other")),
                _ => Ok(vec![Pattern::All]),
            };
        }
        let texts = settings.list(Opt::Target);
        if texts.is_empty() {
            return self.fallback().map(|pattern| vec![pattern]);
        }
        let origin = settings.origin(Opt::Target);
        texts.iter().map(|text| self.named(text, origin)).collect()
    }

    /// The one target that `settings` name; several are a usage error.
    pub fn single(&self, settings: &Settings) -> Result<Target> {
        let patterns = self.wanted(settings)?;
        match patterns.as_slice() {
            [Pattern::One(address, defaults)] => self.target(address, defaults),
            _ => Err(Error::usage("this command needs exactly one target").hint("pass one --target without wildcards")),
        }
    }

    /// The target that `text` names; a wildcard is a usage error.
    pub fn one(&self, text: &str) -> Result<Target> {
        match self.parse(text)? {
            Pattern::One(address, defaults) => self.target(&address, &defaults),
            _ => Err(Error::usage(format!("this command needs exactly one target, not `{text}`"))
                .hint("name it without wildcards")),
        }
    }

    /// Opens the place at an address. No I/O.
    pub fn target(&self, address: &Address, defaults: &Defaults) -> Result<Target> {
        let provider = self.provider(&address.endpoint)?;
        let full = address.to_string();
        let place = provider.place(address.name.as_ref()).map_err(|error| error.at(provider.driver().id, &*full))?;
        Ok(Target { address: address.clone(), full, provider, place, defaults: defaults.clone() })
    }

    /// Opens an endpoint, once. No I/O.
    pub fn provider(&self, endpoint: &str) -> Result<Arc<dyn Provider>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = opened.get(endpoint) {
            return Ok(Arc::clone(provider));
        }
        let (driver, config) = self.endpoint(endpoint)?;
        let mut env = self.env.clone();
        env.net = env.net.with_deadlines(config.connect_timeout, config.request_timeout);
        let provider = (driver.open)(&config, env).map_err(|error| error.at(driver.id, endpoint))?;
        opened.insert(endpoint.to_owned(), Arc::clone(&provider));
        Ok(provider)
    }

    /// The configuration of an endpoint: a configured, an implicit or an ad hoc one.
    pub fn endpoint(&self, endpoint: &str) -> Result<(&'static Driver, EndpointConfig)> {
        let driver = self.driver_of(endpoint)?;
        let config = if let Some(path) = address::socket(endpoint) {
            EndpointConfig {
                name: endpoint.to_owned(),
                origin: "address".to_owned(),
                ..EndpointConfig::implicit(driver.id)
            }
            .with("socket", path?)
        } else if let Some(config) = self.config.endpoints.get(endpoint) {
            config.clone()
        } else {
            (driver.implicit)(&*self.vars)?
        };
        Ok((driver, config))
    }

    /// The endpoints that may be reached without naming them: those of the config, then the implicit ones whose
    /// provider's own variables are set, or that have a stored login.
    pub fn endpoints(&self) -> Vec<String> {
        let has_login = |driver: &Driver| {
            let logins = self.env.state.as_deref().map(Logins::new);
            logins.and_then(|logins| logins.path(driver.id).ok()).is_some_and(|path| path.exists())
        };
        let is_set = |driver: &Driver| self.is_set(driver) || has_login(driver);
        let set = |driver: &&&Driver| is_set(driver) && !self.config.endpoints.contains_key(driver.id);
        let implicit = self.registry.iter().filter(set).map(|driver| driver.id.to_owned());
        self.config.endpoints.keys().cloned().chain(implicit).collect()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The providers.
    pub fn registry(&self) -> &'static [&'static Driver] {
        self.registry
    }

    fn is_set(&self, driver: &Driver) -> bool {
        driver.variables.iter().any(|name| (self.vars)(name).is_some_and(|value| !value.is_empty()))
    }

    fn named(&self, text: &str, origin: &Origin) -> Result<Pattern> {
        let Origin::File { layer, .. } = origin else { return self.parse(text) };
        // A cloned repository must not redirect a command to what the user never named (ux 10.2).
        let defined = || self.config.targets.contains_key(text) || self.config.endpoints.contains_key(text);
        if *layer == crate::config::Layer::Directory && !defined() {
            return Err(origin
                .fault(&format!("`target` must name a target or endpoint of your config, not `{text}`"))
                .hint("pass --target, or define it with `esker target add`"));
        }
        self.parse(text).map_err(|error| fault(origin, "", &error))
    }

    fn fallback(&self) -> Result<Pattern> {
        let set = self.registry.iter().find(|driver| self.is_set(driver));
        let nothing = self.config.endpoints.is_empty() && self.config.targets.is_empty();
        let first = self.registry.first().filter(|_| nothing);
        match set.or(first) {
            Some(driver) => {
                Ok(Pattern::One(Address { endpoint: driver.id.to_owned(), name: None }, Defaults::default()))
            }
            None => Err(Error::usage("no target is named, and none is the default")
                .hint("pass --target, or choose one with `esker target use NAME`")),
        }
    }

    fn driver(&self, id: &str) -> Option<&'static Driver> {
        self.registry.iter().find(|driver| driver.id == id).copied()
    }

    /// The driver of an endpoint that exists.
    fn driver_of(&self, endpoint: &str) -> Result<&'static Driver> {
        if endpoint.starts_with("unix:") {
            return self.driver("pebble").ok_or_else(|| Error::usage(format!("no provider speaks over `{endpoint}`")));
        }
        let id = self.config.endpoints.get(endpoint).map_or(endpoint, |config| config.provider.as_str());
        self.driver(id).ok_or_else(|| {
            let known = self.config.endpoints.keys().map(String::as_str);
            let all = "`esker endpoint list` shows all";
            Error::not_found(format!("no endpoint `{endpoint}`")).hint(
                match nearest(endpoint, known.chain(self.registry.iter().map(|driver| driver.id))) {
                    Some(near) => format!("did you mean `{near}`? {all}"),
                    None => all.to_owned(),
                },
            )
        })
    }

    /// Checks that the endpoint of an address exists and takes its form.
    fn known(&self, address: Address) -> Result<Address> {
        if address.name.is_some() {
            self.driver_of(&address.endpoint)?;
            self.accepts_name(&address.endpoint, &address.to_string())?;
        } else if self.driver_of(&address.endpoint).is_err() {
            return Err(self.no_target(&address.endpoint));
        }
        Ok(address)
    }

    fn accepts_name(&self, endpoint: &str, text: &str) -> Result<()> {
        if self.driver_of(endpoint)?.place.is_none() {
            return Err(Error::usage(format!("`{endpoint}` holds one instance and takes no name: `{text}`"))
                .hint(format!("write `{endpoint}`")));
        }
        Ok(())
    }

    /// A bare text that is neither a short name nor an endpoint.
    fn no_target(&self, text: &str) -> Error {
        let mut full = BTreeSet::new();
        for target in self.config.targets.values() {
            if let Ok(address) = Address::parse(&target.address)
                && address.name.as_ref().map(Name::as_str) == Some(text)
            {
                full.insert(address.to_string());
            }
        }
        let all = "`esker target list` shows all";
        if full.len() > 1 {
            let list = full.iter().map(|full| format!("`{full}`")).collect::<Vec<_>>().join(", ");
            let first = full.first().map_or("", String::as_str);
            return Error::conflict(format!("`{text}` names {} targets: {list}", full.len()))
                .hint(format!("write the endpoint too, for example `{first}`"));
        }
        let known = self.config.targets.keys().chain(self.config.endpoints.keys()).map(String::as_str);
        let known = known.chain(self.registry.iter().map(|driver| driver.id));
        let near = full.first().map(String::as_str).or_else(|| nearest(text, known));
        Error::not_found(format!("no target `{text}`")).hint(match near {
            Some(near) => format!("did you mean `{near}`? {all}"),
            None => all.to_owned(),
        })
    }
}

/// An error about what stands in a file, with the hint of its cause.
fn fault(origin: &Origin, before: &str, error: &Error) -> Error {
    let fault = origin.fault(&format!("{before}{error}"));
    match &error.parts().hint {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

#[cfg(test)]
mod tests;
