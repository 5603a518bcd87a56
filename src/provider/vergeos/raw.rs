//! Raw requests, the wire of `esker api`.

use super::client::Client;
use crate::error::Result;
use crate::provider::{Raw, RawRequest, RawResponse};
use async_trait::async_trait;

/// Raw requests to the API, with its credential.
pub(super) struct VergeRaw(pub(super) Client);

#[async_trait]
impl Raw for VergeRaw {
    async fn request(&self, request: RawRequest) -> Result<RawResponse> {
        let what = format!("{} {}", request.method, request.path);
        Ok(self.0.raw(&what, request.into_wire()?).await?.into())
    }
}
