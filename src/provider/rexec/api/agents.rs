//! Agents: remote machines whose terminals the server passes on (section 3.10).

use crate::model::Extra;
use serde::{Deserialize, Serialize};

/// A registered agent.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Agent {
    /// Its UUID, without `agent:`.
    #[serde(default)]
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `online` or `offline`.
    #[serde(default)]
    pub status: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Extra,
}
