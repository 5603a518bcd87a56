//! Work that takes time on the server: progress, then one result.

use crate::error::{Error, Result};
use crate::model::{Note, OperationId, Progress, StreamMessage};
use crate::stream::Items;
use async_trait::async_trait;
use futures_util::StreamExt;

/// One step of an operation.
#[derive(Debug)]
pub enum Step<T> {
    /// It came further.
    Progress(Progress),
    /// Something to be told.
    Note(Note),
    /// The server's own words, which tell the progress and are relayed to programs.
    Message(StreamMessage),
    /// It succeeded: last, exactly once.
    Done(T),
}

/// The way to stop an operation over there, on wires that have one.
#[async_trait]
pub trait Cancel: Send {
    /// Asks the server to stop; returns whether it agreed.
    async fn cancel(&mut self) -> Result<bool>;
}

/// Work under way on the server. Dropping it means "stop watching", never "stop it".
pub struct Operation<T> {
    /// The server's id of it; `None` where the wire has none, and then `--no-wait` prints the target.
    pub id: Option<OperationId>,
    steps: Items<Step<T>>,
    cancel: Option<Box<dyn Cancel>>,
}

impl<T: Send + 'static> Operation<T> {
    /// An operation that `steps` watches. Nothing is polled until the first step is asked for.
    pub fn new(id: Option<OperationId>, steps: Items<Step<T>>) -> Self {
        Self { id, steps, cancel: None }
    }

    /// An operation that is done already.
    pub fn done(id: Option<OperationId>, value: T) -> Self {
        Self::new(id, crate::stream::iter([Ok(Step::Done(value))]))
    }

    /// Gives it a way to be stopped.
    pub fn with_cancel(mut self, cancel: Box<dyn Cancel>) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// The next step. An end without `Done` is an error, here and nowhere else. Cancel-safe.
    pub async fn next(&mut self) -> Result<Step<T>> {
        match self.steps.next().await {
            Some(step) => step,
            None => Err(Error::failure("the operation ended without a result")),
        }
    }

    /// Waits for the result and drops what is said on the way.
    pub async fn wait(mut self) -> Result<T> {
        loop {
            if let Step::Done(value) = self.next().await? {
                return Ok(value);
            }
        }
    }

    /// Stops watching and names what goes on.
    pub fn leave(self) -> Option<OperationId> {
        self.id
    }

    /// Asks the server to stop it; `false` if this wire cannot.
    pub async fn cancel(&mut self) -> Result<bool> {
        match &mut self.cancel {
            Some(cancel) => cancel.cancel().await,
            None => Ok(false),
        }
    }
}

/// What became of one name of a request with several.
#[derive(Debug)]
pub struct Item<T> {
    /// The name.
    pub name: String,
    /// What became of it.
    pub outcome: Result<T>,
}
