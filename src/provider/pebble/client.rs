//! Requests to the daemon: envelopes, and its errors mapped onto kinds, once.

use super::api::{ApiError, Envelope, SystemInfo};
use crate::error::{Effect, Error, ErrorKind, Result, Wire};
use crate::notes::Notes;
use crate::transport::{Client as Http, Fault, Request, Response, fault};
use bytes::Bytes;
use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest JSON document that is read into memory: a directory of a million entries fits.
const DOCUMENT_LIMIT: usize = 1 << 30;

/// A connection to one daemon. Cheap to clone: clones share the connections.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) http: Http,
    /// The name of the endpoint, for messages.
    pub(super) endpoint: String,
    /// Where the address comes from, for the hint of connection errors.
    origin: String,
    /// Whether the peer knows who we are by itself (a unix socket), so that a 401 means "not allowed".
    pub(super) identified: bool,
    notes: Notes,
}

/// A result of an async reply: the change it started.
pub(super) struct Started<T> {
    pub(super) change: String,
    pub(super) result: T,
}

impl Client {
    pub(super) fn new(http: Http, endpoint: String, origin: String, identified: bool, notes: Notes) -> Self {
        Self { http, endpoint, origin, identified, notes }
    }

    /// `GET`s a document; `what` completes "cannot …".
    pub(super) async fn get<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T> {
        let (_, body) = self.fetch(what, Request::get(path)).await?;
        self.result(what, &body)
    }

    /// `POST`s and reads the result.
    pub(super) async fn post<T: DeserializeOwned>(&self, what: &str, path: &str, body: &impl Serialize) -> Result<T> {
        let (_, body) = self.fetch(what, Request::post(path).json(body)).await?;
        self.result(what, &body)
    }

