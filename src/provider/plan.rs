//! The configuration in force, and the layers it is made of.

use crate::error::Result;
use crate::model::{Finding, PlanDocument};
use async_trait::async_trait;

/// A layer to be added.
#[derive(Clone, Debug)]
pub struct LayerSpec {
    /// Its label.
    pub label: String,
    /// Its text.
    pub text: String,
    /// Whether a layer of that label is merged with it; without, one that exists is `Conflict`.
    pub combine: bool,
    /// Whether it may be inserted before other layers, where the wire has sub-directories of layers.
    pub inner: bool,
}

/// Configuration of a place.
#[async_trait]
pub trait Plans: Send + Sync {
    /// The configuration in force.
    async fn get(&self) -> Result<PlanDocument>;

    /// Adds a layer. It changes no running service until a replan.
    async fn add_layer(&self, layer: &LayerSpec) -> Result<()>;

    /// Everything wrong in a layer, in the order of the text. `file` names it in the findings; with `plan`, names
    /// are also checked against the configuration in force. No I/O.
    fn lint(&self, file: &str, text: &str, plan: Option<&PlanDocument>) -> Vec<Finding>;

    /// The configuration that adding `layer` to `plan` would lead to, as text in the form of [`PlanDocument::text`].
    /// No I/O.
    fn preview(&self, plan: &PlanDocument, layer: &LayerSpec) -> Result<String>;
}
