//! The messages of the protocol, JSON-RPC 2.0, one a line.

use serde_json::{Map, Value, json};

/// The versions that are spoken, newest first.
const VERSIONS: [&str; 3] = ["2025-06-18", "2025-03-26", "2024-11-05"];

/// The codes of JSON-RPC.
const NOT_JSON: i64 = -32700;
const NO_REQUEST: i64 = -32600;
const NO_METHOD: i64 = -32601;
const BAD_PARAMETERS: i64 = -32602;

/// What a client sent.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// It introduces itself, and says which version it speaks.
    Initialize { id: Value, version: String },
    /// It asks whether anybody is there.
    Ping { id: Value },
    /// It asks for the tools.
    List { id: Value },
    /// It calls a tool.
    Call { id: Value, name: String, arguments: Map<String, Value> },
    /// A call is no longer wanted.
    Cancel(Value),
    /// Something that needs no answer.
    Notice,
    /// Something that cannot be done: the code, and why.
    Wrong { id: Value, code: i64, why: String },
}

/// What came of a call.
#[derive(Debug)]
pub(super) struct Called {
    /// For the model to read.
    pub(super) text: String,
    /// The same as data, where it is an object.
    pub(super) data: Option<Value>,
    /// Whether it failed.
    pub(super) failed: bool,
}

/// Reads a line.
pub(super) fn read(line: &[u8]) -> Message {
    let wrong = |id, code, why: &str| Message::Wrong { id, code, why: why.to_owned() };
    let Ok(message) = serde_json::from_slice::<Value>(line) else {
        return if line.trim_ascii().is_empty() { Message::Notice } else { wrong(Value::Null, NOT_JSON, "not JSON") };
    };
    let id = message.get("id").filter(|id| id.is_string() || id.is_number()).cloned();
    let Some(method) = message.get("method").and_then(Value::as_str) else {
        // An answer to something that was never asked, or nothing that is known.
        let is_answer = message.get("result").is_some() || message.get("error").is_some();
        return if is_answer { Message::Notice } else { wrong(id.unwrap_or_default(), NO_REQUEST, "no request") };
    };
    let parameter = |name: &str| message.get("params").and_then(|params| params.get(name));
    let Some(id) = id else {
        let cancelled = parameter("requestId").filter(|_| method == "notifications/cancelled");
        return cancelled.map_or(Message::Notice, |id| Message::Cancel(id.clone()));
    };
    match method {
        "initialize" => {
            let version = parameter("protocolVersion").and_then(Value::as_str).unwrap_or_default().to_owned();
            Message::Initialize { id, version }
        }
        "ping" => Message::Ping { id },
        "tools/list" => Message::List { id },
        "tools/call" => {
            let Some(name) = parameter("name").and_then(Value::as_str) else {
                return wrong(id, BAD_PARAMETERS, "the call names no tool");
            };
            let arguments = match parameter("arguments") {
                None | Some(Value::Null) => Map::new(),
                Some(Value::Object(arguments)) => arguments.clone(),
                Some(_) => return wrong(id, BAD_PARAMETERS, "the arguments are no object"),
            };
            Message::Call { id, name: name.to_owned(), arguments }
        }
        method => wrong(id, NO_METHOD, &format!("there is no method `{method}`")),
    }
}

/// The answer to what can be answered at once; `None` where there is none.
pub(super) fn answer(message: Message, tools: impl FnOnce() -> Value) -> Option<Value> {
    Some(match message {
        Message::Initialize { id, version } => {
            let version = VERSIONS.iter().find(|known| **known == version).unwrap_or(&VERSIONS[0]);
            result(
                &id,
                json!({
                    "protocolVersion": version,
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "esker", "version": env!("CARGO_PKG_VERSION")},
                    "instructions": "Each tool is a capability of the systems that esker operates. Pick a verb, and \
                        pass its arguments and flags as a list; the verb `help` with the name of another explains it. \
                        Answers are JSON. A failure says its kind and what to do.",
                }),
            )
        }
        Message::Ping { id } => result(&id, json!({})),
        Message::List { id } => result(&id, json!({ "tools": tools() })),
        Message::Wrong { id, code, why } => {
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": why}})
        }
        Message::Call { .. } | Message::Cancel(_) | Message::Notice => return None,
    })
}

/// The answer to a call.
pub(super) fn called(id: &Value, called: Called) -> Value {
    let mut answer = json!({"content": [{"type": "text", "text": called.text}], "isError": called.failed});
    if let Some(data) = called.data {
        answer["structuredContent"] = data;
    }
    result(id, answer)
}

fn result(id: &Value, result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Option<Value> {
        answer(read(line.as_bytes()), || json!([]))
    }

    #[test]
    fn a_version_that_is_spoken_is_taken_and_another_is_answered_with_the_newest() {
        let version = |asked: &str| {
            let line = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": asked}});
            said(&line.to_string()).unwrap()["result"]["protocolVersion"].clone()
        };
        assert_eq!((version("2024-11-05"), version("1999-01-01")), (json!("2024-11-05"), json!("2025-06-18")));
    }

    #[test]
    fn what_is_no_request_is_refused_and_what_needs_no_answer_has_none() {
        let code = |line: &str| said(line).map(|answer| answer["error"]["code"].clone());
        assert_eq!(code("{"), Some(json!(NOT_JSON)));
        assert_eq!(code(r#"{"id": 1}"#), Some(json!(NO_REQUEST)));
        assert_eq!(code(r#"{"id": "a", "method": "resources/list"}"#), Some(json!(NO_METHOD)));
        assert_eq!(
            code(r#"{"id": 1, "method": "tools/call", "params": {"arguments": 3}}"#),
            Some(json!(BAD_PARAMETERS))
        );
        for line in ["\n", r#"{"method": "notifications/initialized"}"#, r#"{"id": 3, "result": {}}"#] {
            assert_eq!(said(line), None, "{line}");
        }
        let cancel = r#"{"method": "notifications/cancelled", "params": {"requestId": 7}}"#;
        assert_eq!(read(cancel.as_bytes()), Message::Cancel(json!(7)));
    }
}
