//! The token of an endpoint, looked for when the first request needs it (sections 1.2 and 1.6).

use super::{DRIVER, import};
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
    if let Some(found) = lookup.find()? {
        if let Some(warning) = found.warning {
            env.notes.warn(warning);
        }
        return Ok((header(found.secret.expose(), &found.from)?, found.from));
    }
    // What the system's own client keeps, for the server that it is about.
    if endpoint.implicit
        && let Some(setup) = env.home.as_deref().map(import::read_file).transpose()?.flatten()
        && setup.is_about(endpoint.text("url"))
        && let Some(token) = setup.token()
    {
        let from = format!("`{}`", setup.path.display());
        return Ok((header(token, &from)?, from));
    }
    Err(Error::auth(format!("endpoint `{}` has no token", endpoint.name))
        .hint(format!("set REXEC_TOKEN, or run `esker endpoint login {}`; --guest needs no account", endpoint.name))
        .at(DRIVER.id, endpoint.name.clone()))
}

/// The header; it never goes into a URL, where logs would have it.
pub(super) fn header(token: &str, from: &str) -> Result<HeaderValue> {
    let mut header = HeaderValue::try_from(format!("Bearer {}", token.trim()))
        .map_err(|_| Error::config(format!("the token from {from} holds characters that no header can carry")))?;
    header.set_sensitive(true);
    Ok(header)
}
