//! What an agent does: its messages, and the tools that it calls.

use super::{Protocol, Tool};
use crate::model::{AgentEvent, Channel};
use crate::provider::pi::api::{self, Delta, Message, Record, ToolResult};
use crate::provider::pi::usage::Totals;
use std::time::Instant;

impl Protocol {
    pub(super) fn start(&mut self) {
        // A retry begins anew, and is the same run.
        if !std::mem::replace(&mut self.run.started, true) {
            let model = self.state.model.as_ref().map(|model| format!("{}/{}", model.provider, model.id));
            let session_id = self.state.session_id.clone();
            self.events.push_back(AgentEvent::Start { session_id, model, cwd: self.cwd.clone() });
        }
    }

    pub(super) fn update(&mut self, record: &Record<'_>) {
        let Some(delta) = api::part::<Delta<'_>>(record.assistant_message_event) else { return };
        let channel = match &*delta.kind {
            "text_delta" => Channel::Assistant,
            "thinking_delta" => Channel::Thinking,
            // What ends a block repeats it, and is no more text (section 2.5).
            _ => return,
        };
        if let Some(text) = delta.delta.filter(|text| !text.is_empty()) {
            self.events.push_back(AgentEvent::MessageDelta { channel, text });
        }
    }

    pub(super) fn message(&mut self, record: &Record<'_>) {
        let Some(message) = api::part::<Message>(record.message).filter(|message| message.role == "assistant") else {
            return;
        };
        let text = message.content.as_ref().map(api::Content::text).unwrap_or_default();
        let thinking = message.content.as_ref().map(api::Content::thinking).filter(|thinking| !thinking.is_empty());
        if !text.is_empty() {
            self.run.text.clone_from(&text);
        }
        self.run.stop.clone_from(&message.stop_reason);
        self.run.error.clone_from(&message.error_message);
        let stop_reason = message.stop_reason.clone();
        self.wanted = message.content.map(api::Content::calls).unwrap_or_default();
        let channel = Channel::Assistant;
        self.events.push_back(AgentEvent::Message { channel, text, thinking, stop_reason, model: message.model });
        if message.stop_reason.as_deref() == Some("error") && !self.run.abort {
            let message = message.error_message.unwrap_or_else(|| "the model failed".to_owned());
            self.events.push_back(AgentEvent::Error { message, code: "model".to_owned(), fatal: false });
        }
    }

    pub(super) fn turn(&mut self, record: &Record<'_>) {
        let message: Message = api::part(record.message).unwrap_or_default();
        let is_empty = message.content.is_none_or(|content| content.is_empty());
        if message.stop_reason.as_deref() == Some("aborted") && is_empty {
            // After an abort during a tool a turn follows for which no model is called (section 2.3).
            return;
        }
        let turn = self.totals.add(message.usage.as_ref());
        let Totals { usage: total, turns } = self.totals;
        self.events.push_back(AgentEvent::Usage { turn, total, turns });
    }

    pub(super) fn tool_start(&mut self, record: &Record<'_>, now: Instant) {
        let (Some(id), Some(name)) = (record.tool_call_id.clone(), record.tool_name.clone()) else { return };
        let arguments = api::value(record.args);
        self.wanted.retain(|call| call.id != id);
        self.next_tool += 1;
        let (order, shown) = (self.next_tool, String::new());
        let tool = Tool { order, name: name.clone(), arguments: arguments.clone(), since: now, shown };
        self.tools.insert(id.clone(), tool);
        self.events.push_back(AgentEvent::ToolStart { tool_call_id: id, name, arguments });
    }

    pub(super) fn tool_update(&mut self, record: &Record<'_>) {
        let Some(id) = record.tool_call_id.clone() else { return };
        // One that comes after the end is dropped: omp sends such (section 2.3).
        let Some(tool) = self.tools.get_mut(&id) else { return };
        let shown: ToolResult = api::part(record.partial_result).unwrap_or_default();
        let output = shown.content.as_ref().map(api::Content::text).unwrap_or_default();
        let delta = output.strip_prefix(tool.shown.as_str()).map(str::to_owned);
        tool.shown.clone_from(&output);
        self.events.push_back(AgentEvent::ToolUpdate { tool_call_id: id, name: tool.name.clone(), output, delta });
    }

    pub(super) fn tool_end(&mut self, record: &Record<'_>, now: Instant) {
        let Some(id) = record.tool_call_id.clone() else { return };
        let tool = self.tools.remove(&id);
        let duration_seconds = tool.as_ref().map(|tool| now.duration_since(tool.since).as_secs_f64());
        let name = record.tool_name.clone().or(tool.map(|tool| tool.name)).unwrap_or_default();
        let result: ToolResult = api::part(record.result).unwrap_or_default();
        self.events.push_back(AgentEvent::ToolEnd {
            tool_call_id: id,
            name,
            result: result.content.as_ref().map(api::Content::text).unwrap_or_default(),
            is_error: record.is_error.unwrap_or_default(),
            duration_seconds,
            details: result.details.filter(|details| !details.is_null()),
        });
    }
}
