//! A prompt being worked on: turns of the model and its tools, what is queued meanwhile, and trying again (section 2.5).

use super::Dialect;
use super::agent::{Agent, Stop};
use super::session;
use super::stream::{self, Failed, Piece};
use super::tools::{self, Answer};
use crate::model::Time;
use serde_json::{Value, json};
use std::time::Duration;

/// An answer of the model while it comes.
struct Draft {
    message: Value,
    /// The arguments of calls as they come, by their place in the content.
    arguments: Vec<(usize, String)>,
    /// The place of each call that the model counts.
    calls: Vec<(u64, usize)>,
}

/// How an answer ended.
enum Came {
    Whole,
    Failed { passing: bool },
    Aborted,
}

impl Agent {
    /// Works on a prompt, to its end.
    pub(super) async fn work(&self, prompt: Value) {
        let mut stop = self.stoppable();
        let dialect = self.wire.dialect;
        let mut pending = vec![prompt];
        let mut attempt = 0;
        loop {
            self.wire.say(&json!({ "type": "agent_start" }));
            let (messages, passing) = self.turns(std::mem::take(&mut pending), &mut attempt, &stop).await;
            let again = passing && attempt < self.retry.times && self.state().auto_retry && !stop.is_stopped();
            if !again {
                // The old one is idle before it says so.
                self.state().working = dialect == Dialect::New;
            }
            match dialect {
                Dialect::New => {
                    self.wire.say(&json!({ "type": "agent_end", "messages": messages, "willRetry": again }));
                }
                Dialect::Omp if again => {}
                _ => self.wire.say(&json!({ "type": "agent_end", "messages": messages })),
            }
            if !again {
                if passing && attempt > 0 {
                    let why = messages.last().map(|last| last["errorMessage"].clone());
                    self.wire.say(
                        &json!({ "type": "auto_retry_end", "success": false, "attempt": attempt, "finalError": why }),
                    );
                }
                break;
            }
            attempt += 1;
            let delay = self.retry.delay * 2u32.pow(attempt - 1);
            let why = messages.last().map(|last| last["errorMessage"].clone());
            self.wire.say(&json!({ "type": "auto_retry_start", "attempt": attempt, "maxAttempts": self.retry.times,
                "delayMs": delay.as_millis(), "errorMessage": why }));
            if !self.wait(delay, &mut stop).await {
                self.wire.say(&json!({ "type": "auto_retry_end", "success": false, "attempt": attempt,
                    "finalError": "Retry cancelled" }));
                break;
            }
        }
        self.state().working = false;
        self.settled.notify_waiters();
        if dialect == Dialect::New {
            self.wire.say(&json!({ "type": "agent_settled" }));
        }
    }

    /// Waits before it tries again; whether it is to.
    async fn wait(&self, delay: Duration, stop: &mut Stop) -> bool {
        {
            let mut state = self.state();
            state.session.take_back();
            state.retrying = true;
        }
        let goes_on = tokio::select! {
            () = tokio::time::sleep(delay) => true,
            () = stop.stopped() => false,
        };
        self.state().retrying = false;
        goes_on
    }

