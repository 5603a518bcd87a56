//! The finer abilities inside a capability, and the only "is it supported?" in the program.

use super::{Driver, Place};
use crate::error::{Error, Result};

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $text:literal;)*) => {
        /// A finer ability inside a capability.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Feature { $(#[doc = $text] $name,)* }

        impl Feature {
            /// Every feature, capability by capability.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable id, such as `exec.tty`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// What it means, in a few words.
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

features! {
    Services = "svc", "supervised services";
    ServicesLogs = "svc.logs", "logs of services";
    ServicesSignal = "svc.signal", "signals to services";
    ServicesReplan = "svc.replan", "apply a changed configuration, start all that is enabled";
    ServicesEdit = "svc.edit", "create and delete services";
    Checks = "svc.check", "health checks";
    Changes = "svc.change", "operations and their history";
    Plan = "svc.plan", "configuration in force, and its layers";
    Notices = "svc.notice", "notices and warnings";
    Identities = "svc.identity", "who may do what";
    Metrics = "svc.metrics", "metrics";
    Exec = "exec", "run a program, true exit code, byte-exact streams";
    ExecTty = "exec.tty", "in a terminal, with resize";
    ExecSignal = "exec.signal", "signals to the program";
    ExecUser = "exec.user", "as another user";
    ExecDir = "exec.dir", "in a directory";
    ExecEnv = "exec.env", "with environment variables";
    ExecContext = "exec.context", "in the context of a service";
    ExecTimeout = "exec.timeout", "killed over there after a time";
    ExecDetach = "exec.detach", "left running, collected later";
    ExecAttach = "exec.attach", "join a run again";
    ExecKeepAwake = "exec.keep_awake", "keep the machine of a detached run awake";
    ExecVerify = "exec.verify", "output counted and summed at both ends";
    ExecShell = "exec.shell", "the login shell";
    AgentHost = "exec.agent", "run a coding agent there";
    Files = "files", "list, read, write, make, remove";
    FilesRange = "files.range", "read part of a file";
    FilesRename = "files.rename", "rename and move";
    FilesMode = "files.mode", "permissions on write";
    FilesOwner = "files.owner", "owners on write";
    FilesChange = "files.change", "change mode and owner of what exists";
    FilesLinks = "files.links", "targets of symbolic links";
    FilesDirectories = "files.directories", "directories";
    Checkpoints = "checkpoint", "create, list, restore";
    CheckpointAuto = "checkpoint.auto", "checkpoints that the provider made by itself";
    CheckpointClone = "checkpoint.clone", "restore as a new machine";
    CheckpointExpiry = "checkpoint.expiry", "delete by themselves after a time";
    CheckpointHistory = "checkpoint.history", "what came out of a checkpoint";
    CheckpointOperation = "checkpoint.operation", "left under way, waited for later";
    Machines = "vm", "list, show, create, delete machines";
    MachinesWatch = "vm.watch", "changes of machines as they happen";
    MachinesHealth = "vm.health", "whether a machine can be used";
    MachinesUpdate = "vm.update", "change a machine";
    MachinesPower = "vm.power", "start and stop a machine";
    MachinesResize = "vm.resize", "give a machine more or less";
    MachinesStats = "vm.stats", "how busy a machine is";
    MachinesRestart = "vm.restart", "restart a machine";
    MachinesHibernate = "vm.hibernate", "save a machine's memory and stop it";
    MachinesMigrate = "vm.migrate", "move a machine to another host while it runs";
    MachinesClone = "vm.clone", "copy a machine";
    MachinesTags = "vm.tag", "tags on machines";
    MachinesConsole = "vm.console", "an address of a machine's console";
    MachinesFilter = "vm.filter", "the provider's own filter on lists";
    MachinesTemplate = "vm.template", "machines from files, and files from machines";
    MachinesUpgrade = "vm.upgrade", "upgrade what a machine runs on";
    MachinesUrl = "vm.url", "an address of a machine, and who may use it";
    MachinesLabels = "vm.labels", "labels on machines";
    MachinesImage = "vm.image", "an image for a new machine";
    MachinesFrom = "vm.from", "a new machine as a copy of a checkpoint or machine";
    MachinesEnv = "vm.env", "environment variables for a new machine";
    MachinesSize = "vm.size", "processors, memory and disk of a new machine";
    MachinesRegion = "vm.region", "where a new machine is";
    Policies = "vm.policy", "network, privileges and resources policy";
    Tunnels = "vm.proxy", "connections to ports in a machine";
    TunnelsPorts = "vm.proxy.ports", "ports that programs open are announced";
    Snippets = "vm.snippet", "small scripts, kept by the account";
    Recordings = "vm.record", "recordings of terminals";
    Resources = "vm.resource", "tables of resources beside the machines";
    Agent = "agent", "drive a coding agent";
    Raw = "api", "raw authenticated requests";
    LoginSession = "session", "a session for a password";
    LoginAsGuest = "guest", "a token without an account";
    LoginFromFly = "from-fly", "a token made from one of Fly.io";
}

/// On what a feature works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// On the endpoint itself (`lab`).
    Endpoint,
    /// On an instance inside it (`lab/web01`).
    Instance,
    /// On both.
    Either,
}

/// How a feature is provided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// By the wire itself.
    Native,
    /// By esker over something else, with these limits. It yields the truth or fails, never an approximation.
    Emulated(&'static str),
}

/// One feature of a provider.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// The feature.
    pub feature: Feature,
    /// On what it works.
    pub on: Scope,
    /// How it is provided.
    pub support: Support,
}

