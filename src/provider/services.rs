//! Supervised services.

use super::exec::Signal;
use crate::error::Result;
use crate::model::{LogEntry, Note, Service, ServiceDetail, Time};
use crate::operation::{Item, Operation};
use crate::stream::Items;
use async_trait::async_trait;

/// What is done to services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start them and what they require.
    Start,
    /// Stop them and what requires them.
    Stop,
    /// Stop and start them.
    Restart,
    /// Apply the configuration in force: restart what changed, start what is enabled. Takes no names.
    Replan,
    /// Start all that are enabled. Takes no names.
    Autostart,
}

impl Action {
    /// The verb, as it is typed.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Replan => "replan",
            Self::Autostart => "autostart",
        }
    }

    /// What was done, in the past tense.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Start | Self::Autostart => "started",
            Self::Stop => "stopped",
            Self::Restart => "restarted",
            Self::Replan => "replanned",
        }
    }
}

/// A service that an action touched, as it is afterwards.
#[derive(Clone, Debug)]
pub struct Acted {
    /// The service afterwards, if it could be asked.
    pub service: Option<Service>,
    /// Whether anything had to be done.
    pub changed: bool,
}

/// Supervised services of a place.
#[async_trait]
pub trait Services: Send + Sync {
    /// The services called `names`, or all; sorted by name. Unknown names are absent: the caller compares.
    async fn list(&self, names: &[String]) -> Result<Vec<Service>>;

    /// One service with its configuration. Unknown is `NotFound`, with near misses in the hint.
    async fn show(&self, name: &str) -> Result<ServiceDetail>;

    /// Acts on services as one operation. Its result has one item per service that was named or touched; a service
    /// that failed carries its own output in the error's log. Unknown names fail before anything is done.
    async fn act(&self, action: Action, names: &[String]) -> Result<Operation<Vec<Item<Acted>>>>;

    /// Sends a signal to the main process of each service; one verdict per name.
    async fn signal(&self, signal: &Signal, names: &[String]) -> Result<Vec<Item<()>>>;

    /// Log lines, oldest first. With `follow` it ends only when dropped, survives a restart of the server, and picks
    /// up services that start later; a gap is told as a note, never hidden.
    fn logs(&self, query: LogsQuery) -> Items<LogEvent>;

    /// Creating and deleting single services, where the system keeps them one by one and not as layers.
    fn editor(&self) -> Option<&dyn Editor> {
        None
    }
}

/// A service to be made.
#[derive(Clone, Debug)]
pub struct ServiceSpec {
    /// Its name.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Its environment, beside the default one.
    pub env: Vec<(String, String)>,
    /// Where it runs.
    pub dir: Option<String>,
    /// Services that are started before it.
    pub needs: Vec<String>,
    /// The port on which it answers to the machine's URL.
    pub http_port: Option<u16>,
    /// Whether one of that name is replaced; without, it is `Conflict`.
    pub replace: bool,
}

/// Creates and deletes services.
#[async_trait]
pub trait Editor: Send + Sync {
    /// Makes a service and starts it. Done once it runs; one that ends at once is an error with its own output.
    async fn create(&self, spec: ServiceSpec) -> Result<Operation<Acted>>;

    /// Stops a service and forgets it. Unknown is `NotFound`.
    async fn delete(&self, name: &str) -> Result<()>;
}

/// Which log lines.
#[derive(Clone, Debug, Default)]
pub struct LogsQuery {
    /// Of these services; empty means all.
    pub services: Vec<String>,
    /// The newest so many; `None` means all that are kept.
    pub tail: Option<u64>,
    /// Only those written at or after.
    pub since: Option<Time>,
    /// Go on with what comes.
    pub follow: bool,
}

/// A line of a log, or something to be told about it.
#[derive(Debug)]
pub enum LogEvent {
    /// A line.
    Entry(LogEntry),
    /// A reconnect, a gap.
    Note(Note),
}
