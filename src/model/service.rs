//! Services and their narrower siblings: checks, changes, notices, identities, warnings, metrics, health.

use super::{Extra, Row, Time, nothing};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A supervised service.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// `enabled` or `disabled`: whether it starts by itself.
    pub startup: Option<String>,
    /// `active`, `inactive`, `backoff`, `error`; may grow.
    pub state: String,
    /// When it entered that state; null if it never ran.
    pub since: Option<Time>,
    /// Why it last failed, where the provider tells.
    pub last_error: Option<String>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Service {
    const NOUN: &'static str = "services";
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// A service with everything that is known about it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ServiceDetail {
    /// The row of the list.
    #[serde(flatten)]
    pub service: Service,
    /// The command line it runs.
    pub command: Option<String>,
    /// The process id of its main process.
    pub pid: Option<u32>,
    /// Its configuration as the provider has it in force.
    pub config: serde_json::Value,
    /// Checks whose failure acts on it.
    pub checks: Vec<String>,
    /// The operation that last touched it.
    pub last_operation_id: Option<String>,
}

impl Row for ServiceDetail {
    const NOUN: &'static str = "services";
    fn id(&self) -> String {
        self.service.name.clone()
    }
}

/// One line a service wrote.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LogEntry {
    /// When it was written; always with milliseconds, so that lines sort as text.
    #[serde(serialize_with = "with_millis")]
    pub time: Option<Time>,
    /// Who wrote it.
    pub service: String,
    /// The line, without its newline.
    pub message: String,
}

#[allow(clippy::ref_option)] // serde hands in the field as it is
fn with_millis<S: serde::Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(&format_args!("{time:.3}")),
        None => serializer.serialize_none(),
    }
}

impl Row for LogEntry {
    const NOUN: &'static str = "log entries";
    fn id(&self) -> String {
        self.message.clone()
    }
}

/// A health check.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// `alive`, `ready` or null.
    pub level: Option<String>,
    /// `enabled` or `disabled`.
    pub startup: Option<String>,
    /// `up`, `down` or `inactive`; may grow.
    pub status: String,
    /// Successes since it started; null where the daemon does not count them.
    pub successes: Option<u64>,
    /// Failures in a row.
    pub failures: u64,
    /// Failures in a row that make it `down`.
    pub threshold: u64,
    /// The change that runs it.
    pub change_id: Option<String>,
    /// The change that ran it before.
    pub previous_change_id: Option<String>,
    /// Why it last failed.
    pub last_error: Option<String>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Check {
    const NOUN: &'static str = "checks";
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// What running a check now showed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckRefreshed {
    /// The check afterwards.
    #[serde(flatten)]
    pub check: Check,
    /// Whether this run succeeded.
    pub passed: bool,
    /// Why it did not.
    pub error: Option<String>,
}

impl Row for CheckRefreshed {
    const NOUN: &'static str = "checks";
    fn id(&self) -> String {
        self.check.name.clone()
    }
}

/// The sum of the checks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HealthState {
    /// Whether no check that counts is down.
    pub healthy: bool,
    /// The level that was asked for.
    pub level: Option<String>,
    /// The checks that were asked for; empty means all.
    pub checks: Vec<String>,
}

impl Row for HealthState {
    const NOUN: &'static str = "health";
    fn id(&self) -> String {
        if self.healthy { "healthy" } else { "unhealthy" }.to_owned()
    }
}

/// A change: a unit of work that the service manager does or did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// `start`, `stop`, `exec`, `perform-check`, …; may grow.
    pub kind: String,
    /// One line of what it does.
    pub summary: String,
    /// `Do`, `Doing`, `Done`, `Error`, … in the provider's words; may grow.
    pub status: String,
    /// Whether it has come to an end, good or bad.
    pub ready: bool,
    /// Why it failed.
    pub error: Option<String>,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it came to its end.
    pub ready_at: Option<Time>,
    /// Its steps.
    pub tasks: Vec<Task>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Change {
    const NOUN: &'static str = "changes";
    fn id(&self) -> String {
        self.id.clone()
    }
}

/// A step of a change.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Task {
    /// Its id, counted apart from the changes'.
    pub id: String,
    /// What it does.
    pub kind: String,
    /// One line of it.
    pub summary: String,
    /// Its status, in the provider's words.
    pub status: String,
    /// What it logged, oldest first.
    pub log: Vec<String>,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ready_at: Option<Time>,
    /// The exit code of the program it ran, where it ran one.
    pub exit_code: Option<i64>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

