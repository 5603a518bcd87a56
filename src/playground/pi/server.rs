//! The model of the playground: a server of the OpenAI protocol that demands its key and knows a handful of things.

use crate::stream;
use crate::transport::StatusCode;
use crate::transport::server::{Handler, Reply, Request, Response};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// The longest request that is read, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;

/// How long it takes for a word, so that one sees it stream.
const WORD: Duration = Duration::from_millis(15);

/// The model.
pub(super) struct Server {
    pub(super) key: String,
}

#[async_trait]
impl Handler for Server {
    async fn handle(&self, mut request: Request) -> Reply {
        if request.bearer() != Some(&self.key) {
            return refused(StatusCode::UNAUTHORIZED, "Incorrect API key provided").into();
        }
        if request.path != "/v1/chat/completions" {
            return refused(StatusCode::NOT_FOUND, "no such path").into();
        }
        let body = match request.bytes(LONGEST).await {
            Ok(body) => serde_json::from_slice::<Value>(&body).unwrap_or_default(),
            Err(_) => Value::Null,
        };
        let Some(messages) = body["messages"].as_array() else {
            return refused(StatusCode::BAD_REQUEST, "expected messages").into();
        };
        Response::stream(StatusCode::OK, "text/event-stream", said(&answer(messages))).into()
    }
}

fn refused(status: StatusCode, message: &str) -> Response {
    let code = status.as_u16();
    Response::json(status, &json!({ "error": { "message": message, "type": "invalid_request_error", "code": code } }))
}

/// What it says, or a tool that it wants called.
enum Answer {
    Text(String),
    Call(&'static str, Value),
}

/// What it makes of a conversation.
fn answer(messages: &[Value]) -> Answer {
    let prompts: Vec<&str> =
        messages.iter().filter(|message| message["role"] == "user").filter_map(|m| m["content"].as_str()).collect();
    let prompt = prompts.last().copied().unwrap_or_default();
    let last = messages.last().unwrap_or(&Value::Null);
    if last["role"] == "tool" {
        let result = last["content"].as_str().unwrap_or_default();
        let lines = result.lines().count();
        return Answer::Text(format!("Done. It said, in {lines} lines:\n\n{result}\n"));
    }
    let (verb, rest) = prompt.trim().split_once(char::is_whitespace).unwrap_or((prompt.trim(), ""));
    match verb.to_lowercase().as_str() {
        "run" => Answer::Call("bash", json!({ "command": rest })),
        "read" => Answer::Call("read", json!({ "path": rest })),
        "write" => match rest.split_once(char::is_whitespace) {
            Some((path, content)) => Answer::Call("write", json!({ "path": path, "content": format!("{content}\n") })),
            None => Answer::Text("Say `write FILE TEXT`.".to_owned()),
        },
        "list" | "look" => Answer::Call("bash", json!({ "command": "ls -l" })),
        "recall" => Answer::Text(format!("You have said {} things, first: {}", prompts.len(), prompts[0])),
        _ => Answer::Text(format!(
            "I am the model of a playground: a script, which understands `run COMMAND`, `read FILE`, `write FILE TEXT`, \
             `list` and `recall`. You said {} words.",
            prompt.split_whitespace().count()
        )),
    }
}

/// An answer as server-sent events, word by word.
fn said(answer: &Answer) -> crate::stream::ByteStream {
    let delta = |delta: Value, finish: Option<&str>| {
        json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "scripted-1",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
    };
    let mut chunks = vec![delta(json!({ "role": "assistant", "content": "" }), None)];
    let finish = match answer {
        Answer::Text(text) => {
            chunks.extend(text.split_inclusive(' ').map(|word| delta(json!({ "content": word }), None)));
            "stop"
        }
        Answer::Call(name, arguments) => {
            let call = json!({ "index": 0, "id": "call_1", "type": "function",
                "function": { "name": name, "arguments": arguments.to_string() } });
            chunks.push(delta(json!({ "tool_calls": [call] }), None));
            "tool_calls"
        }
    };
    let written = chunks.len();
    chunks.push(delta(json!({}), Some(finish)));
    chunks.push(json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [],
        "usage": { "prompt_tokens": 100, "completion_tokens": written, "total_tokens": 100 + written } }));
    let lines = chunks.into_iter().map(|chunk| format!("data: {chunk}\n\n")).chain(["data: [DONE]\n\n".to_owned()]);
    stream::unfold(lines.collect::<Vec<_>>().into_iter(), |mut lines| async move {
        let Some(line) = lines.next() else { return Ok(None) };
        tokio::time::sleep(WORD).await;
        Ok(Some((Bytes::from(line), lines)))
    })
}
