//! Machines, and tables of resources beside them.

use crate::error::Result;
use crate::model::{Key, Machine};
use crate::operation::Operation;
use crate::stream::Items;
use async_trait::async_trait;

/// A power state to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Running.
    On,
    /// Stopped in an orderly way.
    Off,
    /// Stopped at once.
    Kill,
    /// Stopped and started.
    Restart,
    /// Restarted at once.
    Reset,
}

/// How a machine is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// By name or key, whichever fits; two matches are `Conflict`.
    Auto(String),
    /// By name.
    Name(String),
    /// By key.
    Key(Key),
}

/// Which machines.
#[derive(Clone, Debug, Default)]
pub struct MachineQuery {
    /// Those in this state.
    pub state: Option<String>,
    /// Those with these labels.
    pub labels: Vec<(String, String)>,
    /// The provider's own filter, passed through.
    pub filter: Option<String>,
    /// At most so many.
    pub limit: Option<u64>,
}

/// A field of a machine or row, as the wire names it.
pub type Row = serde_json::Map<String, serde_json::Value>;

/// The machines of an endpoint.
#[async_trait]
pub trait Machines: Send + Sync {
    /// The machines, page by page.
    fn list(&self, query: MachineQuery) -> Items<Machine>;
    /// One machine. Two matches are `Conflict`.
    async fn find(&self, which: &Selector) -> Result<Machine>;
    /// Makes one.
    async fn create(&self, name: &str, fields: Row) -> Result<Operation<Machine>>;
    /// Changes one.
    async fn update(&self, key: &Key, fields: Row) -> Result<Operation<Machine>>;
    /// Brings it to a power state; one that is there already is success.
    async fn power(&self, key: &Key, to: Power) -> Result<Operation<Machine>>;
    /// Deletes one.
    async fn delete(&self, key: &Key) -> Result<Operation<()>>;
}

/// A table of resources: data, so that a hundred of them are no code.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The kind of its keys, in words.
    pub key: &'static str,
    /// The columns that are shown by default.
    pub columns: &'static [&'static str],
    /// The table whose rows hold its rows.
    pub parent: Option<&'static str>,
    /// What can be done to a row.
    pub actions: &'static [TableAction],
}

/// What can be done to a row of a table.
#[derive(Debug)]
pub struct TableAction {
    /// Its name.
    pub name: &'static str,
    /// One line of help.
    pub summary: &'static str,
}

/// Tables of resources beside the machines.
#[async_trait]
pub trait Resources: Send + Sync {
    /// The tables.
    fn tables(&self) -> &'static [Table];
    /// The rows of a table.
    fn list(&self, table: &'static Table, query: MachineQuery) -> Items<Row>;
    /// One row by key or name.
    async fn find(&self, table: &'static Table, which: &Selector) -> Result<Row>;
    /// Makes a row.
    async fn create(&self, table: &'static Table, fields: Row) -> Result<Operation<Row>>;
    /// Changes a row.
    async fn update(&self, table: &'static Table, key: &Key, fields: Row) -> Result<Operation<Row>>;
    /// Deletes a row.
    async fn delete(&self, table: &'static Table, key: &Key) -> Result<Operation<()>>;
    /// Does something to a row.
    async fn act(
        &self,
        table: &'static Table,
        key: &Key,
        action: &'static TableAction,
        params: Row,
    ) -> Result<Operation<Row>>;
}
