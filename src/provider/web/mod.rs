//! What the systems behind a web API have in common: a credential that is looked for when the first request needs it,
//! and requests whose refusals are mapped onto kinds and which are sent again where that is harmless.
//!
//! What differs from system to system is its [`System`] row and the `find` of its credential; a provider adds nothing
//! else between its capabilities and the transport.

mod caution;
mod client;
mod credential;
mod pace;
mod raw;
mod refusal;
#[cfg(test)]
mod tests;

pub use self::client::Client;
pub use self::credential::{Credential, Ready, secret_header, stored};
pub use self::refusal::{Refusal, text_of};

use crate::transport::HeaderMap;
use serde_json::Value;

/// What one system does in its own way.
pub struct System {
    /// The id of its driver.
    pub id: &'static str,
    /// What it is called in "is it …?".
    pub name: &'static str,
    /// The variable that an address comes from where none is configured.
    pub variable: &'static str,
    /// What stands before the paths of documents; whole requests bring their own.
    pub root: &'static str,
    /// Reads an answer with a status of 400 or more.
    pub read: fn(u16, &HeaderMap, &[u8]) -> Refusal,
    /// Whether nobody knows, after this refusal of a change, how far it came.
    pub is_open: fn(&Refusal) -> bool,
    /// What to look at when a credential was refused, after "… was refused: ".
    pub refused: &'static str,
    /// What to do where its certificate is not trusted.
    pub distrusted: Option<&'static str>,
    /// Whether it answers paths that it does not know with a web page and a 200.
    pub has_pages: bool,
    /// The subprotocol of its websockets.
    pub subprotocol: Option<&'static str>,
    /// Whether it locks accounts after failed sign-ins, and drops connections that come in bursts.
    pub is_touchy: bool,
    /// The path of the page after an answer to a path, if there is one.
    pub next_page: fn(&str, &Value) -> Option<String>,
}

/// After these statuses, and failures of its own, nobody knows how far a change came: the edge lost its way. A 503 says
/// that it never got through.
pub fn is_open(refusal: &Refusal) -> bool {
    refusal.kind == crate::error::ErrorKind::Failure || matches!(refusal.status(), 408 | 502 | 504)
}
