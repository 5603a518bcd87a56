//! Who may do what.

use crate::error::Result;
use crate::model::Identity;
use async_trait::async_trait;

/// What is done with identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityAction {
    /// Add; one that exists is refused.
    Add,
    /// Update; one that does not exist is refused.
    Update,
    /// Add or update; null removes.
    Replace,
    /// Remove; one that does not exist is refused.
    Remove,
}

/// Identities of a place.
#[async_trait]
pub trait Identities: Send + Sync {
    /// The identities, sorted by name; secrets are masked.
    async fn list(&self) -> Result<Vec<Identity>>;

    /// Applies `document`, a map from name to identity (YAML or JSON text); all or nothing. The names it touched.
    async fn apply(&self, action: IdentityAction, document: &str) -> Result<Vec<String>>;
}
