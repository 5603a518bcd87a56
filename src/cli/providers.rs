//! `providers`: what each provider can do, from the same data that requests are checked against.

use super::Outcome;
use super::args::Order;
use crate::context::Ctx;
use crate::error::Error;
use crate::model::Row;
use crate::output::{Cell, Column};
use crate::provider::registry::DRIVERS;
use crate::provider::{Driver, Feature, Scope, Support};
use crate::suggest::nearest;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A feature, and who has it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FeatureRow {
    /// Its id, as errors name it.
    pub feature: String,
    /// What it means.
    pub summary: String,
    /// How each provider has it; null if it does not.
    pub providers: BTreeMap<String, Option<Offered>>,
}

/// How a provider has a feature.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Offered {
    /// `native` or `emulated`; may grow.
    pub support: String,
    /// What it works on: `endpoint`, `instance` or `either`.
    pub scope: String,
    /// The limits of an emulation.
    pub limits: Option<String>,
}

impl Row for FeatureRow {
    const NOUN: &'static str = "features";
    fn id(&self) -> String {
        self.feature.clone()
    }
}

const FEATURE: Column<FeatureRow> = Column::new("FEATURE", "feature", |f: &FeatureRow| Cell::text(&f.feature));
const MEANING: Column<FeatureRow> =
    Column::new("MEANING", "summary", |f: &FeatureRow| Cell::text(&f.summary)).elastic();

/// The cell of the provider at position `N` of the registry: a column's value is a plain function.
fn cell<const N: usize>(row: &FeatureRow) -> Cell {
    let offered = DRIVERS.get(N).and_then(|driver| row.providers.get(driver.id)).and_then(Option::as_ref);
    offered.map_or(Cell::Empty, |offered| Cell::text(&offered.support))
}

/// One per provider there may be; a test counts them.
const CELLS: [fn(&FeatureRow) -> Cell; 6] = [cell::<0>, cell::<1>, cell::<2>, cell::<3>, cell::<4>, cell::<5>];

#[derive(Args, Debug)]
#[command(after_help = "\
`native` is in the system itself; `emulated` is made by esker over something
else, with the limits that JSON tells. What is missing is refused with exit 11
before anything is sent.

Examples:
  esker providers
  esker providers --provider pebble -o name
  esker providers -o json | jq -r '.[] | select(.providers.pebble) | .feature'")]
pub struct ProvidersArgs {
    /// Only features of this provider
    #[arg(long, value_name = "PROVIDER", add = super::complete::providers())]
    provider: Option<String>,
    #[command(flatten)]
    list: Order,
}

/// Prints the matrix.
pub fn run(ctx: &Ctx, args: ProvidersArgs) -> anyhow::Result<Outcome> {
    let mut rows = rows();
    if let Some(id) = &args.provider {
        known(id)?;
        rows.retain(|row| row.providers.get(id).is_some_and(Option::is_some));
    }
    let wanted = |driver: &Driver| args.provider.as_deref().is_none_or(|id| id == driver.id);
    let cells = DRIVERS.iter().zip(CELLS).filter(|(driver, _)| wanted(driver));
    let columns: Vec<_> = [FEATURE, MEANING]
        .into_iter()
        // Headers live as long as the program: there are a handful.
        .chain(cells.map(|(driver, cell)| Column::new(driver.id.to_uppercase().leak(), driver.id, cell)))
        .collect();
    ctx.out.local_list(rows, &columns, &args.list.into())?;
    Ok(Outcome::Done)
}

fn known(id: &str) -> Result<(), Error> {
    let ids: Vec<_> = DRIVERS.iter().map(|driver| driver.id).collect();
    if ids.contains(&id) {
        return Ok(());
    }
    Err(Error::usage(format!("unknown provider `{id}`")).hint(match nearest(id, ids.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("providers are {}", ids.join(", ")),
    }))
}

/// Every feature with its providers.
fn rows() -> Vec<FeatureRow> {
    let row = |feature: &Feature| FeatureRow {
        feature: feature.name().to_owned(),
        summary: feature.summary().to_owned(),
        providers: DRIVERS.iter().map(|driver| (driver.id.to_owned(), offered(driver, *feature))).collect(),
    };
    Feature::ALL.iter().map(row).collect()
}

fn offered(driver: &Driver, feature: Feature) -> Option<Offered> {
    let offer = driver.offers.iter().find(|offer| offer.feature == feature)?;
    let (support, limits) = match offer.support {
        Support::Native => ("native", None),
        Support::Emulated(limits) => ("emulated", Some(limits.to_owned())),
    };
    let scope = match offer.on {
        Scope::Endpoint => "endpoint",
        Scope::Instance => "instance",
        Scope::Either => "either",
    };
    Some(Offered { support: support.to_owned(), scope: scope.to_owned(), limits })
}

/// The matrix for the README: only what some provider has.
pub fn markdown() -> String {
    let mut text = String::from("| feature | meaning |");
    let mut rule = String::from("| --- | --- |");
    for driver in DRIVERS {
        let _ = write!(text, " {} |", driver.id);
        rule.push_str(" --- |");
    }
    let _ = write!(text, "\n{rule}\n");
    for row in rows().iter().filter(|row| row.providers.values().any(Option::is_some)) {
        let _ = write!(text, "| `{}` | {} |", row.feature, row.summary);
        for driver in DRIVERS {
            let offered = row.providers.get(driver.id).and_then(Option::as_ref);
            let _ = match offered {
                Some(Offered { support, limits: Some(limits), .. }) => write!(text, " {support}: {limits} |"),
                Some(Offered { support, .. }) => write!(text, " {support} |"),
                None => write!(text, " – |"),
            };
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_a_column() {
        assert!(DRIVERS.len() <= CELLS.len(), "add a cell");
        let row = &rows()[0];
        for (driver, cell) in DRIVERS.iter().zip(CELLS) {
            assert_eq!(cell(row) != Cell::Empty, row.providers[driver.id].is_some(), "{}", driver.id);
        }
    }
}
