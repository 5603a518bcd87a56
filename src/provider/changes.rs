//! Changes: the server's operations and their history.

use crate::error::Result;
use crate::model::{Change, OperationId};
use crate::operation::Operation;
use async_trait::async_trait;

/// Which changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Select {
    /// Those that still run.
    InProgress,
    /// Those that came to an end.
    Ready,
    /// All that are kept.
    #[default]
    All,
}

/// Changes of a place.
#[async_trait]
pub trait Changes: Send + Sync {
    /// The changes, oldest first; only those that touch `service`, if it is given.
    async fn list(&self, select: Select, service: Option<&str>) -> Result<Vec<Change>>;

    /// One change. Unknown is `NotFound`.
    async fn get(&self, id: &OperationId) -> Result<Change>;

    /// Waits until it comes to its end; the result is the change, also if it failed. Survives a restart of the
    /// server where the change does.
    async fn wait(&self, id: &OperationId) -> Result<Operation<Change>>;

    /// Asks the server to abort it; the change as it is then. One that came to its end already is `Conflict`.
    async fn abort(&self, id: &OperationId) -> Result<Change>;
}
