//! Services of a sandbox (section 2.7).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
