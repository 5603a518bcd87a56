//! What the programs of a machine may reach and use.

use crate::error::Result;
use crate::model::{NetworkRule, PrivilegesPolicy, ResourcesPolicy};
use async_trait::async_trait;

/// The policies of a machine. Setting one replaces it whole.
#[async_trait]
pub trait Policies: Send + Sync {
    /// The rules of what may be reached; none means no restriction.
    async fn network(&self) -> Result<Vec<NetworkRule>>;
    /// Replaces the rules. Connections that are forbidden now may be dropped.
    async fn set_network(&self, rules: &[NetworkRule]) -> Result<()>;
    /// What programs may do.
    async fn privileges(&self) -> Result<PrivilegesPolicy>;
    /// Replaces what programs may do; `None` goes back to the provider's default.
    async fn set_privileges(&self, policy: Option<&PrivilegesPolicy>) -> Result<()>;
    /// How much the machine has.
    async fn resources(&self) -> Result<ResourcesPolicy>;
    /// Replaces how much it has; `None` goes back to the provider's default.
    async fn set_resources(&self, policy: Option<&ResourcesPolicy>) -> Result<()>;
}
