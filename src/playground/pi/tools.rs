//! The tools: `read`, `bash`, `edit` and `write`, with the texts of the real ones (section 2.5).

use super::agent::{Agent, Stop};
use super::bash;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The tools that a model is told of.
pub(super) const NAMES: &[&str] = &["read", "bash", "edit", "write"];

/// What a tool answered.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) details: Option<Value>,
    pub(super) is_error: bool,
}

impl Answer {
    fn good(text: impl Into<String>) -> Self {
        Self { text: text.into(), details: None, is_error: false }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self { text: text.into(), details: None, is_error: true }
    }

    /// As the wire has it.
    pub(super) fn content(&self) -> Value {
        let mut result = json!({ "content": [{ "type": "text", "text": self.text }] });
        if let Some(details) = &self.details {
            result["details"] = details.clone();
        }
        result
    }
}

impl Agent {
    /// Calls a tool.
    pub(super) async fn call(
        &self,
        name: &str,
        arguments: &Value,
        stop: Stop,
        wrote: impl FnMut(&str, &str),
    ) -> Answer {
        let text = |key: &str| arguments[key].as_str().unwrap_or_default();
        let path = || -> PathBuf { self.around.cwd.join(text("path")) };
        match name {
            "bash" => self.shell(text("command"), stop, wrote).await,
            "read" => match std::fs::read(path()) {
                Ok(bytes) => Answer::good(String::from_utf8_lossy(&bytes)),
                Err(error) => Answer::bad(error.to_string()),
            },
            "write" => {
                let _ = path().parent().map(std::fs::create_dir_all);
                match std::fs::write(path(), text("content")) {
                    Ok(()) => {
                        Answer::good(format!("Successfully wrote {} bytes to {}", text("content").len(), text("path")))
                    }
                    Err(error) => Answer::bad(error.to_string()),
                }
            }
            "edit" => edit(&path(), text("path"), &arguments["edits"]),
            _ => Answer::bad(format!("Tool {name} not found")),
        }
    }

    async fn shell(&self, command: &str, stop: Stop, wrote: impl FnMut(&str, &str)) -> Answer {
        let ran = bash::run(&self.processes, &self.around.cwd, command, stop, wrote).await;
        let with = |end: String| {
            if ran.output.is_empty() { end } else { format!("{}\n\n{end}", ran.output.trim_end_matches('\n')) }
        };
        match ran.status {
            Some(0) if ran.output.is_empty() => Answer::good("(no output)"),
            Some(0) => Answer::good(ran.output),
            Some(status) => Answer::bad(with(format!("Command exited with code {status}"))),
            None if self.wire.dialect.is_pi() => Answer::bad(with("Command aborted".to_owned())),
            None => Answer::bad(ran.output),
        }
    }
}

fn edit(path: &PathBuf, shown: &str, edits: &Value) -> Answer {
    let mut text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return Answer::bad(error.to_string()),
    };
    let edits = edits.as_array().map(Vec::as_slice).unwrap_or_default();
    for edit in edits {
        let (old, new) = (edit["oldText"].as_str().unwrap_or_default(), edit["newText"].as_str().unwrap_or_default());
        if old.is_empty() || !text.contains(old) {
            return Answer::bad(format!("Could not find the exact text in {shown}."));
        }
        text = text.replacen(old, new, 1);
    }
    match std::fs::write(path, text) {
        Ok(()) => Answer::good(format!("Successfully replaced {} block(s) in {shown}.", edits.len())),
        Err(error) => Answer::bad(error.to_string()),
    }
}
