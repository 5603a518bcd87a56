//! Requests to an API: the credential, the errors mapped onto kinds, and asking again where that is harmless.

use super::System;
use super::caution::Caution;
use super::credential::Credential;
use super::refusal::Refusal;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::notes::Notes;
use crate::provider::retry::retrying;
use crate::transport::header::{CONTENT_TYPE, SEC_WEBSOCKET_PROTOCOL};
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

/// Pings every 15 s, and 45 s of silence are the end (sprites reference, section 3.7; rexec reference, section 4.6).
const KEEPALIVE: Keepalive = Keepalive { every: Duration::from_secs(15), misses: 2 };

/// The connections to one API. Cheap to clone: clones share them.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    system: &'static System,
    http: Http,
    /// The path of the base URL, without a trailing slash and without the root.
    base: String,
    credential: Credential,
    caution: Option<Caution>,
}

/// A request that may be built as often as it is sent.
type Make<'a> = &'a (dyn Fn() -> Request + Send + Sync);

impl Client {
    /// No connection is made yet. `base` is the path of the address, without a trailing slash.
    pub fn new(system: &'static System, http: Http, base: String, credential: Credential) -> Self {
        let caution = system.is_touchy.then(Caution::default);
        Self(Arc::new(Shared { system, http, base, credential, caution }))
    }

