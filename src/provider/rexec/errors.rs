//! What the server says went wrong, in its two shapes, mapped onto kinds once (sections 2.3 and 7).

use crate::error::ErrorKind;
use crate::provider::web::{self, Refusal};
use crate::transport::HeaderMap;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// The members of an error body that mean something; every one is optional.
#[derive(Debug, Default, Deserialize)]
struct Body {
    error: Option<String>,
    message: Option<String>,
    detail: Option<String>,
    details: Option<Value>,
    /// A word in the one shape, a number in the other.
    code: Option<Value>,
    hint: Option<String>,
    limit: Option<u64>,
    current: Option<u64>,
    tier: Option<String>,
    status: Option<String>,
    retry_after: Option<f64>,
    supported_images: Option<Vec<String>>,
}

/// Reads an answer with a status of 400 or more.
pub(super) fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Refusal {
    let said: Body = serde_json::from_slice(body).unwrap_or_default();
    let text = text_of(&said, body, status);
    let code = said.code.as_ref().and_then(Value::as_str).map(str::to_owned);
    let kind = kind_of(status, code.as_deref(), &said, &text);
    let hint = hint(status, code.as_deref(), &said, &text);
    let mut refusal = Refusal::new(status, kind, text);
    refusal.hint = hint;
    let header = headers.get("retry-after").and_then(|value| value.to_str().ok());
    let retry_after = header.and_then(delay).or_else(|| Duration::try_from_secs_f64(said.retry_after?).ok());
    refusal.retry_after = retry_after.filter(|_| kind == ErrorKind::TryLater);
    refusal.wire.kind = code;
    refusal
}

fn text_of(said: &Body, body: &[u8], status: u16) -> String {
    let detail = said.details.as_ref().and_then(Value::as_str);
    let words = [said.error.as_deref(), said.message.as_deref(), said.detail.as_deref(), detail];
    if let Some(text) = words.into_iter().flatten().find(|text| !text.is_empty()) {
        return text.to_owned();
    }
    web::text_of(status, body)
}

fn kind_of(status: u16, code: Option<&str>, said: &Body, text: &str) -> ErrorKind {
    match status {
        400 if code == Some("container_stopped") || text == "container is not running" => ErrorKind::Conflict,
        400 if text.starts_with("file too large") => ErrorKind::Rejected,
        401 | 423 => ErrorKind::Auth,
        // A quota, which no waiting helps against.
        403 if said.limit.is_some() || code.is_some_and(|code| code.ends_with("_limit_reached")) => ErrorKind::Rejected,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        408 | 429 | 502 | 503 | 504 => ErrorKind::TryLater,
        501 => ErrorKind::Unsupported,
        400..=499 => ErrorKind::Rejected,
        _ => ErrorKind::Failure,
    }
}

fn hint(status: u16, code: Option<&str>, said: &Body, text: &str) -> Option<String> {
    Some(match (status, code, text) {
        (423, Some("mfa_required"), _) => {
            "the terminal wants a second factor: run this on a terminal, which asks for the code".to_owned()
        }
        (423, ..) => "unlock the screen in the web client, or use an API token: those are not locked".to_owned(),
        (401, _, "session_revoked") => "sign in again".to_owned(),
        (403, ..) if said.limit.is_some() => {
            let count = said.current.map(|current| format!("{current} of ")).unwrap_or_default();
            let tier = said.tier.as_deref().map(|tier| format!(" of plan `{tier}`")).unwrap_or_default();
            format!("{count}{}{tier} are used: delete one", said.limit.unwrap_or_default())
        }
        (400, _, "unsupported image type") => {
            let known = said.supported_images.as_ref().map(|all| all.join(", ")).unwrap_or_default();
            format!("the server knows {known}; any other goes as a reference, such as alpine:3.21")
        }
        (400, Some("container_stopped"), _) => {
            format!("it is {}: start it first", said.status.as_deref().unwrap_or("not running"))
        }
        _ => return said.hint.clone().filter(|hint| hint != text),
    })
}

/// How long to wait: seconds, or a duration as Go writes it, `1m0s`, which HTTP does not know (section 2.2).
fn delay(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    crate::config::duration::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::HeaderValue;

    #[test]
    fn both_shapes_are_read_and_mapped() {
        for (status, body, kind, message) in [
            (401, r#"{"error":"session_revoked"}"#, ErrorKind::Auth, "session_revoked"),
            (423, r#"{"error":"session_locked"}"#, ErrorKind::Auth, "session_locked"),
            (404, r#"{"code":404,"message":"snippet not found"}"#, ErrorKind::NotFound, "snippet not found"),
            (410, r#"{"error":"gone","code":"container_removed"}"#, ErrorKind::NotFound, "gone"),
            (403, r#"{"error":"access denied"}"#, ErrorKind::Forbidden, "access denied"),
            (403, r#"{"error":"container limit reached","limit":5}"#, ErrorKind::Rejected, "container limit reached"),
            (403, r#"{"error":"x","code":"agent_limit_reached"}"#, ErrorKind::Rejected, "x"),
            (400, r#"{"error":"container is not running"}"#, ErrorKind::Conflict, "container is not running"),
            (400, r#"{"error":"bad"}"#, ErrorKind::Rejected, "bad"),
            (502, "<html>Bad gateway</html>", ErrorKind::TryLater, "HTTP status 502 without a reason"),
            (500, "", ErrorKind::Failure, "HTTP status 500 without a reason"),
            (500, "oops\n", ErrorKind::Failure, "oops"),
        ] {
            let refusal = read(status, &HeaderMap::new(), body.as_bytes());
            assert_eq!((refusal.kind, refusal.message.as_str()), (kind, message), "{status} {body}");
        }
    }

    #[test]
    fn a_duration_of_go_is_a_time_to_wait() {
        let mut headers = HeaderMap::new();
        let after =
            |headers: &HeaderMap| read(429, headers, br#"{"error":"rate limit exceeded","retry_after":7}"#).retry_after;
        assert_eq!(after(&headers), Some(Duration::from_secs(7)));
        for (text, seconds) in [("1m0s", 60), ("12", 12), ("1h1m1s", 3661), ("soon", 7)] {
            headers.insert("retry-after", HeaderValue::from_static(text));
            assert_eq!(after(&headers), Some(Duration::from_secs(seconds)), "{text}");
        }
    }
}
