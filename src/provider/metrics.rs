//! Metrics.

use crate::error::Result;
use crate::model::Metric;
use async_trait::async_trait;

/// Metrics of a place.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// The samples, in the server's order.
    async fn samples(&self) -> Result<Vec<Metric>>;
}
