//! Port forwards (section 3.5).

use serde::{Deserialize, Serialize};

/// A forward that is asked for. The server demands the container although the path names it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ForwardRequest {
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// The container.
    #[serde(default)]
    pub container_id: String,
    /// The port in it.
    #[serde(default)]
    pub container_port: i64,
    /// A port here that means nothing to the server but must not repeat.
    #[serde(default)]
    pub local_port: i64,
}

/// A forward.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Forward {
    /// Its id, which is its only secret.
    pub id: String,
    /// The port in the container.
    #[serde(default)]
    pub container_port: i64,
    /// Whether it still serves.
    #[serde(default)]
    pub is_active: bool,
}
