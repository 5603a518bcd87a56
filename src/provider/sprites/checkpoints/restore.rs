//! Going back to a checkpoint: the environment starts anew, and is away for some seconds (section 2.4).

use super::SpritesCheckpoints;
use super::messages::{Messages, Told};
use crate::error::{ErrorKind, Result};
use crate::model::{CheckpointId, Note, Progress, Restored};
use crate::operation::Step;
use crate::provider::sprites::client::path;
use crate::transport::{Deadline, Request};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the sandbox may stay away.
const AWAY: Duration = Duration::from_mins(1);

/// How long one question may take.
const ANSWER: Duration = Duration::from_secs(15);

/// The first pause between two questions; each is half longer than the one before, up to [`PAUSE_MAX`] (ux 6.4).
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// A restore under way.
pub(super) struct Restoring {
    pub(super) place: SpritesCheckpoints,
    pub(super) id: CheckpointId,
    pub(super) phase: Phase,
}

/// How far it is.
pub(super) enum Phase {
    /// The server tells what it does.
    Told(Messages),
    /// It is done over there, and the sandbox starts.
    Starting,
    /// Only the result is still to be said.
    Back,
    Over,
}

impl Restoring {
    pub(super) async fn next(&mut self) -> Result<Option<Step<Restored>>> {
        let (phase, step) = match &mut self.phase {
            Phase::Told(messages) => match messages.next().await? {
                Told::Message(message) => return Ok(Some(Step::Message(message.relayed()))),
                Told::Note(note) => return Ok(Some(Step::Note(note))),
                Told::Complete => {
                    let label = format!("waiting for `{}` to answer again", self.place.name);
                    (Phase::Starting, Step::Progress(Progress { label, ..Progress::default() }))
                }
            },
            Phase::Starting => match self.back().await {
                None => (Phase::Over, self.done()),
                Some(note) => (Phase::Back, Step::Note(note)),
            },
            Phase::Back => (Phase::Over, self.done()),
            Phase::Over => return Ok(None),
        };
        self.phase = phase;
        Ok(Some(step))
    }

    fn done(&self) -> Step<Restored> {
        Step::Done(Restored { checkpoint: self.id.clone(), machine: self.place.name.0.clone() })
    }

    /// Waits until the sandbox answers. That it was restored is certain; that it does not come back is told.
    async fn back(&mut self) -> Option<Note> {
        let begun = Instant::now();
        let mut pause = PAUSE;
        loop {
            // The list of sessions is small, and only the sandbox itself can tell it.
            let mut question = Request::get(path(&self.place.name, "/exec"));
            question.first_byte = Deadline::After(ANSWER);
            let error = match self.place.client.fetch("ask whether it is back", question).await {
                Ok(_) => return None,
                Err(error) => error,
            };
            let is_away = matches!(error.kind(), ErrorKind::TryLater | ErrorKind::Unreachable | ErrorKind::Timeout);
            if !is_away || begun.elapsed() + pause > AWAY {
                return Some(Note::Warning(format!("restored, but the sandbox does not answer yet: {error}")));
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(PAUSE_MAX);
        }
    }
}
