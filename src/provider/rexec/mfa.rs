//! The second factor of a locked terminal (section 1.5): asked for each time, and never passed by.

use super::client::Client;
use crate::config::Secret;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::Ask;
use crate::transport::Request;
use crate::transport::query::segment;
use serde_json::json;

/// Where the code comes from.
#[derive(Clone, Default)]
pub(super) struct Gate(pub(super) Ask);

impl Gate {
    /// Has the server check a code for the container with this id. It keeps no record of that, so it is for us to ask.
    pub(super) async fn pass(&self, client: &Client, id: &str, full: &str) -> Result<()> {
        let what = format!("verify the second factor for `{full}`");
        let code: Secret = self.0.secret(format!("MFA code for `{full}`")).await.map_err(|error| {
            let why = error.to_string();
            Error::auth(format!("the terminal of `{full}` is locked and wants a second factor"))
                .cause(why)
                .hint("run this on a terminal, which asks for the code")
        })?;
        let path = format!("/api/security/terminal/{}/mfa-verify", segment(id.as_bytes()));
        let request = Request::post(path).json(&json!({ "code": code.expose().trim() }));
        let verified = client.fetch(&what, request).await.map(drop);
        // The token is not what was refused.
        verified.map_err(|error| match error.kind() {
            ErrorKind::Auth => error.hint("run it again with a code that is shown now"),
            _ => error,
        })
    }
}
