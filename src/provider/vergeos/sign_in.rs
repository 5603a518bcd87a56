//! Sessions: a password is changed for a token that ends by itself, and can be ended (section 1.2).

use super::api::{Login, TOKENS};
use super::client::Client;
use super::credential::SESSION;
use crate::config::Secret;
use crate::error::{Effect, Error, Result};
use crate::provider::sign_in::OwnedVars;
use crate::provider::{SignIn, SignInBy};
use crate::transport::query::segment;
use crate::transport::{Method, Request};
use async_trait::async_trait;
use serde_json::Value;

/// Signs in to one system.
pub(super) struct VergeSignIn {
    pub(super) client: Client,
    /// That of the endpoint.
    pub(super) username: Option<String>,
}

#[async_trait]
impl SignIn for VergeSignIn {
    async fn sign_in(&self, by: SignInBy, _vars: OwnedVars<'_>) -> Result<(&'static str, Secret)> {
        let SignInBy::Password { username, password } = by else {
            return Err(Error::internal("a sign-in of another system"));
        };
        let login = username.or_else(|| self.username.clone()).ok_or_else(|| {
            Error::usage("whose password is it?").hint("set `username` of the endpoint, or pass --username")
        })?;
        if password.expose().is_empty() {
            return Err(Error::usage("the password is empty"));
        }
        let what = format!("sign in as `{login}`");
        let body = Login { login, password: password.expose().to_owned() };
        let answer = self.client.anonymous(&what, Request::post(TOKENS).json(&body)).await?;
        // The parser's own words could quote the token.
        let reply: Value = serde_json::from_slice(&answer)
            .map_err(|_| self.client.garbled(&what, "it is no JSON").effect(Effect::Unknown))?;
        let token = reply.get("$key").and_then(Value::as_str).filter(|token| !token.is_empty());
        let token =
            token.ok_or_else(|| self.client.garbled(&what, "there is no token in it").effect(Effect::Unknown))?;
        Ok((SESSION, Secret::new(token)))
    }

    async fn sign_out(&self, what: &str, secret: &Secret) -> Result<()> {
        if what != SESSION {
            return Ok(());
        }
        let path = format!("{TOKENS}/{}", segment(secret.expose().as_bytes()));
        // The path holds the session itself: it must not get into the trace.
        let request = Request::new(Method::DELETE, path);
        self.client.fetch("end the session", request).await.map(drop)
    }
}
