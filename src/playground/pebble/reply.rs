//! The envelopes around what the daemon answers (section 2.1).

use super::errors::Refusal;
use super::go;
use crate::transport::StatusCode;
use crate::transport::server::Response;
use serde_json::{Value, json};

/// A result that is there.
pub(super) fn sync(result: Option<Value>) -> Response {
    sync_with(StatusCode::OK, result)
}

/// A result that is there, under another status.
pub(super) fn sync_with(status: StatusCode, result: Option<Value>) -> Response {
    let mut document = envelope("sync", status);
    if let Some(result) = result {
        document["result"] = result;
    }
    respond(status, &document)
}

/// A change that has begun.
pub(super) fn accepted(change: u64, result: Value) -> Response {
    let mut document = envelope("async", StatusCode::ACCEPTED);
    document["change"] = json!(change.to_string());
    document["result"] = result;
    respond(StatusCode::ACCEPTED, &document)
}

/// What went wrong.
pub(super) fn refused(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut document = envelope("error", status);
    document["result"] = json!({"message": refusal.message});
    if let Some(kind) = refusal.kind {
        document["result"]["kind"] = json!(kind);
    }
    respond(status, &document)
}

fn envelope(kind: &str, status: StatusCode) -> Value {
    json!({
        "type": kind,
        "status-code": status.as_u16(),
        "status": status.canonical_reason().unwrap_or_default(),
    })
}

fn respond(status: StatusCode, document: &Value) -> Response {
    Response::bytes(status, "application/json", go::json(document))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::server::Body;

    fn text(response: Response) -> String {
        match response.body {
            Body::Full(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Body::Stream { .. } => panic!("it is whole"),
        }
    }

    #[test]
    fn envelopes_are_those_of_the_daemon() {
        assert_eq!(
            text(sync(Some(json!(true)))),
            "{\"type\":\"sync\",\"status-code\":200,\"status\":\"OK\",\"result\":true}\n"
        );
        assert_eq!(text(sync(None)), "{\"type\":\"sync\",\"status-code\":200,\"status\":\"OK\"}\n");
        assert_eq!(
            text(accepted(4, Value::Null)),
            "{\"type\":\"async\",\"status-code\":202,\"status\":\"Accepted\",\"change\":\"4\",\"result\":null}\n"
        );
        assert_eq!(
            text(refused(&Refusal::denied())),
            "{\"type\":\"error\",\"status-code\":401,\"status\":\"Unauthorized\",\
             \"result\":{\"message\":\"access denied\",\"kind\":\"login-required\"}}\n"
        );
    }
}
