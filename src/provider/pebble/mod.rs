//! Pebble: Canonical's service manager, spoken to over its unix socket (pebble reference).

pub mod api;
mod changes;
mod checks;
mod cli_state;
mod client;
mod credential;
mod documents;
mod exec;
mod files;
mod identities;
mod juju;
pub mod layer;
mod logs;
mod metrics;
mod names;
mod notices;
mod plan;
mod raw;
mod runs;
mod services;

use self::changes::PebbleChanges;
use self::checks::PebbleChecks;
use self::cli_state::CliState;
use self::client::Client;
use self::documents::PebbleDocuments;
use self::exec::PebbleExec;
use self::files::PebbleFiles;
use self::identities::PebbleIdentities;
use self::metrics::PebbleMetrics;
use self::notices::PebbleNotices;
use self::plan::PebblePlan;
use self::runs::PebbleRuns;
use self::services::PebbleServices;
use super::{ConfigKey, Driver, Env, Feature, KeyKind, Offer, Place, Provider, Raw, Vars};
use crate::config::EndpointConfig;
use crate::error::{Error, Result};
use crate::model::{Info, Name};
use crate::provider::translation::Translation;
use crate::transport::{Address, Client as Http, TlsOptions, parse_url};
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;

/// Where the daemon keeps its things unless told otherwise (section 1.1).
const DEFAULT_DIR: &str = "/var/lib/pebble/default";

/// The socket inside that folder.
const SOCKET: &str = ".pebble.socket";

/// The commands of its own client.
const CLIENT: Translation = Translation {
    client: "pebble",
    version: "1.30",
    about: "A daemon is a target: its socket is found by PEBBLE and PEBBLE_SOCKET as before, or named in your \
            config. --compat prints the JSON of pebble itself.",
    text: include_str!("pebble.txt"),
};

/// The registry row.
pub static DRIVER: Driver = Driver {
    id: "pebble",
    summary: "Pebble, the service manager, over its unix socket",
    place: None,
    keys: &[
        ConfigKey { name: "socket", kind: KeyKind::Path, summary: "path of the daemon's socket" },
        ConfigKey { name: "dir", kind: KeyKind::Path, summary: "the daemon's folder, which holds its socket" },
        ConfigKey { name: "url", kind: KeyKind::Url, summary: "http:// or https:// instead of the socket" },
        ConfigKey { name: "username", kind: KeyKind::Text, summary: "name of a basic identity" },
        ConfigKey { name: "password", kind: KeyKind::Secret, summary: "its password (better: password_file)" },
        ConfigKey { name: "password_file", kind: KeyKind::Path, summary: "file that holds its password" },
        ConfigKey { name: "password_command", kind: KeyKind::Argv, summary: "command that prints its password" },
        ConfigKey { name: "ca_file", kind: KeyKind::Path, summary: "certificate to trust for https" },
        ConfigKey { name: "insecure", kind: KeyKind::Bool, summary: "trust any certificate" },
    ],
    variables: &["PEBBLE", "PEBBLE_SOCKET", "PEBBLE_BASEURL"],
    offers: OFFERS,
    place_file: None,
    imports: &[juju::IMPORTER],
    translations: &[CLIENT],
    implicit,
    open,
};

const OFFERS: &[Offer] = &[
    Offer::native(Feature::Services),
    Offer::native(Feature::ServicesLogs),
    Offer::native(Feature::ServicesSignal),
    Offer::native(Feature::ServicesReplan),
    Offer::native(Feature::Checks),
    Offer::native(Feature::Changes),
    Offer::native(Feature::Plan),
    Offer::native(Feature::Notices),
    Offer::native(Feature::Identities),
    Offer::native(Feature::Metrics),
    Offer::native(Feature::Exec),
    Offer::native(Feature::AgentHost),
    Offer::native(Feature::ExecTty),
    Offer::native(Feature::ExecSignal),
    Offer::native(Feature::ExecUser),
    Offer::native(Feature::ExecDir),
    Offer::native(Feature::ExecEnv),
    Offer::native(Feature::ExecContext),
    Offer::native(Feature::ExecTimeout),
    Offer::emulated(Feature::ExecDetach, "needs `sh` there; the output goes to a file in its /tmp"),
    Offer::native(Feature::Files),
    Offer::native(Feature::FilesMode),
    Offer::native(Feature::FilesOwner),
    Offer::native(Feature::FilesDirectories),
    Offer::native(Feature::Raw),
];

/// The endpoint that the official client would reach: base URL, then socket, then folder (section 1.1).
fn implicit(vars: Vars<'_>) -> Result<EndpointConfig> {
    let set = |name: &str| vars(name).filter(|value| !value.is_empty());
    let mut endpoint = EndpointConfig::implicit("pebble");
    if let Some(url) = set("PEBBLE_BASEURL") {
        "PEBBLE_BASEURL".clone_into(&mut endpoint.origin);
        return Ok(endpoint.with("url", url));
    }
    if let Some(socket) = set("PEBBLE_SOCKET") {
        "PEBBLE_SOCKET".clone_into(&mut endpoint.origin);
        return Ok(endpoint.with("socket", socket));
    }
    if let Some(dir) = set("PEBBLE") {
        "PEBBLE".clone_into(&mut endpoint.origin);
        return Ok(endpoint.with("dir", dir));
    }
    Ok(endpoint.with("dir", DEFAULT_DIR))
}

