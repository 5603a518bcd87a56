//! Programs that run over there.

use super::{Extra, Row, Time, nothing};
use schemars::JsonSchema;
use serde::Serialize;

/// A run that can be found again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The program, in the provider's words.
    pub command: String,
    /// `running`, `exited`, `failed`; may grow.
    pub state: String,
    /// Its exit code, once it ended.
    pub exit_code: Option<i64>,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// What the provider adds.
    #[serde(skip_serializing_if = "nothing")]
    pub extra: Extra,
}

impl Row for Run {
    const NOUN: &'static str = "runs";
    fn id(&self) -> String {
        self.id.clone()
    }
}

/// What a run left: the object of `exec -o json`.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct ExecResult {
    /// Its standard output; null if it is not UTF-8.
    pub stdout: Option<String>,
    /// Its standard output in base64, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout_base64: Option<String>,
    /// Its standard error; null if it is not UTF-8.
    pub stderr: Option<String>,
    /// Its standard error in base64, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr_base64: Option<String>,
    /// Its exit code, by the table of exec.
    pub exit_code: Option<u8>,
    /// The signal that ended it.
    pub signal: Option<u8>,
    /// The run, where it can be found again.
    pub operation_id: Option<String>,
    /// How long it took.
    pub duration_seconds: f64,
}

impl Row for ExecResult {
    const NOUN: &'static str = "results";
    fn id(&self) -> String {
        self.operation_id.clone().unwrap_or_default()
    }
}
