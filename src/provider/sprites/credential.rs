//! The token of an endpoint, looked for when the first request needs it (section 1).

use super::DRIVER;
use crate::config::{EndpointConfig, Logins, Lookup};
use crate::error::{Error, Result};
use crate::provider::Env;
use crate::transport::HeaderValue;
use tokio::sync::OnceCell;

/// Where the token comes from, and the header that it makes. Found once, at the first request.
pub(super) struct Credential {
    endpoint: EndpointConfig,
    env: Env,
    found: OnceCell<(HeaderValue, String)>,
}

impl Credential {
    /// Nothing is read yet.
    pub(super) fn new(endpoint: EndpointConfig, env: Env) -> Self {
        Self { endpoint, env, found: OnceCell::new() }
    }

    /// The value of the `Authorization` header.
    pub(super) async fn header(&self) -> Result<HeaderValue> {
        let (header, _) = self.found.get_or_try_init(|| self.find()).await?;
        Ok(header.clone())
    }

    /// Where the token came from, once it was needed.
    pub(super) fn source(&self) -> Option<&str> {
        self.found.get().map(|(_, from)| from.as_str())
    }

    async fn find(&self) -> Result<(HeaderValue, String)> {
        let (endpoint, env) = (self.endpoint.clone(), self.env.clone());
        // A command may be run and asked for; that is not for this thread.
        tokio::task::spawn_blocking(move || find(&endpoint, &env)).await.map_err(Error::internal)?
    }
}

/// The organization that a token names in its first part (section 1.2); not every form has one.
pub(super) fn organization(token: &str) -> Option<&str> {
    let parts: Vec<_> = token.trim().split('/').collect();
    matches!(parts.len(), 3 | 4).then_some(parts[0]).filter(|slug| !slug.is_empty())
}

fn find(endpoint: &EndpointConfig, env: &Env) -> Result<(HeaderValue, String)> {
    let logins = env.state.as_deref().map(Logins::new);
    // Of an implicit endpoint the token was a variable, which comes first; its origin names it.
    let variable = endpoint.secret("token").filter(|_| endpoint.implicit);
    let lookup = Lookup {
        endpoint,
        what: "token",
        flag: None,
        variable: variable.map(|secret| (endpoint.origin.as_str(), secret)),
        home: env.home.as_deref(),
        logins: logins.as_ref(),
    };
    let Some(found) = lookup.find()? else {
        return Err(Error::auth(format!("endpoint `{}` has no token", endpoint.name))
            .hint(format!("set SPRITES_TOKEN, or run `esker endpoint login {}`", endpoint.name))
            .at(DRIVER.id, endpoint.name.clone()));
    };
    if let Some(warning) = found.warning {
        env.notes.warn(warning);
    }
    if let (Some(wanted), Some(has)) = (endpoint.text("organization"), organization(found.secret.expose()))
        && wanted != has
    {
        let what = format!("the token from {} is of organization `{has}`, not of `{wanted}`", found.from);
        return Err(Error::auth(what)
            .hint("on the wire the token alone decides the organization: set the other one")
            .at(DRIVER.id, endpoint.name.clone()));
    }
    let mut header = HeaderValue::try_from(format!("Bearer {}", found.secret.expose().trim())).map_err(|_| {
        Error::config(format!("the token from {} holds characters that no header can carry", found.from))
    })?;
    header.set_sensitive(true);
    Ok((header, found.from))
}
