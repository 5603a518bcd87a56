//! Containers (section 3.2).

use super::or_default;
use crate::model::Extra;
use serde::{Deserialize, Serialize};

/// A container, or an agent in a list of containers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Container {
    /// The Docker id (64 hexadecimal digits); the database's while there is none yet; `agent:UUID` for an agent.
    #[serde(default)]
    pub id: String,
    /// The database's id: the only one that never changes. Agents have none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub db_id: String,
    /// Its name, unique for its user.
    #[serde(default)]
    pub name: String,
    /// The image's key, or `custom:REFERENCE`.
    #[serde(default)]
    pub image: String,
    /// `creating`, `configuring`, `running`, `stopped`, …
    #[serde(default)]
    pub status: String,
    /// What it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// All else.
    #[serde(flatten)]
    pub rest: Extra,
}

/// What a container has; in a request, what it is to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Resources {
    /// Memory, in MiB.
    #[serde(default)]
    pub memory_mb: u64,
    /// Thousandths of a processor.
    #[serde(default)]
    pub cpu_shares: u64,
    /// Disk, in MiB.
    #[serde(default)]
    pub disk_mb: u64,
}

/// A list of containers: an object on the server, an array where the SDKs' authors expect one (section 6.2).
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Containers {
    /// What the server answers.
    Object {
        /// The containers, newest first.
        #[serde(default, deserialize_with = "or_default")]
        containers: Vec<Container>,
        /// How many there may be.
        limit: Option<u64>,
    },
    /// A bare array.
    Array(Vec<Container>),
}

impl Containers {
    /// The containers.
    pub fn into_items(self) -> Vec<Container> {
        match self {
            Self::Object { containers, .. } | Self::Array(containers) => containers,
        }
    }
}

/// `POST /api/containers`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Create {
    /// The image's key, or `custom`.
    #[serde(default)]
    pub image: String,
    /// The reference of a custom image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_image: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is installed: `barebone` is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Memory, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
    /// Thousandths of a processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_shares: Option<u64>,
    /// Disk, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_mb: Option<u64>,
    /// How its shell is set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
}

/// How the shell of a container is set up.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Shell {
    /// Whether zsh and its extensions are installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enhanced: Option<bool>,
    /// Whether terminals are sessions of tmux, which outlive a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_tmux: Option<bool>,
}

/// `PATCH /api/containers/ID/settings`: all four, since what is left out is lowered to the least (section 3.2).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Settings {
    /// The name, also when it stays.
    #[serde(default)]
    pub name: String,
    /// What it is to have.
    #[serde(flatten)]
    pub resources: Resources,
}
