//! Requests to the API.

use super::{DRIVER, api, errors};
use crate::provider::raw::next_offset;
use crate::provider::web::{self, Refusal, System};
use std::ops::Deref;

/// What this API does in its own way.
static SYSTEM: System = System {
    id: DRIVER.id,
    name: "VergeOS",
    variable: "VERGE_HOST",
    root: api::TABLES,
    read: errors::read,
    is_open,
    refused: "check it before you try again, for a few more failures lock the account",
    distrusted: Some(
        "new systems sign their own certificate: set `ca_file` of the endpoint to it, or `fingerprint` to its SHA-256",
    ),
    has_pages: false,
    subprotocol: None,
    is_touchy: true,
    next_page: |path, answer| next_offset(path, answer, None),
};

/// The connections to one system. What reads its tables is in `rows`.
#[derive(Clone)]
pub(super) struct Client(web::Client);

impl Client {
    pub(super) fn new(http: crate::transport::Client, base: String, credential: web::Credential) -> Self {
        Self(web::Client::new(&SYSTEM, http, base, credential))
    }
}

impl Deref for Client {
    type Target = web::Client;

    fn deref(&self) -> &web::Client {
        &self.0
    }
}

/// After a 5xx nobody knows how far a change came; a full tier is told before.
fn is_open(refusal: &Refusal) -> bool {
    refusal.status() >= 500 && refusal.status() != 507
}
