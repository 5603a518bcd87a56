//! Every table of the system, through one set of verbs.

mod act;
mod find;
mod guard;
mod plug;
mod schema;
mod values;
mod write;

use super::api::text;
use super::client::Client;
use super::filter;
use super::rows::Select;
use super::tables::{self, Def};
use crate::error::{Error, Result};
use crate::model::{Key, Record};
use crate::operation::Operation;
use crate::provider::machines::{Row, Selector};
use crate::provider::resources::{Fields, Resources, RowQuery, Shelf, Table, TableAction};
use crate::stream::Items;
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::Value;
use std::collections::HashSet;

/// The tables of one system. Cheap to clone.
#[derive(Clone)]
pub(super) struct VergeResources(pub(super) Client);

impl VergeResources {
    /// A key as it stands in bodies: a number where it is one.
    pub(super) fn number(key: &str) -> Value {
        find::number(key)
    }

    /// The data behind a table.
    fn def(table: &'static Table) -> &'static Def {
        tables::known(table.name)
    }

    /// What a row of a shelf must meet beside everything else: whom it belongs to.
    async fn held(&self, def: &'static Def, shelf: &Shelf) -> Result<Option<Held>> {
        let (of, machine) = (shelf.of.as_deref(), shelf.machine.as_ref());
        let Some(holder) = def.holder else {
            return match (of, machine) {
                (None, None) => Ok(None),
                _ => Err(Error::usage(format!("a {} belongs to nothing else", def.table.one))
                    .hint("leave --of out, and name the endpoint alone")),
            };
        };
        let name = match (of, machine) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(Error::usage("what it belongs to is named twice, by --of and by the target"));
            }
            (Some(of), None) => of,
            (None, Some(_)) if !def.table.of_machine => {
                return Err(
                    Error::usage(format!("a {} belongs to no machine", def.table.one)).hint("name the endpoint alone")
                );
            }
            (None, Some(machine)) => &machine.0,
        };
        self.holder(def, holder, name).await.map(Some)
    }

    fn record(def: &Def, row: Row) -> Record {
        let key = row.get("$key").or_else(|| row.get("id")).and_then(text).unwrap_or_default();
        let name = row.get(def.table.label).and_then(text);
        Record { table: def.name().to_owned(), key: Key(key), name, fields: row, ..Record::default() }
    }

    /// What is asked for: the default projection, or these fields, with the key and the name in any case.
    fn projection(def: &Def, fields: &[String]) -> String {
        if fields.is_empty() {
            return def.fields.to_owned();
        }
        // A bare name that the projection knows as an alias means what it stands for there.
        let meant = |field: &String| {
            let alias =
                def.projected().find(|entry| entry.rsplit_once(" as ").is_some_and(|(_, alias)| alias == field));
            alias.map_or_else(|| field.clone(), str::to_owned)
        };
        let mut wanted: Vec<String> = vec!["$key".to_owned()];
        wanted.extend((!def.table.label.is_empty()).then(|| def.table.label.to_owned()));
        for field in fields.iter().map(meant) {
            if !wanted.contains(&field) {
                wanted.push(field);
            }
        }
        wanted.join(",")
    }

    /// The traversals behind the aliases of a projection: bare, many of those names are there and always null.
    pub(super) fn live(def: &'static Def) -> Vec<(&'static str, &'static str)> {
        let plain =
            |path: &str| path.contains('#') && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"_#$".contains(&b));
        let aliases = def.projected().filter_map(|entry| entry.rsplit_once(" as "));
        aliases.filter(|(path, _)| plain(path)).map(|(path, alias)| (alias, path)).collect()
    }

    fn order(def: &'static Def, query: &RowQuery) -> String {
        let Some((column, descends)) = &query.sort else {
            let sort = if !def.sort.is_empty() {
                def.sort.to_owned()
            } else if def.projected().any(|entry| entry == "timestamp") {
                // What is written down as it happens is read from its end.
                "-timestamp".to_owned()
            } else if def.table.label.is_empty() {
                return "+$key".to_owned();
            } else {
                format!("+{}", def.table.label)
            };
            // Without a last resort rows of one name could change places between two pages.
            return format!("{sort},$key");
        };
        let live = Self::live(def);
        let column = live.iter().find(|(alias, _)| alias == column).map_or(column.as_str(), |(_, path)| path);
        format!("{}{column},$key", if *descends { '-' } else { '+' })
    }
}

/// Whom rows belong to.
struct Held {
    column: &'static str,
    /// What stands in the column.
    value: Value,
    filter: String,
    /// Its name, for messages.
    name: String,
    /// The key of the machine that they belong to, if it runs and parts can be plugged into it.
    running: Option<String>,
}

#[async_trait]
impl Resources for VergeResources {
    fn tables(&self) -> Vec<&'static Table> {
        tables::all().map(|def| &def.table).collect()
    }

    async fn list(&self, shelf: &Shelf, query: RowQuery) -> Result<Items<Record>> {
        let def = Self::def(shelf.table);
        let typed = query.filter.as_deref().map(|typed| filter::prepare(typed, &Self::live(def), self.0.notes()));
        let typed = typed.transpose()?.unwrap_or_default();
        let held = self.held(def, shelf).await?;
        let only = if query.everything { "" } else { def.only };
        let conditions = [held.map(|held| held.filter).unwrap_or_default(), only.to_owned(), typed];
        let mut select = Select::new(def.name(), &Self::projection(def, &query.fields));
        select.filter = filter::all(conditions);
        let usual = (def.limit > 0).then_some(def.limit);
        select.limit = query.limit.or(usual);
        if !def.is_single() {
            select = select.sort(Self::order(def, &query));
        }
        if let (None, Some(limit)) = (query.limit, usual) {
            self.0.notes().info(format!("the newest {limit} are shown; --limit shows more"));
        }
        let rows: Items<Row> = self.0.pages(&format!("list {}", def.name()), select);
        let mut seen = HashSet::new();
        let records = rows.map_ok(move |row| Self::record(def, row));
        // What moved from one page to the next while they were read comes twice.
        let once = records
            .try_filter(move |record| std::future::ready(record.key.0.is_empty() || seen.insert(record.key.clone())));
        Ok(once.boxed())
    }

    async fn find(&self, shelf: &Shelf, which: &Selector, fields: &[String]) -> Result<Record> {
        let def = Self::def(shelf.table);
        let held = self.held(def, shelf).await?;
        self.look_up(def, which, held.map(|held| held.filter), &Self::projection(def, fields)).await
    }

    async fn create(&self, shelf: &Shelf, fields: Fields) -> Result<Operation<Record>> {
        self.make(shelf, fields).await
    }

    async fn update(&self, shelf: &Shelf, which: &Selector, fields: Fields) -> Result<Operation<Record>> {
        self.alter(shelf, which, fields).await
    }

    async fn delete(&self, shelf: &Shelf, which: &Selector) -> Result<Operation<()>> {
        self.remove(shelf, which).await
    }

    async fn act(
        &self,
        shelf: &Shelf,
        which: Option<&Selector>,
        action: &'static TableAction,
        params: Fields,
    ) -> Result<Operation<Record>> {
        self.perform(shelf, which, action, params).await
    }

    async fn schema(&self, table: &'static Table) -> Result<Value> {
        self.described(Self::def(table)).await
    }
}
