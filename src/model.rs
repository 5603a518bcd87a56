//! esker's own nouns: what every provider answers with and every format prints.
//!
//! These structs *are* the JSON contract (ux section 4): keys in snake case with their unit in the name, times as
//! RFC 3339 UTC, sizes in bytes, unknown values `null`. What a provider adds beyond them goes untouched under `extra`.

mod agent;
mod exec;
mod file;
mod library;
mod machine;
mod record;
mod service;

pub use agent::*;
pub use exec::*;
pub use file::*;
pub use library::*;
pub use machine::*;
pub use record::*;
pub use service::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment, nanoseconds kept; serialises as RFC 3339 in UTC.
pub type Time = jiff::Timestamp;

/// What a provider knows beyond the common model: outside the contract, untouched.
pub type Extra = serde_json::Map<String, serde_json::Value>;

/// Whether `extra` has nothing to say.
pub(crate) fn nothing(extra: &Extra) -> bool {
    extra.is_empty()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text of it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    )* };
}

ids! {
    /// What a place is called inside its endpoint, decoded.
    Name,
    /// The provider's own key of a machine, as text.
    Key,
    /// A run of `exec` that can be found again: a Pebble change, a Sprites session, a Rexec spool.
    RunId,
    /// Work under way on the server: a Pebble change, a VergeOS task.
    OperationId,
    /// A checkpoint or snapshot.
    CheckpointId,
    /// A recording of a terminal.
    RecordingId,
    /// A question of an agent that waits for its answer.
    DialogId,
    /// A command sent to an agent.
    CommandId,
}

/// Something said beside an answer; dispatch decides whether and where it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Worth knowing, shown from `-v` on.
    Info(String),
    /// To act on; shown once.
    Warning(String),
    /// The connection was lost and is back; `lost` counts what was missed, if that is known.
    Reconnected {
        /// Lines or events that were missed.
        lost: Option<u64>,
    },
    /// Something is missing from the stream, and this is why.
    Gap(String),
    /// A program over there opened or closed a port.
    Port {
        /// The TCP port.
        port: u16,
        /// Whether it is open now.
        open: bool,
    },
}

/// How far an operation has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, in the server's words.
    pub label: String,
    /// Units done.
    pub done: Option<u64>,
    /// Units in all.
    pub total: Option<u64>,
    /// A line that the server logged meanwhile.
    pub log: Option<String>,
}

/// A message of a server about the work it does, on its way to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamMessage {
    /// The `type` of the event that relays it, such as `checkpoint.info` (ux 5.3).
    pub kind: String,
    /// Its text, for people.
    pub text: String,
    /// All of it, for programs.
    pub data: Extra,
}

/// A value and where it is from. Dispatch fills in the place, not the providers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct At<T> {
    /// The provider's id.
    pub provider: &'static str,
    /// The full name of the target, which resolves back to it.
    pub target: String,
    /// The value itself.
    #[serde(flatten)]
    pub value: T,
}

impl<T> At<T> {
    /// The same place with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> At<U> {
        At { provider: self.provider, target: self.target, value: f(self.value) }
    }
}

/// An event of a provider, relayed with its payload untouched under `data` (ux 5.3): its own keys cannot clash with
/// those of the event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Relayed<T> {
    /// The provider's id.
    pub provider: &'static str,
    /// The full name of the target.
    pub target: String,
    /// The payload.
    pub data: T,
}

/// A row of a list: what `-o name` prints of it, beside everything else.
pub trait Row: Serialize + JsonSchema {
    /// The plural noun of the list, for "no services" and `esker schema`.
    const NOUN: &'static str;
    /// Whether a row is a target itself: its full name is what tables and `-o name` show of it.
    const IS_TARGET: bool = false;
    /// The one line of `-o name`: an id or name that other commands take back.
    fn id(&self) -> String;
}