    /// `POST`s and reads the change that it started.
    pub(super) async fn post_async<T: DeserializeOwned>(
        &self,
        what: &str,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Started<T>> {
        let (_, body) = self.fetch(what, Request::post(path).json(body)).await?;
        let change = self.envelope(what, &body)?.change.unwrap_or_default();
        if change.is_empty() {
            return Err(self.garbled(what, "the answer names no change"));
        }
        Ok(Started { change, result: self.result(what, &body)? })
    }

    /// Sends a request and reads the whole answer; a status that means failure is an `Err`.
    pub(super) async fn fetch(&self, what: &str, request: Request) -> Result<(u16, Bytes)> {
        let is_read = request.method == Method::GET;
        let response = self.send(what, request).await?;
        let status = response.status;
        let body = response.bytes(DOCUMENT_LIMIT).await.map_err(|e| self.broken(what, e))?;
        // 502 of health is an answer with an envelope of type `sync`; every other failure has type `error`.
        if status >= 400 && !(status == 502 && self.envelope(what, &body).is_ok_and(|e| e.kind == "sync")) {
            let error = self.refused(what, status, &body).await;
            // After a 500 the daemon may have begun: nobody knows how far a change came.
            return Err(if status == 500 && !is_read { error.effect(Effect::Unknown) } else { error });
        }
        Ok((status, body))
    }

    /// Sends a request; the answer may have any status.
    pub(super) async fn send(&self, what: &str, request: Request) -> Result<Response> {
        self.http.send(request).await.map_err(|e| self.broken(what, e))
    }

    /// Reads the failure of an answer with status 400 or more.
    pub(super) async fn failure(&self, what: &str, response: Response) -> Error {
        let status = response.status;
        match response.bytes(DOCUMENT_LIMIT).await {
            Ok(body) => self.refused(what, status, &body).await,
            Err(error) => self.broken(what, error),
        }
    }

    /// Reads the envelope and passes on what it says beside the answer.
    fn envelope<'a>(&self, what: &str, body: &'a [u8]) -> Result<Envelope<'a>> {
        let envelope: Envelope<'a> = serde_json::from_slice(body).map_err(|e| self.garbled(what, &e.to_string()))?;
        if let Some(maintenance) = &envelope.maintenance {
            self.notes.warn(format!("`{}`: {}", self.endpoint, maintenance.message));
        }
        Ok(envelope)
    }

    /// The result of a reply; an absent one reads as null.
    pub(super) fn result<T: DeserializeOwned>(&self, what: &str, body: &[u8]) -> Result<T> {
        let envelope = self.envelope(what, body)?;
        let text = envelope.result.map_or("null", |raw| raw.get());
        serde_json::from_str(text).map_err(|e| self.garbled(what, &e.to_string()))
    }

    /// The result of a reply, as received.
    pub(super) fn raw_result(&self, what: &str, body: &[u8]) -> Result<String> {
        Ok(self.envelope(what, body)?.result.map_or_else(|| "null".to_owned(), |raw| raw.get().to_owned()))
    }

    /// Who the daemon is; open to everybody, and answered even by a daemon that is wedged.
    pub(super) async fn system_info(&self) -> Result<SystemInfo> {
        self.get("ask who the daemon is", "/v1/system-info").await
    }

    /// A refusal in the daemon's words, mapped onto a kind.
    async fn refused(&self, what: &str, status: u16, body: &[u8]) -> Error {
        let said: ApiError = serde_json::from_slice::<Envelope<'_>>(body)
            .ok()
            .and_then(|envelope| serde_json::from_str(envelope.result?.get()).ok())
            .unwrap_or_else(|| ApiError { message: format!("HTTP status {status} without a reason"), kind: None });
        if matches!(status, 404 | 405) && is_unknown_endpoint(&said.message) {
            return self.too_old(what, status, said).await;
        }
        let kind = kind_of(status, &said, self.identified);
        let mut error = Error::new(kind, self.cannot(what, &said.message));
        if kind == ErrorKind::Forbidden {
            error = error.hint("run it as root or as the daemon's user, or ask for an identity with more access");
        } else if kind == ErrorKind::Auth {
            error = error.hint(format!(
                "over HTTP the daemon only answers identities: set `username` and `password_file` of endpoint `{}`",
                self.endpoint
            ));
        }
        self.sign(error, status, said)
    }

    /// A request that this daemon does not know: unsupported, and by which version.
    async fn too_old(&self, what: &str, status: u16, said: ApiError) -> Error {
        let version = match Box::pin(self.http.send(Request::get("/v1/system-info"))).await {
            Ok(response) => match response.bytes(DOCUMENT_LIMIT).await {
                Ok(body) => self.result::<SystemInfo>(what, &body).ok().and_then(|info| info.version),
                Err(_) => None,
            },
            Err(_) => None,
        };
        let version = version.unwrap_or_else(|| "an unknown version".to_owned());
        let error = Error::unsupported(
            self.cannot(what, &format!("its daemon is Pebble {version}, which has no such endpoint")),
        );
        self.sign(error, status, said)
    }

    fn sign(&self, error: Error, status: u16, said: ApiError) -> Error {
        error.at("pebble", self.endpoint.clone()).wire(Wire {
            status: Some(status),
            kind: said.kind,
            message: Some(said.message),
            ..Wire::default()
        })
    }

    /// Something to act on that fails nothing.
    pub(super) fn warn(&self, warning: &impl std::fmt::Display) {
        self.notes.warn(warning.to_string());
    }

    /// "cannot … on `endpoint`: why"
    pub(super) fn cannot(&self, what: &str, why: &str) -> String {
        format!("cannot {what} on `{}`: {why}", self.endpoint)
    }

    /// An answer that is not what the protocol says.
    pub(super) fn garbled(&self, what: &str, why: &str) -> Error {
        Error::failure(self.cannot(what, "the daemon's answer cannot be read"))
            .cause(why.to_owned())
            .hint("is it a Pebble daemon? `esker doctor` tells what answers there")
            .at("pebble", self.endpoint.clone())
    }

    /// A connection that could not be made or was lost, with the one thing to do about it.
    pub(super) fn broken(&self, what: &str, error: Error) -> Error {
        let hint = match fault(&error) {
            Some(Fault::NoSocket) => Some(match self.source() {
                Some(source) => {
                    format!("is the daemon running there? {source}, or name another with --target unix:/PATH")
                }
                None => "is the daemon running there?".to_owned(),
            }),
            Some(Fault::Refused) => Some("the daemon is not running; start it with `pebble run`".to_owned()),
            Some(Fault::NotPermitted) => Some("run it as root or as the daemon's user".to_owned()),
            Some(Fault::NotASocket | Fault::PathTooLong | Fault::Unresolved) => self.source(),
            _ => None,
        };
        let why = error.to_string();
        let mut error = error.message(self.cannot(what, &why)).at("pebble", self.endpoint.clone());
        if let Some(hint) = hint {
            error = error.hint(hint);
        }
        error
    }

    /// Where the address comes from, in words; nothing where it was typed.
    fn source(&self) -> Option<String> {
        match self.origin.as_str() {
            "address" => None,
            "default" => Some("this is the default path: set PEBBLE_SOCKET or PEBBLE".to_owned()),
            origin => Some(format!("the path comes from {origin}")),
        }
    }
}