    /// Turn after turn until nothing is left to do. Returns what was said, and whether the model failed in a way that
    /// may pass.
    async fn turns(&self, mut pending: Vec<Value>, attempt: &mut u32, stop: &Stop) -> (Vec<Value>, bool) {
        let mut said = Vec::new();
        if self.wire.dialect == Dialect::New && self.state().session.messages().is_empty() {
            pending.insert(
                0,
                json!({ "role": "system", "content": "", "sections": { "preamble": "You are played." },
                "timestamp": Time::now().as_millisecond() }),
            );
        }
        loop {
            self.wire.say(&json!({ "type": "turn_start" }));
            for message in pending.drain(..) {
                self.told(&message);
                said.push(message);
            }
            let (message, came) = self.answer(stop.clone()).await;
            self.keep(&message);
            said.push(message.clone());
            if matches!(came, Came::Whole) && *attempt > 0 {
                self.wire.say(&json!({ "type": "auto_retry_end", "success": true, "attempt": *attempt }));
                *attempt = 0;
            }
            let results = if let Came::Whole = came { self.calls(&message, stop).await } else { Vec::new() };
            said.extend(results.iter().cloned());
            self.wire.say(&json!({ "type": "turn_end", "message": message, "toolResults": results }));
            match came {
                Came::Failed { passing } => return (said, passing),
                Came::Aborted => return (said, false),
                Came::Whole => {}
            }
            let queued = {
                let mut state = self.state();
                let follows = results.is_empty();
                state.steering.pop_front().or_else(|| if follows { state.follow_up.pop_front() } else { None })
            };
            if queued.is_none() && results.is_empty() {
                return (said, false);
            }
            if let Some(queued) = queued {
                self.queued();
                pending.push(queued);
            }
        }
    }

    fn told(&self, message: &Value) {
        self.wire.message("message_start", message);
        self.wire.message("message_end", message);
        self.keep(message);
    }

    fn keep(&self, message: &Value) {
        self.state().session.add("message", json!({ "message": message }));
    }

    /// One answer of the model.
    async fn answer(&self, mut stop: Stop) -> (Value, Came) {
        let (model, body) = self.request();
        let mut draft = Draft {
            message: json!({ "role": "assistant", "content": [], "api": model.row["api"], "provider": model.provider(),
                "model": model.id(), "usage": model.usage(0, 0, 0), "stopReason": self.wire.dialect.pending(),
                "timestamp": Time::now().as_millisecond() }),
            arguments: Vec::new(),
            calls: Vec::new(),
        };
        if stop.is_stopped() {
            self.wire.message("message_start", &draft.message);
            return (self.finished(draft.ended("aborted", None)), Came::Aborted);
        }
        let asked = tokio::select! {
            asked = stream::ask(&model, &body) => Some(asked),
            () = stop.stopped() => None,
        };
        self.wire.message("message_start", &draft.message);
        let mut pieces = match asked {
            Some(Ok(pieces)) => pieces,
            Some(Err(failed)) => return self.failed(draft, &failed),
            None => {
                return (self.finished(draft.ended("aborted", Some("Request was aborted".to_owned()))), Came::Aborted);
            }
        };
        let mut why = "stop".to_owned();
        loop {
            let piece = tokio::select! {
                piece = pieces.next() => piece,
                () = stop.stopped() => {
                    let why = if self.wire.dialect.is_pi() { "Request was aborted" } else { "Interrupted by user" };
                    return (self.finished(draft.ended("aborted", Some(why.to_owned()))), Came::Aborted);
                }
            };
            match piece {
                Ok(Some(Piece::Finish(reason))) => why = reason,
                Ok(Some(Piece::Usage(prompt, cached, written))) => {
                    draft.message["usage"] = model.usage(prompt, cached, written);
                }
                Ok(Some(piece)) => {
                    for event in draft.take(piece) {
                        self.wire.update(event, &draft.message);
                    }
                }
                Ok(None) => break,
                Err(failed) => return self.failed(draft, &failed),
            }
        }
        for event in draft.close() {
            self.wire.update(event, &draft.message);
        }
        let reason = match why.as_str() {
            "tool_calls" => "toolUse",
            "length" => "length",
            _ => "stop",
        };
        (self.finished(draft.ended(reason, None)), Came::Whole)
    }

    fn finished(&self, message: Value) -> Value {
        self.wire.message("message_end", &message);
        message
    }

    fn failed(&self, draft: Draft, failed: &Failed) -> (Value, Came) {
        let why = if failed.status == 0 {
            failed.body["error"]["message"].as_str().unwrap_or_default().to_owned()
        } else {
            self.wire.dialect.failure(failed.status, &failed.body)
        };
        (self.finished(draft.ended("error", Some(why))), Came::Failed { passing: failed.is_passing() })
    }

