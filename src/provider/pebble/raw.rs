//! Raw requests, the wire of `esker api`.

use super::client::Client;
use crate::error::Result;
use crate::provider::{Raw, RawRequest, RawResponse};
use async_trait::async_trait;

/// Raw requests to a daemon.
pub(super) struct PebbleRaw(pub(super) Client);

#[async_trait]
impl Raw for PebbleRaw {
    async fn request(&self, request: RawRequest) -> Result<RawResponse> {
        let what = format!("{} {}", request.method, request.path);
        Ok(self.0.send(&what, request.into_wire()?).await?.into())
    }
}
