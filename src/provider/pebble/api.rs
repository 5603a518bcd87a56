//! Pebble's wire types (pebble reference section 2): the server's names, untouched by the rest of the program.
//!
//! Unknown fields are kept in `extra`, unknown enum values are plain text: a newer daemon is shown, never fatal.

use crate::model::{Extra, Time};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The envelope of every JSON reply (section 2.1).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Envelope<'a> {
    /// `sync`, `async` or `error`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// The change that an async reply names.
    #[serde(default)]
    pub change: Option<String>,
    /// The result, not parsed yet.
    #[serde(default, borrow)]
    pub result: Option<&'a RawValue>,
    /// Set while a restart or shutdown is pending.
    #[serde(default)]
    pub maintenance: Option<ApiError>,
}

/// The result of an error reply, and the shape of `maintenance`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ApiError {
    /// The server's words.
    #[serde(default)]
    pub message: String,
    /// Its error class; most errors have none.
    #[serde(default)]
    pub kind: Option<String>,
}

/// `GET /v1/system-info`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SystemInfo {
    /// The daemon's version.
    #[serde(default)]
    pub version: Option<String>,
    /// The host's boot, not the daemon's.
    #[serde(default)]
    pub boot_id: Option<String>,
    /// The rest.
    #[serde(flatten)]
    pub extra: Extra,
}

/// An entry of `GET /v1/services`
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Service {
    /// Its name.
    pub name: String,
    /// `enabled`, `disabled`.
    #[serde(default)]
    pub startup: Option<String>,
    /// `active`, `inactive`, `backoff`, `error`.
    #[serde(default)]
    pub current: Option<String>,
    /// Absent if it never started; also the sign that the daemon keeps a log buffer of it.
    #[serde(default, deserialize_with = "lenient_time")]
    pub current_since: Option<Time>,
    /// The rest.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A change (section 2.5).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// Its id.
    pub id: String,
    /// Its kind.
    #[serde(default)]
    pub kind: String,
    /// What it does.
    #[serde(default)]
    pub summary: String,
    /// Its status.
    #[serde(default)]
    pub status: String,
    /// Its steps; absent for a replan with nothing to do.
    #[serde(default, deserialize_with = "nullable")]
    pub tasks: Vec<Task>,
    /// Whether it came to its end.
    #[serde(default)]
    pub ready: bool,
    /// Why it failed.
    #[serde(default)]
    pub err: Option<String>,
    /// When it began.
    #[serde(default, deserialize_with = "lenient_time")]
    pub spawn_time: Option<Time>,
    /// When it ended.
    #[serde(default, deserialize_with = "lenient_time")]
    pub ready_time: Option<Time>,
    /// The rest.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A task of a change.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Task {
    /// Its id, counted apart from the changes'.
    pub id: String,
    /// Its kind.
    #[serde(default)]
    pub kind: String,
    /// What it does.
    #[serde(default)]
    pub summary: String,
    /// Its status.
    #[serde(default)]
    pub status: String,
    /// At most ten entries; each may hold several lines.
    #[serde(default, deserialize_with = "nullable")]
    pub log: Vec<String>,
    /// How far it is.
    #[serde(default)]
    pub progress: TaskProgress,
    /// When it began.
    #[serde(default, deserialize_with = "lenient_time")]
    pub spawn_time: Option<Time>,
    /// When it ended.
    #[serde(default, deserialize_with = "lenient_time")]
    pub ready_time: Option<Time>,
    /// `exit-code` of an exec task.
    #[serde(default, deserialize_with = "nullable")]
    pub data: Extra,
    /// The rest.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How far a task is.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TaskProgress {
    /// What it does now.
    #[serde(default)]
    pub label: String,
    /// Units done.
    #[serde(default)]
    pub done: u64,
    /// Units in all.
    #[serde(default)]
    pub total: u64,
}

/// An entry of `GET /v1/checks` (section 2.6).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// Its name.
    pub name: String,
    /// `alive`, `ready` or absent.
    #[serde(default)]
    pub level: Option<String>,
    /// `enabled`, `disabled`; absent in older daemons.
    #[serde(default)]
    pub startup: Option<String>,
    /// `up`, `down`, `inactive`.
    #[serde(default)]
    pub status: String,
    /// Absent before v1.23.
    #[serde(default)]
    pub successes: Option<u64>,
    /// Absent when 0.
    #[serde(default)]
    pub failures: u64,
    /// Failures that make it down.
    #[serde(default)]
    pub threshold: u64,
    /// The change that runs it.
    #[serde(default)]
    pub change_id: Option<String>,
    /// The one before; set while it fails.
    #[serde(default)]
    pub prev_change_id: Option<String>,
    /// The rest.
    #[serde(flatten)]
    pub extra: Extra,
}

/// `POST /v1/checks/refresh`
#[derive(Debug, Deserialize)]
pub struct Refreshed {
    /// The check afterwards.
    pub info: Check,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<String>,
}

/// `POST /v1/checks`
#[derive(Debug, Deserialize)]
pub struct ChecksChanged {
    /// The names really changed; `null` from older daemons.
    #[serde(default)]
    pub changed: Option<Vec<String>>,
}

/// `GET /v1/health`
#[derive(Debug, Deserialize)]
pub struct Health {
    /// Whether no check that counts is down.
    pub healthy: bool,
}

