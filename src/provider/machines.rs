//! Machines: sandboxes, containers, virtual machines.

mod fields;
mod inventory;

pub use fields::{Field, FieldKind};
pub use inventory::{Inventory, MachineEvent};

use super::{Feature, Need, Needs};
use crate::error::{Error, Result};
use crate::glob;
use crate::model::{Key, Machine, MachineHealth, MachineStats, MachineUrl};
use crate::operation::Operation;
use crate::stream::Items;
use async_trait::async_trait;
use std::time::Duration;

/// A power state to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Running.
    On,
    /// Stopped in an orderly way.
    Off {
        /// Stopped at once if it has not come to that after this time; `None` waits for as long as it takes.
        force_after: Option<Duration>,
    },
    /// Stopped at once.
    Kill,
    /// Stopped and started.
    Restart {
        /// As for `Off`.
        force_after: Option<Duration>,
        /// Whether somebody follows it to its end: what takes several requests cannot be left alone.
        followed: bool,
    },
    /// Restarted at once.
    Reset,
}

/// Something that is done to a machine and that only some systems can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Its memory is saved, and it stops.
    Hibernate,
    /// It moves to another host while it runs; `None` lets the system choose.
    Migrate(Option<String>),
    /// It is copied.
    Clone {
        /// The name of the copy.
        name: String,
        /// The provider's own parameters, as typed.
        fields: Vec<(String, String)>,
    },
    /// It bears a tag from now on.
    Tag(String),
    /// It bears a tag no more.
    Untag(String),
}

impl Deed {
    /// Its feature, and the command that asks for it.
    pub fn feature(&self) -> (Feature, &'static str) {
        match self {
            Self::Hibernate => (Feature::MachinesHibernate, "vm hibernate"),
            Self::Migrate(_) => (Feature::MachinesMigrate, "vm migrate"),
            Self::Clone { .. } => (Feature::MachinesClone, "vm clone"),
            Self::Tag(_) => (Feature::MachinesTags, "vm tag"),
            Self::Untag(_) => (Feature::MachinesTags, "vm untag"),
        }
    }
}

/// How a machine is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// By name or key, whichever fits; two matches are `Conflict`.
    Auto(String),
    /// By name.
    Name(String),
    /// By key.
    Key(Key),
}

impl Selector {
    /// What was written, for providers whose names are their keys.
    pub fn text(&self) -> &str {
        match self {
            Self::Auto(text) | Self::Name(text) => text,
            Self::Key(key) => key.as_str(),
        }
    }
}

/// Which machines: those that meet all of it.
#[derive(Clone, Debug, Default)]
pub struct MachineQuery {
    /// Those whose name begins with this.
    pub prefix: Option<String>,
    /// Those whose name matches this: `*`, `?`, `[…]`.
    pub glob: Option<String>,
    /// Those in this state.
    pub status: Option<String>,
    /// Those that bear all of these labels.
    pub labels: Vec<String>,
    /// Those that the provider's own filter lets through.
    pub filter: Option<String>,
}

impl MachineQuery {
    /// Whether a machine meets it, for what a wire cannot ask for.
    pub fn admits(&self, machine: &Machine) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| machine.name.starts_with(prefix))
            && self.glob.as_ref().is_none_or(|glob| glob::matches(glob, &machine.name))
            && self.status.as_ref().is_none_or(|status| machine.status.eq_ignore_ascii_case(status))
            && self.labels.iter().all(|label| machine.labels.contains(label))
    }

    /// What every name that meets it begins with; for wires that can ask for that.
    pub fn literal(&self) -> &str {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let glob = self.glob.as_deref().map_or("", glob::literal_prefix);
        if glob.len() > prefix.len() { glob } else { prefix }
    }
}

/// How much a machine is given; what is `None` is the provider's choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Size {
    /// Processors, or a part of one.
    pub cpus: Option<f64>,
    /// Memory.
    pub memory_bytes: Option<u64>,
    /// Disk.
    pub disk_bytes: Option<u64>,
}

/// A machine to be made. What is not said is the provider's choice.
#[derive(Clone, Debug, Default)]
pub struct MachineSpec {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub image: Option<String>,
    /// The checkpoint or machine that it begins as a copy of.
    pub from: Option<String>,
    /// Labels that it bears.
    pub labels: Vec<String>,
    /// Variables that its programs find.
    pub env: Vec<(String, String)>,
    /// How much it is given.
    pub size: Size,
    /// Where it is.
    pub region: Option<String>,
    /// Who may use its address, in the provider's word.
    pub access: Option<String>,
    /// The provider's own fields, as typed; one that it does not know is `Usage`, before anything is sent.
    pub fields: Vec<(String, String)>,
}

