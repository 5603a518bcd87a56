//! Raw requests, the wire of `esker api`.

use super::client::Client;
use crate::error::{Error, Result};
use crate::provider::{Raw, RawRequest, RawResponse};
use crate::transport::{Body, HeaderName, HeaderValue, Method, Request};
use async_trait::async_trait;

/// Raw requests to a daemon.
pub(super) struct PebbleRaw(pub(super) Client);

#[async_trait]
impl Raw for PebbleRaw {
    async fn request(&self, request: RawRequest) -> Result<RawResponse> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| Error::usage(format!("`{}` is not an HTTP method", request.method)))?;
        let what = format!("{method} {}", request.path);
        let mut wire = Request::new(method, &request.path).streaming();
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::usage(format!("`{name}` is not the name of a header")))?;
            let value = HeaderValue::from_str(value)
                .map_err(|_| Error::usage(format!("the value of header `{name}` has characters that none may have")))?;
            wire = wire.header(name, value);
        }
        if let Some((body, len)) = request.body {
            wire = wire.body(Body::Stream { body, len });
        }
        let response = self.0.send(&what, wire).await?;
        let headers = response.headers.iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        Ok(RawResponse { status: response.status, headers: headers.collect(), body: response.into_stream() })
    }
}
