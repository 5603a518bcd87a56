//! `version`

use super::Outcome;
use crate::context::Ctx;
use crate::model::{Row, Time};
use crate::output::{Cell, Column, Format};
use crate::provider::registry::DRIVERS;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// What this binary is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Version {
    /// Its version.
    pub version: String,
    /// The commit it was built from; null where that is unknown, and in debug builds.
    pub commit: Option<String>,
    /// The target triple it was built for.
    pub target: String,
    /// The providers that are built in.
    pub providers: Vec<String>,
    /// When it was built, or when its commit was made; null where neither is known.
    pub build_date: Option<Time>,
}

impl Row for Version {
    const NOUN: &'static str = "versions";
    fn id(&self) -> String {
        self.version.clone()
    }
}

const COLUMNS: &[Column<Version>] = &[
    Column::new("VERSION", "version", |v: &Version| Cell::text(&v.version)),
    Column::new("COMMIT", "commit", |v: &Version| Cell::maybe(v.commit.as_deref())),
    Column::new("TARGET", "target", |v: &Version| Cell::text(&v.target)),
    Column::new("PROVIDERS", "providers", |v: &Version| Cell::List(v.providers.clone())),
    Column::new("BUILD DATE", "build_date", |v: &Version| Cell::Time(v.build_date)),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker version
  esker version -o wide
  esker version -o json | jq -r .commit")]
pub struct VersionArgs {}

/// Prints the version: one line for people, everything for programs.
pub fn run(ctx: &Ctx, _: VersionArgs) -> anyhow::Result<Outcome> {
    if ctx.out.format() == Format::Table && ctx.out.options().fields.is_none() {
        ctx.out.line(concat!("esker ", env!("CARGO_PKG_VERSION")))?;
    } else {
        ctx.out.local_one(version(), COLUMNS)?;
    }
    Ok(Outcome::Done)
}

fn version() -> Version {
    let known = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let date = option_env!("ESKER_BUILD_DATE").and_then(|seconds| seconds.parse().ok());
    Version {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: known(option_env!("ESKER_BUILD_COMMIT")),
        target: known(option_env!("ESKER_BUILD_TARGET")).unwrap_or_default(),
        providers: DRIVERS.iter().map(|driver| driver.id.to_owned()).collect(),
        build_date: date.and_then(|seconds| Time::from_second(seconds).ok()),
    }
}
