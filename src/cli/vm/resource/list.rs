//! Rows as a list.

use super::args::{OfArgs, RowsArgs};
use super::{Which, placed, resources, shelf, targets};
use crate::cli::Outcome;
use crate::context::Ctx;
use crate::model::Heading;
use crate::provider::resources::Table;
use crate::stream;

/// Lists the rows of a table at every target.
pub async fn run(ctx: &Ctx, which: &Which, of: OfArgs, rows: RowsArgs) -> anyhow::Result<Outcome> {
    let query = rows.query()?;
    let (found, failed) = targets(ctx, which, "list").await?;
    let table = found.first().map(|(_, table)| *table);
    let asked = which.asked("list");
    let (query, of, asked) = (&query, &of, &asked);
    let targets = found.into_iter().map(|(target, _)| target).collect();
    let gathered = ctx
        .read_at(targets, failed, |target| async move {
            let table = which.of(&target, asked)?;
            let rows = resources(&target, asked)?.list(&shelf(&target, table, of.of.as_ref()), query.clone()).await?;
            stream::collect(rows).await
        })
        .await;
    let (records, gathered) = placed(gathered);
    if let Some(limit) = query.limit
        && records.len() >= limit.max(1)
    {
        ctx.out.note(&format!("showing at most {limit} rows of each target (`--limit`)"));
    }
    if let Some(table) = table.filter(|_| !gathered.done.is_empty()) {
        ctx.out.records(&records, &headings(table, &query.fields), &format!("rows in `{}`", table.name))?;
    }
    gathered.finish()
}

/// The columns: those of the table, or the fields that were asked for.
pub(super) fn headings(table: &'static Table, fields: &[String]) -> Vec<Heading> {
    if fields.is_empty() {
        return table.headings();
    }
    let name = |field: &String| field.rsplit_once(" as ").map_or(field.clone(), |(_, alias)| alias.to_owned());
    fields.iter().map(|field| table.heading(&name(field), &name(field), false)).collect()
}
