//! Requests to the server: the credential, the errors mapped onto kinds, and asking again where that is harmless.

use super::DRIVER;
use super::credential::Credential;
use super::errors::Refusal;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::notes::Notes;
use crate::provider::retry::retrying;
use crate::transport::header::{AUTHORIZATION, CONTENT_TYPE, SEC_WEBSOCKET_PROTOCOL};
use crate::transport::{
    Client as Http, Fault, HeaderValue, Keepalive, Method, Request, Response, WebSocket, WsOptions, WsReply, fault,
};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// The largest document that is read into memory.
const DOCUMENT_LIMIT: usize = 256 << 20;

/// Pings every 15 s, and 45 s of silence are the end (section 4.6).
const KEEPALIVE: Keepalive = Keepalive { every: Duration::from_secs(15), misses: 2 };

/// The connections to one server. Cheap to clone: clones share them.
#[derive(Clone)]
pub(super) struct Client(Arc<Shared>);

struct Shared {
    http: Http,
    /// The path of the base URL, without a trailing slash.
    base: String,
    credential: Credential,
    endpoint: String,
    notes: Notes,
}

/// A request that may be built as often as it is sent.
pub(super) type Make<'a> = &'a (dyn Fn() -> Request + Send + Sync);

impl Client {
    pub(super) fn new(http: Http, base: String, credential: Credential, endpoint: String, notes: Notes) -> Self {
        Self(Arc::new(Shared { http, base, credential, endpoint, notes }))
    }

    /// The name of the endpoint, for messages.
    pub(super) fn endpoint(&self) -> &str {
        &self.0.endpoint
    }

    /// Where notes go.
    pub(super) fn notes(&self) -> &Notes {
        &self.0.notes
    }

    /// Where it connects to.
    pub(super) fn address(&self) -> String {
        format!("{}{}", self.0.http.address(), self.0.base)
    }

    /// `GET`s a document, again if need be; `what` completes "cannot …".
    pub(super) async fn get<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T> {
        let body = self.repeat(what, &|| Request::get(path)).await?;
        self.read(what, &body)
    }

    /// Sends a JSON document once and reads the answer.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        what: &str,
        method: Method,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T> {
        let answer = self.fetch(what, Request::new(method, path).json(body)).await?;
        self.read(what, if answer.is_empty() { b"null" } else { &answer })
    }

    /// Sends a request that does no harm when it is sent again, and reads the whole answer.
    pub(super) async fn repeat(&self, what: &str, request: Make<'_>) -> Result<Bytes> {
        retrying(|| async {
            let outcome = self.fetch(what, request()).await;
            // Whoever repeats vouches that a lost answer changes nothing.
            outcome.map_err(|error| error.effect(Effect::None))
        })
        .await
    }

    /// Sends a request once and reads the whole answer; a status of 400 or more is an `Err`.
    pub(super) async fn fetch(&self, what: &str, request: Request) -> Result<Bytes> {
        let response = self.open(what, request).await?;
        response.bytes(DOCUMENT_LIMIT).await.map_err(|error| self.broken(what, error))
    }

