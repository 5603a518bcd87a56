//! The questions that are open (section 2.6). There may be several at once, each with a time of its own that the agent
//! keeps silently: what it answers itself then must be known here too.

use super::api::{Record, id, text};
use crate::error::{Error, Result};
use crate::model::{AgentEvent, Dialog, DialogId, DialogKind, DialogOutcome};
use crate::provider::agent::Answer;
use crate::provider::labels;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How a question about a tool begins, in omp and in our own guard.
const ABOUT_TOOL: &str = "Allow tool: ";

/// The questions that are open.
#[derive(Debug, Default)]
pub(super) struct Dialogs(BTreeMap<String, Open>);

#[derive(Debug)]
struct Open {
    method: String,
    options: Vec<String>,
    expires: Option<Instant>,
}

impl Dialogs {
    /// Takes a question; `None` if it has no id, so that nobody could answer.
    pub(super) fn open(&mut self, record: &Record<'_>, now: Instant) -> Option<Dialog> {
        let id = id(record.id)?;
        let method = record.method.clone().unwrap_or_default();
        let options = record.options.clone().unwrap_or_default();
        // Nothing or less is no limit; neither is what a clock cannot hold.
        let timeout =
            record.timeout.filter(|ms| *ms > 0.0).and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
        let expires = timeout.and_then(|timeout| now.checked_add(timeout));
        let title = record.title.clone().unwrap_or_default();
        let about = About::read(&title, text(record.message));
        let kind = match method.as_str() {
            "confirm" => DialogKind::Permission,
            "select" if about.tool.is_some() || labels::is_permission(&options) => DialogKind::Permission,
            "select" => DialogKind::Choice,
            _ => DialogKind::Question,
        };
        let dialog = Dialog {
            request_id: DialogId(id.clone()),
            method: method.clone(),
            kind,
            prompt: about.prompt,
            message: about.message,
            options: options.clone(),
            default: record.prefill.clone().or_else(|| record.placeholder.clone()),
            tool: about.tool,
            arguments: about.arguments,
            tool_call_id: None,
            timeout_seconds: timeout.map(|timeout| timeout.as_secs_f64()),
        };
        self.0.insert(id, Open { method, options, expires });
        Some(dialog)
    }

    /// Checks an answer, and closes the question.
    pub(super) fn answer(&mut self, id: &str, answer: &Answer) -> Result<AgentEvent> {
        let Some(open) = self.0.get(id) else {
            return Err(Error::conflict(format!("the question `{id}` is not open"))
                .hint("it was answered, ran out of time, or was taken back"));
        };
        let (outcome, value) = match (open.method.as_str(), answer) {
            (_, Answer::Cancelled) => (DialogOutcome::Cancelled, None),
            ("confirm", Answer::Confirmed(yes)) => (DialogOutcome::Answered, Some(yes.to_string())),
            // A wrong key would count as no (section 2.6).
            ("confirm", Answer::Value(_)) => {
                return Err(Error::rejected("the question wants yes or no").hint("answer `true` or `false`"));
            }
            (_, Answer::Confirmed(_)) => return Err(Error::rejected("the question wants a text, not yes or no")),
            ("select", Answer::Value(value)) if !open.options.contains(value) => {
                return Err(Error::rejected(format!("`{value}` is none of the options"))
                    .hint(format!("options are {}", open.options.join(", "))));
            }
            (_, Answer::Value(value)) => (DialogOutcome::Answered, Some(value.clone())),
        };
        self.close(id, outcome, value).ok_or_else(|| Error::internal("a dialog vanished"))
    }

    /// Closes a question, if it is open.
    pub(super) fn close(&mut self, id: &str, outcome: DialogOutcome, value: Option<String>) -> Option<AgentEvent> {
        self.0.remove(id)?;
        Some(AgentEvent::InteractionEnd { request_id: id.into(), outcome, value })
    }

    /// Closes what nobody answered in time.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<AgentEvent> {
        let late = self.0.iter().filter(|(_, open)| open.expires.is_some_and(|at| at <= now));
        let late: Vec<String> = late.map(|(id, _)| id.clone()).collect();
        late.iter().filter_map(|id| self.close(id, DialogOutcome::Expired, None)).collect()
    }

    /// When the next one runs out of time.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.0.values().filter_map(|open| open.expires).min()
    }

    /// Their ids.
    pub(super) fn ids(&self) -> Vec<DialogId> {
        self.0.keys().map(|id| DialogId(id.clone())).collect()
    }

    /// Whether none is open.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a question is about.
struct About {
    prompt: String,
    message: Option<String>,
    tool: Option<String>,
    arguments: Option<Value>,
}

