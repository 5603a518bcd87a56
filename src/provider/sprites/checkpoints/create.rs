//! Making a checkpoint. No member of any answer holds its id: it stands in the text (section 2.4).

use super::messages::{Message, Messages, Told};
use super::{SpritesCheckpoints, is_live};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::{Checkpoint, CheckpointId, Time};
use crate::operation::Step;
use crate::provider::checkpoints::CheckpointsQuery;
use crate::provider::sprites::DRIVER;

/// A checkpoint that is being made.
pub(super) struct Creating {
    pub(super) place: SpritesCheckpoints,
    pub(super) comment: Option<String>,
    pub(super) messages: Messages,
    pub(super) seen: Seen,
    pub(super) is_done: bool,
}

/// What the messages said so far.
#[derive(Default)]
pub(super) struct Seen {
    /// The id, once one was told.
    id: Option<CheckpointId>,
    /// When the first message came, by the server's clock.
    begun: Option<Time>,
    /// When the last one came.
    ended: Option<Time>,
}

impl Creating {
    pub(super) async fn next(&mut self) -> Result<Option<Step<Checkpoint>>> {
        if self.is_done {
            return Ok(None);
        }
        Ok(Some(match self.messages.next().await? {
            Told::Note(note) => Step::Note(note),
            Told::Message(message) => {
                self.seen.note(&message);
                Step::Message(message.relayed())
            }
            Told::Complete => {
                self.is_done = true;
                Step::Done(self.made().await?)
            }
        }))
    }

    /// The checkpoint itself. That it was made is known: not to be able to look at it is no failure.
    async fn made(&mut self) -> Result<Checkpoint> {
        if let Some(id) = &self.seen.id {
            let asked = self.place.fetch(id).await;
            return Ok(asked.unwrap_or_else(|_| self.told(id.clone())));
        }
        let found = self.place.listed(&CheckpointsQuery { include_auto: true, history: None }).await.ok();
        found.and_then(|all| all.into_iter().find(|one| self.is_ours(one))).ok_or_else(|| {
            Error::new(ErrorKind::Failure, "a checkpoint was made, but the server did not tell its id")
                .hint("`esker checkpoint list` shows it")
                .effect(Effect::Done)
                .at(DRIVER.id, self.place.client.endpoint())
        })
    }

    /// Whether a listed checkpoint is the one that was made: no older than the stream, of the same comment. Some servers
    /// tell whole seconds only.
    fn is_ours(&self, one: &Checkpoint) -> bool {
        let is_new = match (one.created_at, self.seen.begun) {
            (Some(made), Some(begun)) => made.as_second() >= begun.as_second(),
            _ => false,
        };
        is_new && !one.auto && one.comment == self.comment
    }

    /// What is known of it without asking.
    fn told(&self, id: CheckpointId) -> Checkpoint {
        Checkpoint {
            id,
            comment: self.comment.clone(),
            created_at: self.seen.ended,
            expires_at: None,
            auto: false,
            source_id: None,
            history: None,
            health: None,
            extra: crate::model::Extra::new(),
        }
    }
}

impl Seen {
    fn note(&mut self, message: &Message) {
        self.begun = self.begun.or(message.time);
        self.ended = message.time.or(self.ended);
        // The details say it plainly; the last words are the second choice.
        if self.id.is_none() {
            self.id = match message.kind.as_str() {
                "info" => labelled(&message.text),
                "complete" => announced(&message.text),
                _ => None,
            };
        }
    }
}

/// The id of `ID: v1`.
fn labelled(text: &str) -> Option<CheckpointId> {
    word(text.trim_start().strip_prefix("ID:")?)
}

/// The id of `Checkpoint v1 created successfully`.
fn announced(text: &str) -> Option<CheckpointId> {
    let rest = text.trim_start().strip_prefix("Checkpoint ")?;
    rest.contains(" created").then(|| word(rest)).flatten()
}

fn word(text: &str) -> Option<CheckpointId> {
    let word = text.split_whitespace().next()?;
    (word != "created" && !is_live(word)).then(|| word.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_stands_in_the_text() {
        let id = |text: &str| labelled(text).or_else(|| announced(text)).map(|id| id.0);
        // Recorded texts (section 2.4).
        assert_eq!(id("  ID: v1").as_deref(), Some("v1"));
        assert_eq!(id("ID:auto-7 ").as_deref(), Some("auto-7"));
        assert_eq!(id("Checkpoint v12 created successfully").as_deref(), Some("v12"));
        for text in [
            "Creating checkpoint...",
            "Checkpoint created successfully",
            "\nCheckpoint Details:",
            "  Created: 2026-01-31 12:20:24",
            "  Path: checkpoints/v1",
            "\nTo restore this checkpoint:",
            "  sprite checkpoint restore v1",
            "ID:",
        ] {
            assert_eq!(id(text), None, "{text}");
        }
    }
}
