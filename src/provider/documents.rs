//! Answers as received (`--raw`) or as the provider's own CLI prints them (`--compat`).

use super::notices::NoticesQuery;
use crate::error::Result;
use crate::model::RemotePath;
use async_trait::async_trait;
use bytes::Bytes;

/// Which answer: the read commands that have a document of their own.
#[derive(Clone, Debug)]
pub enum Document {
    /// `svc list`
    Services(Vec<String>),
    /// `svc check list`
    Checks {
        /// The level.
        level: Option<String>,
        /// The names.
        names: Vec<String>,
    },
    /// `svc check show`
    Check {
        /// The name.
        name: String,
    },
    /// `svc health`
    Health {
        /// The level.
        level: Option<String>,
        /// The names.
        names: Vec<String>,
    },
    /// `svc change list`
    Changes {
        /// Of this service.
        service: Option<String>,
    },
    /// `svc change show`
    Change(String),
    /// `svc notice list`
    Notices(NoticesQuery),
    /// `svc notice show`
    Notice(String),
    /// `svc warning list`
    Warnings {
        /// Those that were acknowledged too.
        all: bool,
    },
    /// `svc identity list`
    Identities,
    /// `svc identity show`
    Identity(String),
    /// `svc plan`
    Plan,
    /// `svc metrics`
    Metrics,
    /// `svc info`
    Info,
    /// `files list`
    Files {
        /// The directory or pattern.
        path: RemotePath,
        /// The directory itself.
        itself: bool,
    },
}

/// How it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbatim {
    /// The wire document as received.
    Raw,
    /// The JSON of the provider's own CLI, byte for byte.
    Compat,
}

/// Answers in the provider's own form.
#[async_trait]
pub trait Documents: Send + Sync {
    /// The document, fit to be printed as it is. `Unsupported` where the provider's own CLI prints no JSON of it.
    async fn document(&self, which: &Document, how: Verbatim) -> Result<Bytes>;
}
