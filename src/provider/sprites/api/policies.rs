//! The policies of a sandbox (section 2.8).

use serde::{Deserialize, Serialize};

/// The network policy (section 2.8): parsed strictly by the server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NetworkPolicy {
    /// Its rules; none means no restriction.
    #[serde(default)]
    pub rules: Vec<NetworkRule>,
}

/// A rule: a domain with an action, or a named set of rules.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NetworkRule {
    /// A host, `*.` and a host, or `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// `allow` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// A named set, such as `defaults`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<String>,
}

/// The privileges policy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrivilegesPolicy {
    /// Empty, `minimal`, `standard` or `privileged`.
    #[serde(default)]
    pub profile: String,
    /// Devices that may be used.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Whether programs can gain no more privileges than they start with.
    #[serde(default)]
    pub no_new_privileges: bool,
}

/// The resources policy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ResourcesPolicy {
    /// Memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryPolicy>,
}

/// How much memory a sandbox has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MemoryPolicy {
    /// The limit, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_mb: Option<u64>,
    /// Whether it grows by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscale: Option<bool>,
}
