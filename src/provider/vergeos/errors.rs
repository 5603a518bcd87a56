//! What the API says went wrong, mapped onto kinds once (sections 2.6 and 6.1).

use crate::error::{Error, ErrorKind, Wire};
use serde_json::Value;

/// The longest text of a server that is repeated to the user.
const SHOWN: usize = 500;

/// Texts of a refusal that means a wrong state and not a wrong value, whatever the status says.
const STATES: &[&str] = &["must be stopped", "online drive", "already in", "already running", "is in use", "in use by"];

/// A refusal in the server's words.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
    status: u16,
}

impl Refusal {
    /// Reads an answer with a status of 400 or more.
    pub(super) fn read(status: u16, body: &[u8]) -> Self {
        let message = text_of(body).unwrap_or_else(|| format!("HTTP status {status} without a reason"));
        Self { kind: kind_of(status, &message), message, status }
    }

    /// The error; `cannot` completes the sentence.
    pub(super) fn error(self, cannot: impl FnOnce(&str) -> String) -> Error {
        let wire = Wire { status: Some(self.status), message: Some(self.message.clone()), ..Wire::default() };
        Error::new(self.kind, cannot(&self.message)).wire(wire)
    }
}

/// The text: `err`, `error`, `message` in this order, where they are texts; else what is there.
fn text_of(body: &[u8]) -> Option<String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if let Ok(Value::Object(said)) = serde_json::from_slice::<Value>(body) {
        let texts = ["err", "error", "message"].into_iter().filter_map(|name| said.get(name)?.as_str());
        return texts.map(str::trim).find(|text| !text.is_empty()).map(str::to_owned);
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    // A page of some proxy on the way says less than its status.
    let is_page = text.is_empty() || text.starts_with('<') || text.starts_with('{');
    (!is_page).then(|| text.chars().take(SHOWN).collect())
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
            let refusal = Refusal::read(status, body.as_bytes());
            assert_eq!((refusal.kind, refusal.message.as_str()), (kind, message), "{status} {body}");
        }
    }
}
