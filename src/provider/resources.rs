//! Tables of resources beside the machines: what a system has more of than any command could name one by one.
//!
//! The tables are data of the provider; the commands know only this.

use super::machines::{Row, Selector};
use super::{Feature, Need, Needs};
use crate::error::Result;
use crate::model::{Heading, Name, Record, Unit};
use crate::operation::Operation;
use crate::stream::Items;
use async_trait::async_trait;
use serde_json::Value;

/// A table of resources. Lists of words stand in one text, with blanks between them: a hundred tables cost a start
/// nothing then.
#[derive(Debug)]
pub struct Table {
    /// Its name on the wire.
    pub name: &'static str,
    /// What one row is called: "network".
    pub one: &'static str,
    /// What `vm NOUN` is about it, where people live: `network`. Empty if nothing is.
    pub noun: &'static str,
    /// The column that names a row; empty if none does.
    pub label: &'static str,
    /// The kind of its keys, in words: "number".
    pub key: &'static str,
    /// The columns that are shown, each `NAME` or `NAME:HEADER`; after a `|` those of `-o wide`.
    pub columns: &'static str,
    /// The table whose rows hold its rows; empty if none does.
    pub parent: &'static str,
    /// Whether its rows belong to a machine, so that a machine can be the target.
    pub of_machine: bool,
    /// Whether rows can only be looked at.
    pub read_only: bool,
    /// Whether what goes with a row is worth typing its name for.
    pub severe: bool,
    /// How a field is shown.
    pub unit: fn(&str) -> Unit,
    /// What can be done to a row.
    pub actions: &'static [TableAction],
}

impl Table {
    /// The action called `name`.
    pub fn action(&self, name: &str) -> Option<&'static TableAction> {
        self.actions.iter().find(|action| action.name == name || action.wire == name)
    }

    /// The columns that are shown.
    pub fn headings(&self) -> Vec<Heading> {
        let (usual, wide) = self.columns.split_once('|').unwrap_or((self.columns, ""));
        let heading = |word: &str, is_wide| {
            let (name, header) = word.split_once(':').unwrap_or((word, word));
            self.heading(name, header, is_wide)
        };
        let usual = usual.split_whitespace().map(|word| heading(word, false));
        usual.chain(wide.split_whitespace().map(|word| heading(word, true))).collect()
    }

    /// A column for a field that was asked for.
    pub fn heading(&self, field: &str, header: &str, is_wide: bool) -> Heading {
        let header = header.replace('_', " ").to_uppercase();
        Heading { key: field.to_owned(), header, is_wide, unit: (self.unit)(field) }
    }
}

/// What can be done to a row of a table.
#[derive(Debug)]
pub struct TableAction {
    /// Its name: `start`.
    pub name: &'static str,
    /// Its name on the wire: `poweron`.
    pub wire: &'static str,
    /// One line of help.
    pub summary: &'static str,
    /// The parameters it takes, with blanks between them; `*` takes any.
    pub params: &'static str,
    /// How much is lost by it.
    pub weight: Weight,
    /// Whether it is about the table as a whole instead of a row.
    pub of_table: bool,
}

/// How much is lost by an action (ux 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Nothing that cannot be had back at once.
    Mild,
    /// Something that is asked for.
    Moderate,
    /// What one must name.
    Severe,
}

/// Rows of a table: all of it, or those that belong to something.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// The table.
    pub table: &'static Table,
    /// The row of the parent table that holds them, by name or key.
    pub of: Option<String>,
    /// The machine that they belong to.
    pub machine: Option<Name>,
}

/// Which rows of a table.
#[derive(Clone, Debug, Default)]
pub struct RowQuery {
    /// The provider's own filter, passed through.
    pub filter: Option<String>,
    /// The fields to be asked for, in the provider's own words; none means those that are shown by default.
    pub fields: Vec<String>,
    /// The column to sort by, and whether it descends.
    pub sort: Option<(String, bool)>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Also what is left out by default, such as users of the system itself.
    pub everything: bool,
}

/// Fields of a row that are to be set.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// As typed: `NAME=VALUE`.
    pub typed: Vec<(String, String)>,
    /// From a file.
    pub row: Row,
    /// Whether names that nobody knows are sent all the same.
    pub unchecked: bool,
}

impl Fields {
    /// Whether nothing is to be set.
    pub fn is_empty(&self) -> bool {
        self.typed.is_empty() && self.row.is_empty()
    }
}

/// What `vm resource VERB` needs.
pub struct ResourceNeeds(pub String);

impl Needs for ResourceNeeds {
    fn needs(&self) -> Vec<Need> {
        vec![Need::new(Feature::Resources, &self.0)]
    }
}

/// Tables of resources.
#[async_trait]
pub trait Resources: Send + Sync {
    /// The tables, in the order in which they are shown.
    fn tables(&self) -> Vec<&'static Table>;

    /// The rows, page by page, in a stable order.
    async fn list(&self, shelf: &Shelf, query: RowQuery) -> Result<Items<Record>>;

    /// One row. Two matches are `Conflict`, none is `NotFound`.
    async fn find(&self, shelf: &Shelf, which: &Selector, fields: &[String]) -> Result<Record>;

    /// Makes a row. A field that nobody knows is `Usage` before anything is sent; one that the server dropped is warned
    /// about.
    async fn create(&self, shelf: &Shelf, fields: Fields) -> Result<Operation<Record>>;

    /// Changes a row, under the same rules.
    async fn update(&self, shelf: &Shelf, which: &Selector, fields: Fields) -> Result<Operation<Record>>;

    /// Deletes a row. Unknown is `NotFound`.
    async fn delete(&self, shelf: &Shelf, which: &Selector) -> Result<Operation<()>>;

    /// Does something to a row, or to the table where the action is about that. The answer is the row as it is then, or
    /// what the action itself answered.
    async fn act(
        &self,
        shelf: &Shelf,
        which: Option<&Selector>,
        action: &'static TableAction,
        params: Fields,
    ) -> Result<Operation<Record>>;

    /// How the system itself describes a table.
    async fn schema(&self, table: &'static Table) -> Result<Value>;
}
