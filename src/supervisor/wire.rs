//! What is said over the socket: one line with a request, then lines with what comes of it.

use crate::error::{Error, ErrorKind, Result};
use crate::model::{AgentEvent, DialogId, Time};
use crate::provider::agent::{Answer, Command};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The longest line that is read, in bytes: a prompt with pictures.
pub(super) const LONGEST: usize = 64 * 1024 * 1024;

/// What is asked of a supervisor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// How it is.
    Show,
    /// What happens, until the session ends.
    Events {
        /// From where on.
        from: From,
    },
    /// A command to the agent; its reply comes back.
    Send {
        /// The command.
        command: Command,
    },
    /// The answer to a question.
    Answer {
        /// The question.
        dialog: DialogId,
        /// The answer.
        answer: Answer,
    },
    /// The end, after so many milliseconds at most by force.
    Stop {
        /// How long it may take.
        grace_ms: u64,
    },
}

/// From where on events are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// From the first that is left.
    Start,
    /// Only new ones.
    Now,
}

/// An event with its place in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened; its `type` comes first.
    #[serde(flatten)]
    pub event: AgentEvent,
    /// Events are counted from 0.
    pub seq: u64,
    /// When it happened.
    pub time: Time,
}

/// A line of a stream of events.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// Something happened.
    Entry(Box<Entry>),
    /// So many events are no longer in the log.
    Gap(u64),
}

impl Line {
    /// Reads a line.
    pub(super) fn parse(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Gap {
            gap: u64,
        }
        if let Ok(Gap { gap }) = serde_json::from_str(text) {
            return Ok(Self::Gap(gap));
        }
        serde_json::from_str(text).map(Self::Entry).map_err(unreadable)
    }

    /// A gap as a line.
    pub(super) fn gap(lost: u64) -> String {
        json!({ "gap": lost }).to_string()
    }
}

/// The answer to a request as a line.
pub fn answer(outcome: Result<Value>) -> String {
    match outcome {
        Ok(value) => json!({ "ok": value }),
        Err(error) => {
            let parts = error.parts();
            json!({ "error": { "kind": parts.kind.name(), "message": parts.message, "causes": parts.causes,
                "hint": parts.hint } })
        }
    }
    .to_string()
}

/// Reads the answer to a request.
pub fn read_answer(line: &str) -> Result<Value> {
    #[derive(Deserialize)]
    struct Failed {
        kind: String,
        message: String,
        causes: Vec<String>,
        hint: Option<String>,
    }
    let mut answer: Value = serde_json::from_str(line).map_err(unreadable)?;
    if answer.get("error").is_none() {
        return Ok(answer["ok"].take());
    }
    let Failed { kind, message, causes, hint } = serde_json::from_value(answer["error"].take()).map_err(unreadable)?;
    let kind = ErrorKind::ALL.into_iter().find(|known| known.name() == kind).unwrap_or(ErrorKind::Failure);
    let error = causes.into_iter().fold(Error::new(kind, message), Error::cause);
    Err(match hint {
        Some(hint) => error.hint(hint),
        None => error,
    })
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::failure("what the supervisor says cannot be read").source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_comes_through_whole() {
        let error = Error::conflict("the question `x` is not open").cause("it was answered").hint("look");
        let back = read_answer(&answer(Err(error))).unwrap_err();
        assert_eq!((back.kind(), back.to_string().as_str()), (ErrorKind::Conflict, "the question `x` is not open"));
        assert_eq!(
            (&back.parts().causes[..], back.parts().hint.as_deref()),
            (&["it was answered".to_owned()][..], Some("look"))
        );
        assert_eq!(read_answer(&answer(Ok(json!([1])))).unwrap(), json!([1]));
    }

    #[test]
    fn lines_are_events_or_gaps() {
        let entry = Entry { event: AgentEvent::Log { text: "a\u{2028}".into() }, seq: 7, time: Time::UNIX_EPOCH };
        let text = serde_json::to_string(&entry).unwrap();
        assert!(text.starts_with(r#"{"type":"agent.log""#), "{text}");
        assert_eq!(Line::parse(&text).unwrap(), Line::Entry(Box::new(entry)));
        assert_eq!(Line::parse(&Line::gap(3)).unwrap(), Line::Gap(3));
    }
}
