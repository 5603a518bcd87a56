//! Sprites: Fly.io's sandboxes, over HTTPS and WebSocket (sprites reference).

pub mod api;
mod checkpoints;
mod client;
mod credential;
mod errors;
mod examine;
mod exec;
mod files;
mod import;
mod logs;
mod machines;
mod place_file;
mod policy;
mod runs;
mod services;
mod sign_in;
mod tunnels;

use self::checkpoints::SpritesCheckpoints;
use self::client::Client;
use self::exec::SpritesExec;
use self::files::SpritesFiles;
use self::machines::SpritesMachines;
use self::policy::SpritesPolicies;
use self::runs::SpritesRuns;
use self::services::SpritesServices;
use self::sign_in::SpritesSignIn;
use self::tunnels::SpritesTunnels;
use super::checkpoints::Checkpoints;
use super::exec::{Exec, Runs};
use super::files::Files;
use super::policies::Policies;
use super::services::Services;
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

/// Where the service is unless told otherwise (section 1.3).
const DEFAULT_URL: &str = "https://api.sprites.dev";

/// The commands of its own client.
const CLIENT: Translation = Translation {
    client: "sprite",
    version: "of 2026-08",
    about: "NAME is a sandbox, named sprites/NAME everywhere; `esker target use sprites/NAME` makes it the \
            default, and a .sprite file is honoured. What takes time is waited for.",
    text: include_str!("sprite.txt"),
};

/// The registry row.
pub static DRIVER: Driver = Driver {
    id: "sprites",
    summary: "Sprites, Fly.io's sandboxes, over HTTPS and WebSocket",
    place: Some("sandbox"),
    keys: &[
        ConfigKey { name: "url", kind: KeyKind::Url, summary: "address of the API" },
        ConfigKey { name: "organization", kind: KeyKind::Text, summary: "organization, where a token has several" },
        ConfigKey { name: "token", kind: KeyKind::Secret, summary: "API token (better: token_file)" },
        ConfigKey { name: "token_file", kind: KeyKind::Path, summary: "file that holds the token" },
        ConfigKey { name: "token_command", kind: KeyKind::Argv, summary: "command that prints the token" },
        ConfigKey { name: "ca_file", kind: KeyKind::Path, summary: "certificate to trust for https" },
    ],
    variables: VARIABLES,
    offers: OFFERS,
    place_file: Some(&place_file::PLACE_FILE),
    imports: &[import::IMPORTER],
    translations: &[CLIENT],
    implicit,
    open,
};

/// The names of section 1.3 for the token, the address and the organization.
const TOKEN: &[&str] = &["SPRITES_TOKEN", "SPRITE_TOKEN", "SPRITE_API_TOKEN"];
const URL: &[&str] = &["SPRITES_ENDPOINT", "SPRITES_API_URL"];
const ORGANIZATION: &str = "SPRITE_ORG";
const VARIABLES: &[&str] =
    &["SPRITES_TOKEN", "SPRITE_TOKEN", "SPRITE_API_TOKEN", "SPRITES_ENDPOINT", "SPRITES_API_URL", ORGANIZATION];

const OFFERS: &[Offer] = &[
    Offer::on(Feature::Machines, Scope::Either),
    Offer::on(Feature::MachinesWatch, Scope::Either),
    Offer::native(Feature::MachinesHealth),
    Offer::native(Feature::MachinesUpdate),
    Offer::native(Feature::MachinesRestart),
    Offer::native(Feature::MachinesUpgrade),
    Offer::native(Feature::MachinesUrl),
    Offer::on(Feature::MachinesLabels, Scope::Either),
    Offer::native(Feature::MachinesEnv),
    Offer::on(Feature::LoginFromFly, Scope::Endpoint),
    Offer::native(Feature::Services),
    Offer::native(Feature::ServicesLogs),
    Offer::native(Feature::ServicesSignal),
    Offer::native(Feature::ServicesEdit),
    Offer::native(Feature::Policies),
    Offer::native(Feature::Tunnels),
    Offer::native(Feature::TunnelsPorts),
    Offer::native(Feature::Exec),
    Offer::native(Feature::AgentHost),
    Offer::native(Feature::ExecTty),
    Offer::native(Feature::ExecSignal),
    Offer::native(Feature::ExecDir),
    Offer::native(Feature::ExecEnv),
    Offer::native(Feature::ExecTimeout),
    Offer::emulated(Feature::ExecDetach, "needs sh there, which writes output and status to files"),
    Offer::emulated(Feature::ExecKeepAwake, "needs curl there, which renews a task of the sandbox"),
    Offer::native(Feature::ExecAttach),
    Offer::native(Feature::ExecShell),
    Offer::emulated(Feature::ExecVerify, "needs tee, wc and sha256sum there"),
    Offer::native(Feature::Files),
    Offer::native(Feature::FilesRange),
    Offer::native(Feature::FilesRename),
    Offer::native(Feature::FilesMode),
    Offer::native(Feature::FilesOwner),
    Offer::native(Feature::FilesChange),
    Offer::emulated(Feature::FilesLinks, "told of one link at a time, and needs readlink there"),
    Offer::emulated(Feature::FilesDirectories, "needs mkdir there"),
    Offer::native(Feature::Checkpoints),
    Offer::native(Feature::CheckpointAuto),
    Offer::native(Feature::CheckpointHistory),
    Offer::on(Feature::Raw, Scope::Either),
];

