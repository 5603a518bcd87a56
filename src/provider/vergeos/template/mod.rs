//! Templates of machines (section 5.3): read, compared with what is there, applied, and written from a live machine.
//!
//! A template may be applied as often as one likes. Fields that the official client sends under names that the system
//! does not know have their right ones here.

mod apply;
mod export;
mod plan;
mod read;

use super::client::Client;
use super::machines::VergeMachines;
use super::resources::VergeResources;
use crate::error::Result;
use crate::model::{MachinePlan, Planned};
use crate::provider::Vars;
use crate::provider::machines::{Row, Selector};
use crate::provider::templates::{Described, Templates};
use async_trait::async_trait;

/// The parts of a machine that a template has beside its own fields: the key there, the table, and the column by
/// which one is known.
const PARTS: [Part; 3] = [
    Part { key: "drives", table: "machine_drives", names: &[("size", "disksize"), ("order", "orderid")] },
    Part { key: "nics", table: "machine_nics", names: &[("network", "vnet"), ("mac", "macaddress")] },
    Part { key: "devices", table: "machine_devices", names: &[] },
];

/// A kind of part.
struct Part {
    key: &'static str,
    table: &'static str,
    /// Names of a template that are others on the wire.
    names: &'static [(&'static str, &'static str)],
}

/// Names of the machine itself that are others on the wire.
const NAMES: [(&str, &str); 2] = [("failover_cluster", "cluster_failover"), ("advanced_options", "advanced")];

/// Templates of one system.
pub(super) struct VergeTemplates(pub(super) Client);

impl VergeTemplates {
    fn machines(&self) -> VergeMachines {
        VergeMachines::new(self.0.clone())
    }

    fn resources(&self) -> VergeResources {
        VergeResources(self.0.clone())
    }
}

#[async_trait]
impl Templates for VergeTemplates {
    fn read(&self, text: &str, set: &[(String, String)], vars: Vars<'_>) -> Result<Vec<Described>> {
        read::read(text, set, vars)
    }

    async fn plan(&self, described: &Described) -> Result<MachinePlan> {
        self.compare(described).await.map(|(plan, _)| plan)
    }

    async fn apply(&self, described: &Described, _plan: MachinePlan) -> Result<Planned> {
        self.bring_about(described).await
    }

    async fn export(&self, which: &Selector) -> Result<Row> {
        self.written(which).await
    }
}
