//! The plan in force and the layers that are added to it. What a layer may hold is in `layer/`.

use super::client::Client;
use super::layer;
use crate::error::Result;
use crate::model::{Finding, PlanDocument};
use crate::provider::plan::{LayerSpec, Plans};
use async_trait::async_trait;
use serde_json::{Value, json};

/// The plan of a daemon.
pub(super) struct PebblePlan(pub(super) Client);

#[async_trait]
impl Plans for PebblePlan {
    async fn get(&self) -> Result<PlanDocument> {
        let text: String = self.0.get("read the plan", "/v1/plan?format=yaml").await?;
        let plan: Value = serde_yaml::from_str(&text).map_err(|e| self.0.garbled("read the plan", &e.to_string()))?;
        Ok(PlanDocument { plan, text })
    }

    async fn add_layer(&self, spec: &LayerSpec) -> Result<()> {
        layer::check_label(&spec.label)?;
        let body = json!({
            "action": "add",
            "combine": spec.combine,
            "inner": spec.inner,
            "label": spec.label,
            "format": "yaml",
            "layer": spec.text,
        });
        let what = format!("add layer `{}`", spec.label);
        self.0.post::<Value>(&what, "/v1/layers", &body).await.map(drop).map_err(|error| {
            let exists = error.to_string().contains("already exists");
            let inner = error.to_string().contains("without 'inner' attribute");
            match (exists, inner) {
                (true, _) => error.hint("merge it into that layer with --combine"),
                (_, true) => error.hint("insert it before other layers with --inner"),
                _ => error,
            }
        })
    }

    fn lint(&self, file: &str, text: &str, plan: Option<&PlanDocument>) -> Vec<Finding> {
        layer::lint(file, text, plan.map(|plan| &plan.plan))
    }

    fn preview(&self, plan: &PlanDocument, layer: &LayerSpec) -> Result<String> {
        layer::merge(&plan.text, &layer.text)
    }
}
