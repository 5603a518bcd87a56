//! The credential of a daemon: a basic identity, which works on the unix socket too (section 1.3).

use crate::config::{EndpointConfig, Logins, Lookup};
use crate::error::{Error, Result};
use crate::provider::Env;
use crate::transport::{Client as Http, HeaderValue, header::AUTHORIZATION};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The connections with the credential of the endpoint, if it has one. Only an endpoint with a `username` looks for a
/// password.
pub(super) fn authenticated(http: Http, endpoint: &EndpointConfig, env: &Env) -> Result<Http> {
    let Some(username) = endpoint.text("username") else { return Ok(http) };
    let logins = env.state.as_deref().map(Logins::new);
    let lookup = Lookup {
        endpoint,
        what: "password",
        flag: None,
        variable: None,
        home: env.home.as_deref(),
        logins: logins.as_ref(),
    };
    let Some(found) = lookup.find()? else {
        return Err(Error::auth(format!("endpoint `{}` has a `username` and no password", endpoint.name))
            .hint(format!("run `esker endpoint login {}`, or set `password_file`", endpoint.name)));
    };
    if let Some(warning) = found.warning {
        env.notes.warn(warning);
    }
    let pair = STANDARD.encode(format!("{username}:{}", found.secret.expose()));
    let mut value = HeaderValue::try_from(format!("Basic {pair}")).map_err(Error::internal)?;
    value.set_sensitive(true);
    Ok(http.with_header(AUTHORIZATION, value))
}
