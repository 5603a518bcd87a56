//! Rexec: containers and remote machines behind a terminal, over HTTP and WebSocket (rexec reference).

pub mod api;
mod client;
mod credential;
mod errors;
mod examine;
pub mod exec;
mod files;
mod find;
mod images;
mod import;
mod library;
mod machines;
mod mfa;
mod sign_in;
mod spot;
mod terminal;
mod tunnels;

use self::client::Client;
use self::exec::{RexecExec, RexecRuns};
use self::files::RexecFiles;
use self::library::{RexecRecordings, RexecSnippets};
use self::machines::{Labels, RexecMachines};
use self::mfa::Gate;
use self::sign_in::RexecSignIn;
use self::spot::Spot;
use self::tunnels::RexecTunnels;
use super::exec::{Exec, Runs};
use super::files::Files;
use super::library::{Recordings, Snippets};
use super::tunnels::Tunnels;
use super::web::Credential;
use super::{
    ConfigKey, Driver, Env, Feature, Finding, KeyKind, Offer, Place, Provider, Raw, Scope, SignIn, Vars, variables,
};
use crate::cleanups::Cleanups;
use crate::config::{EndpointConfig, Secret};
use crate::error::Result;
use crate::model::{Extra, Info, Name};
use crate::provider::translation::Translation;
use crate::transport::{Client as Http, TlsOptions, parse_url};
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use std::sync::Arc;

/// Where the service is unless told otherwise (section 1.6).
const DEFAULT_URL: &str = "https://rexec.pipeops.io";

/// How many containers the server makes at once (section 3.2).
const CREATIONS: usize = 4;

/// The commands of its own client.
const CLIENT: Translation = Translation {
    client: "rexec",
    version: "of 2026-08",
    about: "NAME is a container, named rexec/NAME everywhere. Programs pass on their status and their bytes, and \
            nothing is said to have happened that did not.",
    text: include_str!("rexec.txt"),
};

/// The registry row.
pub static DRIVER: Driver = Driver {
    id: "rexec",
    summary: "Rexec, containers and remote machines behind a terminal, over HTTP and WebSocket",
    place: Some("container"),
    keys: &[
        ConfigKey { name: "url", kind: KeyKind::Url, summary: "address of the server" },
        ConfigKey { name: "token", kind: KeyKind::Secret, summary: "API token (better: token_file)" },
        ConfigKey { name: "token_file", kind: KeyKind::Path, summary: "file that holds the token" },
        ConfigKey { name: "token_command", kind: KeyKind::Argv, summary: "command that prints the token" },
        ConfigKey { name: "ca_file", kind: KeyKind::Path, summary: "certificate to trust for https" },
    ],
    variables: &["REXEC_TOKEN", "REXEC_URL", "REXEC_HOST"],
    offers: OFFERS,
    place_file: None,
    imports: &[import::IMPORTER],
    translations: &[CLIENT],
    implicit,
    open,
};

/// What a wire that has only terminals cannot do by itself.
const OVER_TERMINAL: &str = "over a terminal: needs /bin/sh, mkfifo and dd there";
const OVER_PROGRAMS: &str = "needs sh there, and the programs that do it";