/// A notice (section 2.9).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// Null means public.
    #[serde(default)]
    pub user_id: Option<u32>,
    /// Its type.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Its key.
    #[serde(default)]
    pub key: String,
    /// When it happened first.
    #[serde(default, deserialize_with = "lenient_time")]
    pub first_occurred: Option<Time>,
    /// When it happened last.
    #[serde(default, deserialize_with = "lenient_time")]
    pub last_occurred: Option<Time>,
    /// When it was last told.
    #[serde(default, deserialize_with = "lenient_time")]
    pub last_repeated: Option<Time>,
    /// How often it happened.
    #[serde(default)]
    pub occurrences: u64,
    /// What came with it.
    #[serde(default, deserialize_with = "nullable")]
    pub last_data: BTreeMap<String, String>,
    /// A Go duration.
    #[serde(default)]
    pub repeat_after: Option<String>,
    /// A Go duration.
    #[serde(default)]
    pub expire_after: Option<String>,
    /// The rest.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A warning of `GET /v1/warnings`, which only older daemons have.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OldWarning {
    /// What it warns of.
    pub message: String,
    /// When it was first raised.
    #[serde(default, deserialize_with = "lenient_time")]
    pub first_added: Option<Time>,
    /// When it was last raised.
    #[serde(default, deserialize_with = "lenient_time")]
    pub last_added: Option<Time>,
    /// When it was last shown.
    #[serde(default, deserialize_with = "lenient_time")]
    pub last_shown: Option<Time>,
    /// A Go duration.
    #[serde(default)]
    pub expire_after: Option<String>,
    /// A Go duration.
    #[serde(default)]
    pub repeat_after: Option<String>,
}

/// An entry of `GET /v1/identities` (section 2.10); secrets arrive masked and are dropped.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Identity {
    /// `admin`, `read`, `metrics`, `untrusted`.
    #[serde(default)]
    pub access: String,
    /// The ways it proves itself, by name.
    #[serde(flatten)]
    pub types: Extra,
}

/// A line of `GET /v1/logs` (section 2.11).
#[derive(Clone, Debug, Deserialize)]
pub struct LogEntry {
    /// Milliseconds.
    #[serde(default, deserialize_with = "lenient_time")]
    pub time: Option<Time>,
    /// Who wrote it.
    #[serde(default)]
    pub service: String,
    /// The line without its newline.
    #[serde(default)]
    pub message: String,
}

/// An entry of a directory (section 2.12).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileInfo {
    /// The whole path.
    pub path: String,
    /// The part after the last slash.
    pub name: String,
    /// `file`, `directory`, `symlink`, `socket`, `named-pipe`, `device`, `unknown`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Regular files only.
    #[serde(default)]
    pub size: Option<u64>,
    /// Three octal digits.
    #[serde(default)]
    pub permissions: Option<String>,
    /// Seconds.
    #[serde(default, deserialize_with = "lenient_time")]
    pub last_modified: Option<Time>,
    /// The owner's number.
    #[serde(default)]
    pub user_id: Option<u32>,
    /// The owner's name; empty if unknown.
    #[serde(default)]
    pub user: Option<String>,
    /// The group's number.
    #[serde(default)]
    pub group_id: Option<u32>,
    /// The group's name; empty if unknown.
    #[serde(default)]
    pub group: Option<String>,
}

/// The verdict on one path of a files request.
#[derive(Debug, Deserialize)]
pub struct FileResult {
    /// The path.
    pub path: String,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<ApiError>,
}

/// User and group of a request; the same four keys in exec and files.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Owner {
    /// By number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<u32>,
    /// By name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// By number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<u32>,
    /// By name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl From<Option<&crate::provider::exec::Owner>> for Owner {
    fn from(owner: Option<&crate::provider::exec::Owner>) -> Self {
        use crate::provider::exec::Account;
        let mut wire = Self::default();
        let Some(owner) = owner else { return wire };
        match &owner.user {
            Some(Account::Id(id)) => wire.user_id = Some(*id),
            Some(Account::Name(name)) => wire.user = Some(name.clone()),
            None => {}
        }
        match &owner.group {
            Some(Account::Id(id)) => wire.group_id = Some(*id),
            Some(Account::Name(name)) => wire.group = Some(name.clone()),
            None => {}
        }
        wire
    }
}

/// Reads a time, or nothing where it is absent, null or Go's zero time.
fn lenient_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    let text: Option<std::borrow::Cow<'_, str>> = Option::deserialize(deserializer)?;
    Ok(text.as_deref().and_then(parse_time))
}

/// Reads RFC 3339; `None` for anything else and for Go's zero time.
pub fn parse_time(text: &str) -> Option<Time> {
    if text.starts_with("0001-01-01T") {
        return None;
    }
    text.parse().ok()
}

/// Reads a value, or its default where it is null.
fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_daemon_is_read_and_what_is_new_is_kept() {
        let service: Service = serde_json::from_str(
            r#"{"name":"a","startup":"enabled","current":"scheduled","scheduled":"soon","current-since":"0001-01-01T00:00:00Z"}"#,
        )
        .unwrap();
        assert_eq!(service.current.as_deref(), Some("scheduled"));
        assert_eq!(service.extra["scheduled"], "soon");
        assert_eq!(service.current_since, None);
    }

    #[test]
    fn a_replan_with_nothing_to_do_has_no_tasks() {
        let change: Change =
            serde_json::from_str(r#"{"id":"4","kind":"replan","status":"Done","ready":true,"tasks":null}"#).unwrap();
        assert!(change.tasks.is_empty() && change.ready);
    }

    #[test]
    fn nanoseconds_survive() {
        let time = parse_time("2026-11-21T10:44:16.302447051+02:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-21T08:44:16.302447051Z");
    }
}
