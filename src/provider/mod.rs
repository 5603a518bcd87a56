//! What a provider is: a registry row (data), an endpoint (one pool, one login), and places to act on.
//!
//! Providers never print and never see clap. A missing ability is a missing `impl`: every accessor defaults to `None`.

pub mod agent;
pub mod ask;
pub mod changes;
pub mod checkpoints;
pub mod checks;
#[cfg(test)]
mod conformance;
pub mod documents;
pub mod examine;
pub mod exec;
#[cfg(test)]
pub mod fake;
pub mod feature;
pub mod files;
pub mod identities;
pub mod import;
pub mod labels;
pub mod library;
pub mod local;
pub mod machines;
pub mod metrics;
pub mod notices;
pub mod over_exec;
pub mod pebble;
pub mod pi;
pub mod plan;
pub mod policies;
pub mod queue;
pub mod raw;
pub mod registry;
pub mod replay;
pub mod resources;
pub mod retry;
pub mod rexec;
pub mod services;
pub mod sign_in;
pub mod sprites;
pub mod templates;
pub mod translation;
pub mod tunnels;
pub mod variables;
pub mod vergeos;
pub mod web;

pub use ask::Ask;
pub use examine::Finding;
pub use feature::{Feature, Need, Needs, Offer, Scope, Support, require};
pub use import::Importer;
pub use raw::{Raw, RawRequest, RawResponse};
pub use sign_in::{SignIn, SignInBy};

use crate::cleanups::Cleanups;
pub use crate::config::{ConfigKey, KeyKind, PlaceFile, Pointed};

use crate::config::EndpointConfig;
use crate::error::Result;
use crate::model::{Info, Name};
use crate::notes::Notes;
use crate::transport::Net;
use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// How the process's environment is read: injected, so that tests need not change the real one.
pub type Vars<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The same, owned: for what is read of it when a program is started. A default one is empty.
#[derive(Clone, Default)]
pub struct Variables(Option<Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>>);

impl Variables {
    /// Variables that `read` knows.
    pub fn new(read: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(read)))
    }

    /// The value of a variable; empty means unset.
    pub fn get(&self, name: &str) -> Option<OsString> {
        self.0.as_ref()?(name).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Variables {
    /// Values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variables")
    }
}

/// A provider as the registry knows it: data, and two functions that do no I/O.
#[derive(Debug)]
pub struct Driver {
    /// Its id, which is also the name of its implicit endpoint.
    pub id: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What the place inside an endpoint is called (`sandbox`), or `None` if an endpoint holds one instance.
    pub place: Option<&'static str>,
    /// The keys its endpoints may have, beside the common ones.
    pub keys: &'static [ConfigKey],
    /// The environment variables of its own that it reads, for the implicit endpoint only.
    pub variables: &'static [&'static str],
    /// What it can do at most.
    pub offers: &'static [Offer],
    /// The file by which its own client says which place a directory is about.
    pub place_file: Option<&'static PlaceFile>,
    /// The other clients of the system whose set-up can be taken over.
    pub imports: &'static [Importer],
    /// How the commands of other clients of the system are written here.
    pub translations: &'static [translation::Translation],
    /// The implicit endpoint, made from the provider's own variables and defaults.
    pub implicit: fn(Vars<'_>) -> Result<EndpointConfig>,
    /// Builds the endpoint. No I/O: connections are made when the first request needs one.
    pub open: fn(&EndpointConfig, Env) -> Result<Arc<dyn Provider>>,
}

/// What a provider is given instead of globals.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// Connections, their deadlines and the trace.
    pub net: Net,
    /// Where notes go.
    pub notes: Notes,
    /// What is undone if the command ends early.
    pub cleanups: Cleanups,
    /// Who is asked for what a server wants to know.
    pub ask: Ask,
    /// The user's home, for paths that start with `~`.
    pub home: Option<PathBuf>,
    /// Where state of ours is kept, stored logins among it.
    pub state: Option<PathBuf>,
    /// Where users keep configuration (`$XDG_CONFIG_HOME`), for state shared with a provider's own client.
    pub config_home: Option<PathBuf>,
    /// Our own environment, of which programs that are started get a part.
    pub vars: Variables,
}

