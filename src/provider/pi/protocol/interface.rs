//! What an extension shows and asks (section 2.6).

use super::{Protocol, Tool, said};
use crate::model::{AgentEvent, DialogOutcome};
use crate::provider::pi::api::Record;
use serde_json::Value;
use std::time::Instant;

impl Protocol {
    pub(super) fn interface(&mut self, record: &Record<'_>, line: &[u8], now: Instant) {
        let method = record.method.as_deref().unwrap_or_default();
        match method {
            "select" | "confirm" | "input" | "editor" => {
                let Some(mut dialog) = self.dialogs.open(record, now) else { return };
                let running = self.tools.iter();
                let fits = |tool: &&Tool| {
                    dialog.tool.as_ref().is_none_or(|name| *name == tool.name)
                        && dialog.arguments.as_ref().is_none_or(|arguments| *arguments == tool.arguments)
                };
                // pi starts the tool first, and does not say which one it is about (section 2.6).
                let about = running.filter(|(_, tool)| fits(tool)).max_by_key(|(_, tool)| tool.order);
                if let Some((id, tool)) = about.filter(|_| !self.build.is_omp()) {
                    dialog.tool_call_id = Some(id.clone());
                    dialog.tool = Some(tool.name.clone());
                    dialog.arguments = Some(tool.arguments.clone());
                } else if let [call] = &self.wanted[..]
                    && dialog.tool.as_ref().is_none_or(|name| *name == call.name)
                {
                    // omp asks first: it can only be the one that is to begin.
                    dialog.tool_call_id = Some(call.id.clone());
                    dialog.tool = Some(call.name.clone());
                    dialog.arguments = Some(call.arguments.clone());
                }
                self.events.push_back(AgentEvent::Interaction(dialog));
            }
            "cancel" => self.events.extend(
                record.target_id.as_deref().and_then(|id| self.dialogs.close(id, DialogOutcome::Withdrawn, None)),
            ),
            "notify" => {
                let level = record.notify_type.clone().unwrap_or_else(|| "info".to_owned());
                let text = said(record.message).unwrap_or_default();
                self.events.push_back(AgentEvent::Notice { level, text });
            }
            "open_url" => {
                let text = format!("open {}", record.url.as_deref().unwrap_or_default());
                self.events.push_back(AgentEvent::Notice { level: "info".to_owned(), text });
            }
            _ => self.draw(method, line),
        }
    }

    /// Something to be drawn, which is told only when it changes.
    fn draw(&mut self, method: &str, line: &[u8]) {
        let Ok(Value::Object(mut data)) = serde_json::from_slice(line) else { return };
        data.remove("type");
        data.remove("id");
        let key = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let place = format!("{method} {}{}", key("statusKey"), key("widgetKey"));
        let look = Value::Object(data.clone()).to_string();
        if self.drawn.insert(place, look.clone()).is_none_or(|before| before != look) {
            self.events.push_back(AgentEvent::Other { event: "extension_ui_request".to_owned(), data: data.into() });
        }
    }
}
