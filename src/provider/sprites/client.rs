//! Requests to the API.

use super::{DRIVER, errors};
use crate::model::Name;
use crate::provider::raw::with_parameter;
use crate::provider::web::{self, System};
use crate::transport::query::segment;
use serde_json::Value;

pub(super) use crate::provider::web::Client;

/// What this API does in its own way.
pub(super) static SYSTEM: System = System {
    id: DRIVER.id,
    name: "the Sprites API",
    variable: "SPRITES_ENDPOINT",
    root: "",
    read: errors::read,
    is_open: web::is_open,
    refused: "is it current, and of the right organization?",
    distrusted: None,
    has_pages: false,
    subprotocol: None,
    is_touchy: false,
    next_page,
};

/// The token of the next page stands beside the list (section 3.1).
fn next_page(path: &str, answer: &Value) -> Option<String> {
    let token = answer.get("next_continuation_token")?.as_str().filter(|token| !token.is_empty())?;
    let has_more = answer.get("has_more").is_none_or(|more| more == true);
    has_more.then(|| with_parameter(path, "continuation_token", token))
}

/// The path of a sandbox, and of what is below it.
pub(super) fn path(name: &Name, rest: &str) -> String {
    format!("/v1/sprites/{}{rest}", segment(name.0.as_bytes()))
}
