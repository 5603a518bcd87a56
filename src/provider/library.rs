//! What an account keeps beside its machines: snippets to run, and recordings of terminals.

use crate::error::Result;
use crate::model::{Recording, RecordingId, Snippet};
use crate::stream::ByteStream;
use async_trait::async_trait;

/// Snippets: small scripts with names.
#[async_trait]
pub trait Snippets: Send + Sync {
    /// All of them, in any order.
    async fn list(&self) -> Result<Vec<Snippet>>;
    /// Tells the system that one was used.
    async fn used(&self, id: &str) -> Result<()>;
}

/// Recordings of terminals.
#[async_trait]
pub trait Recordings: Send + Sync {
    /// All of them, in any order.
    async fn list(&self) -> Result<Vec<Recording>>;
    /// One; unknown is `NotFound`.
    async fn get(&self, id: &RecordingId) -> Result<Recording>;
    /// Its content as asciicast v2, which players read.
    async fn export(&self, id: &RecordingId) -> Result<ByteStream>;
}
