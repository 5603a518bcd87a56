//! Raw requests, the wire of `esker api`.

use super::Client;
use crate::error::Result;
use crate::provider::raw::{Raw, RawRequest, RawResponse};
use async_trait::async_trait;
use serde_json::Value;

#[async_trait]
impl Raw for Client {
    async fn request(&self, request: RawRequest) -> Result<RawResponse> {
        let what = format!("{} {}", request.method, request.path);
        Ok(self.raw(&what, request.into_wire()?).await?.into())
    }

    fn next_page(&self, path: &str, answer: &Value) -> Option<String> {
        (self.system().next_page)(path, answer)
    }
}