const OFFERS: &[Offer] = &[
    Offer::on(Feature::Machines, Scope::Either),
    Offer::on(Feature::MachinesWatch, Scope::Either),
    Offer::native(Feature::MachinesHealth),
    Offer::native(Feature::MachinesUpdate),
    Offer::native(Feature::MachinesPower),
    Offer::native(Feature::MachinesRestart),
    Offer::native(Feature::MachinesResize),
    Offer::native(Feature::MachinesStats),
    Offer {
        feature: Feature::MachinesLabels,
        on: Scope::Either,
        support: super::Support::Emulated("kept on this machine: the server drops them"),
    },
    Offer::native(Feature::MachinesImage),
    Offer::emulated(Feature::MachinesEnv, "kept in the container's home, for programs that esker runs"),
    Offer::native(Feature::MachinesSize),
    Offer::on(Feature::LoginAsGuest, Scope::Endpoint),
    Offer::on(Feature::Snippets, Scope::Either),
    Offer::on(Feature::Recordings, Scope::Either),
    Offer::native(Feature::Tunnels),
    Offer::emulated(Feature::Exec, OVER_TERMINAL),
    Offer::emulated(Feature::AgentHost, OVER_TERMINAL),
    Offer::native(Feature::ExecTty),
    Offer::emulated(Feature::ExecSignal, "needs setsid there to reach what a program started"),
    Offer::emulated(Feature::ExecDir, OVER_TERMINAL),
    Offer::emulated(Feature::ExecEnv, OVER_TERMINAL),
    Offer::emulated(Feature::ExecTimeout, "counted here"),
    Offer::emulated(Feature::ExecDetach, "output and status are files in the container's home"),
    Offer::emulated(Feature::ExecAttach, "runs that were detached or survived, not terminals"),
    Offer::native(Feature::ExecShell),
    Offer::native(Feature::Files),
    Offer::emulated(Feature::FilesRange, OVER_PROGRAMS),
    Offer::emulated(Feature::FilesRename, OVER_PROGRAMS),
    Offer::emulated(Feature::FilesMode, OVER_PROGRAMS),
    Offer::emulated(Feature::FilesOwner, OVER_PROGRAMS),
    Offer::emulated(Feature::FilesChange, OVER_PROGRAMS),
    Offer::emulated(Feature::FilesLinks, OVER_PROGRAMS),
    Offer::emulated(Feature::FilesDirectories, OVER_PROGRAMS),
    Offer::on(Feature::Raw, Scope::Either),
];

/// The endpoint that the system's own clients would reach (section 1.6).
fn implicit(vars: Vars<'_>) -> Result<EndpointConfig> {
    let mut endpoint = EndpointConfig::implicit("rexec");
    let url = variables::one_of(vars, &["REXEC_URL", "REXEC_HOST"])?;
    let token = variables::one_of(vars, &["REXEC_TOKEN"])?;
    if let Some((name, _)) = token.as_ref().or(url.as_ref()) {
        (*name).clone_into(&mut endpoint.origin);
    }
    if let Some((_, token)) = token {
        endpoint = endpoint.with_secret("token", Secret::new(token.trim()));
    }
    // Without a variable it may be the server that the system's own client is set up for, which is known later.
    Ok(match url {
        Some((_, url)) => endpoint.with("url", url),
        None => endpoint,
    })
}

fn open(config: &EndpointConfig, env: Env) -> Result<Arc<dyn Provider>> {
    let tls = TlsOptions { ca_file: config.path("ca_file", env.home.as_deref())?, ..TlsOptions::default() };
    let setup = env.home.as_deref().filter(|_| config.implicit && config.text("url").is_none());
    // A file of somebody else's that cannot be read is told when its token is needed.
    let setup = setup.and_then(|home| import::read_file(home).ok().flatten());
    let url = config.text("url").or(setup.as_ref().map(import::Setup::host)).unwrap_or(DEFAULT_URL);
    let (address, base) = parse_url(url, tls)?;
    let http = Http::new(env.net.clone(), address);
    let (cleanups, gate) = (env.cleanups.clone(), Gate(env.ask.clone()));
    let labels = Labels::new(env.state.as_deref(), &config.name);
    let client = Client::new(&client::SYSTEM, http, base, Credential::new(config.clone(), env, credential::find));
    let machines = RexecMachines {
        client: client.clone(),
        labels,
        gate: gate.clone(),
        creations: Arc::new(tokio::sync::Semaphore::new(CREATIONS)),
    };
    Ok(Arc::new(Rexec {
        sign_in: RexecSignIn(client.clone()),
        account: Account::new(&client),
        machines,
        client,
        cleanups,
        gate,
    }))
}

