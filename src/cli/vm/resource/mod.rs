//! `vm resource`: every table of a system through one set of verbs, and the nouns that stand for some of them.

pub mod args;
pub mod change;
pub mod list;
pub mod nouns;
pub mod show;
pub mod tables;

use crate::cli::Outcome;
use crate::cli::over::{Gathered, at, finish};
use crate::cli::tree::{Node, talk};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, Record, RecordDone};
use crate::output::{Cell, Column, ListOptions};
use crate::provider::Feature;
use crate::provider::feature::unsupported;
use crate::provider::resources::{ResourceNeeds, Resources, Shelf, Table};
use crate::resolve::Target;
use crate::suggest::nearest;
use args::ResourceArgs;

/// The command for what has no noun.
pub(super) const RESOURCE: Node =
    talk!("resource", ResourceArgs, run, "Everything else that a system has: tables, their rows and actions");

/// Which table a command is about.
#[derive(Clone, Debug)]
pub enum Which {
    /// By its own name: `vm resource NAME`.
    Named(String),
    /// By what people call its rows: `vm NOUN`.
    Noun(&'static str),
}

impl Which {
    /// How the command was called: "vm network list".
    fn asked(&self, verb: &str) -> String {
        match self {
            Self::Named(table) => format!("vm resource {table} {verb}"),
            Self::Noun(noun) => format!("vm {noun} {verb}"),
        }
    }

    /// The table of a provider that is meant.
    fn of(&self, target: &Target, asked: &str) -> Result<&'static Table> {
        let tables = resources(target, asked)?.tables();
        let found = tables.iter().find(|table| match self {
            Self::Named(name) => table.name == name,
            Self::Noun(noun) => table.noun == *noun,
        });
        found.copied().ok_or_else(|| match self {
            Self::Noun(_) => unsupported(target.provider.driver(), Feature::Resources, asked),
            Self::Named(name) => {
                let names = tables.iter().map(|table| table.name);
                let error = Error::usage(format!("no table `{name}`"));
                error.hint(match nearest(name, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`esker vm resource list` shows all".to_owned(),
                })
            }
        })
    }
}

/// The tables of a target's endpoint.
fn resources<'a>(target: &'a Target, asked: &str) -> Result<&'a dyn Resources> {
    target.provider.resources().ok_or_else(|| unsupported(target.provider.driver(), Feature::Resources, asked))
}

/// The part of a table that a command is about.
fn shelf(target: &Target, table: &'static Table, of: Option<&String>) -> Shelf {
    Shelf { table, of: of.cloned(), machine: target.address.name.clone() }
}

/// The targets of a command, all of which have the table: it is looked for before anything is asked.
async fn targets(ctx: &Ctx, which: &Which, verb: &str) -> Result<(Vec<(Target, &'static Table)>, Vec<Error>)> {
    let asked = which.asked(verb);
    let (targets, failed) = ctx.targets(&ResourceNeeds(asked.clone())).await?;
    let tables = targets.into_iter().map(|target| {
        let table = which.of(&target, &asked).map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
        Ok((target, table))
    });
    Ok((tables.collect::<Result<_>>()?, failed))
}

/// Runs `vm resource`.
pub async fn run(ctx: &Ctx, args: ResourceArgs) -> anyhow::Result<Outcome> {
    let ResourceArgs { table, verb, which, of, rows, fields, wait } = args;
    match (table.as_str(), verb.as_deref()) {
        ("list", None) => return tables::list(ctx).await,
        ("schema", Some(table)) => return tables::schema(ctx, &Which::Named(table.to_owned())).await,
        _ => {}
    }
    let table = Which::Named(table);
    let verb = verb.ok_or_else(|| {
        let Which::Named(name) = &table else { return Error::internal("a table without a name") };
        Error::usage(format!("what is to be done with `{name}`?")).hint(
            "say list, show, create, update, delete, schema or an action; `esker vm resource list` shows the tables",
        )
    })?;
    if ctx.out.watches() && !matches!(verb.as_str(), "list" | "ls") {
        return Err(Error::usage(format!("--watch is for `list`, not for `{verb}`")).into());
    }
    match verb.as_str() {
        "list" | "ls" | "schema" if !which.is_empty() => {
            Err(Error::usage(format!("`{verb}` is about a whole table and takes no name"))
                .hint("`show NAME` shows a row, and `list --of NAME` lists those of another")
                .into())
        }
        "list" | "ls" => list::run(ctx, &table, of, rows).await,
        "show" => show::run(ctx, &table, of, which, rows.field).await,
        "create" => change::create(ctx, &table, of, which, fields, wait).await,
        "update" => change::update(ctx, &table, of, which, fields, wait).await,
        "delete" | "rm" => change::delete(ctx, &table, of, which).await,
        "schema" => tables::schema(ctx, &table).await,
        action => change::act(ctx, &table, action, of, which, fields, wait).await,
    }
}

/// The columns of what was done.
const DONE: &[Column<RecordDone>] = &[
    Column::new("KEY", "key", |r: &RecordDone| Cell::text(&r.record.key.0)),
    Column::new("NAME", "name", |r: &RecordDone| Cell::maybe(r.record.name.as_deref())),
    Column::new("ACTION", "action", |r: &RecordDone| Cell::text(&r.action)),
    Column::new("OPERATION", "operation_id", |r: &RecordDone| Cell::maybe(r.operation_id.as_deref())),
];

/// How a row is called in sentences: "network `Internal`".
fn called(table: &Table, name: &str) -> String {
    if name.is_empty() { table.one.to_owned() } else { format!("{} `{name}`", table.one) }
}

/// Prints what was done: for people a sentence was said already, and what was answered beside it follows; for
/// programs the rows, one alone as an object (ux 4.9).
fn tell(ctx: &Ctx, rows: &[At<RecordDone>], alone: bool, failed: Vec<Error>) -> anyhow::Result<Outcome> {
    if ctx.out.is_structured() {
        match rows {
            [row] if alone => ctx.out.one(row, DONE)?,
            [] => {}
            rows => ctx.out.list(rows, DONE, &ListOptions::default())?,
        }
    } else {
        for row in rows.iter().filter(|row| !row.value.record.answer.is_empty()) {
            let Record { key, answer, .. } = row.value.record.clone();
            let answer = Record { key, fields: answer, ..Record::default() };
            ctx.out.record(&At { provider: row.provider, target: row.target.clone(), value: answer }, &[])?;
        }
    }
    finish(failed, rows.len())
}

/// The rows of every target, each with its place.
fn placed<T>(gathered: Gathered<Vec<T>>) -> (Vec<At<T>>, Gathered<()>) {
    let mut all = Vec::new();
    let mut done = Vec::new();
    for (target, rows) in gathered.done {
        all.extend(rows.into_iter().map(|row| at(&target, row)));
        done.push((target, ()));
    }
    (all, Gathered { done, failed: gathered.failed })
}
