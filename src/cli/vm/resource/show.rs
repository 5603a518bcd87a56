//! One row, or several by name.

use super::args::{AnyRowsArgs, OfArgs};
use super::list::headings;
use super::{Which, placed, resources, shelf, targets};
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::Record;
use crate::provider::machines::Selector;

/// Shows rows of a table at every target.
pub async fn run(
    ctx: &Ctx,
    which: &Which,
    of: OfArgs,
    rows: AnyRowsArgs,
    fields: Vec<String>,
) -> anyhow::Result<Outcome> {
    let mut selectors = rows.selectors();
    let (found, failed) = targets(ctx, which, "show").await?;
    let table = found.first().map(|(_, table)| *table);
    if selectors.is_empty() {
        // A table of one row has no names.
        match table.filter(|table| table.key == "none") {
            Some(_) => selectors.push(Selector::Auto(String::new())),
            None if table.is_some() => {
                return Err(Error::usage("which row is to be shown?").hint("name it, or use list").into());
            }
            None => {}
        }
    }
    let asked = which.asked("show");
    let several = selectors.len() * (found.len() + failed.len()) > 1;
    let targets = found.into_iter().map(|(target, _)| target).collect();
    let (selectors, of, fields, asked) = (&selectors, &of, &fields, &asked);
    let gathered = ctx
        .read_at(targets, failed, |target| async move {
            let table = which.of(&target, asked)?;
            let resources = resources(&target, asked)?;
            let shelf = shelf(&target, table, of.of.as_ref());
            let mut records: Vec<Result<Record>> = Vec::new();
            for selector in selectors {
                records.push(resources.find(&shelf, selector, fields).await);
            }
            Ok(records)
        })
        .await;
    let (found, mut gathered) = placed(gathered);
    let mut records = Vec::new();
    let mut lost = Vec::new();
    for found in found {
        match found.value {
            Ok(value) => records.push(crate::model::At { provider: found.provider, target: found.target, value }),
            Err(error) => lost.push(error.at(found.provider, found.target)),
        }
    }
    if let Some(table) = table {
        let headings = headings(table, fields);
        match records.as_slice() {
            [] => {}
            [one] if !several => ctx.out.record(one, &headings)?,
            rows => ctx.out.records(rows, &headings, table.name)?,
        }
    }
    gathered.failed.extend(lost);
    crate::cli::over::finish(gathered.failed, records.len())
}