fn open(config: &EndpointConfig, env: Env) -> Result<Arc<dyn Provider>> {
    let home = env.home.as_deref();
    let (address, shown) = match (config.text("url"), config.path("socket", home)?, config.path("dir", home)?) {
        (Some(url), None, None) => {
            let tls = TlsOptions {
                ca_file: config.path("ca_file", home)?,
                insecure: config.flag("insecure").unwrap_or_default(),
                ..TlsOptions::default()
            };
            (parse_url(url, tls)?.0, url.to_owned())
        }
        (None, Some(socket), None) => (Address::Unix(socket.clone()), socket.display().to_string()),
        (None, None, Some(dir)) => {
            let socket = dir.join(SOCKET);
            (Address::Unix(socket.clone()), socket.display().to_string())
        }
        (None, None, None) => (Address::Unix(Path::new(DEFAULT_DIR).join(SOCKET)), DEFAULT_DIR.to_owned()),
        _ => {
            return Err(Error::config(format!(
                "endpoint `{}` has more than one of `socket`, `dir` and `url`",
                config.name
            ))
            .hint("keep the one that is meant"));
        }
    };
    let identified = matches!(address, Address::Unix(_));
    let http = Http::new(env.net.clone(), address);
    let http = credential::authenticated(http, config, &env)?;
    let client = Client::new(http, config.name.clone(), config.origin.clone(), identified, env.notes);
    let state = CliState::new(env.config_home.as_deref(), &shown);
    Ok(Arc::new(Pebble {
        place: Arc::new(PebblePlace::new(client.clone(), state)),
        raw: raw::PebbleRaw(client),
        shown,
    }))
}

/// An endpoint: one daemon, which is also its only place.
struct Pebble {
    place: Arc<PebblePlace>,
    raw: raw::PebbleRaw,
    shown: String,
}

#[async_trait]
impl Provider for Pebble {
    fn driver(&self) -> &'static Driver {
        &DRIVER
    }

    async fn check(&self) -> Result<Info> {
        let info = self.raw.0.system_info().await?;
        Ok(Info { version: info.version, address: self.shown.clone(), boot_id: info.boot_id, extra: info.extra })
    }

    fn place(&self, name: Option<&Name>) -> Result<Arc<dyn Place>> {
        match name {
            None => Ok(self.place.clone()),
            Some(name) => {
                Err(Error::usage(format!("a Pebble endpoint holds one daemon, so `{name}` names nothing in it"))
                    .hint(format!("write `{}` alone", self.raw.0.endpoint)))
            }
        }
    }

    async fn names(&self, _glob: &str) -> Result<Vec<Name>> {
        Ok(Vec::new())
    }

    fn raw(&self) -> Option<&dyn Raw> {
        Some(&self.raw)
    }
}

/// What one daemon can do: one struct per capability, all on the same connections.
struct PebblePlace {
    services: PebbleServices,
    checks: PebbleChecks,
    changes: PebbleChanges,
    plan: PebblePlan,
    notices: PebbleNotices,
    identities: PebbleIdentities,
    metrics: PebbleMetrics,
    exec: PebbleExec,
    runs: PebbleRuns,
    documents: PebbleDocuments,
    files: PebbleFiles,
}

impl PebblePlace {
    fn new(client: Client, state: CliState) -> Self {
        Self {
            services: PebbleServices(client.clone()),
            checks: PebbleChecks(client.clone()),
            changes: PebbleChanges(client.clone()),
            plan: PebblePlan(client.clone()),
            notices: PebbleNotices { client: client.clone(), state: state.clone() },
            identities: PebbleIdentities(client.clone()),
            metrics: PebbleMetrics(client.clone()),
            exec: PebbleExec(client.clone()),
            runs: PebbleRuns(client.clone()),
            files: PebbleFiles(client.clone()),
            documents: PebbleDocuments { client, state },
        }
    }
}

impl Place for PebblePlace {
    fn offers(&self) -> &'static [Offer] {
        OFFERS
    }

    fn driver(&self) -> &'static Driver {
        &DRIVER
    }

    fn services(&self) -> Option<&dyn super::services::Services> {
        Some(&self.services)
    }

    fn files(&self) -> Option<&dyn super::files::Files> {
        Some(&self.files)
    }

    fn checks(&self) -> Option<&dyn super::checks::Checks> {
        Some(&self.checks)
    }

    fn changes(&self) -> Option<&dyn super::changes::Changes> {
        Some(&self.changes)
    }

    fn plan(&self) -> Option<&dyn super::plan::Plans> {
        Some(&self.plan)
    }

    fn notices(&self) -> Option<&dyn super::notices::Notices> {
        Some(&self.notices)
    }

    fn identities(&self) -> Option<&dyn super::identities::Identities> {
        Some(&self.identities)
    }

    fn metrics(&self) -> Option<&dyn super::metrics::Metrics> {
        Some(&self.metrics)
    }

    fn exec(&self) -> Option<&dyn super::exec::Exec> {
        Some(&self.exec)
    }

    fn runs(&self) -> Option<&dyn super::exec::Runs> {
        Some(&self.runs)
    }

    fn documents(&self) -> Option<&dyn super::documents::Documents> {
        Some(&self.documents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(vars: &[(&str, &str)]) -> (String, String) {
        let get = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let endpoint = implicit(&get).unwrap();
        let key = endpoint.values.keys().next().cloned().unwrap_or_default();
        (endpoint.origin, key)
    }

    #[test]
    fn the_environment_is_read_as_the_official_client_does() {
        assert_eq!(origin(&[]), ("default".into(), "dir".into()));
        assert_eq!(origin(&[("PEBBLE", "/a")]), ("PEBBLE".into(), "dir".into()));
        assert_eq!(origin(&[("PEBBLE", "/a"), ("PEBBLE_SOCKET", "/s")]), ("PEBBLE_SOCKET".into(), "socket".into()));
        assert_eq!(origin(&[("PEBBLE_BASEURL", "http://x"), ("PEBBLE_SOCKET", "/s")]).1, "url");
        assert_eq!(origin(&[("PEBBLE_SOCKET", "")]).0, "default");
    }
}
