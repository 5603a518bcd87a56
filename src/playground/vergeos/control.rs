//! What only a test asks of a simulator. None of it is part of the API, and none of it needs credentials: whoever can
//! reach the port already has them.
//!
//! `PUT /playground/requests` begins to write down requests, `GET` tells those since: method, path, decoded query, the
//! body if it is JSON, and the keys of the rows that were answered. `PUT /playground/vms?count=N` has the world hold N
//! more VMs. `PUT /playground/mark` remembers all rows, and `PUT /playground/rewind` has them as they were then.

use super::route::Api;
use super::seed;
use crate::stream;
use crate::transport::header::CONTENT_TYPE;
use crate::transport::server::{Body, Handler, Reply, Request, Response};
use crate::transport::{Method, StatusCode};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// The largest body that is written down, in bytes.
const MAX_BODY: usize = 1 << 20;

/// The API, and what stands beside it.
pub(super) struct Control {
    api: Api,
    /// What was asked since the first `PUT`; `None` before.
    requests: Mutex<Option<Vec<Value>>>,
}

impl Control {
    pub(super) fn new(api: Api) -> Self {
        Self { api, requests: Mutex::new(None) }
    }

    fn requests(&self) -> std::sync::MutexGuard<'_, Option<Vec<Value>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request as it is written down, if that was asked for. Its body is read for that, and put back.
    async fn record(&self, request: &mut Request) -> Option<Value> {
        if self.requests().is_none() {
            return None;
        }
        let is_json = request.header(&CONTENT_TYPE).is_none_or(|kind| kind.starts_with("application/json"));
        let body = if is_json { request.bytes(MAX_BODY).await.unwrap_or_default() } else { bytes::Bytes::new() };
        let pairs = request.query.pairs();
        let query: Value = pairs.map(|(name, value)| json!([name, String::from_utf8_lossy(value)])).collect();
        if is_json {
            request.body = stream::iter([Ok(body.clone())]);
        }
        Some(json!({
            "method": request.method.as_str(),
            "path": request.path,
            "query": query,
            "body": serde_json::from_slice::<Value>(&body).unwrap_or_default(),
        }))
    }

    fn answer(&self, request: &Request) -> Response {
        match (&request.method, request.path.as_str()) {
            (&Method::PUT, "/playground/requests") => {
                *self.requests() = Some(Vec::new());
                Response::empty(StatusCode::NO_CONTENT)
            }
            (&Method::GET, "/playground/requests") => {
                let requests = self.requests().as_mut().map(std::mem::take).unwrap_or_default();
                Response::json(StatusCode::OK, &requests)
            }
            (&Method::PUT, "/playground/mark") => {
                self.api.world().mark();
                Response::empty(StatusCode::NO_CONTENT)
            }
            (&Method::PUT, "/playground/rewind") => {
                self.api.world().rewind();
                Response::empty(StatusCode::NO_CONTENT)
            }
            (&Method::PUT, "/playground/vms") => {
                let count = request.query.text("count").and_then(|count| count.parse().ok()).unwrap_or(0);
                seed::crowd(&mut self.api.world(), count);
                Response::empty(StatusCode::NO_CONTENT)
            }
            _ => Response::text(StatusCode::NOT_FOUND, "there is no such thing in the playground\n"),
        }
    }
}

#[async_trait]
impl Handler for Control {
    async fn handle(&self, mut request: Request) -> Reply {
        if request.path.starts_with("/playground/") {
            return self.answer(&request).into();
        }
        let line = self.record(&mut request).await;
        let reply = self.api.handle(request).await;
        if let Some(mut line) = line
            && let Some(requests) = &mut *self.requests()
        {
            line["answered"] = keys(&reply);
            requests.push(line);
        }
        reply
    }
}

/// The keys of the rows of a reply, in their order; those of no row are null.
fn keys(reply: &Reply) -> Value {
    let Reply::Response(Response { body: Body::Full(body), .. }) = reply else { return Value::Null };
    match serde_json::from_slice(body) {
        Ok(Value::Array(rows)) => rows.iter().map(|row| row["$key"].clone()).collect(),
        Ok(row @ Value::Object(_)) => json!([row["$key"]]),
        _ => Value::Null,
    }
}