    /// What the model is asked.
    fn request(&self) -> (super::model::Model, Value) {
        let state = self.state();
        let mut messages: Vec<Value> =
            self.args.system.iter().map(|text| json!({ "role": "system", "content": text })).collect();
        messages.extend(state.session.messages().iter().filter_map(wire_message));
        let mut body = json!({ "model": state.model.id(), "messages": messages, "stream": true,
            "stream_options": { "include_usage": true } });
        let tools: Vec<_> = tools::NAMES
            .iter()
            .filter(|name| self.args.allows(name))
            .map(|name| json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object" } } }))
            .collect();
        if !tools.is_empty() {
            body["tools"] = tools.into();
        }
        (state.model.clone(), body)
    }

    /// Calls the tools that a message wants, one after another, and returns their results as messages.
    async fn calls(&self, message: &Value, stop: &Stop) -> Vec<Value> {
        let mut results = Vec::new();
        for call in message["content"].as_array().into_iter().flatten().filter(|block| block["type"] == "toolCall") {
            let (id, name, arguments) = (&call["id"], call["name"].as_str().unwrap_or_default(), &call["arguments"]);
            let head = |kind: &str| json!({ "type": kind, "toolCallId": id, "toolName": name });
            let mut start = head("tool_execution_start");
            start["args"] = arguments.clone();
            let is_pi = self.wire.dialect.is_pi();
            if is_pi {
                // omp asks first (section 2.6).
                self.wire.say(&start);
            }
            let refused = self.refused(name, arguments, stop).await;
            if !is_pi {
                self.wire.say(&start);
            }
            let answer = match refused {
                Some(reason) => Answer::bad(reason),
                None if !self.args.allows(name) => Answer::bad(format!("Tool {name} not found")),
                None => {
                    let wrote = |all: &str, _: &str| {
                        let mut update = head("tool_execution_update");
                        update["args"] = arguments.clone();
                        update["partialResult"] =
                            json!({ "content": [{ "type": "text", "text": all }], "details": {} });
                        self.wire.say(&update);
                    };
                    self.call(name, arguments, stop.clone(), wrote).await
                }
            };
            let mut end = head("tool_execution_end");
            end["result"] = answer.content();
            end["isError"] = answer.is_error.into();
            self.wire.say(&end);
            let mut result = json!({ "role": "toolResult", "toolCallId": id, "toolName": name,
                "content": answer.content()["content"], "isError": answer.is_error,
                "timestamp": Time::now().as_millisecond() });
            if let Some(details) = answer.details {
                result["details"] = details;
            }
            results.push(result);
        }
        for result in &results {
            self.told(result);
        }
        results
    }

    /// Asks whether a tool may run, where something wants that; why it may not.
    async fn refused(&self, name: &str, arguments: &Value, stop: &Stop) -> Option<String> {
        let about = arguments["command"].as_str().map_or_else(|| arguments.to_string(), str::to_owned);
        if self.args.asks && name != "read" {
            let question = json!({ "method": "select", "title": format!("Allow tool: {name}\nCommand: {about}"),
                "options": ["Approve", "Deny"] });
            let mut stop = stop.clone();
            let answer = tokio::select! {
                answer = self.dialogs.ask(&self.wire, question) => answer,
                // It aborts through a question that is open, unlike pi.
                () = stop.stopped() => Value::Null,
            };
            if answer["value"] != "Approve" {
                return Some(format!("Tool call denied by user: {name}"));
            }
        }
        for directive in &self.directives {
            let Some(title) = directive.question(name) else { continue };
            let whole = title.contains(':');
            let message = if whole { arguments.to_string() } else { about.clone() };
            let mut question = json!({ "method": "confirm", "title": title, "message": message });
            if let Some(timeout) = directive.timeout {
                question["timeout"] = timeout.into();
            }
            let answer = self.dialogs.ask(&self.wire, question).await;
            if stop.is_stopped() {
                return Some("Operation aborted".to_owned());
            }
            if answer["confirmed"] != true {
                return Some(directive.reason.clone().unwrap_or_else(|| "Tool execution was blocked".to_owned()));
            }
        }
        None
    }
}

impl Draft {
    /// Takes a piece; what is to be told of it.
    fn take(&mut self, piece: Piece) -> Vec<Value> {
        let mut events = Vec::new();
        let blocks = self.message["content"].as_array_mut().expect("it begins as one");
        let grow = |blocks: &mut Vec<Value>, events: &mut Vec<Value>, kind: &str, delta: &str| {
            let at = match blocks.iter().rposition(|block| block["type"] == kind) {
                Some(at) => at,
                None => {
                    blocks.push(json!({ "type": kind, kind: "" }));
                    events.push(json!({ "type": format!("{kind}_start"), "contentIndex": blocks.len() - 1 }));
                    blocks.len() - 1
                }
            };
            let text = blocks[at][kind].as_str().unwrap_or_default().to_owned() + delta;
            blocks[at][kind] = text.into();
            events.push(json!({ "type": format!("{kind}_delta"), "contentIndex": at, "delta": delta }));
        };
        match piece {
            Piece::Text(delta) => grow(blocks, &mut events, "text", &delta),
            Piece::Thinking(delta) => grow(blocks, &mut events, "thinking", &delta),
            Piece::Call { at, id, name, arguments } => {
                let known = self.calls.iter().find(|(number, _)| *number == at).map(|(_, place)| *place);
                let place = known.unwrap_or_else(|| {
                    blocks.push(json!({ "type": "toolCall", "id": id, "name": name, "arguments": {} }));
                    let place = blocks.len() - 1;
                    self.calls.push((at, place));
                    self.arguments.push((place, String::new()));
                    events.push(json!({ "type": "toolcall_start", "contentIndex": place, "id": id, "toolName": name }));
                    place
                });
                if let Some((_, text)) = self.arguments.iter_mut().find(|(at, _)| *at == place) {
                    text.push_str(&arguments);
                    if let Ok(value @ Value::Object(_)) = serde_json::from_str(text) {
                        blocks[place]["arguments"] = value;
                    }
                }
                events.push(json!({ "type": "toolcall_delta", "contentIndex": place, "delta": arguments }));
            }
            Piece::Finish(_) | Piece::Usage(..) => {}
        }
        events
    }