    /// Whose connections they are.
    pub(super) fn system(&self) -> &'static System {
        self.0.system
    }

    /// The name of the endpoint, for messages.
    pub fn endpoint(&self) -> &str {
        &self.0.credential.endpoint.name
    }

    /// Where notes go.
    pub fn notes(&self) -> &Notes {
        &self.0.credential.env.notes
    }

    /// Where it connects to.
    pub fn address(&self) -> String {
        format!("{}{}", self.0.http.address(), self.0.base)
    }

    /// `GET`s a document, again if need be; `what` completes "cannot …".
    pub async fn get<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T> {
        let body = self.repeat(what, &|| Request::get(self.rooted(path))).await?;
        self.read(what, &body)
    }

    /// Sends a document once and reads the answer; an empty one reads as null.
    pub async fn send<T: DeserializeOwned>(
        &self,
        what: &str,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T> {
        let mut request = Request::new(method, self.rooted(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = self.fetch(what, request).await?;
        let answer = if answer.is_empty() { b"null".as_slice() } else { &answer };
        // The change was made, whatever its answer looks like.
        self.read(what, answer).map_err(|error| error.effect(Effect::Done))
    }

    /// Sends a request that does no harm when it is sent again, and reads the whole answer.
    pub async fn repeat(&self, what: &str, request: Make<'_>) -> Result<Bytes> {
        retrying(|| async {
            let outcome = self.fetch(what, request()).await;
            // Whoever repeats vouches that a lost answer changes nothing.
            outcome.map_err(|error| error.effect(Effect::None))
        })
        .await
    }

    /// Sends a request that must not be carried out twice, and reads the whole answer: again only where it is certain
    /// that nothing was done.
    pub async fn change(&self, what: &str, request: Make<'_>) -> Result<Bytes> {
        retrying(|| self.fetch(what, request())).await
    }

    /// Sends a request once and reads the whole answer; a status of 400 or more is an `Err`.
    pub async fn fetch(&self, what: &str, request: Request) -> Result<Bytes> {
        let response = self.open(what, request).await?;
        self.whole(what, response).await
    }

    /// Sends a request once; a status of 400 or more is an `Err`. The body is still to be read.
    pub async fn open(&self, what: &str, request: Request) -> Result<Response> {
        let is_read = matches!(request.method, Method::GET | Method::HEAD);
        let response = self.raw(what, request).await?;
        if response.is_success() {
            let is_page = response.header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
            return if is_page && self.0.system.has_pages {
                Err(self.garbled(what, "it is a web page"))
            } else {
                Ok(response)
            };
        }
        if response.status < 400 {
            // Followed, it would take the credential to wherever the answer says.
            let why = format!("it answered with a redirect (HTTP {})", response.status);
            let hint = "redirects are not followed: is the endpoint's `url` right?";
            return Err(self.error(ErrorKind::Failure, what, &why).hint(hint));
        }
        Err(match self.refusal(what, response).await {
            Ok(refusal) => {
                let is_open = !is_read && (self.0.system.is_open)(&refusal);
                let error = self.refused(what, refusal);
                if is_open { error.effect(Effect::Unknown) } else { error }
            }
            Err(error) if is_read => error,
            Err(error) => error.effect(Effect::Unknown),
        })
    }

    /// Sends a request once; the answer may have any status.
    pub async fn raw(&self, what: &str, mut request: Request) -> Result<Response> {
        request.path.insert_str(0, &self.0.base);
        let (name, value) = self.0.credential.header().await?;
        let request = request.header(name, value);
        let Some(caution) = &self.0.caution else { return self.dispatch(what, request).await };
        let Some(leave) = caution.leave().await else {
            return Err(self.refused(what, Refusal::new(401, ErrorKind::Auth, "Login required".to_owned())));
        };
        let response = self.dispatch(what, request).await?;
        leave.answered(response.status);
        Ok(response)
    }

    /// Sends a request once and without the endpoint's credential, and reads the whole answer.
    pub async fn anonymous(&self, what: &str, mut request: Request) -> Result<Bytes> {
        request.path.insert_str(0, &self.0.base);
        let response = self.dispatch(what, request).await?;
        if !response.is_success() {
            return Err(self.failure(what, response).await);
        }
        self.whole(what, response).await
    }

    /// Opens a websocket, again while what is behind it wakes up: nothing has begun before the upgrade.
    pub async fn websocket(&self, what: &str, path: &str) -> Result<WebSocket> {
        let path = format!("{}{path}", self.0.base);
        let mut headers = vec![self.0.credential.header().await?];
        if let Some(name) = self.0.system.subprotocol {
            headers.push((SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name)));
        }
        let options = WsOptions { keepalive: Some(KEEPALIVE), ..WsOptions::default() };
        retrying(|| async {
            match self.0.http.websocket_with(&path, &headers, options).await {
                Ok(WsReply::Open(socket)) => Ok(socket),
                Ok(WsReply::Refused(response)) => Err(self.failure(what, response).await),
                Err(error) => Err(self.broken(what, error)),
            }
        })
        .await
    }

    /// Reads the failure of an answer that is no success.
    pub async fn failure(&self, what: &str, response: Response) -> Error {
        if response.status < 400 {
            return self.garbled(what, &format!("it answered with HTTP status {}", response.status));
        }
        match self.refusal(what, response).await {
            Ok(refusal) => self.refused(what, refusal),
            Err(error) => error,
        }
    }

    /// Reads a document.
    pub fn read<T: DeserializeOwned>(&self, what: &str, body: &[u8]) -> Result<T> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        serde_json::from_slice(body).map_err(|error| self.garbled(what, &error.to_string()))
    }

    /// "cannot … on `endpoint`: why"
    pub fn cannot(&self, what: &str, why: &str) -> String {
        format!("cannot {what} on `{}`: {why}", self.endpoint())
    }

    /// An error of `kind` about what was to be done here.
    pub fn error(&self, kind: ErrorKind, what: &str, why: &str) -> Error {
        Error::new(kind, self.cannot(what, why)).at(self.0.system.id, self.endpoint())
    }

    /// An answer that is not what the protocol says.
    pub fn garbled(&self, what: &str, why: &str) -> Error {
        self.error(ErrorKind::Failure, what, "the answer cannot be read")
            .cause(why.to_owned())
            .hint(format!("is it {}? `esker doctor` tells what answers there", self.0.system.name))
    }

    /// A connection that could not be made or was lost.
    pub fn broken(&self, what: &str, error: Error) -> Error {
        let system = self.0.system;
        let hint = match fault(&error) {
            // What is no fault of the connection is that of the request's own body, which says it better.
            None => return error,
            Some(Fault::Unresolved | Fault::Refused) => {
                Some(format!("is {} or the endpoint's `url` right?", system.variable))
            }
            Some(Fault::Tls) => system.distrusted.map(str::to_owned),
            _ => None,
        };
        let why = error.to_string();
        let error = error.message(self.cannot(what, &why)).at(system.id, self.endpoint());
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn rooted(&self, path: &str) -> String {
        format!("{}{path}", self.0.system.root)
    }

    async fn dispatch(&self, what: &str, request: Request) -> Result<Response> {
        self.0.http.send(request).await.map_err(|error| self.broken(what, error))
    }

    async fn whole(&self, what: &str, response: Response) -> Result<Bytes> {
        response.bytes(DOCUMENT_LIMIT).await.map_err(|error| self.broken(what, error))
    }

    async fn refusal(&self, what: &str, response: Response) -> Result<Refusal> {
        let (status, headers) = (response.status, response.headers.clone());
        let body = self.whole(what, response).await?;
        Ok((self.0.system.read)(status, &headers, &body))
    }

    fn refused(&self, what: &str, mut refusal: Refusal) -> Error {
        if refusal.kind == ErrorKind::Auth && refusal.hint.is_none() {
            let used = self.0.credential.what().unwrap_or("the credential");
            refusal.hint = Some(format!("{used} was refused: {}", self.0.system.refused));
        }
        refusal.error(|why| self.cannot(what, why)).at(self.0.system.id, self.endpoint())
    }
}
