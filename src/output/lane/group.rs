//! Lanes that wait for their turn: each target's lines whole, in the order of the targets.

use super::spool::Spool;
use super::text::{Lines, prefixes};
use super::writer::Writer;
use super::{Fd, Lane, Source};
use crate::error::{Error, Result};
use crate::model::ExecResult;
use crate::output::lock;
use crate::output::sink::Streams;
use async_trait::async_trait;
use bytes::Bytes;
use std::io;
use std::sync::{Arc, Mutex};

/// What a target may keep in memory before it goes to a file.
const LIMIT: usize = 1024 * 1024;

/// The lanes of all targets.
pub(super) struct Groups {
    prefixes: Vec<String>,
    slots: Vec<Mutex<Slot>>,
    /// The next target to be printed. Held while printing, so that two that end together do not mix.
    turn: tokio::sync::Mutex<usize>,
}

struct Slot {
    /// Runs of bytes, and the stream that each run belongs to.
    runs: Vec<(Fd, u64)>,
    spool: Spool,
    is_over: bool,
}

impl Slot {
    fn push(&mut self, fd: Fd, bytes: &[u8]) -> Result<()> {
        match self.runs.last_mut() {
            Some((last, length)) if *last == fd => *length += bytes.len() as u64,
            _ if bytes.is_empty() => {}
            _ => self.runs.push((fd, bytes.len() as u64)),
        }
        self.spool.push(bytes).map_err(|error| Error::failure("cannot keep output in a temporary file").source(error))
    }
}

impl Groups {
    pub(super) fn new(sources: Vec<Source>) -> Self {
        let slot = || Mutex::new(Slot { runs: Vec::new(), spool: Spool::new(LIMIT), is_over: false });
        let slots = sources.iter().map(|_| slot()).collect();
        Self { prefixes: prefixes(&sources), slots, turn: tokio::sync::Mutex::new(0) }
    }

    /// Prints every target whose turn has come; with `all`, those too that have not ended.
    pub(super) async fn print(&self, writer: &Writer, all: bool) -> Result<()> {
        let mut turn = self.turn.lock().await;
        while let Some(slot) = self.slots.get(*turn) {
            let (runs, spool) = {
                let mut slot = lock(slot);
                if !slot.is_over && !all {
                    break;
                }
                (std::mem::take(&mut slot.runs), std::mem::replace(&mut slot.spool, Spool::new(LIMIT)))
            };
            *turn += 1;
            writer.print(move |streams| replay(&runs, &spool, streams)).await?;
        }
        writer.flush().await
    }
}

/// Writes what a target wrote, each run to its own stream.
fn replay(runs: &[(Fd, u64)], spool: &Spool, streams: &Streams) -> io::Result<()> {
    let mut runs = runs.iter();
    let (mut fd, mut left) = (Fd::Stdout, 0);
    spool.each(|mut chunk| {
        while !chunk.is_empty() {
            if left == 0 {
                (fd, left) = *runs.next().ok_or_else(|| io::Error::other("more output was kept than was told of"))?;
            }
            let length = usize::try_from(left).unwrap_or(chunk.len()).min(chunk.len());
            let (piece, rest) = chunk.split_at(length);
            streams.write(fd, piece)?;
            left -= length as u64;
            chunk = rest;
        }
        Ok(())
    })
}

/// The lane of one target.
pub(super) struct Group {
    writer: Writer,
    groups: Arc<Groups>,
    index: usize,
    stdout: Lines,
    stderr: Lines,
}

impl Group {
    pub(super) fn new(writer: Writer, groups: Arc<Groups>, index: usize) -> Self {
        let prefix = groups.prefixes[index].clone();
        Self { writer, groups, index, stdout: Lines::new(prefix.clone()), stderr: Lines::new(prefix) }
    }

    fn end(&mut self) -> Result<()> {
        let mut slot = lock(&self.groups.slots[self.index]);
        slot.is_over = true;
        slot.push(Fd::Stdout, &self.stdout.end())?;
        slot.push(Fd::Stderr, &self.stderr.end())
    }
}

#[async_trait]
impl Lane for Group {
    async fn write(&mut self, fd: Fd, bytes: Bytes) -> Result<()> {
        let lines = match fd {
            Fd::Stdout => self.stdout.push(&bytes),
            Fd::Stderr => self.stderr.push(&bytes),
        };
        lock(&self.groups.slots[self.index]).push(fd, &lines)
    }

    async fn finish(&mut self, _: ExecResult) -> Result<()> {
        self.end()?;
        self.groups.print(&self.writer, false).await
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Whoever prints next shows what came before the connection was lost.
        let _ = self.end();
    }
}
