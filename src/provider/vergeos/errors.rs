//! What the API says went wrong, mapped onto kinds once (sections 2.6 and 6.1).

use crate::error::ErrorKind;
use crate::provider::web::{self, Refusal};
use crate::transport::HeaderMap;
use serde_json::Value;

/// Texts of a refusal that means a wrong state and not a wrong value, whatever the status says.
const STATES: &[&str] = &["must be stopped", "online drive", "already in", "already running", "is in use", "in use by"];

/// Reads an answer with a status of 400 or more.
pub(super) fn read(status: u16, _headers: &HeaderMap, body: &[u8]) -> Refusal {
    let message = text_of(status, body);
    Refusal::new(status, kind_of(status, &message), message)
}

/// The text: `err`, `error`, `message` in this order, where they are texts; else what is there.
fn text_of(status: u16, body: &[u8]) -> String {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if let Ok(Value::Object(said)) = serde_json::from_slice::<Value>(body) {
        let texts = ["err", "error", "message"].into_iter().filter_map(|name| said.get(name)?.as_str());
        if let Some(text) = texts.map(str::trim).find(|text| !text.is_empty()) {
            return text.to_owned();
        }
    }
    web::text_of(status, body)
}

fn kind_of(status: u16, text: &str) -> ErrorKind {
    if matches!(status, 400..=499) && status != 401 && STATES.iter().any(|state| text.contains(state)) {
        return ErrorKind::Conflict;
    }
    match status {
        401 => ErrorKind::Auth,
        // Both mean "you may not"; what a row forbids to everybody comes as 405 too.
        403 | 405 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        429 | 502 | 503 | 504 => ErrorKind::TryLater,
        // A full tier is a quota.
        507 | 400..=499 => ErrorKind::Rejected,
        _ => ErrorKind::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_and_status_is_read() {
        let shapes = [
            (401, r#"{"err":"Login required"}"#, ErrorKind::Auth, "Login required"),
            (403, r#"{"error":"denied"}"#, ErrorKind::Forbidden, "denied"),
            (405, r#"{"err":"Operation not permitted"}"#, ErrorKind::Forbidden, "Operation not permitted"),
            (409, r#"{"err":"This name is already in use"}"#, ErrorKind::Conflict, "This name is already in use"),
            (422, r#"{"err":"Invalid argument"}"#, ErrorKind::Rejected, "Invalid argument"),
            (422, r#"{"err":true,"message":"no"}"#, ErrorKind::Rejected, "no"),
            (
                400,
                r#"{"err":"Virtual Machine must be stopped to delete"}"#,
                ErrorKind::Conflict,
                "Virtual Machine must be stopped to delete",
            ),
            (405, r#"{"err":"Unable to delete online drive"}"#, ErrorKind::Conflict, "Unable to delete online drive"),
            (502, "<html>Bad gateway</html>", ErrorKind::TryLater, "HTTP status 502 without a reason"),
            (500, "\u{feff}{\"err\":\"boom\"}", ErrorKind::Failure, "boom"),
            (500, "", ErrorKind::Failure, "HTTP status 500 without a reason"),
            (507, "full", ErrorKind::Rejected, "full"),
        ];
        for (status, body, kind, message) in shapes {
            let refusal = read(status, &HeaderMap::new(), body.as_bytes());
            assert_eq!((refusal.kind, refusal.message.as_str()), (kind, message), "{status} {body}");
        }
    }
}
