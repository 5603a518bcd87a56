//! What changes rows: create, update, delete, and the actions of a table.

use super::args::{AnyRowsArgs, FieldsArgs, OfArgs, WaitArgs};
use super::{Which, called, resources, shelf, targets, tell};
use crate::cli::Outcome;
use crate::cli::drive::Driven;
use crate::cli::over::{Gathered, at, finish};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::fanout::bounded;
use crate::model::{At, Changed, Record, RecordDone};
use crate::operation::Operation;
use crate::output::{Cell, Column, Danger, ListOptions};
use crate::provider::machines::Selector;
use crate::provider::resources::{Table, TableAction, Weight};
use crate::resolve::Target;
use crate::settings::Opt;
use crate::suggest::nearest;

const GONE: &[Column<Changed>] = &[
    Column::new("NAME", "name", |c: &Changed| Cell::text(&c.name)),
    Column::new("ACTION", "action", |c: &Changed| Cell::text(&c.action)),
];

/// What became of each row at a target.
type Verdicts = Vec<(String, Result<Driven<Record>>)>;

/// Makes a row at every target. A name that is given as an argument is its name.
pub async fn create(
    ctx: &Ctx,
    which: &Which,
    of: OfArgs,
    names: AnyRowsArgs,
    fields: FieldsArgs,
    wait: WaitArgs,
) -> anyhow::Result<Outcome> {
    let fields = fields.fields()?;
    if fields.is_empty() && names.names.is_empty() {
        return Err(Error::usage("nothing is known of what is to be made")
            .hint("pass --set NAME=VALUE or --from FILE")
            .into());
    }
    let names: Vec<String> = if names.names.is_empty() { vec![String::new()] } else { names.names };
    let (found, failed) = targets(ctx, which, "create").await?;
    let (asked, names, fields, of) = (&which.asked("create"), &names, &fields, &of);
    let tables: Vec<_> = found.into_iter().map(|(target, _)| target).collect();
    let gathered = ctx
        .operate_at(tables, failed, |target| async move {
            let table = which.of(&target, asked)?;
            let shelf = shelf(&target, table, of.of.as_ref());
            let mut verdicts = Verdicts::new();
            for name in names {
                let mut fields = fields.clone();
                if !name.is_empty() {
                    fields.typed.insert(0, (label(table).to_owned(), name.clone()));
                }
                let begun = resources(&target, asked)?.create(&shelf, fields);
                verdicts.push((name.clone(), drive(ctx, &target, table, "create", name, wait, begun).await));
            }
            Ok(verdicts)
        })
        .await;
    report(ctx, which, asked, "create", "created", gathered)
}

/// The field that names a row, for names that stand among the arguments.
fn label(table: &Table) -> &'static str {
    if table.label.is_empty() { "name" } else { table.label }
}

/// Changes rows at every target.
pub async fn update(
    ctx: &Ctx,
    which: &Which,
    of: OfArgs,
    rows: AnyRowsArgs,
    fields: FieldsArgs,
    wait: WaitArgs,
) -> anyhow::Result<Outcome> {
    let fields = fields.fields()?;
    if fields.is_empty() {
        return Err(Error::usage("nothing is to be changed").hint("pass --set NAME=VALUE or --from FILE").into());
    }
    let (found, failed) = targets(ctx, which, "update").await?;
    let selectors = named(&rows, found.first().map(|(_, table)| *table))?;
    let (asked, selectors, fields, of) = (&which.asked("update"), &selectors, &fields, &of);
    let gathered = ctx
        .operate_at(found.into_iter().map(|(target, _)| target).collect(), failed, |target| async move {
            let table = which.of(&target, asked)?;
            let shelf = shelf(&target, table, of.of.as_ref());
            let mut verdicts = Verdicts::new();
            for selector in selectors {
                let begun = resources(&target, asked)?.update(&shelf, selector, fields.clone());
                let name = selector.text();
                verdicts.push((name.to_owned(), drive(ctx, &target, table, "update", name, wait, begun).await));
            }
            Ok(verdicts)
        })
        .await;
    report(ctx, which, asked, "update", "updated", gathered)
}

