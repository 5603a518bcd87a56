//! Raw requests (`esker api`).

use super::client::Client;
use crate::error::Result;
use crate::provider::raw::{Raw, RawRequest, RawResponse};
use async_trait::async_trait;

/// Raw requests to a server.
pub(super) struct RexecRaw(pub(super) Client);

#[async_trait]
impl Raw for RexecRaw {
    async fn request(&self, request: RawRequest) -> Result<RawResponse> {
        let what = format!("{} {}", request.method, request.path);
        Ok(self.0.raw(&what, request.into_wire()?).await?.into())
    }
}
