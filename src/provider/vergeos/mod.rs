//! VergeOS: a hypervisor, over its REST API v4 (vergeos reference).

pub mod api;
mod checkpoints;
mod client;
mod connection;
mod credential;
mod errors;
mod examine;
mod files;
mod filter;
mod import;
mod machines;
mod resources;
mod rows;
mod services;
mod settle;
mod sign_in;
mod tables;
mod template;

use self::checkpoints::VergeCheckpoints;
use self::client::Client;
use self::files::VergeFiles;
use self::machines::VergeMachines;
use self::resources::VergeResources;
use self::services::VergeServices;
use self::sign_in::VergeSignIn;
use self::template::VergeTemplates;
use super::checkpoints::Checkpoints;
use super::files::Files;
use super::services::Services;
use super::translation::Translation;
use super::web::Credential;
use super::{Driver, Env, Feature, Finding, Offer, Place, Provider, Raw, Scope, SignIn};
use crate::cleanups::Cleanups;
use crate::config::EndpointConfig;
use crate::error::Result;
use crate::model::{Extra, Info, Name};
use crate::transport::{Client as Http, Request};
use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use std::sync::Arc;

/// The official client, command by command (section 5.5).
const VRG: Translation = Translation {
    client: "vrg",
    version: "1.1.3",
    about: "ENDPOINT is the name of the system in your config; commands without it act where --target or your \
            default target says. Names of rows are looked up by the system, and what changes something is waited \
            for. Lists hold every row, read page by page in a stable order, so their requests have sort, limit \
            and offset beside what the other client sends; rows are looked up by a filter, not by reading the \
            whole table.",
    text: include_str!("vrg.txt"),
};

/// The registry row.
pub static DRIVER: Driver = Driver {
    id: "vergeos",
    summary: "VergeOS, a hypervisor with networks, tenants and storage, over HTTPS",
    place: Some("virtual machine"),
    keys: connection::KEYS,
    variables: connection::VARIABLES,
    offers: OFFERS,
    place_file: None,
    imports: &[import::IMPORTER],
    translations: &[VRG],
    implicit: connection::implicit,
    open,
};

const OFFERS: &[Offer] = &[
    Offer::on(Feature::Machines, Scope::Either),
    Offer::on(Feature::MachinesWatch, Scope::Either),
    Offer::on(Feature::MachinesFilter, Scope::Either),
    Offer::native(Feature::MachinesHealth),
    Offer::native(Feature::MachinesUpdate),
    Offer::native(Feature::MachinesPower),
    Offer::native(Feature::MachinesRestart),
    Offer::native(Feature::MachinesHibernate),
    Offer::native(Feature::MachinesMigrate),
    Offer::native(Feature::MachinesClone),
    Offer::native(Feature::MachinesFrom),
    Offer::native(Feature::MachinesTags),
    Offer::native(Feature::MachinesConsole),
    Offer::on(Feature::MachinesTemplate, Scope::Either),
    Offer::native(Feature::MachinesImage),
    Offer::native(Feature::MachinesSize),
    Offer::native(Feature::MachinesRegion),
    Offer::on(Feature::Resources, Scope::Either),
    Offer::on(Feature::Checkpoints, Scope::Either),
    Offer::on(Feature::CheckpointAuto, Scope::Either),
    Offer::on(Feature::CheckpointExpiry, Scope::Either),
    Offer::native(Feature::CheckpointClone),
    Offer::on(Feature::Files, Scope::Endpoint),
    Offer::on(Feature::FilesRange, Scope::Endpoint),
    Offer::on(Feature::FilesRename, Scope::Endpoint),
    Offer::on(Feature::Services, Scope::Endpoint),
    Offer::on(Feature::LoginSession, Scope::Endpoint),
    Offer::on(Feature::Raw, Scope::Either),
];

