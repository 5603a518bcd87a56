//! What the trace shows of a request: everything but its secrets and its body.

use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use std::fmt::Write as _;

const HIDDEN: &str = "***";

/// Headers as `name: value` pairs, secrets hidden.
pub(super) fn headers(headers: &HeaderMap) -> String {
    let mut text = String::new();
    for (name, value) in headers {
        let separator = if text.is_empty() { "" } else { ", " };
        let value =
            if is_secret_header(name, value) { HIDDEN.into() } else { String::from_utf8_lossy(value.as_bytes()) };
        let _ = write!(text, "{separator}{name}: {}", value.escape_debug());
    }
    text
}

fn is_secret_header(name: &HeaderName, value: &HeaderValue) -> bool {
    value.is_sensitive()
        || [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name)
        || sounds_secret(name.as_str(), &["token", "key", "secret", "password"])
}

/// A path and query, the values of secret parameters hidden, and a token that is the name of its own resource.
pub(super) fn path(path: &str) -> String {
    if let Some((before, _)) = path.split_once("/tokens/") {
        return format!("{before}/tokens/{HIDDEN}");
    }
    let Some((path, query)) = path.split_once('?') else { return path.to_owned() };
    let shown: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) if sounds_secret(key, &["token", "password", "secret", "key"]) => format!("{key}={HIDDEN}"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", shown.join("&"))
}

fn sounds_secret(name: &str, words: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    words.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_query_and_headers_are_hidden() {
        assert_eq!(
            path("/a?b=1&Access_Token=x&c&api-key=y&password=&z=%2f"),
            "/a?b=1&Access_Token=***&c&api-key=***&password=***&z=%2f"
        );
        assert_eq!(path("/token/x"), "/token/x");
        assert_eq!(path("/api/sys/tokens/x"), "/api/sys/tokens/***");
        let mut map = HeaderMap::new();
        for (name, value) in
            [("accept", "a/b"), ("authorization", "B x"), ("x-vault-token", "x"), ("x-api-key", "x"), ("cookie", "x")]
        {
            map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let mut sensitive = HeaderValue::from_static("x");
        sensitive.set_sensitive(true);
        map.insert("x-plain", sensitive);
        let text = headers(&map);
        assert!(text.contains("accept: a/b") && text.contains("x-plain: ***"), "{text}");
        assert_eq!(text.matches("***").count(), 5, "{text}");
    }
}
