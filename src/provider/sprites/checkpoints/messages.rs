//! The stream in which work is told: one JSON object a line, whose end decides. The status of the answer says nothing:
//! it is 200 for a restore that fails, too (section 2.4).

use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Extra, Note, StreamMessage, Time};
use crate::provider::sprites::DRIVER;
use crate::provider::sprites::client::Client;
use crate::stream::Items;
use crate::transport::{Response, ndjson};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::Value;
use std::time::Duration;

/// The longest line, in bytes.
const LINE_MAX: usize = 16 << 20;

/// How long the rest of a stream is listened to after its `complete`. A restore may well take the connection along.
const REST: Duration = Duration::from_secs(1);

/// What a stream told.
pub(super) enum Told {
    Message(Message),
    /// A line that is no message.
    Note(Note),
    /// The work is done, and went well.
    Complete,
}

/// A message about work under way.
#[derive(Debug)]
pub(super) struct Message {
    /// `info`, `error`, `complete`; may grow.
    pub(super) kind: String,
    /// Its text.
    pub(super) text: String,
    /// When it was said, by the server's clock.
    pub(super) time: Option<Time>,
    data: Extra,
}

/// The messages about one piece of work.
pub(super) struct Messages {
    client: Client,
    /// Completes "cannot …".
    what: String,
    lines: Items<Bytes>,
    /// The first error that was told.
    failure: Option<String>,
    is_complete: bool,
}

impl Messages {
    pub(super) fn new(client: Client, what: String, response: Response) -> Self {
        let lines = ndjson::lines(response.into_stream(), LINE_MAX);
        Self { client, what, lines, failure: None, is_complete: false }
    }

    /// What is told next. Success is a `complete` without any `error`, and nothing else.
    pub(super) async fn next(&mut self) -> Result<Told> {
        loop {
            let line = if self.is_complete {
                // Whatever breaks after the verdict does not change it.
                tokio::time::timeout(REST, self.lines.next()).await.ok().flatten().and_then(Result::ok)
            } else {
                self.lines.next().await.transpose().map_err(|error| self.lost(error))?
            };
            let Some(line) = line else { return self.verdict() };
            if line.trim_ascii().is_empty() {
                continue;
            }
            let Some(message) = Message::read(&line) else {
                let text = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
                return Ok(Told::Note(Note::Warning(format!("a line of the stream cannot be read: {text}"))));
            };
            match message.kind.as_str() {
                "complete" => self.is_complete = true,
                "error" => {
                    self.failure.get_or_insert_with(|| message.text.clone());
                }
                _ => {}
            }
            return Ok(Told::Message(message));
        }
    }

    fn verdict(&self) -> Result<Told> {
        match &self.failure {
            Some(why) => Err(self.failed(why)),
            None if self.is_complete => Ok(Told::Complete),
            None => Err(Error::failure(self.client.cannot(&self.what, "the stream ended before it was complete"))
                .cause("it may have been done all the same")
                .effect(Effect::Unknown)
                .at(DRIVER.id, self.client.endpoint())),
        }
    }

    fn failed(&self, why: &str) -> Error {
        let is_missing = why.contains("not found");
        let kind = if is_missing { ErrorKind::NotFound } else { ErrorKind::Failure };
        // What does not exist was not touched either.
        let effect = if is_missing { Effect::None } else { Effect::Unknown };
        Error::new(kind, self.client.cannot(&self.what, why)).effect(effect).at(DRIVER.id, self.client.endpoint())
    }

    fn lost(&self, error: Error) -> Error {
        self.client.broken(&self.what, error).cause("it may have been done all the same").effect(Effect::Unknown)
    }
}

impl Message {
    /// Reads a line. The seed's five names are all there, whichever of them the server filled (section 4.3).
    fn read(line: &[u8]) -> Option<Self> {
        let mut data: Extra = serde_json::from_slice(line).ok()?;
        let text_of = |name: &str| data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let text = text_of("error").or_else(|| text_of("message")).or_else(|| text_of("data")).unwrap_or_default();
        let text = text.trim().to_owned();
        let kind = text_of("type").unwrap_or("info").to_owned();
        let time = text_of("time").and_then(|time| time.parse().ok());
        for name in ["message", "time", "error", "data"] {
            let value = if name == "message" { Value::String(text.clone()) } else { Value::Null };
            data.entry(name).or_insert(value);
        }
        Some(Self { kind, text, time, data })
    }

    /// It as the user gets it.
    pub(super) fn relayed(self) -> StreamMessage {
        StreamMessage { kind: format!("checkpoint.{}", self.kind), text: self.text, data: self.data }
    }
}
