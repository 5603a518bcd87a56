//! `endpoint show`

use crate::cli::target::show::pairs;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::model::{At, Row};
use crate::output::{Cell, Column};
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// An endpoint with everything that is known about it; its name is `target` in JSON.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EndpointDetail {
    /// Its keys, without secrets.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// The secrets that stand in the config itself, by key.
    pub inline_secrets: Vec<String>,
    /// Where its credential comes from: a key, `login` or `inline`; null if it has none.
    pub credential: Option<String>,
    /// The folder that relative paths start at; null if it is the working directory.
    pub base: Option<String>,
    /// Its own limit for connecting.
    pub connect_timeout_seconds: Option<f64>,
    /// Its own limit for an answer to begin.
    pub request_timeout_seconds: Option<f64>,
    /// The short names that stand for a place of it.
    pub short_names: Vec<String>,
    /// Where it is defined: a file and line, a variable, or `default`.
    pub origin: String,
    /// Whether its provider makes it by itself, from its variables and defaults.
    pub implicit: bool,
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// Its provider.
    #[serde(skip)]
    pub provider: &'static str,
}

impl Row for EndpointDetail {
    const NOUN: &'static str = "endpoints";
    fn id(&self) -> String {
        self.name.clone()
    }
}

const COLUMNS: &[Column<EndpointDetail>] = &[
    Column::new("ENDPOINT", "target", |e: &EndpointDetail| Cell::text(&e.name)),
    Column::new("PROVIDER", "provider", |e: &EndpointDetail| Cell::text(e.provider)),
    Column::new("SETTINGS", "settings", |e: &EndpointDetail| Cell::text(pairs(&e.settings))),
    Column::new("CREDENTIAL", "credential", |e: &EndpointDetail| Cell::maybe(e.credential.as_deref())),
    Column::new("INLINE SECRETS", "inline_secrets", |e: &EndpointDetail| Cell::List(e.inline_secrets.clone())),
    Column::new("BASE", "base", |e: &EndpointDetail| Cell::maybe(e.base.as_deref())),
    Column::new("CONNECT TIMEOUT", "connect_timeout_seconds", |e: &EndpointDetail| {
        Cell::Seconds(e.connect_timeout_seconds)
    }),
    Column::new("REQUEST TIMEOUT", "request_timeout_seconds", |e: &EndpointDetail| {
        Cell::Seconds(e.request_timeout_seconds)
    }),
    Column::new("SHORT NAMES", "short_names", |e: &EndpointDetail| Cell::List(e.short_names.clone())),
    Column::new("ORIGIN", "origin", |e: &EndpointDetail| Cell::text(&e.origin)),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker endpoint show prod
  esker endpoint show pebble -o json | jq .settings")]
pub struct EndpointShowArgs {
    /// The endpoint
    #[arg(value_name = "NAME", add = complete::endpoints())]
    name: String,
}

/// Shows an endpoint.
pub fn run(ctx: &Ctx, args: EndpointShowArgs) -> anyhow::Result<Outcome> {
    let (driver, endpoint) = ctx.resolver.endpoint(&args.name)?;
    let is_of = |address: &str| address == args.name || address.starts_with(&format!("{}/", args.name));
    let short = ctx.config.targets.iter().filter(|(_, target)| is_of(&target.address));
    let detail = EndpointDetail {
        credential: super::credential(ctx, driver, &endpoint),
        inline_secrets: endpoint.secrets.keys().cloned().collect(),
        base: endpoint.base.as_ref().map(|base| base.display().to_string()),
        connect_timeout_seconds: endpoint.connect_timeout.map(|limit| limit.as_secs_f64()),
        request_timeout_seconds: endpoint.request_timeout.map(|limit| limit.as_secs_f64()),
        short_names: short.map(|(name, _)| name.clone()).collect(),
        settings: endpoint.values,
        origin: endpoint.origin,
        implicit: endpoint.implicit,
        name: args.name.clone(),
        provider: driver.id,
    };
    ctx.out.one(&At { provider: driver.id, target: args.name, value: detail }, COLUMNS)?;
    Ok(Outcome::Done)
}
