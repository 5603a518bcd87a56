//! NAS services as services (section 4.7): each is a virtual machine.

use super::client::Client;
use super::resources::VergeResources;
use super::rows::Select;
use super::tables;
use crate::error::{Error, Result};
use crate::model::{Extra, Service, ServiceDetail, Time};
use crate::operation::{Item, Operation};
use crate::provider::Feature;
use crate::provider::exec::Signal;
use crate::provider::feature::unsupported;
use crate::provider::machines::{Row, Selector};
use crate::provider::resources::{Fields, Resources, Shelf};
use crate::provider::services::{Acted, Action, LogEvent, LogsQuery, Services};
use crate::stream::{self, Items};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use serde_json::Value;

/// What is asked for beside the usual.
const MORE: &str = "vm#machine#status#started as started";

/// The NAS services of a system.
pub(super) struct VergeServices(pub(super) Client);

fn shelf() -> Shelf {
    Shelf { table: &tables::known("vm_services").table, of: None, machine: None }
}

impl VergeServices {
    fn fields() -> String {
        format!("{},{MORE}", tables::known("vm_services").fields)
    }

    async fn one(&self, name: &str) -> Result<Row> {
        let def = tables::known("vm_services");
        let which = Selector::Auto(name.to_owned());
        let found = VergeResources(self.0.clone()).look_up(def, &which, None, &Self::fields()).await?;
        Ok(found.fields)
    }

    async fn act_on(&self, action: Action, name: &str) -> Result<Acted> {
        let before = service(self.one(name).await?);
        let is_there = match action {
            Action::Start => before.state == "active",
            Action::Stop => before.state == "inactive",
            _ => false,
        };
        if is_there {
            return Ok(Acted { service: Some(before), changed: false });
        }
        // What is stopped is started, not reset.
        let verb = if action == Action::Restart && before.state == "inactive" { "start" } else { action.verb() };
        let table = &tables::known("vm_services").table;
        let action = table.action(verb).ok_or_else(|| Error::internal("a service without actions"))?;
        let resources = VergeResources(self.0.clone());
        let which = Selector::Name(name.to_owned());
        resources.act(&shelf(), Some(&which), action, Fields::default()).await?.wait().await?;
        let service = self.one(name).await.ok().map(service);
        Ok(Acted { service, changed: true })
    }
}

#[async_trait]
impl Services for VergeServices {
    async fn list(&self, names: &[String]) -> Result<Vec<Service>> {
        let select = Select::new("vm_services", &Self::fields()).sort("+name,$key");
        let rows: Vec<Row> = self.0.pages("list NAS services", select).try_collect().await?;
        let all = rows.into_iter().map(service);
        Ok(all.filter(|service| names.is_empty() || names.contains(&service.name)).collect())
    }

    async fn show(&self, name: &str) -> Result<ServiceDetail> {
        let row = self.one(name).await?;
        let config = Value::Object(row.clone());
        Ok(ServiceDetail {
            service: service(row),
            command: None,
            pid: None,
            config,
            checks: Vec::new(),
            last_operation_id: None,
        })
    }

    async fn act(&self, action: Action, names: &[String]) -> Result<Operation<Vec<Item<Acted>>>> {
        if matches!(action, Action::Replan | Action::Autostart) {
            return Err(unsupported(&super::DRIVER, Feature::ServicesReplan, action.verb()));
        }
        // Unknown names fail before anything is done.
        for name in names {
            self.one(name).await?;
        }
        let mut items = Vec::new();
        for name in names {
            items.push(Item { name: name.clone(), outcome: self.act_on(action, name).await });
        }
        Ok(Operation::done(None, items))
    }

    async fn signal(&self, _signal: &Signal, _names: &[String]) -> Result<Vec<Item<()>>> {
        Err(unsupported(&super::DRIVER, Feature::ServicesSignal, "svc signal"))
    }

    fn logs(&self, _query: LogsQuery) -> Items<LogEvent> {
        stream::fail(unsupported(&super::DRIVER, Feature::ServicesLogs, "svc logs"))
    }
}

fn service(row: Row) -> Service {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let state = match text("vm_status") {
        "running" => "active",
        "stopped" | "" => "inactive",
        "error" => "error",
        other => other,
    };
    let started = row.get("started").and_then(Value::as_i64).filter(|started| *started > 0 && state == "active");
    let keep = |(name, value): (&String, &Value)| {
        let is_own = !["name", "started"].contains(&name.as_str()) && !value.is_null();
        is_own.then(|| (name.clone(), value.clone()))
    };
    Service {
        name: text("name").to_owned(),
        startup: None,
        state: state.to_owned(),
        since: started.and_then(|started| Time::from_second(started).ok()),
        last_error: None,
        extra: row.iter().filter_map(keep).collect::<Extra>(),
    }
}
