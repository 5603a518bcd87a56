//! Ports that programs open (section 2.10).

use serde::{Deserialize, Serialize};

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