/// Does what only this table knows.
pub async fn act(
    ctx: &Ctx,
    which: &Which,
    verb: &str,
    of: OfArgs,
    rows: AnyRowsArgs,
    fields: FieldsArgs,
    wait: WaitArgs,
) -> anyhow::Result<Outcome> {
    let (found, failed) = targets(ctx, which, verb).await?;
    let Some((_, table)) = found.first() else { return finish(failed, 0) };
    let action = table.action(verb).ok_or_else(|| no_action(table, verb))?;
    let params = fields.fields()?;
    let selectors: Vec<Option<Selector>> = if action.of_table {
        if !rows.names.is_empty() {
            return Err(Error::usage(format!("`{verb}` is about `{}` as a whole", table.name))
                .hint("leave the name out")
                .into());
        }
        vec![None]
    } else {
        named(&rows, Some(*table))?.into_iter().map(Some).collect()
    };
    confirm(ctx, table, action, &selectors).await?;
    let (asked, selectors, params, of) = (&which.asked(verb), &selectors, &params, &of);
    let gathered = ctx
        .operate_at(found.into_iter().map(|(target, _)| target).collect(), failed, |target| async move {
            let table = which.of(&target, asked)?;
            let action = table.action(verb).ok_or_else(|| no_action(table, verb))?;
            let shelf = shelf(&target, table, of.of.as_ref());
            let mut verdicts = Verdicts::new();
            for selector in selectors {
                let name = selector.as_ref().map_or("", Selector::text);
                let begun = resources(&target, asked)?.act(&shelf, selector.as_ref(), action, params.clone());
                verdicts.push((name.to_owned(), drive(ctx, &target, table, verb, name, wait, begun).await));
            }
            Ok(verdicts)
        })
        .await;
    report(ctx, which, asked, verb, &format!("{verb}:"), gathered)
}

async fn confirm(ctx: &Ctx, table: &Table, action: &TableAction, rows: &[Option<Selector>]) -> Result<()> {
    let names: Vec<String> = rows.iter().flatten().map(|row| row.text().to_owned()).collect();
    let what = format!("{} {}", action.name.replace('-', " "), listed(table, &names));
    match action.weight {
        Weight::Mild => Ok(()),
        Weight::Moderate => ctx.confirm(Danger::Moderate { action: what }).await,
        Weight::Severe => {
            let names = if names.is_empty() { vec![table.name.to_owned()] } else { names };
            ctx.confirm(Danger::Severe { action: what, names }).await
        }
    }
}

fn no_action(table: &Table, verb: &str) -> Error {
    let names = || table.actions.iter().map(|action| action.name);
    let verbs = ["list", "show", "create", "update", "delete", "schema"];
    let error = Error::usage(format!("`{}` has no action `{verb}`", table.name));
    error.hint(match nearest(verb, names().chain(verbs)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if table.actions.is_empty() => format!("it has {}", verbs.join(", ")),
        None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
    })
}

