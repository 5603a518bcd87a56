//! The documents of the wire, as section 2 of the reference has them: plain data.

use serde::{Deserialize, Serialize};

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
