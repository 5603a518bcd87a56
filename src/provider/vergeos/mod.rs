//! VergeOS: a hypervisor, over its REST API v4 (vergeos reference).

pub mod api;
mod client;
mod connection;
mod credential;
mod errors;
mod filter;
mod machines;
mod pace;
mod raw;
mod resources;
mod rows;
mod settle;
mod sign_in;
mod tables;

use self::client::Client;
use self::credential::Credential;
use self::machines::VergeMachines;
use self::raw::VergeRaw;
use self::resources::VergeResources;
use self::sign_in::VergeSignIn;
use super::{Driver, Env, Feature, Offer, Place, Provider, Raw, Scope, SignIn};
use crate::config::EndpointConfig;
use crate::error::Result;
use crate::model::{Extra, Info, Name};
use crate::transport::{Client as Http, Request};
use async_trait::async_trait;
use std::sync::Arc;

/// The registry row.
pub static DRIVER: Driver = Driver {
    id: "vergeos",
    summary: "VergeOS, a hypervisor with networks, tenants and storage, over HTTPS",
    place: Some("virtual machine"),
    keys: connection::KEYS,
    variables: connection::VARIABLES,
    offers: OFFERS,
    place_file: None,
    imports: &[],
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
    Offer::native(Feature::MachinesTags),
    Offer::native(Feature::MachinesConsole),
    Offer::native(Feature::MachinesImage),
    Offer::native(Feature::MachinesSize),
    Offer::native(Feature::MachinesRegion),
    Offer::on(Feature::Resources, Scope::Either),
    Offer::on(Feature::LoginSession, Scope::Endpoint),
    Offer::on(Feature::Raw, Scope::Either),
];

fn open(config: &EndpointConfig, env: Env) -> Result<Arc<dyn Provider>> {
    let (address, base) = connection::address(config, &env)?;
    let http = Http::new(connection::net(config, &env), address);
    let notes = env.notes.clone();
    let client = Client::new(http, base, Credential::new(config.clone(), env), config.name.clone(), notes);
    let sign_in = VergeSignIn { client: client.clone(), username: config.text("username").map(str::to_owned) };
    let (raw, resources) = (VergeRaw(client.clone()), VergeResources(client.clone()));
    let machines = VergeMachines::new(client.clone());
    Ok(Arc::new(Verge { client, raw, machines, resources, sign_in }))
}

/// An endpoint: one system with all that is in it.
struct Verge {
    client: Client,
    raw: VergeRaw,
    machines: VergeMachines,
    resources: VergeResources,
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
            None => Arc::new(System),
            Some(_) => Arc::new(Machine),
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

    fn sign_in(&self) -> Option<&dyn SignIn> {
        Some(&self.sign_in)
    }

    fn raw(&self) -> Option<&dyn Raw> {
        Some(&self.raw)
    }
}

/// The endpoint itself.
struct System;

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
}

/// What one virtual machine can do.
struct Machine;

impl Place for Machine {
    fn offers(&self) -> &'static [Offer] {
        OFFERS
    }

    fn driver(&self) -> &'static Driver {
        &DRIVER
    }
}
