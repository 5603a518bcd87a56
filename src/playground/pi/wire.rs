//! What it writes: one JSON object per line.

use super::dialect::Dialect;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Where lines go; the stdout of the program.
type Write = dyn Fn(&[u8]) + Send + Sync;

/// The writing side. Cheap to clone.
#[derive(Clone)]
pub struct Wire {
    pub(super) dialect: Dialect,
    write: Arc<Write>,
}

impl Wire {
    /// A wire whose lines go to `write`.
    pub fn new(dialect: Dialect, write: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self { dialect, write: Arc::new(write) }
    }

    /// Writes an object.
    pub(super) fn say(&self, object: &Value) {
        let mut line = object.to_string().into_bytes();
        line.push(b'\n');
        (self.write)(&line);
    }

    /// The answer to a command that went well. Commands without an answer of their own have no `data`.
    pub(super) fn done(&self, id: Option<&Value>, command: &str, data: Option<Value>) {
        let mut answer = head(id, command);
        answer.insert("success".to_owned(), true.into());
        answer.extend(data.map(|data| ("data".to_owned(), data)));
        self.say(&answer.into());
    }

    /// The answer to a command that did not.
    pub(super) fn failed(&self, id: Option<&Value>, command: &str, error: impl Into<String>) {
        let mut answer = head(id, command);
        answer.insert("success".to_owned(), false.into());
        answer.insert("error".to_owned(), error.into().into());
        self.say(&answer.into());
    }

    /// A message that begins or ends.
    pub(super) fn message(&self, kind: &str, message: &Value) {
        self.say(&json!({ "type": kind, "message": message }));
    }

    /// A piece of a message: with all of it so far, or alone (section 2.5).
    pub(super) fn update(&self, mut event: Value, so_far: &Value) {
        if self.dialect.repeats() {
            event["partial"] = so_far.clone();
            self.say(&json!({ "type": "message_update", "assistantMessageEvent": event, "message": so_far }));
        } else {
            let usage = &so_far["usage"];
            self.say(&json!({ "type": "message_update", "usage": usage, "assistantMessageEvent": event }));
        }
    }
}

fn head(id: Option<&Value>, command: &str) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.extend(id.map(|id| ("id".to_owned(), id.clone())));
    answer.insert("type".to_owned(), "response".into());
    if !command.is_empty() {
        answer.insert("command".to_owned(), command.into());
    }
    answer
}
