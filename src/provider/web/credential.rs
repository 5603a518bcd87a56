//! The credential of an endpoint, looked for when the first request needs it.

use crate::config::{EndpointConfig, Found, Logins, Lookup};
use crate::error::{Error, Result};
use crate::provider::Env;
use crate::transport::header::AUTHORIZATION;
use crate::transport::{HeaderName, HeaderValue};
use tokio::sync::OnceCell;

/// Looks for a credential in the places of one system. It may read files and run a command.
pub(super) type Find = fn(&EndpointConfig, &Env) -> Result<Ready>;

/// Where the credential comes from, and the header that it makes. Found once, at the first request.
pub struct Credential {
    pub(super) endpoint: EndpointConfig,
    pub(super) env: Env,
    find: Find,
    found: OnceCell<Ready>,
}

/// A credential as it goes over the wire.
#[derive(Clone)]
pub struct Ready {
    /// The header, marked as a secret.
    pub header: (HeaderName, HeaderValue),
    /// What it is and where it came from, for messages: "the token from X".
    pub what: String,
}

impl Credential {
    /// Nothing is read yet.
    pub fn new(endpoint: EndpointConfig, env: Env, find: Find) -> Self {
        Self { endpoint, env, find, found: OnceCell::new() }
    }

    /// The header of a request.
    pub(super) async fn header(&self) -> Result<(HeaderName, HeaderValue)> {
        let find = async || {
            let (endpoint, env, find) = (self.endpoint.clone(), self.env.clone(), self.find);
            // A command may be run and asked for; that is not for this thread.
            tokio::task::spawn_blocking(move || find(&endpoint, &env)).await.map_err(Error::internal)?
        };
        Ok(self.found.get_or_try_init(find).await?.header.clone())
    }

    /// What was used and where it came from, once it was needed.
    pub(super) fn what(&self) -> Option<&str> {
        self.found.get().map(|ready| ready.what.as_str())
    }
}

impl Ready {
    /// A token as most systems take it.
    pub fn bearer(token: &str, from: &str) -> Result<Self> {
        let header = secret_header(&format!("Bearer {}", token.trim()), from)?;
        Ok(Self { header: (AUTHORIZATION, header), what: format!("the token from {from}") })
    }
}

/// Looks where the secret `what` of an endpoint may stand (ux 10): `variable` is the name of the one that made an
/// implicit endpoint have it.
pub fn stored(endpoint: &EndpointConfig, env: &Env, what: &str, variable: &str) -> Result<Option<Found>> {
    let logins = env.state.as_deref().map(Logins::new);
    // Of an implicit endpoint the secret was a variable, which comes first.
    let secret = endpoint.secret(what).filter(|_| endpoint.implicit);
    let lookup = Lookup {
        endpoint,
        what,
        flag: None,
        variable: secret.map(|secret| (variable, secret)),
        home: env.home.as_deref(),
        logins: logins.as_ref(),
    };
    let found = lookup.find()?;
    if let Some(warning) = found.as_ref().and_then(|found| found.warning.as_ref()) {
        env.notes.warn(warning.clone());
    }
    Ok(found)
}

/// The value of a header that never goes into a trace; it never goes into a URL either, where logs would have it.
pub fn secret_header(text: &str, from: &str) -> Result<HeaderValue> {
    let mut header = HeaderValue::try_from(text)
        .map_err(|_| Error::config(format!("the secret from {from} holds characters that no header can carry")))?;
    header.set_sensitive(true);
    Ok(header)
}
