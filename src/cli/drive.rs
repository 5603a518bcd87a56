//! Waiting for an operation: progress, notes, Ctrl-C and the deadline. What it does *not* do is stop the work over
//! there: it stops waiting and names what goes on (ux 8.5).

use crate::config::duration;
use crate::context::Ctx;
use crate::error::{Effect, Error, Result, Wire};
use crate::model::{OperationId, Relayed, StreamMessage};
use crate::operation::{Operation, Step};
use crate::output::{Format, Progress};
use crate::resolve::Target;
use crate::settings::Opt;
use crate::signal;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often the progress display moves while nothing is said.
const TICK: Duration = Duration::from_millis(100);

/// What came of waiting.
#[derive(Debug)]
pub enum Driven<T> {
    /// It came to its end.
    Done(Option<OperationId>, T),
    /// It was left running on purpose (`--no-wait`).
    Left(Option<OperationId>),
}

impl Ctx {
    /// Waits for `operation`, or leaves it running where `wait` is false. `what` completes "cannot …" and labels the
    /// progress; `resume` is the command that waits on, given the id.
    pub async fn drive<T: Send + 'static>(
        &self,
        target: &Target,
        what: &str,
        resume: &str,
        wait: bool,
        mut operation: Operation<T>,
    ) -> Result<Driven<T>> {
        let id = operation.id.clone();
        if !wait {
            return Ok(Driven::Left(operation.leave()));
        }
        let limit = self.settings.duration(Opt::Timeout);
        let deadline = limit.map(|limit| Instant::now() + limit);
        let mut signals = self.signals.listen().await?;
        let progress = self.out.progress(what);
        let goes_on = |error: Error| {
            let error = error.effect(Effect::Unknown).at(target.provider.driver().id, &*target.full);
            match &id {
                Some(id) => named(error, id).hint(format!("it goes on; `{resume} {id}` waits for it again")),
                None => error,
            }
        };
        loop {
            let expired = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                step = operation.next() => match step? {
                    Step::Progress(step) => progress.step(&step),
                    Step::Note(note) => self.out.show(&note),
                    Step::Message(message) => self.relay(target, message, &progress)?,
                    Step::Done(value) => {
                        progress.finish();
                        return Ok(Driven::Done(id, value));
                    }
                },
                signal = signals.next() => {
                    progress.finish();
                    return Err(goes_on(signal::interrupted(&signal, format!("stopped waiting to {what}"))));
                }
                () = expired => {
                    progress.finish();
                    let limit = limit.unwrap_or_default();
                    return Err(goes_on(Error::timeout(format!("cannot {what}: gave up after {} (--timeout)", duration::show(limit)))));
                }
                () = tokio::time::sleep(TICK) => progress.tick(),
            }
        }
    }
}

impl Ctx {
    /// A message of the server: an event for programs, the label of the progress for people.
    fn relay(&self, target: &Target, message: StreamMessage, progress: &Progress) -> Result<()> {
        if self.out.format() != Format::Jsonl {
            progress.label(&message.text);
            progress.log(&message.text);
            return Ok(());
        }
        let StreamMessage { kind, data, .. } = message;
        self.out.event(&kind, &Relayed { provider: target.provider.driver().id, target: target.full.clone(), data })
    }
}

/// Names the operation that an error belongs to.
pub fn named(mut error: Error, id: &OperationId) -> Error {
    error.parts_mut().wire.get_or_insert_with(Wire::default).operation_id = Some(id.0.clone());
    error
}
