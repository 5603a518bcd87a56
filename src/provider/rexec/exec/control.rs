//! The ways to a running program: its stdin, signals, sizes and its end.

use super::session::Session;
use crate::error::Result;
use crate::model::RunId;
use crate::provider::exec::{Control, Remote, Signal, Stdin, TermSize};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// The stdin of a program with pipes.
pub(super) struct PipeStdin(pub(super) Arc<Session>);

#[async_trait]
impl Stdin for PipeStdin {
    async fn write(&mut self, chunk: Bytes) -> Result<bool> {
        self.0.write(&chunk).await
    }

    async fn end(&mut self) -> Result<()> {
        self.0.end_input().await;
        Ok(())
    }
}

/// Controls a program with pipes.
pub(super) struct PipeControl(pub(super) Arc<Session>);

#[async_trait]
impl Control for PipeControl {
    async fn signal(&self, signal: Signal) -> Result<()> {
        self.0.signal(&signal).await;
        Ok(())
    }

    async fn resize(&self, _: TermSize) -> Result<()> {
        Ok(())
    }

    async fn kill(&self, grace: Duration) -> Result<Remote> {
        Ok(self.0.kill(grace).await)
    }

    async fn detach(&self) -> Result<Option<RunId>> {
        Ok(None)
    }
}
