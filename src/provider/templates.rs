//! Machines from files, and files from machines.

use super::Vars;
use super::machines::{Row, Selector};
use crate::error::Result;
use crate::model::{MachinePlan, Planned};
use async_trait::async_trait;

/// A machine as a file describes it: checked, in the provider's own form.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its name.
    pub name: String,
    /// All of it.
    pub document: Row,
}

/// Files that describe machines.
#[async_trait]
pub trait Templates: Send + Sync {
    /// Reads a file: variables are filled in, then `set` is laid over it, then every name and value is checked. Nothing
    /// is sent. Mistakes are `Rejected`, with the path to the field.
    fn read(&self, text: &str, set: &[(String, String)], vars: Vars<'_>) -> Result<Vec<Described>>;

    /// What would be done to get there.
    async fn plan(&self, described: &Described) -> Result<MachinePlan>;

    /// Does it. What cannot be done takes back a machine that was made for it; of one that was there before the error
    /// says what was changed already.
    async fn apply(&self, described: &Described, plan: MachinePlan) -> Result<Planned>;

    /// A machine that is there, as such a file.
    async fn export(&self, which: &Selector) -> Result<Row>;
}
