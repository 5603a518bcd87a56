//! Lanes that pass on what comes when it comes.

use super::text::{Characters, Data, Lines};
use super::writer::Writer;
use super::{Fd, Lane, Source};
use crate::error::{Error, Result};
use crate::model::ExecResult;
use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;

/// Bytes, untouched.
pub(super) struct Raw(pub(super) Writer);

#[async_trait]
impl Lane for Raw {
    async fn write(&mut self, fd: Fd, bytes: Bytes) -> Result<()> {
        self.0.write(fd, bytes).await
    }

    async fn finish(&mut self, _: ExecResult) -> Result<()> {
        self.0.flush().await
    }
}

/// Whole lines, each with its target.
pub(super) struct Prefix {
    writer: Writer,
    stdout: Lines,
    stderr: Lines,
}

impl Prefix {
    pub(super) fn new(writer: Writer, prefix: String) -> Self {
        Self { writer, stdout: Lines::new(prefix.clone()), stderr: Lines::new(prefix) }
    }
}

#[async_trait]
impl Lane for Prefix {
    async fn write(&mut self, fd: Fd, bytes: Bytes) -> Result<()> {
        let lines = match fd {
            Fd::Stdout => self.stdout.push(&bytes),
            Fd::Stderr => self.stderr.push(&bytes),
        };
        self.writer.write(fd, lines).await
    }

    async fn finish(&mut self, _: ExecResult) -> Result<()> {
        self.writer.write(Fd::Stdout, self.stdout.end()).await?;
        self.writer.write(Fd::Stderr, self.stderr.end()).await?;
        self.writer.flush().await
    }
}

/// JSON lines on stdout, for both streams.
pub(super) struct Events {
    writer: Writer,
    source: Source,
    stdout: Characters,
    stderr: Characters,
}

#[derive(Serialize)]
struct Piece<'a> {
    r#type: &'static str,
    target: &'a str,
    #[serde(flatten)]
    data: Data<'a>,
}

/// The end of a target's events: as the object of `-o json`, but for the output, which was told already.
#[derive(Serialize)]
struct Ended<'a> {
    r#type: &'static str,
    provider: &'static str,
    target: &'a str,
    exit_code: Option<u8>,
    signal: Option<u8>,
    operation_id: Option<String>,
    duration_seconds: f64,
}

impl Events {
    pub(super) fn new(writer: Writer, source: Source) -> Self {
        Self { writer, source, stdout: Characters::default(), stderr: Characters::default() }
    }

    async fn piece(&self, fd: Fd, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let piece = Piece { r#type: fd.name(), target: &self.source.target, data: Data(&bytes) };
        self.writer.write(Fd::Stdout, line(&piece)?).await
    }
}

fn line(event: &impl Serialize) -> Result<Bytes> {
    let mut line = serde_json::to_vec(event).map_err(Error::internal)?;
    line.push(b'\n');
    Ok(line.into())
}

#[async_trait]
impl Lane for Events {
    async fn write(&mut self, fd: Fd, bytes: Bytes) -> Result<()> {
        let whole = match fd {
            Fd::Stdout => self.stdout.push(bytes),
            Fd::Stderr => self.stderr.push(bytes),
        };
        self.piece(fd, whole).await
    }

    async fn finish(&mut self, result: ExecResult) -> Result<()> {
        let (stdout, stderr) = (self.stdout.end(), self.stderr.end());
        self.piece(Fd::Stdout, stdout).await?;
        self.piece(Fd::Stderr, stderr).await?;
        let ended = Ended {
            r#type: "result",
            provider: self.source.provider,
            target: &self.source.target,
            exit_code: result.exit_code,
            signal: result.signal,
            operation_id: result.operation_id,
            duration_seconds: result.duration_seconds,
        };
        let line = line(&ended)?;
        self.writer.write(Fd::Stdout, line).await?;
        self.writer.flush().await
    }
}