/// A notice: something that happened, once or again and again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// The user it belongs to; null means everybody.
    pub user_id: Option<u32>,
    /// `custom`, `change-update`, `warning`; may grow.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub key: String,
    /// How often it happened.
    pub occurrences: u64,
    /// When it happened first.
    pub first_occurred_at: Option<Time>,
    /// When it happened last.
    pub last_occurred_at: Option<Time>,
    /// When it was last told again.
    pub last_repeated_at: Option<Time>,
    /// What came with its last occurrence.
    pub data: BTreeMap<String, String>,
    /// How long it is quiet after being told, in seconds.
    pub repeat_after_seconds: Option<f64>,
    /// How long it is kept, in seconds.
    pub expire_after_seconds: Option<f64>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Notice {
    const NOUN: &'static str = "notices";
    fn id(&self) -> String {
        self.id.clone()
    }
}

/// The id of a notice that was recorded.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Recorded {
    /// The notice.
    pub id: String,
    /// Its key.
    pub key: String,
}

impl Row for Recorded {
    const NOUN: &'static str = "notices";
    fn id(&self) -> String {
        self.id.clone()
    }
}

/// A warning of the service manager.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Warning {
    /// What it warns of.
    pub message: String,
    /// When it was first raised.
    pub first_added_at: Option<Time>,
    /// When it was last raised.
    pub last_added_at: Option<Time>,
    /// When it was last shown.
    pub last_shown_at: Option<Time>,
    /// How long it is kept, in seconds.
    pub expire_after_seconds: Option<f64>,
    /// How long it is quiet after being shown, in seconds.
    pub repeat_after_seconds: Option<f64>,
}

impl Row for Warning {
    const NOUN: &'static str = "warnings";
    fn id(&self) -> String {
        self.message.clone()
    }
}

/// Who may do what.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// `admin`, `read`, `metrics`, `untrusted`; may grow.
    pub access: String,
    /// How it proves itself: `local`, `basic`, `cert`; may grow.
    pub types: Vec<String>,
    /// The local user it stands for.
    pub user_id: Option<u32>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Identity {
    const NOUN: &'static str = "identities";
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// One sample of a metric.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// `counter`, `gauge`; may grow.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What tells it from its siblings.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
    /// What it measures.
    pub help: Option<String>,
}

/// A row of `top`: something that goes on at a target.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct TopRow {
    /// `svc`, `check`, `vm`, `run` or `agent`; may grow.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its state, in the words of its kind.
    pub state: String,
    /// What is measured of it.
    pub metric: Option<String>,
    /// The value of that.
    pub value: Option<f64>,
    /// Whether the value only grows: what it is about is its growth.
    #[serde(skip)]
    pub counts: bool,
}

impl TopRow {
    /// The value with what it is, for people.
    pub fn shown(&self) -> Option<String> {
        let value = self.value?;
        let metric = self.metric.as_deref().unwrap_or_default();
        Some(match metric {
            "cpu %" => format!("{value:.1}%"),
            metric => format!("{value:.0} {metric}"),
        })
    }
}

impl Row for TopRow {
    const NOUN: &'static str = "services, machines and agents";
    fn id(&self) -> String {
        format!("{}:{}", self.kind, self.name)
    }
}

impl Row for Metric {
    const NOUN: &'static str = "metrics";
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// What a system says of itself.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Info {
    /// The version of its software.
    pub version: Option<String>,
    /// How it is reached, without credentials.
    pub address: String,
    /// The boot of the host it runs on.
    pub boot_id: Option<String>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Info {
    const NOUN: &'static str = "systems";
    fn id(&self) -> String {
        self.address.clone()
    }
}

/// The configuration in force.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlanDocument {
    /// The plan as data.
    pub plan: serde_json::Value,
    /// The plan as the provider wrote it.
    #[serde(skip)]
    pub text: String,
}

impl Row for PlanDocument {
    const NOUN: &'static str = "plans";
    fn id(&self) -> String {
        String::new()
    }
}

/// How grave a finding in a layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The daemon would refuse the layer.
    Error,
    /// The daemon would accept it and not do what it says.
    Warning,
}

/// Something wrong in a layer, and where.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// The file it is in; `-` is standard input.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1, in characters.
    pub column: usize,
    /// How grave it is.
    pub severity: Severity,
    /// The path of the value inside the document, such as `services.web.startup`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl Row for Finding {
    const NOUN: &'static str = "findings";
    fn id(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What became of one item of a request with several.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Changed {
    /// What was acted on.
    pub name: String,
    /// What was done: `started`, `stopped`, `deleted`, …
    pub action: String,
    /// Whether anything had to be done.
    pub changed: bool,
    /// The state it is in now, where that is known.
    pub state: Option<String>,
    /// The operation that did it.
    pub operation_id: Option<String>,
}

impl Row for Changed {
    const NOUN: &'static str = "items";
    fn id(&self) -> String {
        self.name.clone()
    }
}
