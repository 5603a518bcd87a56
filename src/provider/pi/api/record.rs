//! One line of an agent, and its parts.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One line of an agent. A flat union of every kind of line, since kinds share names and grow; parts are left as they
/// came until somebody wants them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    /// What kind of line it is.
    #[serde(borrow, default, rename = "type")]
    pub kind: Cow<'a, str>,
    /// Of a response, or of a dialog.
    #[serde(borrow)]
    pub id: Option<&'a RawValue>,
    /// `response`: the type of the command.
    pub command: Option<String>,
    /// `response`.
    pub success: Option<bool>,
    /// `response`; also the content of an `rpc_chunk`.
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
    /// `response`, `extension_error`: a text; `prompt_result`: an object.
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
    /// Of message events an object, of dialogs and notices a text.
    #[serde(borrow)]
    pub message: Option<&'a RawValue>,
    /// `message_update`.
    #[serde(borrow)]
    pub assistant_message_event: Option<&'a RawValue>,
    /// `tool_execution_*`.
    pub tool_call_id: Option<String>,
    /// `tool_execution_*`.
    pub tool_name: Option<String>,
    /// `tool_execution_start`.
    #[serde(borrow)]
    pub args: Option<&'a RawValue>,
    /// `tool_execution_update`.
    #[serde(borrow)]
    pub partial_result: Option<&'a RawValue>,
    /// `tool_execution_end`.
    #[serde(borrow)]
    pub result: Option<&'a RawValue>,
    /// `tool_execution_end`.
    pub is_error: Option<bool>,
    /// `agent_end`, `compaction_end`.
    pub will_retry: Option<bool>,
    /// `agent_end` of omp.
    pub is_terminal: Option<bool>,
    /// `auto_retry_start`.
    pub delay_ms: Option<f64>,
    /// `prompt_result`.
    pub agent_invoked: Option<bool>,
    /// `prompt_result`.
    pub session_settled: Option<bool>,
    /// `extension_ui_request`.
    pub method: Option<String>,
    /// `extension_ui_request`.
    pub title: Option<String>,
    /// `extension_ui_request`: `select`.
    pub options: Option<Vec<String>>,
    /// `extension_ui_request`: `input`.
    pub placeholder: Option<String>,
    /// `extension_ui_request`: `editor`.
    pub prefill: Option<String>,
    /// `extension_ui_request`, in milliseconds.
    pub timeout: Option<f64>,
    /// `extension_ui_request`: `notify`.
    pub notify_type: Option<String>,
    /// `extension_ui_request`: `cancel`.
    pub target_id: Option<String>,
    /// `extension_ui_request`: `open_url`.
    pub url: Option<String>,
    /// `notice`.
    #[serde(borrow)]
    pub level: Option<&'a RawValue>,
    /// `command_output`.
    #[serde(borrow)]
    pub text: Option<&'a RawValue>,
    /// `rpc_chunk`.
    pub chunk_id: Option<String>,
    /// `rpc_chunk`.
    pub index: Option<u64>,
    /// `rpc_chunk`.
    pub count: Option<u64>,
    /// `rpc_chunk`.
    pub byte_length: Option<u64>,
}

/// The text that a part is, if it is one.
pub fn text(part: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(part?.get()).ok()
}

/// A part as a value; `Null` where it is missing or nested deeper than anything sane.
pub fn value(part: Option<&RawValue>) -> Value {
    part.and_then(|part| serde_json::from_str(part.get()).ok()).unwrap_or_default()
}

/// A part in a shape of its own.
pub fn part<'a, T: Deserialize<'a>>(part: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(part?.get()).ok()
}

/// An id as text, whatever JSON it is.
pub fn id(part: Option<&RawValue>) -> Option<String> {
    let raw = part?.get();
    text(part).or_else(|| (raw != "null").then(|| raw.to_owned()))
}