    /// The ends of all blocks.
    fn close(&self) -> Vec<Value> {
        let blocks = self.message["content"].as_array().into_iter().flatten().enumerate();
        let end = |(at, block): (usize, &Value)| match block["type"].as_str() {
            Some("toolCall") => json!({ "type": "toolcall_end", "contentIndex": at, "toolCall": block }),
            kind => {
                let kind = kind.unwrap_or("text");
                json!({ "type": format!("{kind}_end"), "contentIndex": at, "content": block[kind] })
            }
        };
        blocks.map(end).collect()
    }

    fn ended(mut self, reason: &str, error: Option<String>) -> Value {
        self.message["stopReason"] = reason.into();
        if let Some(error) = error {
            self.message["errorMessage"] = error.into();
        }
        self.message
    }
}

/// A message as the model's protocol has it.
fn wire_message(message: &Value) -> Option<Value> {
    let text = session::text(message);
    match message["role"].as_str()? {
        "user" => Some(json!({ "role": "user", "content": text })),
        "toolResult" => Some(json!({ "role": "tool", "tool_call_id": message["toolCallId"], "content": text })),
        "assistant" => {
            let calls = message["content"].as_array()?.iter().filter(|block| block["type"] == "toolCall");
            let calls: Vec<_> = calls
                .map(|call| {
                    json!({ "id": call["id"], "type": "function",
                        "function": { "name": call["name"], "arguments": call["arguments"].to_string() } })
                })
                .collect();
            let mut answer = json!({ "role": "assistant", "content": text });
            if !calls.is_empty() {
                answer["tool_calls"] = calls.into();
            }
            Some(answer)
        }
        _ => None,
    }
}
