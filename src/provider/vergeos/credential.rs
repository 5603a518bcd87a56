//! The credential of an endpoint (section 1.2).

use super::DRIVER;
use super::api::SESSION_HEADER;
use crate::config::{EndpointConfig, Found, Login, Logins, Secret};
use crate::error::{Error, Result};
use crate::provider::Env;
use crate::provider::web::{Ready, secret_header, stored};
use crate::transport::HeaderName;
use crate::transport::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What a stored login of a session is called.
pub(super) const SESSION: &str = "session";

/// A key goes before a session, a session before a password.
pub(super) fn find(endpoint: &EndpointConfig, env: &Env) -> Result<Ready> {
    if let Some(found) = stored(endpoint, env, "token", "VERGE_TOKEN")? {
        return Ready::bearer(found.secret.expose(), &found.from);
    }
    if let Some(session) = session(endpoint, env)? {
        let header = secret_header(session.secret.expose(), &session.from)?;
        let what = format!("the session from {}", session.from);
        return Ok(Ready { header: (HeaderName::from_static(SESSION_HEADER), header), what });
    }
    let password = stored(endpoint, env, "password", "VERGE_PASSWORD")?;
    let username = endpoint.text("username").filter(|name| !name.is_empty());
    match (username, password) {
        (Some(user), Some(found)) => {
            if found.secret.expose().is_empty() {
                return Err(refusal(endpoint, "the password is empty"));
            }
            if user.contains(':') {
                return Err(Error::config(format!("the user name of endpoint `{}` has a `:` in it", endpoint.name))
                    .hint("use an API key: set `token_file`"));
            }
            let pair = Secret::new(format!("{user}:{}", found.secret.expose()));
            let header = secret_header(&format!("Basic {}", BASE64.encode(pair.expose())), &found.from)?;
            let what = format!("the password of `{user}` from {}", found.from);
            Ok(Ready { header: (AUTHORIZATION, header), what })
        }
        (None, Some(_)) => Err(refusal(endpoint, "there is a password, but no user name")),
        (Some(user), None) => Err(refusal(endpoint, &format!("there is no password for `{user}`"))),
        (None, None) => Err(refusal(endpoint, "there is no credential")),
    }
}

/// The session that `endpoint login --session` opened.
fn session(endpoint: &EndpointConfig, env: &Env) -> Result<Option<Found>> {
    let logins = env.state.as_deref().map(Logins::new);
    if crate::config::check_name(&endpoint.name).is_err() {
        return Ok(None);
    }
    let login: Option<Login> = logins.map(|logins| logins.load(&endpoint.name)).transpose()?.flatten();
    Ok(login.and_then(|login| {
        let secret = login.secrets.get(SESSION)?.clone();
        if let Some(warning) = login.warning {
            env.notes.warn(warning);
        }
        Some(Found { secret, from: format!("`esker endpoint login {}`", endpoint.name), warning: None })
    }))
}

fn refusal(endpoint: &EndpointConfig, why: &str) -> Error {
    let hint = if endpoint.implicit {
        "set VERGE_TOKEN, or VERGE_USERNAME and VERGE_PASSWORD".to_owned()
    } else {
        format!("run `esker endpoint login {}`, or set `token_file` of the endpoint", endpoint.name)
    };
    Error::auth(format!("cannot sign in to endpoint `{}`: {why}", endpoint.name))
        .hint(hint)
        .at(DRIVER.id, endpoint.name.clone())
}
