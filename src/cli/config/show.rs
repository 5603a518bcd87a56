//! `config show`

use crate::cli::Outcome;
use crate::cli::args::Order;
use crate::config::duration;
use crate::context::Ctx;
use crate::model::Row;
use crate::output::{Cell, Column};
use crate::settings::{Kind, Setting, Value};
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};

/// One value in force.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConfigValue {
    /// Its key, with dots between the levels: `endpoints.prod.socket`.
    pub key: String,
    /// Its value; null if it is not set.
    pub value: Json,
    /// Where it comes from: a flag, a variable, a file and line, or `default`.
    pub origin: String,
}

impl Row for ConfigValue {
    const NOUN: &'static str = "values";
    fn id(&self) -> String {
        self.key.clone()
    }
}

const COLUMNS: &[Column<ConfigValue>] = &[KEY, VALUE, ORIGIN.wide()];
const COLUMNS_WITH_ORIGIN: &[Column<ConfigValue>] = &[KEY, VALUE, ORIGIN];
const KEY: Column<ConfigValue> = Column::new("KEY", "key", |v: &ConfigValue| Cell::text(&v.key));
const VALUE: Column<ConfigValue> = Column::new("VALUE", "value", |v: &ConfigValue| match &v.value {
    Json::Null => Cell::Empty,
    Json::String(text) => Cell::text(text),
    Json::Array(items) => {
        Cell::List(items.iter().map(|item| item.as_str().map_or(item.to_string(), str::to_owned)).collect())
    }
    value => Cell::text(value.to_string()),
})
.elastic();
const ORIGIN: Column<ConfigValue> = Column::new("ORIGIN", "origin", |v: &ConfigValue| Cell::text(&v.origin));

#[derive(Args, Debug)]
#[command(after_help = "\
A flag counts before a variable, that before .esker.yaml of the directory, your
config, the system's, and the default. Secrets are not shown.

Examples:
  esker config show
  esker config show --origin
  esker config show -o json | jq '.[] | select(.origin != \"default\")'")]
pub struct ConfigShowArgs {
    /// Show where each value comes from
    #[arg(long)]
    origin: bool,
    #[command(flatten)]
    list: Order,
}

/// Shows what is in force. JSON always names the origins.
pub fn run(ctx: &Ctx, args: ConfigShowArgs) -> anyhow::Result<Outcome> {
    let settings = ctx.settings.each().map(|(setting, value, origin)| ConfigValue {
        key: setting.key.unwrap_or(setting.name).to_owned(),
        value: json(setting, value),
        origin: origin.to_string(),
    });
    let rows = settings.chain(endpoints(ctx)).chain(targets(ctx)).collect();
    let columns = if args.origin { COLUMNS_WITH_ORIGIN } else { COLUMNS };
    ctx.out.local_list(rows, columns, &args.list.into())?;
    for warning in &ctx.config.warnings {
        ctx.out.warn(warning);
    }
    Ok(Outcome::Done)
}

fn json(setting: &Setting, value: &Value) -> Json {
    match value {
        Value::Unset => Json::Null,
        Value::Bool(on) => json!(on),
        // As the config takes it back.
        Value::Number(number) if setting.kind == Kind::Level => ["0", "info", "debug", "trace"]
            .get(usize::try_from(*number).unwrap_or(3))
            .unwrap_or(&"trace")
            .to_owned()
            .into(),
        Value::Number(number) => json!(number),
        Value::Duration(limit) => duration::show(*limit).into(),
        Value::Word(word) => (*word).into(),
        Value::List(items) => json!(items),
    }
}

fn endpoints(ctx: &Ctx) -> impl Iterator<Item = ConfigValue> + '_ {
    ctx.config.endpoints.values().flat_map(|endpoint| {
        let limits = [("connect_timeout", endpoint.connect_timeout), ("request_timeout", endpoint.request_timeout)];
        let limits =
            limits.into_iter().filter_map(|(key, limit)| Some((key.to_owned(), duration::show(limit?).into())));
        let secrets = endpoint.secrets.keys().map(|key| (key.clone(), Json::from("***")));
        let values = endpoint.values.iter().map(|(key, value)| (key.clone(), value.clone()));
        let provider = [("provider".to_owned(), Json::from(endpoint.provider.as_str()))];
        provider.into_iter().chain(values).chain(secrets).chain(limits).map(|(key, value)| ConfigValue {
            key: format!("endpoints.{}.{key}", endpoint.name),
            value,
            origin: endpoint.origin.clone(),
        })
    })
}

fn targets(ctx: &Ctx) -> impl Iterator<Item = ConfigValue> + '_ {
    ctx.config.targets.iter().flat_map(|(name, target)| {
        let row =
            move |key: String, value: &str| ConfigValue { key, value: value.into(), origin: target.origin.to_string() };
        let address = row(format!("targets.{name}.address"), &target.address);
        let workdir = target.defaults.workdir.iter().map(move |dir| row(format!("targets.{name}.workdir"), dir));
        let env = target.defaults.env.iter();
        let env = env.map(move |(var, value)| row(format!("targets.{name}.env.{var}"), value));
        std::iter::once(address).chain(workdir).chain(env)
    })
}
