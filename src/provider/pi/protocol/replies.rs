//! Answers to commands, and how a prompt came out.

use super::{Caller, Protocol, Run, said};
use crate::model::{AgentEvent, CommandId, EndReason, Reply};
use crate::provider::pi::api::{self, Record, State};

impl Protocol {
    pub(super) fn response(&mut self, record: &Record<'_>) {
        let accepted = record.success == Some(true);
        let command = record.command.as_deref().unwrap_or_default();
        let number = api::id(record.id).and_then(|id| id.strip_prefix("esker-")?.parse::<u64>().ok());
        // Some failures carry no id: they belong to the oldest command of that name (section 2.2).
        let oldest = || self.calls.iter().find(|(_, call)| call.command == command).map(|(number, _)| *number);
        let number = number.or_else(|| if record.id.is_none() && !accepted { oldest() } else { None });
        let Some((number, call)) = number.and_then(|number| Some((number, self.calls.remove(&number)?))) else {
            if !accepted {
                let message = said(record.error).unwrap_or_else(|| "a command was refused".to_owned());
                self.events.push_back(AgentEvent::Error { message, code: "protocol".to_owned(), fatal: false });
            }
            return;
        };
        let id = format!("esker-{number}");
        if call.command == "get_state" && accepted {
            let state: State = api::part(record.data).unwrap_or_default();
            let over = call.by == Caller::Probe && self.finish.told(&state);
            self.state = state;
            if over {
                self.over(None);
            }
        }
        if call.by != Caller::User {
            return;
        }
        let outcome = if accepted {
            Ok(api::value(record.data))
        } else {
            Err(said(record.error).unwrap_or_else(|| "the agent refused it".to_owned()))
        };
        let refusal = outcome.as_ref().err().cloned();
        let disposition = outcome.as_ref().ok().and_then(|data| data["disposition"].as_str().map(str::to_owned));
        let command = call.command.clone();
        if self.build.is_omp() && accepted && command == "prompt" {
            // It may still be refused, under the same id (section 2.3).
            self.calls.insert(number, call);
        }
        let is_prompt = command == "prompt";
        self.events.push_back(AgentEvent::Reply(Reply { id: CommandId(id.clone()), command, outcome }));
        if is_prompt && self.finish.replied(&id, accepted, disposition.as_deref()) {
            self.over(refusal);
        }
    }

    /// The prompt is done with. `refusal` is why it never began.
    pub(super) fn over(&mut self, refusal: Option<String>) {
        let Run { abort, text, stop, error, .. } = std::mem::take(&mut self.run);
        let (reason, error) = match (refusal, stop.as_deref()) {
            (Some(refusal), _) => {
                let message = refusal.clone();
                self.events.push_back(AgentEvent::Error { message, code: "prompt".to_owned(), fatal: false });
                (EndReason::Error, Some(refusal))
            }
            // Which word is used for it depends on what was under way, and on the version.
            (None, Some("aborted")) => (EndReason::Cancelled, None),
            (None, Some("error" | "toolUse")) if abort => (EndReason::Cancelled, None),
            (None, Some("error")) => (EndReason::Error, Some(error.unwrap_or_else(|| "the model failed".to_owned()))),
            (None, Some("length")) => (EndReason::Limit, None),
            (None, Some("toolUse")) => (EndReason::Error, Some("the agent stopped before it had answered".to_owned())),
            (None, None) if abort => (EndReason::Cancelled, None),
            (None, _) => (EndReason::Completed, None),
        };
        self.tools.clear();
        self.events.push_back(AgentEvent::End { reason, final_text: text, error });
    }
}
