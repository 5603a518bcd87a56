//! Virtual machines (section 3). Every one has two keys: its own, and that of its machine.

mod act;
mod convert;
mod course;
mod create;

pub(super) use convert::BRIEF;

use self::convert::{Brief, DETAIL, LISTED, Listed, detailed, health};
use super::client::Client;
use super::filter;
use super::resources::VergeResources;
use super::rows::Select;
use super::tables::{self, Def};
use crate::error::{Error, Result};
use crate::glob;
use crate::model::{Key, Machine, MachineHealth, MachineUrl, Name};
use crate::operation::Operation;
use crate::provider::machines::{
    Deed, Inventory, MachineChange, MachineEvent, MachineQuery, MachineSpec, Machines, Power, Row, Selector,
};
use crate::provider::resources::{Fields, Resources, Shelf};
use crate::provider::{Feature, feature};
use crate::stream::{self, Items};
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use std::collections::VecDeque;
use std::time::Duration;

/// How often a watch looks unless told otherwise: the wire has no stream.
const LOOK: Duration = Duration::from_secs(5);

/// The virtual machines of a system. Cheap to clone.
#[derive(Clone)]
pub(super) struct VergeMachines {
    pub(super) client: Client,
    pub(super) resources: VergeResources,
}

/// The table behind them.
fn vms() -> &'static Def {
    tables::known("vms")
}

fn shelf() -> Shelf {
    Shelf { table: &vms().table, of: None, machine: None }
}

impl VergeMachines {
    pub(super) fn new(client: Client) -> Self {
        let resources = VergeResources(client.clone());
        Self { client, resources }
    }

    /// The names that match, sorted.
    pub(super) async fn names(&self, glob: &str) -> Result<Vec<Name>> {
        let query = MachineQuery { glob: Some(glob.to_owned()), ..MachineQuery::default() };
        let mut names: Vec<_> = self.list(query).map_ok(|machine| Name(machine.name)).try_collect().await?;
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// What must be known of one to act on it, in one request.
    pub(super) async fn brief(&self, which: &Selector) -> Result<Brief> {
        let record = self.resources.look_up(vms(), which, None, BRIEF).await?;
        Brief::read(record.fields, &self.client)
    }

    /// All that is known of one, in one request.
    async fn detail(&self, key: &str) -> Result<Machine> {
        let which = Selector::Key(Key::from(key));
        let record = self.resources.look_up(vms(), &which, None, DETAIL).await?;
        Ok(detailed(record.fields))
    }

    fn unsupported(asked: &str, feature: Feature) -> Error {
        feature::unsupported(&super::DRIVER, feature, asked)
    }
}

#[async_trait]
impl Machines for VergeMachines {
    fn list(&self, query: MachineQuery) -> Items<Machine> {
        let live = VergeResources::live(vms());
        let typed = query.filter.as_deref().map(|typed| filter::prepare(typed, &live, self.client.notes()));
        let typed = match typed.transpose() {
            Ok(typed) => typed.unwrap_or_default(),
            Err(error) => return stream::fail(error),
        };
        let prefix = Some(query.literal()).filter(|prefix| !prefix.is_empty());
        let prefix = prefix.map(|prefix| format!("name bw {}", filter::literal(prefix))).unwrap_or_default();
        let status =
            query.status.as_deref().map(|status| filter::equals("machine#status#status", &status.to_lowercase()));
        let conditions = [vms().only.to_owned(), prefix, status.unwrap_or_default(), typed];
        let mut select = Select::new("vms", LISTED).sort("+$key");
        select.filter = filter::all(conditions);
        let rows: Items<Listed> = self.client.pages("list virtual machines", select);
        let machines = rows.map_ok(Machine::from);
        let wanted = query.glob;
        machines
            .try_filter(move |machine| {
                std::future::ready(wanted.as_ref().is_none_or(|wanted| glob::matches(wanted, &machine.name)))
            })
            .boxed()
    }

    fn watch(&self, query: MachineQuery, every: Option<Duration>) -> Items<MachineEvent> {
        struct State {
            machines: VergeMachines,
            query: MachineQuery,
            every: Duration,
            seen: Inventory,
            queue: VecDeque<MachineEvent>,
            begun: bool,
        }
        let state = State {
            machines: self.clone(),
            query,
            every: every.unwrap_or(LOOK),
            seen: Inventory::default(),
            queue: VecDeque::new(),
            begun: false,
        };
        stream::unfold(state, |mut state| async move {
            loop {
                if let Some(event) = state.queue.pop_front() {
                    return Ok(Some((event, state)));
                }
                if state.begun {
                    tokio::time::sleep(state.every).await;
                }
                state.begun = true;
                let all: Vec<Machine> = state.machines.list(state.query.clone()).try_collect().await?;
                state.queue = state.seen.replace(all).into();
            }
        })
    }

    async fn find(&self, which: &Selector) -> Result<Machine> {
        let record = self.resources.look_up(vms(), which, None, DETAIL).await?;
        Ok(detailed(record.fields))
    }

    async fn create(&self, spec: MachineSpec) -> Result<Operation<Machine>> {
        self.make(spec).await
    }

    async fn update(&self, which: &Selector, change: MachineChange) -> Result<Operation<Machine>> {
        let fields = Fields { typed: change.fields, ..Fields::default() };
        let operation = self.resources.update(&shelf(), which, fields).await?;
        let record = operation.wait().await?;
        Ok(Operation::done(None, self.detail(&record.key.0).await?))
    }

    async fn power(&self, which: &Selector, to: Power) -> Result<Operation<Machine>> {
        self.bring(which, to).await
    }

    async fn upgrade(&self, _which: &Selector, _version: Option<&str>) -> Result<Operation<Machine>> {
        Err(Self::unsupported("vm upgrade", Feature::MachinesUpgrade))
    }

    async fn health(&self, which: &Selector) -> Result<MachineHealth> {
        self.brief(which).await.map(health)
    }

    async fn url(&self, _which: &Selector) -> Result<MachineUrl> {
        Err(Self::unsupported("vm url", Feature::MachinesUrl))
    }

    async fn delete(&self, which: &Selector) -> Result<Operation<()>> {
        self.resources.delete(&shelf(), which).await
    }

    async fn act(&self, which: &Selector, deed: Deed) -> Result<Operation<Machine>> {
        self.deed(which, deed).await
    }

    async fn console(&self, which: &Selector) -> Result<MachineUrl> {
        self.console_of(which).await
    }
}

/// The text of a field.
fn word<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
}
