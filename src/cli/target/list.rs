//! `target list`

use crate::cli::Outcome;
use crate::cli::args::Listing;
use crate::cli::over::finish;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, Row};
use crate::output::{Cell, Column};
use crate::resolve::{Address, Pattern};
use crate::settings::Opt;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// A target that may be named.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TargetRow {
    /// What the user writes for it.
    pub name: String,
    /// `short_name` or `endpoint`; may grow.
    pub kind: String,
    /// Whether commands act on it when nothing else is named.
    pub default: bool,
    /// Where it is defined: a file and line, a variable, or `default`.
    pub origin: String,
    /// Its full form, which is `target` in JSON.
    #[serde(skip)]
    pub full: String,
    /// Its provider, which is beside it in JSON.
    #[serde(skip)]
    pub provider: &'static str,
}

impl Row for TargetRow {
    const NOUN: &'static str = "targets";
    fn id(&self) -> String {
        self.name.clone()
    }
}

const COLUMNS: &[Column<TargetRow>] = &[
    Column::new("NAME", "name", |t: &TargetRow| Cell::text(&t.name)),
    Column::new("TARGET", "target", |t: &TargetRow| Cell::text(&t.full)),
    Column::new("PROVIDER", "provider", |t: &TargetRow| Cell::text(t.provider)),
    Column::new("DEFAULT", "default", |t: &TargetRow| Cell::yes_no(t.default)),
    Column::new("ORIGIN", "origin", |t: &TargetRow| Cell::text(&t.origin)).elastic(),
    Column::new("KIND", "kind", |t: &TargetRow| Cell::text(&t.kind)).wide(),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Shows what is configured, and the endpoints that a provider's own variables
make. Nothing is connected: `esker doctor` does that.

Examples:
  esker target list
  esker target list -o name
  esker target list -o json | jq -r '.[] | select(.default) | .target'")]
pub struct TargetListArgs {
    #[command(flatten)]
    list: Listing,
}

/// Lists targets. A short name that stands for nothing is reported after those that stand for something.
pub fn run(ctx: &Ctx, args: TargetListArgs) -> anyhow::Result<Outcome> {
    let (rows, failed) = rows(ctx);
    ctx.out.list(&rows, COLUMNS, &args.list.into())?;
    finish(failed, rows.len())
}

fn rows(ctx: &Ctx) -> (Vec<At<TargetRow>>, Vec<Error>) {
    let resolver = &ctx.resolver;
    let named = ctx.settings.list(Opt::Target);
    // What cannot be resolved is no default; whoever uses it is told why.
    let wanted = resolver.wanted(&ctx.settings).unwrap_or_default();
    let fallback = match wanted.as_slice() {
        [Pattern::One(address, _)] if named.is_empty() => Some(address.endpoint.clone()),
        _ => None,
    };
    let is_default = |name: &str| named.iter().any(|named| named == name) || fallback.as_deref() == Some(name);
    let mut endpoints = resolver.endpoints();
    endpoints.extend(fallback.iter().filter(|name| !endpoints.contains(name)).cloned().collect::<Vec<_>>());
    let short = ctx.config.targets.iter().map(|(name, target)| {
        let Pattern::One(address, _) = resolver.parse(name)? else {
            return Err(Error::internal(format!("short name `{name}` is a pattern")));
        };
        row(ctx, name, "short_name", &address, is_default(name), Some(target.origin.to_string()))
    });
    let endpoints = endpoints.iter().map(|name| {
        let address = Address { endpoint: name.clone(), name: None };
        row(ctx, name, "endpoint", &address, is_default(name), None)
    });
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for outcome in short.chain(endpoints) {
        match outcome {
            Ok(row) => rows.push(row),
            Err(error) => failed.push(error),
        }
    }
    (rows, failed)
}

fn row(
    ctx: &Ctx,
    name: &str,
    kind: &str,
    address: &Address,
    default: bool,
    origin: Option<String>,
) -> Result<At<TargetRow>> {
    let (driver, endpoint) = ctx.resolver.endpoint(&address.endpoint)?;
    let full = address.to_string();
    let row = TargetRow {
        name: name.to_owned(),
        kind: kind.to_owned(),
        default,
        origin: origin.unwrap_or(endpoint.origin),
        full: full.clone(),
        provider: driver.id,
    };
    Ok(At { provider: driver.id, target: full, value: row })
}
