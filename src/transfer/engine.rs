//! The copy itself: steps come from the walk, several are in flight, and one failure stops no other.

use super::batch::{self, Batch};
use super::plan::plan;
use super::walk::walk;
use super::{End, Observer, Options, Step, Summary, Task, Watcher};
use crate::error::Result;
use crate::model::RemotePath;
use crate::provider::files::{Files, MkdirSpec, WriteSpec};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Steps that wait for their turn: enough to fill the next batches, whatever the size of the tree.
const QUEUE: usize = 256;

/// The most directories that are made at once.
const TOGETHER: usize = 1000;

/// The bits that whoever fills a directory needs.
const FILLABLE: u32 = 0o700;

/// Copies `sources` to `dest`, by the rules of `cp`.
///
/// # Errors
///
/// Only what keeps all of it from beginning; what fails on the way is in the summary.
pub async fn copy(
    sources: Vec<End<'_>>,
    dest: &End<'_>,
    options: &Options,
    observer: Arc<dyn Observer>,
) -> Result<Summary> {
    let (plans, failed) = plan(sources, dest, options).await?;
    let summary = Summary { failed, ..Summary::default() };
    Ok(carry_out(dest.files, options, observer, summary, |steps| walk(plans, options, steps)).await)
}

/// Takes the steps that `tell` sends, in their order, and adds what came of them to `summary`.
pub(super) async fn carry_out<'a, Fut: Future<Output = ()>>(
    dest: &'a dyn Files,
    options: &'a Options,
    watcher: Watcher,
    summary: Summary,
    tell: impl FnOnce(Sender<Step<'a>>) -> Fut,
) -> Summary {
    let (sender, steps) = channel(QUEUE);
    let mut run = Run {
        dest,
        options,
        watcher,
        running: FuturesUnordered::new(),
        batch: Batch::default(),
        wanted: Vec::new(),
        closed: Vec::new(),
        narrow: Vec::new(),
        summary,
    };
    let ((), ()) = tokio::join!(run.all(steps), tell(sender));
    run.make().await;
    run.narrow_down().await;
    run.summary
}

/// What became of some files.
type Done = Vec<Result<u64>>;

struct Run<'a> {
    dest: &'a dyn Files,
    options: &'a Options,
    watcher: Watcher,
    running: FuturesUnordered<BoxFuture<'a, Done>>,
    batch: Batch<'a>,
    /// Directories that are still to be made: as many as possible at once, before the first file below one of them.
    wanted: Vec<(RemotePath, MkdirSpec)>,
    /// Directories that could not be made: nothing below them is tried.
    closed: Vec<RemotePath>,
    /// Directories that get a narrower mode once they are filled.
    narrow: Vec<(RemotePath, u32)>,
    summary: Summary,
}

impl<'a> Run<'a> {
    async fn all(&mut self, mut steps: Receiver<Step<'a>>) {
        let jobs = self.options.jobs.max(1);
        let mut is_open = true;
        while is_open || !self.batch.is_empty() || !self.running.is_empty() {
            // What waits for company goes alone if none is in sight.
            if !self.batch.is_empty() && self.running.len() < jobs && (!is_open || steps.is_empty()) {
                self.send_batch();
            }
            tokio::select! {
                biased;
                Some(done) = self.running.next(), if !self.running.is_empty() => self.tally(done),
                step = steps.recv(), if is_open && self.running.len() < jobs => match step {
                    Some(step) => self.begin(step).await,
                    None => is_open = false,
                },
            }
        }
    }

    async fn begin(&mut self, step: Step<'a>) {
        match step {
            Step::File(task) => {
                if self.wanted.iter().any(|(dir, _)| is_below(&task.to, dir)) {
                    self.make().await;
                }
                if self.is_closed(&task.to) {
                    return;
                }
                self.watcher.found(task.size.unwrap_or(0));
                if !Batch::suits(&task, self.dest) {
                    return self.send(task);
                }
                if !self.batch.takes(&task, self.dest) {
                    self.send_batch();
                }
                self.batch.push(task);
            }
            Step::Directory { to, mode, owner } => {
                self.wanted.push((to, MkdirSpec { parents: true, mode, owner }));
                if self.wanted.len() >= TOGETHER {
                    self.make().await;
                }
            }
            Step::Skipped { what, why } => {
                self.summary.skipped += 1;
                self.watcher.skipped(&what, why);
            }
            Step::Failed(error) => self.summary.failed.push(error),
        }
    }

