//! `target show`

use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, Row};
use crate::output::{Cell, Column};
use crate::resolve::{Address, Defaults, Pattern};
use crate::settings::Opt;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a target stands for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TargetDetail {
    /// The endpoint.
    pub endpoint: String,
    /// The place inside the endpoint; null where an endpoint holds one.
    pub place: Option<String>,
    /// The directory that commands there start in.
    pub workdir: Option<String>,
    /// The environment variables that commands there get.
    pub env: BTreeMap<String, String>,
    /// What named the target: a flag, a variable, a file and line, or `argument` or `default`.
    pub chosen_by: String,
    /// Where the endpoint is defined.
    pub endpoint_origin: String,
    /// The keys of the endpoint, without secrets.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// Its full form, which is `target` in JSON.
    #[serde(skip)]
    pub full: String,
    /// Its provider, which is beside it in JSON.
    #[serde(skip)]
    pub provider: &'static str,
}

impl Row for TargetDetail {
    const NOUN: &'static str = "targets";
    fn id(&self) -> String {
        self.full.clone()
    }
}

const COLUMNS: &[Column<TargetDetail>] = &[
    Column::new("TARGET", "target", |t: &TargetDetail| Cell::text(&t.full)),
    Column::new("PROVIDER", "provider", |t: &TargetDetail| Cell::text(t.provider)),
    Column::new("ENDPOINT", "endpoint", |t: &TargetDetail| Cell::text(&t.endpoint)),
    Column::new("PLACE", "place", |t: &TargetDetail| Cell::maybe(t.place.as_deref())),
    Column::new("SETTINGS", "settings", |t: &TargetDetail| Cell::text(pairs(&t.settings))),
    Column::new("ENDPOINT ORIGIN", "endpoint_origin", |t: &TargetDetail| Cell::text(&t.endpoint_origin)),
    Column::new("WORKDIR", "workdir", |t: &TargetDetail| Cell::maybe(t.workdir.as_deref())),
    Column::new("ENV", "env", |t: &TargetDetail| {
        Cell::List(t.env.iter().map(|(name, value)| format!("{name}={value}")).collect())
    }),
    Column::new("CHOSEN BY", "chosen_by", |t: &TargetDetail| Cell::text(&t.chosen_by)),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Without a name it shows the target that commands would act on now. Nothing is
connected, and no password is asked for.

Examples:
  esker target show
  esker target show web
  esker target show --target unix:/run/app/.pebble.socket -o json")]
pub struct TargetShowArgs {
    /// Short name or target; otherwise what --target, ESKER_TARGET or the config name
    #[arg(value_name = "NAME", add = complete::targets())]
    name: Option<String>,
}

/// Resolves a target and says what it stands for.
pub fn run(ctx: &Ctx, args: TargetShowArgs) -> anyhow::Result<Outcome> {
    let (pattern, chosen_by) = if let Some(name) = &args.name {
        (ctx.resolver.parse(name)?, "argument".to_owned())
    } else {
        let mut wanted = ctx.resolver.wanted(&ctx.settings)?;
        if wanted.len() != 1 {
            return Err(several().into());
        }
        (wanted.remove(0), ctx.settings.origin(Opt::Target).to_string())
    };
    let Pattern::One(address, defaults) = pattern else { return Err(several().into()) };
    ctx.out.one(&detail(ctx, &address, defaults, chosen_by)?, COLUMNS)?;
    Ok(Outcome::Done)
}

fn several() -> Error {
    Error::usage("this command needs exactly one target").hint("name it without wildcards")
}

fn detail(ctx: &Ctx, address: &Address, defaults: Defaults, chosen_by: String) -> Result<At<TargetDetail>> {
    let (driver, endpoint) = ctx.resolver.endpoint(&address.endpoint)?;
    let full = address.to_string();
    let value = TargetDetail {
        endpoint: address.endpoint.clone(),
        place: address.name.as_ref().map(|name| name.0.clone()),
        workdir: defaults.workdir,
        env: defaults.env,
        chosen_by,
        endpoint_origin: endpoint.origin,
        settings: endpoint.values,
        full: full.clone(),
        provider: driver.id,
    };
    Ok(At { provider: driver.id, target: full, value })
}

/// Keys and values on one line.
pub(in crate::cli) fn pairs(values: &BTreeMap<String, serde_json::Value>) -> String {
    let pairs = values.iter().map(|(key, value)| match value.as_str() {
        Some(text) => format!("{key}={text}"),
        None => format!("{key}={value}"),
    });
    pairs.collect::<Vec<_>>().join(" ")
}
