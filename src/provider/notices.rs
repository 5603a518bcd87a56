//! Notices and warnings.

use crate::error::Result;
use crate::model::{Notice, Time, Warning};
use crate::stream::Items;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::time::Duration;

/// Which notices.
#[derive(Clone, Debug, Default)]
pub struct NoticesQuery {
    /// Of these types; empty means all.
    pub types: Vec<String>,
    /// With these keys; empty means all.
    pub keys: Vec<String>,
    /// Told again after this moment.
    pub after: Option<Time>,
    /// Of every user; for admins.
    pub all_users: bool,
    /// Of this user; for admins.
    pub user_id: Option<u32>,
}

/// A notice to be recorded.
#[derive(Clone, Debug)]
pub struct NotifySpec {
    /// Its key.
    pub key: String,
    /// What comes with it.
    pub data: BTreeMap<String, String>,
    /// How long it is quiet after being told.
    pub repeat_after: Option<Duration>,
}

/// Up to where notices and warnings were seen: shared with the provider's own client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// The newest that was listed.
    pub listed: Option<Time>,
    /// The newest that was acknowledged.
    pub acknowledged: Option<Time>,
}

/// Notices and warnings of a place.
#[async_trait]
pub trait Notices: Send + Sync {
    /// The notices, in the order in which they were last told.
    async fn list(&self, query: &NoticesQuery) -> Result<Vec<Notice>>;

    /// One notice. Unknown is `NotFound`.
    async fn get(&self, id: &str) -> Result<Notice>;

    /// Notices as they come, by long poll; survives a restart of the server. Starts after `query.after`, or with
    /// what there is.
    fn follow(&self, query: NoticesQuery) -> Items<Notice>;

    /// Records a notice; its id.
    async fn notify(&self, spec: &NotifySpec) -> Result<String>;

    /// The warnings, oldest first; all of them, or only those not yet acknowledged. `Unsupported` with the server's
    /// version where it has none.
    async fn warnings(&self, all: bool) -> Result<Vec<Warning>>;

    /// Acknowledges warnings up to `until`; how many there were.
    async fn acknowledge_warnings(&self, until: Time) -> Result<u64>;

    /// Up to where notices were seen by this user, on this machine.
    fn seen(&self) -> Result<Seen>;

    /// Records that. A state file that cannot be read or written never fails a command: it is a warning.
    fn record_seen(&self, seen: Seen) -> Result<()>;
}
