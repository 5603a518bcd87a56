//! Requests to the server.

use super::{DRIVER, errors};
use crate::provider::web::{self, System};

pub(super) use crate::provider::web::Client;

/// What this server does in its own way.
pub(super) static SYSTEM: System = System {
    id: DRIVER.id,
    name: "a Rexec server",
    variable: "REXEC_URL",
    root: "",
    read: errors::read,
    is_open: web::is_open,
    refused: "is it current, and of this server?",
    distrusted: None,
    // The web client's, for every path (section 2.1).
    has_pages: true,
    // The token goes into a header beside it, not into the address (section 1.2).
    subprotocol: Some("rexec.v1"),
    is_touchy: false,
};
