//! The tables themselves: which there are, and how the system describes one.

use super::{Which, resources};
use crate::cli::Outcome;
use crate::cli::over::at;
use crate::context::Ctx;
use crate::fanout::bounded;
use crate::model::{At, TableInfo};
use crate::output::{Cell, Column, ListOptions};
use crate::provider::resources::{ResourceNeeds, Table};
use crate::settings::Opt;

const COLUMNS: &[Column<TableInfo>] = &[
    Column::new("TABLE", "table", |t: &TableInfo| Cell::text(&t.table)),
    Column::new("ONE", "one", |t: &TableInfo| Cell::text(&t.one)),
    Column::new("NOUN", "noun", |t: &TableInfo| Cell::maybe(t.noun.as_deref())),
    Column::new("OF", "parent", |t: &TableInfo| Cell::maybe(t.parent.as_deref())),
    Column::new("KEY", "key", |t: &TableInfo| Cell::text(&t.key)),
    Column::new("ACTIONS", "actions", |t: &TableInfo| Cell::List(t.actions.clone())).elastic(),
    Column::new("READ ONLY", "read_only", |t: &TableInfo| Cell::yes_no(t.read_only)).wide(),
];

/// Lists the tables of every target. Nothing is asked of anybody.
pub async fn list(ctx: &Ctx) -> anyhow::Result<Outcome> {
    let asked = "vm resource list";
    let (targets, failed) = ctx.targets(&ResourceNeeds(asked.to_owned())).await?;
    let mut rows: Vec<At<TableInfo>> = Vec::new();
    let mut done = Vec::new();
    for target in targets {
        rows.extend(resources(&target, asked)?.tables().into_iter().map(|table| at(&target, info(table))));
        done.push((target, ()));
    }
    ctx.list(&rows, COLUMNS, &ListOptions::default(), crate::cli::over::Gathered { done, failed })
}

fn info(table: &Table) -> TableInfo {
    let maybe = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    TableInfo {
        table: table.name.to_owned(),
        one: table.one.to_owned(),
        noun: maybe(table.noun),
        key: table.key.to_owned(),
        parent: maybe(table.parent),
        read_only: table.read_only,
        actions: table.actions.iter().map(|action| action.name.to_owned()).collect(),
    }
}

/// Prints how the system describes a table.
pub async fn schema(ctx: &Ctx, which: &Which) -> anyhow::Result<Outcome> {
    let asked = which.asked("schema");
    let target = ctx.target(&ResourceNeeds(asked.clone()))?;
    let table = which.of(&target, &asked)?;
    let described = resources(&target, &asked)?.schema(table);
    ctx.out.value(&bounded(described, ctx.settings.duration(Opt::Timeout)).await?)?;
    Ok(Outcome::Done)
}
