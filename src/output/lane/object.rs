//! Lanes that become a document: everything a program wrote, and how it ended (U4.12).

use super::spool::{Spool, Told};
use super::writer::Writer;
use super::{Fd, Lane, Source};
use crate::error::{Error, Result};
use crate::model::{At, ExecResult};
use crate::output::{Format, Output, document, fields, lock, yaml};
use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// What each stream may keep in memory before it goes to a file.
const LIMIT: usize = 16 * 1024 * 1024;

/// The lanes of all targets.
pub(super) struct Objects {
    sources: Vec<Source>,
    slots: Mutex<Vec<Option<Ended>>>,
}

/// A program that ended.
struct Ended {
    result: ExecResult,
    stdout: Spool,
    stderr: Spool,
}

/// [`ExecResult`] with its output still in spools; a test holds the keys of the two together.
#[derive(Serialize)]
struct Document<'a> {
    provider: &'static str,
    target: &'a str,
    stdout: Option<Told<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout_base64: Option<Told<'a>>,
    stderr: Option<Told<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr_base64: Option<Told<'a>>,
    exit_code: Option<u8>,
    signal: Option<u8>,
    operation_id: Option<&'a str>,
    duration_seconds: f64,
}

impl Objects {
    pub(super) fn new(sources: Vec<Source>) -> Self {
        let slots = Mutex::new(sources.iter().map(|_| None).collect());
        Self { sources, slots }
    }

    /// Prints the object of the one target, or the array of those of several that have a result.
    pub(super) async fn print(self: Arc<Self>, output: &Output, writer: &Writer) -> Result<()> {
        let options = output.options();
        if let Some(names) = &options.fields {
            let keys = fields::keys::<At<ExecResult>>();
            names.iter().try_for_each(|name| fields::check(name, "--fields", keys.iter().map(String::as_str)))?;
        }
        if self.sources.len() == 1 && lock(&self.slots)[0].is_none() {
            return Ok(());
        }
        let (format, names) = (options.format, options.fields.clone());
        writer.print(move |streams| streams.print(|out| self.write(out, format, names.as_deref()))).await
    }

    fn write(&self, out: &mut dyn Write, format: Format, names: Option<&[String]>) -> io::Result<()> {
        let failure = RefCell::new(None);
        let slots = lock(&self.slots);
        let ended = self.sources.iter().zip(slots.iter()).filter_map(|(source, slot)| Some((source, slot.as_ref()?)));
        let documents: Vec<_> =
            ended.map(|(source, ended)| ended.document(source, &failure)).collect::<io::Result<_>>()?;
        let is_tree = format == Format::Yaml || names.is_some();
        match &*documents {
            [one] if self.sources.len() == 1 && !is_tree => document::json(out, one)?,
            many if !is_tree => document::json(out, &many)?,
            many => {
                let tree = |one: &Document<'_>| match names {
                    Some(names) => fields::pick(one, names),
                    None => serde_json::to_value(one),
                };
                let mut trees = many.iter().map(tree).collect::<serde_json::Result<Vec<_>>>()?;
                let value = if self.sources.len() == 1 { trees.remove(0) } else { Value::Array(trees) };
                if format == Format::Yaml { yaml::write(out, &value)? } else { document::json(out, &value)? }
            }
        }
        failure.into_inner().map_or(Ok(()), Err)
    }
}

impl Ended {
    fn document<'a>(&'a self, source: &'a Source, failure: &'a RefCell<Option<io::Error>>) -> io::Result<Document<'a>> {
        let told = |spool: &'a Spool| -> io::Result<_> {
            let is_text = spool.is_text()?;
            let told = Told { spool, is_text, failure };
            Ok(if is_text { (Some(told), None) } else { (None, Some(told)) })
        };
        let (stdout, stdout_base64) = told(&self.stdout)?;
        let (stderr, stderr_base64) = told(&self.stderr)?;
        Ok(Document {
            provider: source.provider,
            target: &source.target,
            stdout,
            stdout_base64,
            stderr,
            stderr_base64,
            exit_code: self.result.exit_code,
            signal: self.result.signal,
            operation_id: self.result.operation_id.as_deref(),
            duration_seconds: self.result.duration_seconds,
        })
    }
}

/// The lane of one target.
pub(super) struct Object {
    objects: Arc<Objects>,
    index: usize,
    stdout: Spool,
    stderr: Spool,
}

impl Object {
    pub(super) fn new(objects: Arc<Objects>, index: usize) -> Self {
        Self { objects, index, stdout: Spool::new(LIMIT), stderr: Spool::new(LIMIT) }
    }
}

#[async_trait]
impl Lane for Object {
    async fn write(&mut self, fd: Fd, bytes: Bytes) -> Result<()> {
        let spool = match fd {
            Fd::Stdout => &mut self.stdout,
            Fd::Stderr => &mut self.stderr,
        };
        spool.push(&bytes).map_err(|error| Error::failure("cannot keep output in a temporary file").source(error))
    }

    async fn finish(&mut self, result: ExecResult) -> Result<()> {
        let take = |spool: &mut Spool| std::mem::replace(spool, Spool::new(0));
        let ended = Ended { result, stdout: take(&mut self.stdout), stderr: take(&mut self.stderr) };
        lock(&self.objects.slots)[self.index] = Some(ended);
        Ok(())
    }
}