impl Offer {
    /// A feature that the wire has, on an instance.
    pub const fn native(feature: Feature) -> Self {
        Self { feature, on: Scope::Instance, support: Support::Native }
    }

    /// A feature that the wire has, on this.
    pub const fn on(feature: Feature, on: Scope) -> Self {
        Self { feature, on, support: Support::Native }
    }

    /// A feature that is made over something else, on an instance.
    pub const fn emulated(feature: Feature, limits: &'static str) -> Self {
        Self { feature, on: Scope::Instance, support: Support::Emulated(limits) }
    }
}

/// A feature that a request needs, and what the user typed to ask for it.
#[derive(Clone, Debug)]
pub struct Need {
    /// The feature.
    pub feature: Feature,
    /// The flag or command that asked for it.
    pub asked: String,
}

impl Need {
    /// Pairs a feature with what was typed.
    pub fn new(feature: Feature, asked: &str) -> Self {
        Self { feature, asked: asked.to_owned() }
    }
}

/// What a request needs.
pub trait Needs {
    /// Every feature, the capability itself first.
    fn needs(&self) -> Vec<Need>;
}

impl Needs for (Feature, &str) {
    fn needs(&self) -> Vec<Need> {
        vec![Need::new(self.0, self.1)]
    }
}

impl Needs for Vec<Need> {
    fn needs(&self) -> Vec<Need> {
        self.clone()
    }
}

/// Refuses a request that `place` cannot honour, before any I/O (ux 12.3).
pub fn require(place: &dyn Place, request: &dyn Needs) -> Result<()> {
    for need in request.needs() {
        let Some(offer) = place.offers().iter().find(|offer| offer.feature == need.feature) else {
            return Err(unsupported(place.driver(), need.feature, &need.asked));
        };
        if offer.on != Scope::Either && offer.on != place.scope() {
            return Err(misplaced(place.driver(), offer.on, &need.asked));
        }
    }
    Ok(())
}

/// The refusal of what works on another scope than the one that was named: it says the right form.
pub fn misplaced(driver: &'static Driver, on: Scope, asked: &str) -> Error {
    let noun = driver.place.unwrap_or("instance");
    let mut error = if on == Scope::Endpoint {
        Error::usage(format!("`{asked}` is about the whole endpoint, not about one {noun}"))
            .hint("name the endpoint alone")
    } else {
        Error::usage(format!("`{asked}` needs the name of a {noun}"))
            .hint(format!("write ENDPOINT/NAME, such as `{}/dev`", driver.id))
    };
    error.parts_mut().provider = Some(driver.id);
    error
}

/// The refusal of a feature that a provider does not have.
pub fn unsupported(driver: &'static Driver, feature: Feature, asked: &str) -> Error {
    let mut error = Error::unsupported(format!("`{}` does not support `{asked}` ({})", driver.id, feature.name()))
        .hint("`esker providers` shows what each provider can do");
    error.parts_mut().provider = Some(driver.id);
    error
}

/// The capability behind an accessor, or the refusal that `require` would have given.
pub fn capability<'a, T: ?Sized>(
    place: &'a dyn Place,
    get: impl FnOnce(&'a dyn Place) -> Option<&'a T>,
    feature: Feature,
    asked: &str,
) -> Result<&'a T> {
    get(place).ok_or_else(|| unsupported(place.driver(), feature, asked))
}
