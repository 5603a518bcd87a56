//! Raw authenticated requests: `esker api`.

use crate::error::{Error, Result};
use crate::stream::ByteStream;
use crate::transport::{Body, HeaderName, HeaderValue, Method, Request, Response};
use async_trait::async_trait;

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
