//! Raw authenticated requests: `esker api`.

use crate::error::{Error, Result};
use crate::stream::ByteStream;
use crate::transport::{Body, HeaderName, HeaderValue, Method, Request, Response};
use async_trait::async_trait;
use serde_json::Value;
use std::fmt::Write as _;

/// A raw request: `esker api`.
pub struct RawRequest {
    /// The HTTP method.
    pub method: String,
    /// The path and query, starting with `/`.
    pub path: String,
    /// Headers, beside those the provider adds.
    pub headers: Vec<(String, String)>,
    /// The body and, if it is known, its length.
    pub body: Option<(ByteStream, Option<u64>)>,
}

/// The answer to a raw request, whatever its status.
pub struct RawResponse {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body, as it arrives.
    pub body: ByteStream,
}

/// Raw authenticated requests to a system that speaks HTTP.
#[async_trait]
pub trait Raw: Send + Sync {
    /// Sends one request, never twice. A status of 4xx or 5xx is an answer, not an `Err`.
    async fn request(&self, request: RawRequest) -> Result<RawResponse>;

    /// The path of the page after `answer`, which came from `path`; `None` if it was the last.
    fn next_page(&self, _path: &str, _answer: &Value) -> Option<String> {
        None
    }
}

/// `path` with this query parameter and no other of its name. The value is encoded.
pub fn with_parameter(path: &str, name: &str, value: &str) -> String {
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    let is_other = |pair: &&str| !pair.is_empty() && pair.split('=').next() != Some(name);
    let mut pairs: Vec<String> = query.split('&').filter(is_other).map(str::to_owned).collect();
    let mut text = format!("{name}=");
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            byte => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    pairs.push(text);
    format!("{bare}?{}", pairs.join("&"))
}

/// The page after a list of `limit` rows at `offset`, both of which are parameters of `path`; `usual` is the limit of
/// a request that names none. A list that is shorter is the last.
pub fn next_offset(path: &str, answer: &Value, usual: Option<usize>) -> Option<String> {
    let rows = answer.as_array()?.len();
    let parameter = |name: &str| {
        let (_, query) = path.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok())
    };
    let limit = parameter("limit").or(usual).filter(|limit| *limit > 0)?;
    (rows >= limit).then(|| with_parameter(path, "offset", &(parameter("offset").unwrap_or(0) + rows).to_string()))
}

impl RawRequest {
    /// What the transport sends; `Usage` for what HTTP cannot carry.
    pub fn into_wire(self) -> Result<Request> {
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| Error::usage(format!("`{}` is not an HTTP method", self.method)))?;
        let mut wire = Request::new(method, self.path).streaming();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::usage(format!("`{name}` is not the name of a header")))?;
            let value = HeaderValue::from_str(value)
                .map_err(|_| Error::usage(format!("the value of header `{name}` has characters that none may have")))?;
            wire = wire.header(name, value);
        }
        if let Some((body, len)) = self.body {
            wire = wire.body(Body::Stream { body, len });
        }
        Ok(wire)
    }
}

impl From<Response> for RawResponse {
    fn from(response: Response) -> Self {
        let headers = response.headers.iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        Self { status: response.status, headers: headers.collect(), body: response.into_stream() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pages_follow_each_other() {
        assert_eq!(with_parameter("/v1/x", "token", "a b/&"), "/v1/x?token=a%20b%2F%26");
        assert_eq!(with_parameter("/v1/x?token=old&a=1", "token", "new"), "/v1/x?a=1&token=new");
        let next = |path: &str, rows: usize, usual| next_offset(path, &json!(vec![0; rows]), usual);
        assert_eq!(next("/x?limit=2", 2, None).as_deref(), Some("/x?limit=2&offset=2"));
        assert_eq!(next("/x?limit=2&offset=2", 2, None).as_deref(), Some("/x?limit=2&offset=4"));
        assert_eq!(next("/x?limit=2&offset=4", 1, None), None);
        assert_eq!(next("/x", 50, Some(50)).as_deref(), Some("/x?offset=50"));
        assert_eq!((next("/x", 50, None), next("/x?limit=0", 0, None)), (None, None));
        assert_eq!(next_offset("/x?limit=1", &json!({"error": "x"}), None), None);
    }
}
