//! What the API says went wrong, in its four shapes, mapped onto kinds once (section 2.5 and 6.2).

use crate::error::ErrorKind;
use crate::provider::web::{self, Refusal};
use crate::transport::HeaderMap;
use serde::Deserialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The members of an error body that mean something; every one is optional.
#[derive(Debug, Default, Deserialize)]
struct Body {
    error: Option<String>,
    message: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
    code: Option<String>,
    limit: Option<u64>,
    current_count: Option<u64>,
    retry_after_seconds: Option<f64>,
    upgrade_url: Option<String>,
}

/// Reads an answer with a status of 400 or more.
pub(super) fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Refusal {
    let said: Body = serde_json::from_slice(body).unwrap_or_default();
    let text = text_of(&said, body, status);
    let kind = kind_of(status, said.code.as_deref(), said.error.as_deref(), &text);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut refusal = Refusal::new(status, kind, text);
    if said.error.as_deref() == Some("concurrent_sprite_limit_exceeded") {
        let count = match (said.current_count, said.limit) {
            (Some(count), Some(limit)) => format!("{count} of {limit} sandboxes run; "),
            _ => String::new(),
        };
        let upgrade = said.upgrade_url.map(|url| format!(", or see {url}")).unwrap_or_default();
        refusal.hint = Some(format!("{count}waiting does not help: delete one{upgrade}"));
    }
    refusal.retry_after = (kind == ErrorKind::TryLater).then(|| delay(said.retry_after_seconds, &header)).flatten();
    refusal.wire.kind = said.code.or(said.error.filter(|error| is_code(error)));
    refusal.wire.request_id = header("x-request-id").or_else(|| header("fly-request-id"));
    refusal
}

/// Whether an `error` is a code for programs and not a sentence.
fn is_code(error: &str) -> bool {
    !error.is_empty() && error.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn text_of(said: &Body, body: &[u8], status: u16) -> String {
    if !said.errors.is_empty() {
        return said.errors.join("; ");
    }
    if let Some(text) = said.message.as_ref().or(said.error.as_ref()).filter(|text| !text.is_empty()) {
        return text.clone();
    }
    web::text_of(status, body)
}

fn kind_of(status: u16, code: Option<&str>, error: Option<&str>, text: &str) -> ErrorKind {
    // The file system's code is authoritative, not the status (section 2.6).
    match code {
        Some("ENOENT") => return ErrorKind::NotFound,
        Some("EEXIST" | "ENOTEMPTY" | "EISDIR" | "ENOTDIR") => return ErrorKind::Conflict,
        Some("EACCES" | "EPERM") => return ErrorKind::Forbidden,
        Some("EINVAL") => return ErrorKind::Rejected,
        _ => {}
    }
    match status {
        401 => ErrorKind::Auth,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        409 | 410 => ErrorKind::Conflict,
        408 | 504 => ErrorKind::TryLater,
        // A quota, which no waiting helps against.
        429 if error == Some("concurrent_sprite_limit_exceeded") => ErrorKind::Rejected,
        429 | 502 | 503 => ErrorKind::TryLater,
        // Some servers say 500 where something does not exist (section 2.2, 2.4).
        500 if text.contains("not found") || text.contains("failed to retrieve sprite") => ErrorKind::NotFound,
        400..=499 => ErrorKind::Rejected,
        _ => ErrorKind::Failure,
    }
}

/// How long to wait after a 429: the body's word, then the headers' (section 2.5).
fn delay(body: Option<f64>, header: &impl Fn(&str) -> Option<String>) -> Option<Duration> {
    let seconds = body.or_else(|| header("retry-after")?.trim().parse().ok()).or_else(|| {
        let reset: f64 = header("x-ratelimit-reset")?.trim().parse().ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
        Some((reset - now).max(0.0))
    })?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::HeaderValue;

    #[test]
    fn all_four_shapes_are_read() {
        let shapes = [
            (401, r#"{"error":"authentication failed"}"#, ErrorKind::Auth, "authentication failed"),
            (400, r#"{"errors":["invalid sprite name format"]}"#, ErrorKind::Rejected, "invalid sprite name format"),
            (400, r#"{"error":"no such file","code":"ENOENT","path":"/x"}"#, ErrorKind::NotFound, "no such file"),
            (503, "Storage not ready", ErrorKind::TryLater, "Storage not ready"),
            (500, r#"{"error":"failed to retrieve sprite"}"#, ErrorKind::NotFound, "failed to retrieve sprite"),
            (
                500,
                "Failed to get checkpoint: x not found",
                ErrorKind::NotFound,
                "Failed to get checkpoint: x not found",
            ),
            (502, "<html>Bad gateway</html>", ErrorKind::TryLater, "HTTP status 502 without a reason"),
            (500, "", ErrorKind::Failure, "HTTP status 500 without a reason"),
            (409, r#"{"error":"conflict","message":"A sprite"}"#, ErrorKind::Conflict, "A sprite"),
        ];
        for (status, body, kind, message) in shapes {
            let refusal = read(status, &HeaderMap::new(), body.as_bytes());
            assert_eq!((refusal.kind, refusal.message.as_str()), (kind, message), "{status} {body}");
        }
    }

    #[test]
    fn a_full_house_is_not_waited_for() {
        let body = r#"{"error":"concurrent_sprite_limit_exceeded","limit":3,"current_count":3}"#;
        let error = read(429, &HeaderMap::new(), body.as_bytes()).error(str::to_owned);
        assert_eq!(error.kind(), ErrorKind::Rejected);
        assert!(error.parts().hint.as_ref().unwrap().starts_with("3 of 3"));
    }

    #[test]
    fn the_delay_is_the_first_that_is_said() {
        let mut headers = HeaderMap::new();
        let limited = r#"{"error":"sprite_creation_rate_limited","retry_after_seconds":4}"#;
        headers.insert("retry-after", HeaderValue::from_static("9"));
        let after = |body: &str, headers: &HeaderMap| {
            read(429, headers, body.as_bytes()).error(str::to_owned).parts().retry_after
        };
        assert_eq!(after(limited, &headers), Some(Duration::from_secs(4)));
        assert_eq!(after("{}", &headers), Some(Duration::from_secs(9)));
        headers.clear();
        headers.insert("x-ratelimit-reset", HeaderValue::from_static("1"));
        assert_eq!(after("{}", &headers), Some(Duration::ZERO));
        assert_eq!(after("{}", &HeaderMap::new()), None);
    }
}