/// An endpoint: one account with its containers and agents.
struct Rexec {
    client: Client,
    cleanups: Cleanups,
    gate: Gate,
    machines: RexecMachines,
    sign_in: RexecSignIn,
    account: Account,
}

#[async_trait]
impl Provider for Rexec {
    fn driver(&self) -> &'static Driver {
        &DRIVER
    }

    async fn check(&self) -> Result<Info> {
        let extra: Extra = self.client.get("ask for the profile", "/api/profile").await?;
        let version: Extra = self.client.get("ask for the version", "/api/version").await?;
        let version = version.get("version").and_then(|version| version.as_str()).map(str::to_owned);
        Ok(Info { version, address: self.client.address(), boot_id: None, extra })
    }

    fn place(&self, name: Option<&Name>) -> Result<Arc<dyn Place>> {
        Ok(match name {
            None => Arc::new(self.account.clone()),
            Some(name) => {
                let spot = Spot::new(self.client.clone(), name.clone(), self.gate.clone());
                Arc::new(Container::new(&spot, self.cleanups.clone(), self.account.clone()))
            }
        })
    }

    async fn names(&self, glob: &str) -> Result<Vec<Name>> {
        self.machines.names(glob).await
    }

    fn machines(&self) -> Option<&dyn super::machines::Machines> {
        Some(&self.machines)
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        Some(&self.sign_in)
    }

    fn examine<'a>(&'a self, name: Option<&'a Name>) -> BoxStream<'a, Finding> {
        examine::examine(self, name)
    }

    fn raw(&self) -> Option<&dyn Raw> {
        Some(&self.client)
    }
}

/// The endpoint without the name of a container.
#[derive(Clone)]
struct Account {
    snippets: RexecSnippets,
    recordings: RexecRecordings,
}

impl Account {
    fn new(client: &Client) -> Self {
        Self { snippets: RexecSnippets(client.clone()), recordings: RexecRecordings(client.clone()) }
    }
}

impl Place for Account {
    fn offers(&self) -> &'static [Offer] {
        OFFERS
    }

    fn driver(&self) -> &'static Driver {
        &DRIVER
    }

    fn scope(&self) -> Scope {
        Scope::Endpoint
    }

    fn snippets(&self) -> Option<&dyn Snippets> {
        Some(&self.snippets)
    }

    fn recordings(&self) -> Option<&dyn Recordings> {
        Some(&self.recordings)
    }
}

/// What one container or agent can do: one struct per capability, all on the same connections.
struct Container {
    exec: RexecExec,
    runs: RexecRuns,
    files: RexecFiles,
    tunnels: RexecTunnels,
    account: Account,
}

impl Container {
    fn new(spot: &Spot, cleanups: Cleanups, account: Account) -> Self {
        Self {
            exec: RexecExec(spot.clone()),
            runs: RexecRuns(spot.clone()),
            files: RexecFiles::new(spot.clone(), Arc::new(RexecExec(spot.clone())), cleanups),
            tunnels: RexecTunnels(spot.clone()),
            account,
        }
    }
}

impl Place for Container {
    fn offers(&self) -> &'static [Offer] {
        OFFERS
    }

    fn driver(&self) -> &'static Driver {
        &DRIVER
    }

    fn exec(&self) -> Option<&dyn Exec> {
        Some(&self.exec)
    }

    fn runs(&self) -> Option<&dyn Runs> {
        Some(&self.runs)
    }

    fn files(&self) -> Option<&dyn Files> {
        Some(&self.files)
    }

    fn tunnels(&self) -> Option<&dyn Tunnels> {
        Some(&self.tunnels)
    }

    fn snippets(&self) -> Option<&dyn Snippets> {
        self.account.snippets()
    }

    fn recordings(&self) -> Option<&dyn Recordings> {
        self.account.recordings()
    }
}