impl About {
    /// omp puts all of it into the title: `Allow tool: bash`, then lines such as `Command: …`.
    fn read(title: &str, message: Option<String>) -> Self {
        let (first, rest) = title.split_once('\n').map_or((title, None), |(first, rest)| (first, Some(rest)));
        let Some(tool) = first.strip_prefix(ABOUT_TOOL) else {
            return Self { prompt: title.to_owned(), message, tool: None, arguments: None };
        };
        let arguments = match (&message, rest) {
            (Some(message), _) => serde_json::from_str(message).ok(),
            (None, Some(rest)) => Some(Value::Object(labelled(rest))),
            (None, None) => None,
        };
        let message = message.or_else(|| rest.map(str::to_owned));
        Self { prompt: first.to_owned(), message, tool: Some(tool.trim().to_owned()), arguments }
    }
}

/// `Key: value` lines; a line without a key goes on with the value before it.
fn labelled(text: &str) -> Map<String, Value> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let key = line.split_once(": ").filter(|(key, _)| {
            key.starts_with(|c: char| c.is_ascii_uppercase()) && key.chars().all(|c| c.is_ascii_alphabetic())
        });
        match (key, fields.last_mut()) {
            // A command is whatever follows, to its end.
            (Some((key, value)), last) if last.as_ref().is_none_or(|(key, _)| key != "command") => {
                fields.push((key.to_ascii_lowercase(), value.to_owned()));
            }
            (_, Some((_, value))) => {
                value.push('\n');
                value.push_str(line);
            }
            (_, None) => {}
        }
    }
    fields.into_iter().map(|(key, value)| (key, value.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use serde_json::json;

    fn open(dialogs: &mut Dialogs, line: &Value, now: Instant) -> Option<Dialog> {
        let line = line.to_string();
        dialogs.open(&serde_json::from_str(&line).unwrap(), now)
    }

    #[test]
    fn several_are_open_at_once_and_answered_in_any_order() {
        let now = Instant::now();
        let mut dialogs = Dialogs::default();
        open(&mut dialogs, &json!({"id": "a", "method": "confirm", "title": "?"}), now).unwrap();
        let b = open(&mut dialogs, &json!({"id": "b", "method": "select", "options": ["Red", " Red"]}), now).unwrap();
        assert_eq!(b.kind, DialogKind::Choice);
        for (id, answer, kind) in [
            ("a", Answer::Value("yes".into()), ErrorKind::Rejected),
            ("b", Answer::Confirmed(true), ErrorKind::Rejected),
            ("b", Answer::Value("red".into()), ErrorKind::Rejected),
            ("c", Answer::Cancelled, ErrorKind::Conflict),
        ] {
            assert_eq!(dialogs.answer(id, &answer).unwrap_err().kind(), kind, "{id} {answer:?}");
        }
        dialogs.answer("b", &Answer::Value(" Red".into())).unwrap();
        dialogs.answer("a", &Answer::Confirmed(true)).unwrap();
        assert_eq!(dialogs.answer("a", &Answer::Confirmed(true)).unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(open(&mut dialogs, &json!({"method": "confirm"}), now), None);
    }

    #[test]
    fn the_time_of_a_question_is_known_here_too() {
        let now = Instant::now();
        let mut dialogs = Dialogs::default();
        for (id, timeout) in
            [("none", json!(null)), ("zero", json!(0)), ("day", json!(86_400_000)), ("soon", json!(50))]
        {
            open(&mut dialogs, &json!({"id": id, "method": "input", "timeout": timeout}), now).unwrap();
        }
        assert_eq!(dialogs.next_expiry(), Some(now + Duration::from_millis(50)));
        assert_eq!(dialogs.expire(now), []);
        let expired = dialogs.expire(now + Duration::from_secs(1));
        let soon =
            AgentEvent::InteractionEnd { request_id: "soon".into(), outcome: DialogOutcome::Expired, value: None };
        assert_eq!(expired, [soon]);
        assert_eq!(dialogs.answer("soon", &Answer::Cancelled).unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(dialogs.ids().len(), 3);
    }

    #[test]
    fn questions_about_tools_name_them() {
        let mut dialogs = Dialogs::default();
        let title = "Allow tool: bash\nOrigin: task\nCommand: echo a\nPath: b";
        let line = json!({"id": "a", "method": "select", "title": title, "options": ["Approve", "Deny"]});
        let dialog = open(&mut dialogs, &line, Instant::now()).unwrap();
        assert_eq!(dialog.kind, DialogKind::Permission);
        assert_eq!((dialog.prompt.as_str(), dialog.tool.as_deref()), ("Allow tool: bash", Some("bash")));
        assert_eq!(dialog.arguments, Some(json!({"origin": "task", "command": "echo a\nPath: b"})));
        let message = r#"{"path":"x"}"#;
        let line = json!({"id": "b", "method": "confirm", "title": "Allow tool: edit", "message": message});
        let dialog = open(&mut dialogs, &line, Instant::now()).unwrap();
        assert_eq!(dialog.arguments, Some(json!({"path": "x"})));
    }
}
