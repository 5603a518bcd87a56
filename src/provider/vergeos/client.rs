//! Requests to the API: the credential, a pace that the server can follow, errors mapped onto kinds, and asking again
//! where that is harmless.
//!
//! Five failed logins lock an account for everybody who uses it: the first request goes alone, and after a 401 no
//! other is sent.

use super::DRIVER;
use super::api::ROOT;
use super::credential::Credential;
use super::errors::Refusal;
use super::pace::Pace;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::notes::Notes;
use crate::provider::retry::retrying;
use crate::transport::{Client as Http, Fault, Method, Request, Response, fault};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::Mutex;

/// The largest document that is read into memory.
const DOCUMENT_LIMIT: usize = 256 << 20;

/// What is known of the credential.
const UNTRIED: u8 = 0;
const GOOD: u8 = 1;
const REFUSED: u8 = 2;

/// The connections to one system. Cheap to clone: clones share them.
#[derive(Clone)]
pub(super) struct Client(Arc<Shared>);

struct Shared {
    http: Http,
    /// The path of the base URL, without a trailing slash and without the root of the API.
    base: String,
    credential: Credential,
    standing: AtomicU8,
    first: Mutex<()>,
    pace: Pace,
    endpoint: String,
    notes: Notes,
}

/// A request that may be built as often as it is sent.
pub(super) type Make<'a> = &'a (dyn Fn() -> Request + Send + Sync);

impl Client {
    pub(super) fn new(http: Http, base: String, credential: Credential, endpoint: String, notes: Notes) -> Self {
        let standing = AtomicU8::new(UNTRIED);
        let (first, pace) = (Mutex::new(()), Pace::default());
        Self(Arc::new(Shared { http, base, credential, standing, first, pace, endpoint, notes }))
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

    /// `GET`s a document below the root, again if need be; `what` completes "cannot …".
    pub(super) async fn get<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T> {
        let body = self.repeat(what, &|| Request::get(format!("{ROOT}/{path}"))).await?;
        self.read(what, &body)
    }

    /// Sends a document below the root, once, and reads the answer; an empty one reads as null.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        what: &str,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T> {
        let mut request = Request::new(method, format!("{ROOT}/{path}"));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = self.fetch(what, request).await?;
        let answer = if answer.is_empty() { b"null".as_slice() } else { &answer };
        // The change was made, whatever its answer looks like.
        self.read(what, answer).map_err(|error| error.effect(Effect::Done))
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
            return Ok(response);
        }
        if response.status < 400 {
            // Followed, it would take the credential to wherever the answer says.
            let why = format!("it answered with a redirect (HTTP {})", response.status);
            let error = Error::failure(self.cannot(what, &why)).at(DRIVER.id, self.endpoint());
            return Err(error.hint("redirects are not followed: is the endpoint's `url` right?"));
        }
        let error = self.failure(what, response).await;
        // After a 5xx nobody knows how far a change came; a full tier is told before.
        let status = error.parts().wire.as_ref().and_then(|wire| wire.status).unwrap_or_default();
        let is_unknown = !is_read && status >= 500 && status != 507;
        Err(if is_unknown { error.effect(Effect::Unknown) } else { error })
    }

    /// Sends a request once; the answer may have any status.
    pub(super) async fn raw(&self, what: &str, mut request: Request) -> Result<Response> {
        request.path.insert_str(0, &self.0.base);
        let (name, value) = self.0.credential.header().await?;
        let request = request.header(name, value);
        let _turn = self.0.pace.turn().await;
        // Alone until the credential is known to be good: several that fail at once would lock the account.
        let _alone = match self.0.standing.load(Ordering::Acquire) {
            GOOD => None,
            _ => Some(self.0.first.lock().await),
        };
        if self.0.standing.load(Ordering::Acquire) == REFUSED {
            return Err(self.unwelcome(what, "Login required"));
        }
        let response = self.0.http.send(request).await.map_err(|error| self.broken(what, error))?;
        self.0.standing.store(if response.status == 401 { REFUSED } else { GOOD }, Ordering::Release);
        Ok(response)
    }

    /// Sends a request once and without the endpoint's credential, and reads the whole answer.
    pub(super) async fn anonymous(&self, what: &str, mut request: Request) -> Result<Bytes> {
        request.path.insert_str(0, &self.0.base);
        let response = self.0.http.send(request).await.map_err(|error| self.broken(what, error))?;
        if !response.is_success() {
            return Err(self.failure(what, response).await);
        }
        response.bytes(DOCUMENT_LIMIT).await.map_err(|error| self.broken(what, error))
    }

    /// Reads the failure of an answer with a status of 400 or more.
    async fn failure(&self, what: &str, response: Response) -> Error {
        let status = response.status;
        match response.bytes(DOCUMENT_LIMIT).await {
            Ok(body) => self.refused(what, Refusal::read(status, &body)),
            Err(error) => self.broken(what, error),
        }
    }

    fn refused(&self, what: &str, refusal: Refusal) -> Error {
        if refusal.kind == ErrorKind::Auth {
            let message = refusal.message.clone();
            let mut error = self.unwelcome(what, &message);
            error.parts_mut().wire = refusal.error(str::to_owned).into_parts().wire;
            return error;
        }
        refusal.error(|why| self.cannot(what, why)).at(DRIVER.id, self.endpoint())
    }

    /// The credential was not accepted. It is not tried again by us, and should not be by others.
    fn unwelcome(&self, what: &str, why: &str) -> Error {
        let error = Error::auth(self.cannot(what, why)).at(DRIVER.id, self.endpoint());
        let used = self.0.credential.what().unwrap_or("the credential");
        error
            .hint(format!("{used} was refused; a few more failures lock the account, so check it before you try again"))
    }

    /// Reads a document.
    pub(super) fn read<T: DeserializeOwned>(&self, what: &str, body: &[u8]) -> Result<T> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        serde_json::from_slice(body).map_err(|error| self.garbled(what, &error.to_string()))
    }

    /// "cannot … on `endpoint`: why"
    pub(super) fn cannot(&self, what: &str, why: &str) -> String {
        format!("cannot {what} on `{}`: {why}", self.endpoint())
    }

    /// An error of `kind` about what was to be done here.
    pub(super) fn error(&self, kind: ErrorKind, what: &str, why: &str) -> Error {
        Error::new(kind, self.cannot(what, why)).at(DRIVER.id, self.endpoint())
    }

    /// An answer that is not what the protocol says.
    pub(super) fn garbled(&self, what: &str, why: &str) -> Error {
        self.error(ErrorKind::Failure, what, "the answer cannot be read")
            .cause(why.to_owned())
            .hint("is it VergeOS? `esker doctor` tells what answers there")
    }

    /// A connection that could not be made or was lost.
    pub(super) fn broken(&self, what: &str, error: Error) -> Error {
        let hint = match fault(&error) {
            // What is no fault of the connection is that of the request's own body, which says it better.
            None => return error,
            Some(Fault::Unresolved | Fault::Refused) => Some("is VERGE_HOST or the endpoint's `url` right?"),
            Some(Fault::Tls) => Some(
                "new systems sign their own certificate: set `ca_file` of the endpoint to it, or `fingerprint` to its SHA-256",
            ),
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
