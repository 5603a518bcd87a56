//! Requests to the server.

use super::{DRIVER, errors};
use crate::provider::raw::next_offset;
use crate::provider::web::{self, System};
use serde_json::Value;

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
    next_page,
};

/// Of the lists only one has pages, of 50 rows where nothing is said (section 2.3).
fn next_page(path: &str, answer: &Value) -> Option<String> {
    let usual = path.starts_with("/api/audit-logs").then_some(50);
    next_offset(path, answer, usual)
}