/// An endpoint: one system, reached in one way with one credential.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its registry row.
    fn driver(&self) -> &'static Driver;

    /// Asks the system who it is. For `doctor`, `svc info`, and the cause of connection errors.
    async fn check(&self) -> Result<Info>;

    /// The place called `name`, or the only one. No I/O: whether it exists shows on its first use.
    fn place(&self, name: Option<&Name>) -> Result<Arc<dyn Place>>;

    /// The names of the places that match `glob`, sorted; one empty name where an endpoint holds one instance.
    async fn names(&self, glob: &str) -> Result<Vec<Name>>;

    /// Its machines, where the endpoint manages machines.
    fn machines(&self) -> Option<&dyn machines::Machines> {
        None
    }

    /// Tables of resources beside the machines.
    fn resources(&self) -> Option<&dyn resources::Resources> {
        None
    }

    /// Files that describe its machines.
    fn templates(&self) -> Option<&dyn templates::Templates> {
        None
    }

    /// Getting a credential from the system itself.
    fn sign_in(&self) -> Option<&dyn SignIn> {
        None
    }

    /// What `doctor` should know beyond [`check`](Self::check), of the endpoint or of one place: as it is found.
    fn examine<'a>(&'a self, name: Option<&'a Name>) -> BoxStream<'a, Finding> {
        let _ = name;
        futures_util::stream::empty().boxed()
    }

    /// Raw authenticated requests, on systems that speak HTTP.
    fn raw(&self) -> Option<&dyn Raw> {
        None
    }
}

/// One place to act on, through its capabilities.
pub trait Place: Send + Sync {
    /// What it can do; may be less than its driver's offers.
    fn offers(&self) -> &'static [Offer];
    /// Its provider's row, for messages.
    fn driver(&self) -> &'static Driver;
    /// Whether it is the endpoint itself or an instance inside it.
    fn scope(&self) -> Scope {
        Scope::Instance
    }
    /// Running programs.
    fn exec(&self) -> Option<&dyn exec::Exec> {
        None
    }
    /// Runs that outlive their command.
    fn runs(&self) -> Option<&dyn exec::Runs> {
        None
    }
    /// Files.
    fn files(&self) -> Option<&dyn files::Files> {
        None
    }
    /// Checkpoints.
    fn checkpoints(&self) -> Option<&dyn checkpoints::Checkpoints> {
        None
    }
    /// Supervised services.
    fn services(&self) -> Option<&dyn services::Services> {
        None
    }
    /// Health checks.
    fn checks(&self) -> Option<&dyn checks::Checks> {
        None
    }
    /// Changes: the server's operations and their history.
    fn changes(&self) -> Option<&dyn changes::Changes> {
        None
    }
    /// The configuration in force and its layers.
    fn plan(&self) -> Option<&dyn plan::Plans> {
        None
    }
    /// Notices and warnings.
    fn notices(&self) -> Option<&dyn notices::Notices> {
        None
    }
    /// Who may do what.
    fn identities(&self) -> Option<&dyn identities::Identities> {
        None
    }
    /// Metrics.
    fn metrics(&self) -> Option<&dyn metrics::Metrics> {
        None
    }
    /// Answers as received (`--raw`) or as the provider's own CLI prints them (`--compat`).
    fn documents(&self) -> Option<&dyn documents::Documents> {
        None
    }
    /// What its programs may reach and use.
    fn policies(&self) -> Option<&dyn policies::Policies> {
        None
    }
    /// Snippets of its account.
    fn snippets(&self) -> Option<&dyn library::Snippets> {
        None
    }
    /// Recordings of its account's terminals.
    fn recordings(&self) -> Option<&dyn library::Recordings> {
        None
    }
    /// Connections to its ports.
    fn tunnels(&self) -> Option<&dyn tunnels::Tunnels> {
        None
    }
    /// Coding agents.
    fn agent(&self) -> Option<&dyn agent::Agent> {
        None
    }
}
