//! The times of the server, as its code has them; faults and tests shorten them.

use std::time::Duration;

/// How long things take.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// Whether containers get a view of the file system of their own, where the system allows that.
    pub(super) namespaces: bool,
    /// Each stage of a creation, and how long a container is `configuring`.
    pub(super) stage: Duration,
    /// Between two messages of load, and between two pings.
    pub(super) stats: Duration,
    pub(super) ping: Duration,
    /// The longest of any operation on files.
    pub(super) files: Duration,
    /// The largest upload, in bytes.
    pub(super) upload: u64,
    /// The window of the rate limits.
    pub(super) window: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            namespaces: true,
            stage: Duration::from_millis(15),
            stats: Duration::from_secs(1),
            ping: Duration::from_secs(15),
            files: Duration::from_secs(30),
            upload: 100 << 20,
            window: Duration::from_mins(1),
        }
    }
}
