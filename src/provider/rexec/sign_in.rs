//! A guest's token: the only one that the server gives without another service (section 1.4).

use super::client::Client;
use crate::config::Secret;
use crate::error::{Effect, Error, Result};
use crate::provider::sign_in::OwnedVars;
use crate::provider::{SignIn, SignInBy};
use crate::transport::{Request, nonce};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

/// Signs in to one server.
pub(super) struct RexecSignIn(pub(super) Client);

#[derive(Deserialize)]
struct Reply {
    token: String,
}

#[async_trait]
impl SignIn for RexecSignIn {
    async fn sign_in(&self, by: SignInBy, _vars: OwnedVars<'_>) -> Result<(&'static str, Secret)> {
        let SignInBy::Guest { username } = by else {
            return Err(Error::internal("a sign-in of another system"));
        };
        let username = username.unwrap_or_else(|| format!("esker-{}", &nonce()[..8]));
        let what = format!("get a guest's token as `{username}`");
        let request = Request::post("/api/auth/guest").json(&json!({ "username": username }));
        let answer = self.0.anonymous(&what, request).await?;
        // The parser's own words could quote the token.
        let reply: Reply = serde_json::from_slice(&answer)
            .map_err(|_| self.0.garbled(&what, "there is no token in it").effect(Effect::Unknown))?;
        Ok(("token", Secret::new(reply.token.trim())))
    }
}
