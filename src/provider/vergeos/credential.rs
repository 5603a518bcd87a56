//! The credential of an endpoint, looked for when the first request needs it (section 1.2).

use super::DRIVER;
use super::api::SESSION_HEADER;
use crate::config::{EndpointConfig, Found, Login, Logins, Lookup, Secret};
use crate::error::{Error, Result};
use crate::provider::Env;
use crate::transport::header::AUTHORIZATION;
use crate::transport::{HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::sync::OnceCell;

/// What a stored login of a session is called.
pub(super) const SESSION: &str = "session";

/// Where the credential comes from, and the header that it makes. Found once, at the first request.
pub(super) struct Credential {
    endpoint: EndpointConfig,
    env: Env,
    found: OnceCell<Ready>,
}

/// A credential as it goes over the wire.
struct Ready {
    header: (HeaderName, HeaderValue),
    /// What it is and where it came from, for messages.
    what: String,
}

impl Credential {
    /// Nothing is read yet.
    pub(super) fn new(endpoint: EndpointConfig, env: Env) -> Self {
        Self { endpoint, env, found: OnceCell::new() }
    }

    /// The header of a request.
    pub(super) async fn header(&self) -> Result<(HeaderName, HeaderValue)> {
        let ready = self
            .found
            .get_or_try_init(|| async {
                let (endpoint, env) = (self.endpoint.clone(), self.env.clone());
                // A command may be run and asked for; that is not for this thread.
                tokio::task::spawn_blocking(move || find(&endpoint, &env)).await.map_err(Error::internal)?
            })
            .await?;
        Ok(ready.header.clone())
    }

    /// What was used and where it came from, once it was needed: "the password from VERGE_PASSWORD".
    pub(super) fn what(&self) -> Option<&str> {
        self.found.get().map(|ready| ready.what.as_str())
    }
}

/// A key goes before a session, a session before a password.
fn find(endpoint: &EndpointConfig, env: &Env) -> Result<Ready> {
    let logins = env.state.as_deref().map(Logins::new);
    let lookup = |what: &'static str| {
        // Of an implicit endpoint the secret was a variable, which comes first.
        let variable = endpoint.secret(what).filter(|_| endpoint.implicit);
        let name = if what == "token" { "VERGE_TOKEN" } else { "VERGE_PASSWORD" };
        Lookup {
            endpoint,
            what,
            flag: None,
            variable: variable.map(|secret| (name, secret)),
            home: env.home.as_deref(),
            logins: logins.as_ref(),
        }
    };
    if let Some(found) = lookup("token").find()? {
        let header = secret_header(&format!("Bearer {}", found.secret.expose().trim()), &found.from)?;
        return Ok(ready(env, "token", found, (AUTHORIZATION, header)));
    }
    if let Some(session) = session(endpoint, logins.as_ref())? {
        let header = secret_header(session.secret.expose(), &session.from)?;
        return Ok(ready(env, SESSION, session, (HeaderName::from_static(SESSION_HEADER), header)));
    }
    let password = lookup("password").find()?;
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
            Ok(ready(env, &format!("password of `{user}`"), found, (AUTHORIZATION, header)))
        }
        (None, Some(_)) => Err(refusal(endpoint, "there is a password, but no user name")),
        (Some(user), None) => Err(refusal(endpoint, &format!("there is no password for `{user}`"))),
        (None, None) => Err(refusal(endpoint, "there is no credential")),
    }
}

/// The session that `endpoint login --session` opened.
fn session(endpoint: &EndpointConfig, logins: Option<&Logins>) -> Result<Option<Found>> {
    if crate::config::check_name(&endpoint.name).is_err() {
        return Ok(None);
    }
    let login: Option<Login> = logins.map(|logins| logins.load(&endpoint.name)).transpose()?.flatten();
    Ok(login.and_then(|login| {
        let secret = login.secrets.get(SESSION)?.clone();
        let from = format!("`esker endpoint login {}`", endpoint.name);
        Some(Found { secret, from, warning: login.warning })
    }))
}

fn ready(env: &Env, what: &str, found: Found, header: (HeaderName, HeaderValue)) -> Ready {
    if let Some(warning) = found.warning {
        env.notes.warn(warning);
    }
    Ready { header, what: format!("the {what} from {}", found.from) }
}

fn secret_header(text: &str, from: &str) -> Result<HeaderValue> {
    let mut header = HeaderValue::try_from(text)
        .map_err(|_| Error::config(format!("the secret from {from} holds characters that no header can carry")))?;
    header.set_sensitive(true);
    Ok(header)
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