/// Deletes rows at every target, once somebody confirmed that.
pub async fn delete(ctx: &Ctx, which: &Which, of: OfArgs, rows: AnyRowsArgs) -> anyhow::Result<Outcome> {
    let (found, failed) = targets(ctx, which, "delete").await?;
    let Some((_, table)) = found.first() else { return finish(failed, 0) };
    let selectors = named(&rows, Some(*table))?;
    let names: Vec<String> = selectors.iter().map(|selector| selector.text().to_owned()).collect();
    let action = format!("delete {}", listed(table, &names));
    let danger = if table.severe { Danger::Severe { action, names } } else { Danger::Moderate { action } };
    ctx.confirm(danger).await?;
    let alone = selectors.len() * (found.len() + failed.len()) == 1;
    let (asked, selectors, of) = (&which.asked("delete"), &selectors, &of);
    let limit = ctx.settings.duration(Opt::Timeout);
    let gathered = ctx
        .operate_at(found.into_iter().map(|(target, _)| target).collect(), failed, |target| async move {
            let table = which.of(&target, asked)?;
            let shelf = shelf(&target, table, of.of.as_ref());
            let mut verdicts = Vec::new();
            for selector in selectors {
                let gone = async { resources(&target, asked)?.delete(&shelf, selector).await?.wait().await };
                verdicts.push((selector.text().to_owned(), bounded(gone, limit).await));
            }
            Ok(verdicts)
        })
        .await;
    let Gathered { done, mut failed } = gathered;
    let mut gone: Vec<At<Changed>> = Vec::new();
    for (target, verdicts) in done {
        let table = which.of(&target, asked)?;
        for (name, verdict) in verdicts {
            match verdict {
                Ok(()) => {
                    ctx.out.done(&format!("deleted {} of `{}`", called(table, &name), target.full));
                    let action = "delete".to_owned();
                    gone.push(at(&target, Changed { name, action, changed: true, state: None, operation_id: None }));
                }
                Err(error) => failed.push(error.at(target.provider.driver().id, &*target.full)),
            }
        }
    }
    if ctx.out.is_structured() {
        match gone.as_slice() {
            [row] if alone => ctx.out.one(row, GONE)?,
            [] => {}
            rows => ctx.out.list(rows, GONE, &ListOptions::default())?,
        }
    }
    finish(failed, gone.len())
}

/// The rows that are named; a table of one row needs no name.
fn named(rows: &AnyRowsArgs, table: Option<&'static Table>) -> Result<Vec<Selector>> {
    let selectors = rows.selectors();
    match table {
        Some(table) if selectors.is_empty() && table.key == "none" => Ok(vec![Selector::Auto(String::new())]),
        Some(table) if selectors.is_empty() => {
            Err(Error::usage(format!("which {} is meant?", table.one)).hint("name it, or give its key"))
        }
        _ => Ok(selectors),
    }
}

fn listed(table: &Table, names: &[String]) -> String {
    match names {
        [] => format!("`{}`", table.name),
        names => format!("{} `{}`", table.one, names.join("`, `")),
    }
}

/// Waits for what was begun at a row, within `--timeout` from its beginning on.
async fn drive(
    ctx: &Ctx,
    target: &Target,
    table: &Table,
    verb: &str,
    name: &str,
    wait: WaitArgs,
    begun: impl Future<Output = Result<Operation<Record>>>,
) -> Result<Driven<Record>> {
    let what = format!("{} {} of `{}`", verb.replace('-', " "), called(table, name), target.full);
    let operation = bounded(begun, ctx.settings.duration(Opt::Timeout)).await?;
    let resume = format!("esker vm resource {} show {name}", table.name);
    ctx.drive(target, &what, &resume, !wait.no_wait, operation).await
}

/// Tells what became of every row.
fn report(
    ctx: &Ctx,
    which: &Which,
    asked: &str,
    verb: &str,
    done: &str,
    gathered: Gathered<Verdicts>,
) -> anyhow::Result<Outcome> {
    let Gathered { done: answers, mut failed } = gathered;
    let mut rows = Vec::new();
    let alone = answers.iter().map(|(_, verdicts)| verdicts.len()).sum::<usize>() + failed.len() == 1;
    for (target, verdicts) in answers {
        let table = which.of(&target, asked)?;
        for (name, verdict) in verdicts {
            match verdict {
                Ok(Driven::Done(id, record)) => {
                    let name = record.name.clone().unwrap_or(name);
                    let key = if name.is_empty() && !record.key.0.is_empty() { record.key.0.clone() } else { name };
                    ctx.out.done(&format!("{done} {} of `{}`", called(table, &key), target.full));
                    let operation_id = id.map(|id| id.0);
                    rows.push(at(&target, RecordDone { action: verb.to_owned(), operation_id, record }));
                }
                Ok(Driven::Left(id)) => ctx.left(&target, id)?,
                Err(error) => failed.push(error.at(target.provider.driver().id, &*target.full)),
            }
        }
    }
    tell(ctx, &rows, alone, failed)
}