/// The endpoint that the official clients would reach (section 1.3).
fn implicit(vars: Vars<'_>) -> Result<EndpointConfig> {
    let mut endpoint = EndpointConfig::implicit("sprites");
    let url = variables::one_of(vars, URL)?;
    let token = variables::one_of(vars, TOKEN)?;
    if let Some((name, _)) = token.as_ref().or(url.as_ref()) {
        (*name).clone_into(&mut endpoint.origin);
    }
    if let Some((_, token)) = token {
        endpoint = endpoint.with_secret("token", Secret::new(token.trim()));
    }
    if let Some(organization) = vars(ORGANIZATION).filter(|value| !value.is_empty()) {
        endpoint = endpoint.with("organization", organization);
    }
    Ok(endpoint.with("url", url.map_or_else(|| DEFAULT_URL.to_owned(), |(_, url)| url)))
}

fn open(config: &EndpointConfig, env: Env) -> Result<Arc<dyn Provider>> {
    let tls = TlsOptions { ca_file: config.path("ca_file", env.home.as_deref())?, ..TlsOptions::default() };
    let (address, base) = parse_url(config.text("url").unwrap_or(DEFAULT_URL), tls)?;
    let http = Http::new(env.net.clone(), address);
    let (cleanups, home) = (env.cleanups.clone(), env.home.clone());
    let client = Client::new(&client::SYSTEM, http, base, Credential::new(config.clone(), env, credential::find));
    let organization = config.text("organization").map(str::to_owned);
    let sign_in = SpritesSignIn { client: client.clone(), organization, home };
    let machines = SpritesMachines(client.clone());
    Ok(Arc::new(Sprites { client, cleanups, machines, sign_in }))
}

/// An endpoint: one account with its sandboxes.
struct Sprites {
    client: Client,
    cleanups: Cleanups,
    machines: SpritesMachines,
    sign_in: SpritesSignIn,
}

#[async_trait]
impl Provider for Sprites {
    fn driver(&self) -> &'static Driver {
        &DRIVER
    }

    async fn check(&self) -> Result<Info> {
        let extra: Extra = self.client.get("ask for the organization", "/v1/organization").await?;
        Ok(Info { version: None, address: self.client.address(), boot_id: None, extra })
    }

    fn place(&self, name: Option<&Name>) -> Result<Arc<dyn Place>> {
        Ok(match name {
            None => Arc::new(Account),
            Some(name) => {
                let place = exec::Place { client: self.client.clone(), name: name.clone() };
                Arc::new(Sandbox::new(place, self.cleanups.clone()))
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

/// The endpoint without the name of a sandbox.
struct Account;

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
}

/// What one sandbox can do: one struct per capability, all on the same connections.
struct Sandbox {
    services: SpritesServices,
    policies: SpritesPolicies,
    tunnels: SpritesTunnels,
    exec: SpritesExec,
    runs: SpritesRuns,
    files: SpritesFiles,
    checkpoints: SpritesCheckpoints,
}

impl Sandbox {
    fn new(place: exec::Place, cleanups: Cleanups) -> Self {
        let (client, name) = (place.client.clone(), place.name.clone());
        let programs = Arc::new(SpritesExec(place.clone()));
        Self {
            services: SpritesServices { client: client.clone(), name: name.clone() },
            policies: SpritesPolicies { client: client.clone(), name: name.clone() },
            tunnels: SpritesTunnels { client: client.clone(), name: name.clone() },
            exec: SpritesExec(place.clone()),
            runs: SpritesRuns(place),
            files: SpritesFiles::new(client.clone(), name.clone(), programs, cleanups),
            checkpoints: SpritesCheckpoints::new(client, name),
        }
    }
}

impl Place for Sandbox {
    fn offers(&self) -> &'static [Offer] {
        OFFERS
    }

    fn driver(&self) -> &'static Driver {
        &DRIVER
    }

    fn services(&self) -> Option<&dyn Services> {
        Some(&self.services)
    }

    fn policies(&self) -> Option<&dyn Policies> {
        Some(&self.policies)
    }

    fn tunnels(&self) -> Option<&dyn Tunnels> {
        Some(&self.tunnels)
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

    fn checkpoints(&self) -> Option<&dyn Checkpoints> {
        Some(&self.checkpoints)
    }
}
