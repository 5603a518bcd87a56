//! The answer of a model as it comes: server-sent events of the OpenAI protocol (section 5.2).

use super::model::Model;
use crate::stream::ByteStream;
use crate::transport::{Client, HeaderValue, Net, Request, TlsOptions, header::AUTHORIZATION, parse_url};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// The most that is read of an error, in bytes.
const LONGEST_ERROR: usize = 64 * 1024;

/// A piece of an answer.
#[derive(Debug)]
pub(super) enum Piece {
    Text(String),
    Thinking(String),
    /// A part of a call of a tool.
    Call {
        at: u64,
        id: Option<String>,
        name: Option<String>,
        arguments: String,
    },
    /// Why it ends.
    Finish(String),
    /// Tokens of the prompt, of those from a cache, and of the answer.
    Usage(u64, u64, u64),
}

/// Why there is no answer: the status (0 without one), and what was said.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Failed {
    fn lost(why: impl ToString) -> Self {
        Self { status: 0, body: json!({ "error": { "message": why.to_string(), "type": "connection" } }) }
    }

    /// Whether it may go better the next time.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.status, 0 | 429 | 500..=599)
    }
}

/// An answer on its way.
pub(super) struct Pieces {
    body: ByteStream,
    buffer: Vec<u8>,
    ready: VecDeque<Piece>,
    is_whole: bool,
}

/// Asks a model.
pub(super) async fn ask(model: &Model, body: &Value) -> Result<Pieces, Failed> {
    let (address, path) = parse_url(model.url(), TlsOptions::default()).map_err(Failed::lost)?;
    let key = model.key.as_deref().unwrap_or_default();
    let mut authorization = HeaderValue::try_from(format!("Bearer {key}")).map_err(Failed::lost)?;
    authorization.set_sensitive(true);
    let request = Request::post(format!("{}/chat/completions", path.trim_end_matches('/')))
        .header(AUTHORIZATION, authorization)
        .json(body)
        .long_poll(None)
        .streaming();
    let response = Client::new(Net::default(), address).send(request).await.map_err(Failed::lost)?;
    if !response.is_success() {
        let status = response.status;
        let text = response.bytes(LONGEST_ERROR).await.map_err(Failed::lost)?;
        let body = serde_json::from_slice(&text).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(&text);
            json!({ "error": { "message": text.trim(), "type": "server_error" } })
        });
        return Err(Failed { status, body });
    }
    Ok(Pieces { body: response.into_stream(), buffer: Vec::new(), ready: VecDeque::new(), is_whole: false })
}

impl Pieces {
    /// The next piece; `None` at the end. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Option<Piece>, Failed> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            if self.is_whole {
                return Ok(None);
            }
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let Some(data) = line.strip_prefix(b"data: ") else { continue };
                if data.trim_ascii() == b"[DONE]" {
                    self.is_whole = true;
                    break;
                }
                let chunk: Value = serde_json::from_slice(data).map_err(Failed::lost)?;
                self.ready.extend(pieces(&chunk));
            }
            if self.ready.is_empty() && !self.is_whole {
                match self.body.next().await {
                    Some(bytes) => self.buffer.extend_from_slice(&bytes.map_err(Failed::lost)?),
                    None => return Err(Failed::lost("the answer ended early")),
                }
            }
        }
    }
}

fn pieces(chunk: &Value) -> Vec<Piece> {
    let mut found = Vec::new();
    let choice = &chunk["choices"][0];
    let delta = &choice["delta"];
    let text = |key: &str| delta[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    found.extend(text("reasoning_content").map(Piece::Thinking));
    found.extend(text("content").map(Piece::Text));
    for call in delta["tool_calls"].as_array().into_iter().flatten() {
        found.push(Piece::Call {
            at: call["index"].as_u64().unwrap_or_default(),
            id: call["id"].as_str().map(str::to_owned),
            name: call["function"]["name"].as_str().map(str::to_owned),
            arguments: call["function"]["arguments"].as_str().unwrap_or_default().to_owned(),
        });
    }
    found.extend(choice["finish_reason"].as_str().map(|reason| Piece::Finish(reason.to_owned())));
    if let Some(usage) = chunk["usage"].as_object() {
        let count = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or_default();
        let cached = usage.get("prompt_tokens_details").and_then(|details| details.get("cached_tokens"));
        let (prompt, written) = (usage.get("prompt_tokens"), usage.get("completion_tokens"));
        found.push(Piece::Usage(count(prompt), count(cached), count(written)));
    }
    found
}
