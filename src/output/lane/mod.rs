//! Where the output of remote programs goes: untouched, a line at a time, or into a document (U4.12, U3.2).
//!
//! One lane per target. Lanes share one writer thread, so that a reader of ours that stalls stalls the programs and
//! never the signals.

mod group;
mod live;
mod object;
mod spool;
mod text;
pub(super) mod writer;

#[cfg(test)]
mod tests;

use super::{Format, Output};
use crate::error::{Error, Result};
use crate::model::ExecResult;
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use writer::Writer;

/// One of the two output streams of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fd {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Fd {
    /// As events name it.
    const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// What becomes of the output of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneStyle {
    /// Bytes as they come, each stream to our own of the name.
    Raw,
    /// `TARGET | line`, as lines come to their end.
    Prefix,
    /// The same, but each target whole and in the order of the targets.
    Group,
    /// One object with everything, or an array of them: `-o json|yaml`.
    Object,
    /// A JSON line for each piece, and one `result` per target: `-o jsonl`.
    Events,
}

/// Where a lane's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The provider's id.
    pub provider: &'static str,
    /// The full name of the target.
    pub target: String,
}

/// The way of one program's output.
#[async_trait]
pub trait Lane: Send {
    /// Takes the next bytes. Waits while our own output is blocked; fails once our stdout is closed or broken.
    async fn write(&mut self, fd: Fd, bytes: Bytes) -> Result<()>;

    /// The program ended: what is held back is written. `result` says how; its output fields are filled in here.
    ///
    /// A lane that is dropped instead (the connection was lost, say) still shows what it got, but has no `result`.
    async fn finish(&mut self, result: ExecResult) -> Result<()>;
}

/// The lanes of one command.
pub struct Lanes {
    output: Output,
    writer: Writer,
    kind: Kind,
}

enum Kind {
    Raw,
    Prefix(Vec<Source>),
    Group(Arc<group::Groups>),
    Object(Arc<object::Objects>),
    Events(Vec<Source>),
}

impl Output {
    /// How the output of a program is shown, from `-o`: only the flag counts (U4.12), and several targets are shown in
    /// their order.
    pub fn lane_style(&self, several: bool) -> Result<LaneStyle> {
        let options = self.options();
        match options.format {
            Format::Json | Format::Yaml if options.format_from_flag => Ok(LaneStyle::Object),
            Format::Jsonl if options.format_from_flag => Ok(LaneStyle::Events),
            Format::Wide | Format::Csv | Format::Name if options.format_from_flag => {
                Err(Error::usage(format!("`-o {}` does not fit the output of a program", options.format.name()))
                    .hint("use json, jsonl or yaml, or leave it out for the bytes themselves"))
            }
            _ if several => Ok(LaneStyle::Group),
            _ => Ok(LaneStyle::Raw),
        }
    }

    /// The lanes of a command over `sources`, in the order of its targets.
    pub fn lanes(&self, style: LaneStyle, sources: Vec<Source>) -> Lanes {
        let kind = match style {
            LaneStyle::Raw => Kind::Raw,
            LaneStyle::Prefix => Kind::Prefix(sources),
            LaneStyle::Group => Kind::Group(Arc::new(group::Groups::new(sources))),
            LaneStyle::Object => Kind::Object(Arc::new(object::Objects::new(sources))),
            LaneStyle::Events => Kind::Events(sources),
        };
        Lanes { output: self.clone(), writer: self.writer(), kind }
    }
}

impl Lanes {
    /// The lane of the target at `index`; each is taken once.
    pub fn lane(&self, index: usize) -> Box<dyn Lane> {
        let writer = self.writer.clone();
        match &self.kind {
            Kind::Raw => Box::new(live::Raw(writer)),
            Kind::Prefix(sources) => Box::new(live::Prefix::new(writer, text::prefixes(sources).swap_remove(index))),
            Kind::Group(groups) => Box::new(group::Group::new(writer, groups.clone(), index)),
            Kind::Object(objects) => Box::new(object::Object::new(objects.clone(), index)),
            Kind::Events(sources) => Box::new(live::Events::new(writer, sources[index].clone())),
        }
    }

    /// Writes what could only be written now that all programs have ended, or never will: call it once, at the end.
    pub async fn close(self) -> Result<()> {
        match self.kind {
            Kind::Group(groups) => groups.print(&self.writer, true).await,
            Kind::Object(objects) => objects.print(&self.output, &self.writer).await,
            Kind::Raw | Kind::Prefix(_) | Kind::Events(_) => self.writer.flush().await,
        }
    }
}