/// Whether the router itself refused: the daemon has no such endpoint.
fn is_unknown_endpoint(message: &str) -> bool {
    message.contains("invalid API endpoint requested") || message.contains("not allowed")
}

/// The kind of a refusal (section 2.1: most errors have no class, so endpoint words decide).
pub(super) fn kind_of(status: u16, said: &ApiError, identified: bool) -> ErrorKind {
    let message = said.message.as_str();
    match (status, said.kind.as_deref()) {
        (_, Some("not-found")) => ErrorKind::NotFound,
        (_, Some("permission-denied")) => ErrorKind::Forbidden,
        (_, Some("no-default-services")) => ErrorKind::Conflict,
        (401, _) if identified => ErrorKind::Forbidden,
        (401, _) => ErrorKind::Auth,
        (403, _) => ErrorKind::Forbidden,
        (404, _) => ErrorKind::NotFound,
        (504, _) => ErrorKind::Timeout,
        (429 | 502 | 503, _) => ErrorKind::TryLater,
        (400, _) if message.contains("already exists") || message.contains("file exists") => ErrorKind::Conflict,
        (400, _) if message.contains("with nothing pending") => ErrorKind::Conflict,
        (400, _)
            if message.contains("does not exist")
                || message.contains("cannot find")
                || message.contains("not found") =>
        {
            ErrorKind::NotFound
        }
        (400, _) => ErrorKind::Rejected,
        _ => ErrorKind::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_map_onto_kinds() {
        let kind = |status, message: &str, kind: Option<&str>| {
            kind_of(status, &ApiError { message: message.into(), kind: kind.map(Into::into) }, true)
        };
        assert_eq!(kind(401, "access denied", Some("login-required")), ErrorKind::Forbidden);
        assert_eq!(kind(400, "layer \"base\" already exists", None), ErrorKind::Conflict);
        assert_eq!(kind(400, "cannot start services: service \"x\" does not exist", None), ErrorKind::NotFound);
        assert_eq!(kind(400, "no default services", Some("no-default-services")), ErrorKind::Conflict);
        assert_eq!(kind(400, "invalid signal", None), ErrorKind::Rejected);
        assert_eq!(kind(400, "can only read a regular file", Some("generic-file-error")), ErrorKind::Rejected);
        assert_eq!(kind(404, "stat /nope: no such file or directory", Some("not-found")), ErrorKind::NotFound);
        assert_eq!(kind(500, "boom", None), ErrorKind::Failure);
        assert_eq!(kind(504, "timed out", None), ErrorKind::Timeout);
    }
}
