//! The token of an endpoint (section 1).

use super::DRIVER;
use crate::config::EndpointConfig;
use crate::error::{Error, Result};
use crate::provider::Env;
use crate::provider::web::{Ready, stored};

/// Finds the token. One that names another organization than the endpoint is refused before it is sent.
pub(super) fn find(endpoint: &EndpointConfig, env: &Env) -> Result<Ready> {
    let Some(found) = stored(endpoint, env, "token", &endpoint.origin)? else {
        return Err(Error::auth(format!("endpoint `{}` has no token", endpoint.name))
            .hint(format!("set SPRITES_TOKEN, or run `esker endpoint login {}`", endpoint.name))
            .at(DRIVER.id, endpoint.name.clone()));
    };
    if let (Some(wanted), Some(has)) = (endpoint.text("organization"), organization(found.secret.expose()))
        && wanted != has
    {
        let what = format!("the token from {} is of organization `{has}`, not of `{wanted}`", found.from);
        return Err(Error::auth(what)
            .hint("on the wire the token alone decides the organization: set the other one")
            .at(DRIVER.id, endpoint.name.clone()));
    }
    Ready::bearer(found.secret.expose(), &found.from)
}

/// The organization that a token names in its first part (section 1.2); not every form has one.
pub(super) fn organization(token: &str) -> Option<&str> {
    let parts: Vec<_> = token.trim().split('/').collect();
    matches!(parts.len(), 3 | 4).then_some(parts[0]).filter(|slug| !slug.is_empty())
}
