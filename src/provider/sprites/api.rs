//! The documents of the wire, as section 2 of the reference has them: plain data.

mod exec;

pub use exec::*;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A sandbox (section 2.2). Unknown members are kept for `extra`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sprite {
    /// `sprite-<uuid>`.
    #[serde(default)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// `cold`, `warm` or `running`; may grow.
    #[serde(default)]
    pub status: String,
    /// Everything else.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// A service of a sandbox (section 2.7).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The program.
    #[serde(default)]
    pub cmd: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Its environment, beside the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// Where it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// Services that are started before it.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The port on which it answers to the sandbox's URL.
    #[serde(default)]
    pub http_port: Option<u16>,
    /// How it is now.
    #[serde(default)]
    pub state: ServiceState,
}

/// How a service is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServiceState {
    /// The service's name once more.
    #[serde(default)]
    pub name: String,
    /// `stopped`, `starting`, `running`, `stopping` or `failed`; may grow.
    #[serde(default)]
    pub status: String,
    /// Its main process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How often it was restarted after a crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_count: Option<u64>,
    /// When it is tried again, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_restart_at: Option<String>,
}

/// The body that makes a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewService {
    /// The program.
    pub cmd: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment, beside the default one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub env: BTreeMap<String, String>,
    /// Where it runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dir: Option<String>,
    /// Services that are started before it.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The port on which it answers to the sandbox's URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http_port: Option<u16>,
}

/// One line of the streams of services: what happened, or what was written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// `started`, `stdout`, `stderr`, `exit`, `error`, `stopping`, `stopped` or `complete`; may grow.
    #[serde(rename = "type")]
    pub kind: String,
    /// Unix time in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<f64>,
    /// What was written, or why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
}

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

/// A port that a program in a sandbox opened or closed (section 2.10).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Port {
    /// The TCP port.
    pub port: u16,
    /// The address it listens on.
    #[serde(default)]
    pub address: String,
    /// Who listens.
    #[serde(default)]
    pub pid: Option<u32>,
}