impl Needs for MachineSpec {
    fn needs(&self) -> Vec<Need> {
        let mut needs = vec![Need::new(Feature::Machines, "vm create")];
        let mut add = |asked: bool, feature, flag: &str| {
            if asked {
                needs.push(Need::new(feature, &format!("vm create {flag}")));
            }
        };
        add(self.image.is_some(), Feature::MachinesImage, "--image");
        add(self.from.is_some(), Feature::MachinesFrom, "--from");
        add(!self.labels.is_empty(), Feature::MachinesLabels, "--label");
        add(!self.env.is_empty(), Feature::MachinesEnv, "--env");
        add(self.size.cpus.is_some(), Feature::MachinesSize, "--cpus");
        add(self.size.memory_bytes.is_some(), Feature::MachinesSize, "--memory");
        add(self.size.disk_bytes.is_some(), Feature::MachinesSize, "--disk");
        add(self.region.is_some(), Feature::MachinesRegion, "--region");
        add(self.access.is_some(), Feature::MachinesUrl, "--access");
        needs
    }
}

/// What is to be changed of a machine; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct MachineChange {
    /// The labels that it bears from now on, and no others.
    pub labels: Option<Vec<String>>,
    /// Who may use its address, in the provider's word.
    pub access: Option<String>,
    /// How much it is given from now on.
    pub size: Size,
    /// The provider's own fields, as typed; one that it does not know is `Usage`, before anything is sent.
    pub fields: Vec<(String, String)>,
}

impl Needs for MachineChange {
    fn needs(&self) -> Vec<Need> {
        let mut needs = vec![Need::new(Feature::MachinesUpdate, "vm update")];
        if self.labels.is_some() {
            needs.push(Need::new(Feature::MachinesLabels, "vm update --label"));
        }
        if self.access.is_some() {
            needs.push(Need::new(Feature::MachinesUrl, "vm update --access"));
        }
        if self.size != Size::default() {
            needs.push(Need::new(Feature::MachinesResize, "vm resize"));
        }
        needs
    }
}

/// A field of a machine or row, as the wire names it.
pub type Row = serde_json::Map<String, serde_json::Value>;

/// The machines of an endpoint.
///
/// `Unsupported` from a method means that its feature is not offered; callers have asked `require` before.
#[async_trait]
pub trait Machines: Send + Sync {
    /// The machines, page by page, in any order.
    fn list(&self, query: MachineQuery) -> Items<Machine>;

    /// What there is, then every change, until it fails: a lost connection is made again, and what happened meanwhile
    /// is found out. `every` is how often all of it is asked for again: what a stream does not tell shows then, and
    /// where the wire has no stream it is the whole watch.
    fn watch(&self, query: MachineQuery, every: Option<Duration>) -> Items<MachineEvent>;

    /// One machine. Two matches are `Conflict`, none is `NotFound`.
    async fn find(&self, which: &Selector) -> Result<Machine>;

    /// Makes one; done when it can be used. Sent once: after a lost answer it may exist (`Effect::Unknown`).
    async fn create(&self, spec: MachineSpec) -> Result<Operation<Machine>>;

    /// Changes one. What the server dropped is warned about.
    async fn update(&self, which: &Selector, change: MachineChange) -> Result<Operation<Machine>>;

    /// Brings it to a power state; one that is there already is success.
    async fn power(&self, which: &Selector, to: Power) -> Result<Operation<Machine>>;

    /// Upgrades what it runs on, to the newest version or this one.
    async fn upgrade(&self, which: &Selector, version: Option<&str>) -> Result<Operation<Machine>>;

    /// Whether it can be used.
    async fn health(&self, which: &Selector) -> Result<MachineHealth>;

    /// How busy it is.
    async fn stats(&self, _which: &Selector) -> Result<MachineStats> {
        Err(Error::unsupported("this provider does not tell how busy a machine is"))
    }

    /// Where it can be reached from outside, and by whom; `NotFound` if nowhere.
    async fn url(&self, which: &Selector) -> Result<MachineUrl>;

    /// Deletes one. Unknown is `NotFound`.
    async fn delete(&self, which: &Selector) -> Result<Operation<()>>;

    /// Does what only some systems can do. The answer is the machine as it is then, of a copy the copy.
    async fn act(&self, _which: &Selector, deed: Deed) -> Result<Operation<Machine>> {
        let (feature, asked) = deed.feature();
        Err(Error::unsupported(format!("this provider does not support `{asked}` ({})", feature.name())))
    }

    /// Where its console can be reached.
    async fn console(&self, _which: &Selector) -> Result<MachineUrl> {
        Err(Error::unsupported("this provider has no consoles"))
    }
}
