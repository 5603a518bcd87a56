//! The token of an endpoint (sections 1.2 and 1.6).

use super::{DRIVER, import};
use crate::config::EndpointConfig;
use crate::error::{Error, Result};
use crate::provider::Env;
use crate::provider::web::{Ready, stored};

/// Finds the token: the endpoint's, else what the system's own client keeps.
pub(super) fn find(endpoint: &EndpointConfig, env: &Env) -> Result<Ready> {
    if let Some(found) = stored(endpoint, env, "token", &endpoint.origin)? {
        return Ready::bearer(found.secret.expose(), &found.from);
    }
    // For the server that it is about, and no other.
    if endpoint.implicit
        && let Some(setup) = env.home.as_deref().map(import::read_file).transpose()?.flatten()
        && setup.is_about(endpoint.text("url"))
        && let Some(token) = setup.token()
    {
        return Ready::bearer(token, &format!("`{}`", setup.path.display()));
    }
    Err(Error::auth(format!("endpoint `{}` has no token", endpoint.name))
        .hint(format!("set REXEC_TOKEN, or run `esker endpoint login {}`; --guest needs no account", endpoint.name))
        .at(DRIVER.id, endpoint.name.clone()))
}
