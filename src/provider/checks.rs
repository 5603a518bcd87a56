//! Health checks.

use crate::error::Result;
use crate::model::{Check, CheckRefreshed, HealthState};
use async_trait::async_trait;

/// Health checks of a place.
#[async_trait]
pub trait Checks: Send + Sync {
    /// The checks called `names`, or all, of `level`; sorted by name, with the last error of those that fail.
    /// Unknown names are absent.
    async fn list(&self, level: Option<&str>, names: &[String]) -> Result<Vec<Check>>;

    /// Starts (`true`) or stops checks; returns the names that were really changed. An unknown name is `NotFound`
    /// and nothing is changed.
    async fn run(&self, start: bool, names: &[String]) -> Result<Vec<String>>;

    /// Runs a check now and waits for its verdict, also if it is stopped.
    async fn refresh(&self, name: &str) -> Result<CheckRefreshed>;

    /// Whether any check that counts is down. `ready` includes `alive`.
    async fn health(&self, level: Option<&str>, names: &[String]) -> Result<HealthState>;
}
