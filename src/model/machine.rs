//! Machines (sandboxes, containers, virtual machines) and their checkpoints.

use super::{CheckpointId, Extra, Key, Row, Time, nothing};
use schemars::JsonSchema;
use serde::Serialize;

/// A sandbox, a container or a virtual machine.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// The provider's own key.
    pub key: Key,
    /// `running`, `stopped`, …; may grow.
    pub state: String,
    /// The image or system it runs.
    pub image: Option<String>,
    /// When it was made.
    pub created_at: Option<Time>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Machine {
    const NOUN: &'static str = "machines";
    fn id(&self) -> String {
        self.name.clone()
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
