//! Checkpoints and snapshots.

use crate::error::Result;
use crate::model::{Checkpoint, CheckpointId, Restored};
use crate::operation::Operation;
use async_trait::async_trait;
use std::time::Duration;

/// A checkpoint to be made.
#[derive(Clone, Debug)]
pub struct CheckpointSpec {
    /// What is written on it.
    pub comment: Option<String>,
    /// When it is deleted. Always said, also where the API has a silent default.
    pub expiry: Expiry,
}

/// Which checkpoints are listed.
#[derive(Clone, Debug, Default)]
pub struct CheckpointsQuery {
    /// Only those that came out of this one.
    pub history: Option<CheckpointId>,
    /// Also those that the provider made by itself.
    pub include_auto: bool,
}

/// When a checkpoint is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Never.
    Never,
    /// After this time.
    After(Duration),
    /// As the provider does by default; the answer says when.
    Provider,
}

/// Where a checkpoint is restored to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreTo {
    /// In place: the present state is lost.
    InPlace,
    /// As a new machine of this name.
    New(String),
}

/// Checkpoints of a place.
#[async_trait]
pub trait Checkpoints: Send + Sync {
    /// The checkpoints, newest first: what can be restored and deleted. The live state is none of them.
    async fn list(&self, query: &CheckpointsQuery) -> Result<Vec<Checkpoint>>;
    /// One checkpoint. Unknown is `NotFound`.
    async fn get(&self, id: &CheckpointId) -> Result<Checkpoint>;
    /// Makes one. The id may be known only at the end. Never repeated: whether one came of a request that failed is
    /// said by the error's effect.
    async fn create(&self, spec: CheckpointSpec) -> Result<Operation<Checkpoint>>;
    /// Goes back to one. Done once the machine can be used again. Unknown is `NotFound`, and nothing was changed.
    async fn restore(&self, id: &CheckpointId, to: RestoreTo) -> Result<Operation<Restored>>;
    /// Deletes one. Unknown is `NotFound`.
    async fn delete(&self, id: &CheckpointId) -> Result<()>;
}