    /// Sends a request once; a status of 400 or more is an `Err`. The body is still to be read.
    pub(super) async fn open(&self, what: &str, request: Request) -> Result<Response> {
        let is_read = matches!(request.method, Method::GET | Method::HEAD);
        let response = self.raw(what, request).await?;
        if response.is_success() {
            // Paths that the server does not know are answered with the web client's page (section 2.1).
            return if response.header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html")) {
                Err(self.garbled(what, "it is a web page"))
            } else {
                Ok(response)
            };
        }
        if response.status < 400 {
            // Followed, it would take the token to wherever the answer says.
            let why = format!("it answered with a redirect (HTTP {})", response.status);
            let error = Error::failure(self.cannot(what, &why)).at(DRIVER.id, self.endpoint());
            return Err(error.hint("redirects are not followed: is the endpoint's `url` right?"));
        }
        let error = self.failure(what, response).await;
        let status = error.parts().wire.as_ref().and_then(|wire| wire.status);
        // After these nobody knows how far a change came.
        let unknown = !is_read && (error.kind() == ErrorKind::Failure || matches!(status, Some(408 | 502 | 504)));
        Err(if unknown { error.effect(Effect::Unknown) } else { error })
    }

    /// Sends a request once; the answer may have any status.
    pub(super) async fn raw(&self, what: &str, mut request: Request) -> Result<Response> {
        request.path.insert_str(0, &self.0.base);
        let request = request.header(AUTHORIZATION, self.0.credential.header().await?);
        self.0.http.send(request).await.map_err(|error| self.broken(what, error))
    }

    /// Sends a request without a credential, and reads the whole answer.
    pub(super) async fn fetch_openly(&self, what: &str, mut request: Request) -> Result<Bytes> {
        request.path.insert_str(0, &self.0.base);
        let response = self.0.http.send(request).await.map_err(|error| self.broken(what, error))?;
        if !response.is_success() {
            return Err(self.failure(what, response).await);
        }
        response.bytes(DOCUMENT_LIMIT).await.map_err(|error| self.broken(what, error))
    }

    /// Opens a websocket: the token goes into a header, not into the address (section 1.2).
    pub(super) async fn websocket(&self, what: &str, path: &str) -> Result<WebSocket> {
        let path = format!("{}{path}", self.0.base);
        let protocol = (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("rexec.v1"));
        let headers = [(AUTHORIZATION, self.0.credential.header().await?), protocol];
        let options = WsOptions { keepalive: Some(KEEPALIVE), ..WsOptions::default() };
        // Nothing has begun before the upgrade.
        retrying(|| async {
            match self.0.http.websocket_with(&path, &headers, options).await {
                Ok(WsReply::Open(socket)) => Ok(socket),
                Ok(WsReply::Refused(response)) => Err(self.failure(what, response).await),
                Err(error) => Err(self.broken(what, error)),
            }
        })
        .await
    }

    /// Reads the failure of an answer with a status of 400 or more.
    pub(super) async fn failure(&self, what: &str, response: Response) -> Error {
        let (status, headers) = (response.status, response.headers.clone());
        if status < 400 {
            return self.garbled(what, &format!("it answered with HTTP status {status}"));
        }
        match response.bytes(DOCUMENT_LIMIT).await {
            Ok(body) => self.refused(what, Refusal::read(status, &headers, &body)),
            Err(error) => self.broken(what, error),
        }
    }

    fn refused(&self, what: &str, refusal: Refusal) -> Error {
        let error = refusal.error(|why| self.cannot(what, why)).at(DRIVER.id, self.endpoint());
        match (error.kind(), self.0.credential.source()) {
            (ErrorKind::Auth, Some(source)) if error.parts().hint.is_none() => {
                error.hint(format!("the token from {source} was refused: is it current, and of this server?"))
            }
            _ => error,
        }
    }

    /// Reads a document.
    pub(super) fn read<T: DeserializeOwned>(&self, what: &str, body: &[u8]) -> Result<T> {
        serde_json::from_slice(body).map_err(|error| self.garbled(what, &error.to_string()))
    }

    /// "cannot … on `endpoint`: why"
    pub(super) fn cannot(&self, what: &str, why: &str) -> String {
        format!("cannot {what} on `{}`: {why}", self.endpoint())
    }

    /// An answer that is not what the protocol says.
    pub(super) fn garbled(&self, what: &str, why: &str) -> Error {
        Error::failure(self.cannot(what, "the answer cannot be read"))
            .cause(why.to_owned())
            .hint("is it a Rexec server? `esker doctor` tells what answers there")
            .at(DRIVER.id, self.endpoint())
    }

    /// A connection that could not be made or was lost.
    pub(super) fn broken(&self, what: &str, error: Error) -> Error {
        // What is no fault of the connection is that of the request's own body, which says it better.
        if fault(&error).is_none() {
            return error;
        }
        let hint = match fault(&error) {
            Some(Fault::Unresolved | Fault::Refused) => Some("is REXEC_URL or the endpoint's `url` right?"),
            _ => None,
        };
        let why = error.to_string();
        let error = error.message(self.cannot(what, &why)).at(DRIVER.id, self.endpoint());
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}