fn open(config: &EndpointConfig, env: Env) -> Result<Arc<dyn Provider>> {
    let (address, base) = connection::address(config, &env)?;
    let http = Http::new(env.net.clone(), address);
    let cleanups = env.cleanups.clone();
    let client = Client::new(http, base, Credential::new(config.clone(), env, credential::find));
    let sign_in = VergeSignIn { client: client.clone(), username: config.text("username").map(str::to_owned) };
    let resources = VergeResources(client.clone());
    let machines = VergeMachines::new(client.clone());
    let templates = VergeTemplates(client.clone());
    Ok(Arc::new(Verge { client, cleanups, machines, resources, templates, sign_in }))
}

/// An endpoint: one system with all that is in it.
struct Verge {
    client: Client,
    cleanups: Cleanups,
    machines: VergeMachines,
    resources: VergeResources,
    templates: VergeTemplates,
    sign_in: VergeSignIn,
}

#[async_trait]
impl Provider for Verge {
    fn driver(&self) -> &'static Driver {
        &DRIVER
    }

    async fn check(&self) -> Result<Info> {
        let what = "ask for the version";
        let body = self.client.anonymous(what, Request::get(api::VERSION)).await?;
        let version: api::Version = self.client.read(what, &body)?;
        let fields = "$key,cloud_name,yb_version,os_version";
        let system = self.client.row("ask for the system", &rows::Select::new("system", fields)).await?;
        let extra: Extra = system.unwrap_or_default();
        let version = version.version.trim_start_matches('v').to_owned();
        Ok(Info {
            version: Some(version).filter(|v| !v.is_empty()),
            address: self.client.address(),
            boot_id: None,
            extra,
        })
    }

    fn place(&self, name: Option<&Name>) -> Result<Arc<dyn Place>> {
        Ok(match name {
            None => {
                let client = self.client.clone();
                Arc::new(System {
                    files: VergeFiles { client: client.clone(), cleanups: self.cleanups.clone() },
                    checkpoints: VergeCheckpoints { client: client.clone(), name: None },
                    services: VergeServices(client),
                })
            }
            Some(name) => {
                let (client, name) = (self.client.clone(), Some(name.clone()));
                Arc::new(Machine { checkpoints: VergeCheckpoints { client, name } })
            }
        })
    }

    async fn names(&self, glob: &str) -> Result<Vec<Name>> {
        self.machines.names(glob).await
    }

    fn machines(&self) -> Option<&dyn super::machines::Machines> {
        Some(&self.machines)
    }

    fn resources(&self) -> Option<&dyn super::resources::Resources> {
        Some(&self.resources)
    }

    fn templates(&self) -> Option<&dyn super::templates::Templates> {
        Some(&self.templates)
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        Some(&self.sign_in)
    }

    fn examine<'a>(&'a self, name: Option<&'a Name>) -> BoxStream<'a, Finding> {
        match name {
            None => examine::examine(&self.client),
            Some(_) => futures_util::stream::empty().boxed(),
        }
    }

    fn raw(&self) -> Option<&dyn Raw> {
        Some(&*self.client)
    }
}

/// The endpoint itself.
struct System {
    files: VergeFiles,
    checkpoints: VergeCheckpoints,
    services: VergeServices,
}

impl Place for System {
    fn offers(&self) -> &'static [Offer] {
        OFFERS
    }

    fn driver(&self) -> &'static Driver {
        &DRIVER
    }

    fn scope(&self) -> Scope {
        Scope::Endpoint
    }

    fn files(&self) -> Option<&dyn Files> {
        Some(&self.files)
    }

    fn checkpoints(&self) -> Option<&dyn Checkpoints> {
        Some(&self.checkpoints)
    }

    fn services(&self) -> Option<&dyn Services> {
        Some(&self.services)
    }
}

/// What one virtual machine can do.
struct Machine {
    checkpoints: VergeCheckpoints,
}

impl Place for Machine {
    fn offers(&self) -> &'static [Offer] {
        OFFERS
    }

    fn driver(&self) -> &'static Driver {
        &DRIVER
    }

    fn checkpoints(&self) -> Option<&dyn Checkpoints> {
        Some(&self.checkpoints)
    }
}
