//! `endpoint list`

use crate::cli::Outcome;
use crate::cli::args::Listing;
use crate::cli::over::finish;
use crate::cli::target::show::pairs;
use crate::context::Ctx;
use crate::error::Result;
use crate::model::{At, Row};
use crate::output::{Cell, Column};
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// An endpoint; its name is `target` in JSON.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EndpointRow {
    /// Its keys, without secrets.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// Where its credential comes from: a key, `login` or `inline`; null if it has none.
    pub credential: Option<String>,
    /// Where it is defined: a file and line, a variable, or `default`.
    pub origin: String,
    /// Whether a provider makes it by itself, from its variables and defaults.
    pub implicit: bool,
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// Its provider.
    #[serde(skip)]
    pub provider: &'static str,
}

impl Row for EndpointRow {
    const NOUN: &'static str = "endpoints";
    fn id(&self) -> String {
        self.name.clone()
    }
}

const COLUMNS: &[Column<EndpointRow>] = &[
    Column::new("ENDPOINT", "target", |e: &EndpointRow| Cell::text(&e.name)),
    Column::new("PROVIDER", "provider", |e: &EndpointRow| Cell::text(e.provider)),
    Column::new("SETTINGS", "settings", |e: &EndpointRow| Cell::text(pairs(&e.settings))).elastic(),
    Column::new("CREDENTIAL", "credential", |e: &EndpointRow| Cell::maybe(e.credential.as_deref())),
    Column::new("ORIGIN", "origin", |e: &EndpointRow| Cell::text(&e.origin)).elastic(),
    Column::new("IMPLICIT", "implicit", |e: &EndpointRow| Cell::yes_no(e.implicit)).wide(),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Lists those of your config, and the one that each provider makes from its own
variables and defaults. Nothing is connected.

Examples:
  esker endpoint list
  esker endpoint list -o json | jq -r '.[].target'")]
pub struct EndpointListArgs {
    #[command(flatten)]
    list: Listing,
}

/// Lists endpoints: the configured ones, then the implicit ones.
pub fn run(ctx: &Ctx, args: EndpointListArgs) -> anyhow::Result<Outcome> {
    let configured = ctx.config.endpoints.keys().map(String::as_str);
    let implicit = ctx.resolver.registry().iter().map(|driver| driver.id);
    let implicit = implicit.filter(|id| !ctx.config.endpoints.contains_key(*id));
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for outcome in configured.chain(implicit).map(|name| row(ctx, name)) {
        match outcome {
            Ok(row) => rows.push(row),
            Err(error) => failed.push(error),
        }
    }
    ctx.out.list(&rows, COLUMNS, &args.list.into())?;
    finish(failed, rows.len())
}

fn row(ctx: &Ctx, name: &str) -> Result<At<EndpointRow>> {
    let (driver, endpoint) = ctx.resolver.endpoint(name)?;
    let row = EndpointRow {
        credential: super::credential(ctx, driver, &endpoint),
        settings: endpoint.values,
        origin: endpoint.origin,
        implicit: endpoint.implicit,
        name: name.to_owned(),
        provider: driver.id,
    };
    Ok(At { provider: driver.id, target: name.to_owned(), value: row })
}
