//! Machines (sandboxes, containers, virtual machines) and their checkpoints.

use super::{CheckpointId, Extra, Key, Row, Time, nothing};
use schemars::JsonSchema;
use serde::Serialize;

/// A sandbox, a container or a virtual machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// The provider's own key, by which its wire addresses the machine.
    pub key: Key,
    /// `running`, `stopped`, `warm`, …; may grow.
    pub status: String,
    /// The labels or tags that it bears.
    pub labels: Vec<String>,
    /// Where it can be reached from outside.
    pub url: Option<String>,
    /// The image or system it runs.
    pub image: Option<String>,
    /// Where it is.
    pub region: Option<String>,
    /// How many processors it has; a container may have a part of one.
    pub cpus: Option<f64>,
    /// How much memory it has.
    pub memory_bytes: Option<u64>,
    /// How much disk it has.
    pub disk_bytes: Option<u64>,
    /// When it was made.
    pub created_at: Option<Time>,
    /// When it was last at work.
    pub last_active_at: Option<Time>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Machine {
    const NOUN: &'static str = "machines";
    const IS_TARGET: bool = true;
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// A machine after something was done to it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MachineDone {
    /// What was done: `create`, `restart`, …
    pub action: String,
    /// The operation that did it; null where the system has none.
    pub operation_id: Option<String>,
    /// The machine as it is now.
    #[serde(flatten)]
    pub machine: Machine,
}

impl Row for MachineDone {
    const NOUN: &'static str = "machines";
    const IS_TARGET: bool = true;
    fn id(&self) -> String {
        self.machine.name.clone()
    }
}

/// What `--watch` tells of a machine.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MachineSeen {
    /// `present` when the watch began, `added`, `changed` or `deleted`; may grow.
    pub change: String,
    /// The machine; one that was deleted as it was last.
    #[serde(flatten)]
    pub machine: Machine,
}

/// A difference between a machine as it is and as a file describes it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// What differs: `ram`, `drives[data].disksize`.
    pub field: String,
    /// How it is; null if it is not there.
    pub from: serde_json::Value,
    /// How it is described.
    pub to: serde_json::Value,
}

/// What has to be done so that a machine is as a file describes it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MachinePlan {
    /// The machine.
    pub name: String,
    /// `create`, `update` or `none`.
    pub action: String,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// A machine that is as a file describes it.
pub type Planned = MachinePlan;

impl Row for MachinePlan {
    const NOUN: &'static str = "machines";
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// How a machine is.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MachineHealth {
    /// Whether it can be used.
    pub healthy: bool,
    /// What the provider says: `healthy`, `hibernated`, `unhealthy`, …; may grow.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// When that was found.
    pub checked_at: Option<Time>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for MachineHealth {
    const NOUN: &'static str = "machines";
    const IS_TARGET: bool = true;
    fn id(&self) -> String {
        self.status.clone()
    }
}

/// How busy a machine is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct MachineStats {
    /// How much of one processor it uses, in per cent.
    pub cpu_percent: Option<f64>,
    /// Memory in use.
    pub memory_bytes: Option<u64>,
    /// Memory that it may use.
    pub memory_limit_bytes: Option<u64>,
    /// Disk in use.
    pub disk_bytes: Option<u64>,
    /// Disk that it may use.
    pub disk_limit_bytes: Option<u64>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for MachineStats {
    const NOUN: &'static str = "machines";
    const IS_TARGET: bool = true;
    fn id(&self) -> String {
        self.cpu_percent.map_or_else(String::new, |percent| percent.to_string())
    }
}

/// Where a machine can be reached from outside, and by whom.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MachineUrl {
    /// The address.
    pub url: String,
    /// Who may use it, in the provider's word: `public`, `sprite`, …
    pub access: Option<String>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for MachineUrl {
    const NOUN: &'static str = "addresses";
    fn id(&self) -> String {
        self.url.clone()
    }
}

/// A state that can be gone back to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Checkpoint {
    /// Its id.
    pub id: CheckpointId,
    /// What its maker wrote on it.
    pub comment: Option<String>,
    /// When it was made.
    pub created_at: Option<Time>,
    /// When the provider will delete it; null means never or unknown.
    pub expires_at: Option<Time>,
    /// Whether the provider made it by itself.
    pub auto: bool,
    /// The checkpoint that its state came from.
    pub source_id: Option<CheckpointId>,
    /// The checkpoints that its state went through, oldest first; null if unknown.
    pub history: Option<Vec<CheckpointId>>,
    /// What the provider says of its state; null while nothing is wrong, or unknown.
    pub health: Option<String>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Checkpoint {
    const NOUN: &'static str = "checkpoints";
    fn id(&self) -> String {
        self.id.0.clone()
    }
}

/// What a restore led to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Restored {
    /// The checkpoint that was restored.
    pub checkpoint: CheckpointId,
    /// The machine that now has its state.
    pub machine: String,
}

impl Row for Restored {
    const NOUN: &'static str = "restores";
    fn id(&self) -> String {
        self.machine.clone()
    }
}

/// A rule of what a machine's programs may reach: a domain with an action, or a named set of rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NetworkRule {
    /// A host, `*.` and a host, or `*`.
    pub domain: Option<String>,
    /// `allow` or `deny`.
    pub action: Option<String>,
    /// A named set of the provider, such as `defaults`.
    pub include: Option<String>,
}

impl Row for NetworkRule {
    const NOUN: &'static str = "rules";
    fn id(&self) -> String {
        self.domain.clone().or_else(|| self.include.clone()).unwrap_or_default()
    }
}

/// What a machine's programs may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PrivilegesPolicy {
    /// `minimal`, `standard` or `privileged`; may grow; null is the provider's default.
    pub profile: Option<String>,
    /// Devices that may be used.
    pub devices: Vec<String>,
    /// Whether programs can gain no more privileges than they start with.
    pub no_new_privileges: bool,
}

impl Row for PrivilegesPolicy {
    const NOUN: &'static str = "policies";
    fn id(&self) -> String {
        self.profile.clone().unwrap_or_default()
    }
}

/// How much a machine has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ResourcesPolicy {
    /// The limit of its memory; null is the provider's default.
    pub memory_bytes: Option<u64>,
    /// Whether its memory grows by itself.
    pub memory_grows: Option<bool>,
}

impl Row for ResourcesPolicy {
    const NOUN: &'static str = "policies";
    fn id(&self) -> String {
        self.memory_bytes.map(|bytes| bytes.to_string()).unwrap_or_default()
    }
}

/// A TCP port that a program in a machine has open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Port {
    /// The port.
    pub port: u16,
    /// The address it listens on.
    pub address: String,
    /// Who listens.
    pub pid: Option<u32>,
}

impl Row for Port {
    const NOUN: &'static str = "ports";
    fn id(&self) -> String {
        self.port.to_string()
    }
}

/// A port of this machine that leads to one of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Forward {
    /// Where it listens here: an address and a port.
    pub local_address: String,
    /// The port here.
    pub local_port: u16,
    /// The host as the machine sees it; null is the machine itself.
    pub host: Option<String>,
    /// The port there.
    pub port: u16,
}

impl Row for Forward {
    const NOUN: &'static str = "forwards";
    fn id(&self) -> String {
        self.local_address.clone()
    }
}