    fn send(&mut self, task: Task<'a>) {
        let (dest, parents, watcher) = (self.dest, self.options.parents, Arc::clone(&self.watcher));
        self.running.push(Box::pin(async move { vec![single(task, dest, parents, watcher).await] }));
    }

    fn send_batch(&mut self) {
        let mut tasks = std::mem::take(&mut self.batch).tasks;
        if tasks.len() == 1 {
            if let Some(task) = tasks.pop() {
                self.send(task);
            }
            return;
        }
        let (dest, parents, watcher) = (self.dest, self.options.parents, Arc::clone(&self.watcher));
        self.running.push(Box::pin(async move { batch::copy(&tasks, dest, parents, &watcher).await }));
    }

    /// Makes the directories that wait for it, while what is in flight goes on.
    async fn make(&mut self) {
        let (closed, fillable): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.wanted).into_iter().partition(|(to, _)| self.is_closed(to));
        drop(closed);
        let specs: Vec<_> = fillable
            .iter()
            .map(|(to, spec)| (to.clone(), MkdirSpec { mode: spec.mode.map(|mode| mode | FILLABLE), ..spec.clone() }))
            .collect();
        let mut making = self.dest.mkdirs(&specs);
        let made = loop {
            tokio::select! {
                made = &mut making => break made,
                Some(done) = self.running.next(), if !self.running.is_empty() => {
                    count(&mut self.summary, done);
                }
            }
        };
        drop(making);
        for ((to, spec), made) in fillable.into_iter().zip(made) {
            match made {
                Ok(()) => {
                    self.summary.directories += 1;
                    if let Some(mode) = spec.mode.filter(|mode| mode & FILLABLE != FILLABLE) {
                        self.narrow.push((to, mode));
                    }
                }
                // Of what lies below one that cannot be made, that is not said again.
                Err(_) if self.is_closed(&to) => {}
                Err(error) => {
                    self.summary.failed.push(error);
                    self.closed.push(to);
                }
            }
        }
    }

    fn is_closed(&self, path: &RemotePath) -> bool {
        self.closed.iter().any(|dir| is_below(path, dir))
    }

    fn tally(&mut self, done: Done) {
        count(&mut self.summary, done);
    }

    /// Gives directories that had to be filled the mode of their source, deepest first, where the end can.
    async fn narrow_down(&mut self) {
        for (path, mode) in self.narrow.drain(..).rev() {
            match self.dest.set(&path, Some(mode), None).await {
                Err(error) if error.kind() == crate::error::ErrorKind::Unsupported => {
                    self.watcher.skipped(&path.text(), "the mode of a directory that its owner cannot write");
                }
                Err(error) => self.summary.failed.push(error),
                Ok(()) => {}
            }
        }
    }
}

/// Whether `path` lies below `dir`.
fn is_below(path: &RemotePath, dir: &RemotePath) -> bool {
    let dir = dir.as_bytes();
    let dir = dir.strip_suffix(b"/").unwrap_or(dir);
    path.as_bytes().strip_prefix(dir).is_some_and(|rest| rest.first() == Some(&b'/'))
}

fn count(summary: &mut Summary, done: Done) {
    for file in done {
        match file {
            Ok(bytes) => {
                summary.files += 1;
                summary.size_bytes += bytes;
            }
            Err(error) => summary.failed.push(error),
        }
    }
}

/// Copies one file as a stream.
async fn single(task: Task<'_>, dest: &dyn Files, parents: bool, watcher: Watcher) -> Result<u64> {
    let reading = task.source.read(&task.from, None).await?;
    let body = reading.body.inspect(move |chunk| {
        if let Ok(chunk) = chunk {
            watcher.moved(chunk.len() as u64);
        }
    });
    let spec = WriteSpec {
        path: task.to,
        len: reading.len,
        mode: task.mode.or(reading.mode.map(|mode| mode & 0o777)),
        owner: task.owner,
        parents,
    };
    Ok(dest.write(spec, body.boxed()).await?.size_bytes)
}
