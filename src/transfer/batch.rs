//! Small files that travel together.

use super::Task;
use crate::error::{Error, Result};
use crate::provider::files::{BatchLimits, Files, Part, WriteSpec};
use crate::stream::Items;
use futures_util::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Files of one source that are to travel together.
#[derive(Default)]
pub(super) struct Batch<'a> {
    pub(super) tasks: Vec<Task<'a>>,
    bytes: u64,
    paths: usize,
}

impl<'a> Batch<'a> {
    /// Whether `task` may travel with others.
    pub(super) fn suits(task: &Task<'_>, dest: &dyn Files) -> bool {
        limits(task, dest).is_some_and(|limits| task.size.is_some_and(|size| size <= limits.largest))
    }

    /// Whether `task` fits in beside what is there.
    pub(super) fn takes(&self, task: &Task<'_>, dest: &dyn Files) -> bool {
        let Some(first) = self.tasks.first() else { return true };
        let Some(limits) = limits(task, dest) else { return false };
        std::ptr::addr_eq(first.source, task.source)
            && self.tasks.len() < limits.files
            && self.bytes + task.size.unwrap_or(0) <= limits.bytes
            && self.paths + task.from.as_bytes().len() <= limits.paths
    }

    pub(super) fn push(&mut self, task: Task<'a>) {
        self.bytes += task.size.unwrap_or(0);
        self.paths += task.from.as_bytes().len();
        self.tasks.push(task);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}

/// How much one batch between these ends may hold; `None` if one of them takes none.
fn limits(task: &Task<'_>, dest: &dyn Files) -> Option<BatchLimits> {
    Some(task.source.bulk()?.reads().and(dest.bulk()?.writes()))
}

/// Copies a batch: the bytes of each file that was, or why it was not.
pub(super) async fn copy(
    tasks: &[Task<'_>],
    dest: &dyn Files,
    parents: bool,
    watcher: &super::Watcher,
) -> Vec<Result<u64>> {
    let spec = |task: &Task<'_>| WriteSpec {
        path: task.to.clone(),
        len: task.size,
        mode: task.mode,
        owner: task.owner.clone(),
        parents,
    };
    let (Some(source), Some(target)) = (tasks.first().and_then(|task| task.source.bulk()), dest.bulk()) else {
        return tasks.iter().map(|_| Err(Error::internal("a batch between ends that take none"))).collect();
    };
    let sizes: Arc<Vec<AtomicU64>> = Arc::new(tasks.iter().map(|_| AtomicU64::new(0)).collect());
    let parts = source.read_many(tasks.iter().map(|task| task.from.clone()).collect());
    let parts = counted(parts, Arc::clone(&sizes), Arc::clone(watcher));
    match target.write_many(tasks.iter().map(spec).collect(), parts).await {
        Ok(verdicts) if verdicts.len() == tasks.len() => {
            let sizes = sizes.iter().map(|size| size.load(Ordering::Relaxed));
            verdicts.into_iter().zip(sizes).map(|(verdict, size)| verdict.map(|()| size)).collect()
        }
        Ok(_) => tasks.iter().map(|_| Err(Error::internal("a batch with too few verdicts"))).collect(),
        // None of them was committed, as far as is known: each is named.
        Err(error) => tasks.iter().map(|task| Err(each(&error, task))).collect(),
    }
}

/// The failure of a whole batch as that of one of its files.
fn each(error: &Error, task: &Task<'_>) -> Error {
    let parts = error.parts();
    let mut single = Error::new(parts.kind, format!("cannot copy `{}`: {error}", task.from)).effect(parts.effect);
    for cause in &parts.causes {
        single = single.cause(cause.clone());
    }
    if let Some(hint) = &parts.hint {
        single = single.hint(hint.clone());
    }
    if let (Some(provider), Some(target)) = (parts.provider, &parts.target) {
        single = single.at(provider, target.clone());
    }
    single
}

/// Counts what passes by.
fn counted(parts: Items<Part>, sizes: Arc<Vec<AtomicU64>>, watcher: super::Watcher) -> Items<Part> {
    let mut now = 0;
    parts
        .inspect(move |part| match part {
            Ok(Part::Begin(index)) => {
                now = *index;
                if let Some(size) = sizes.get(now) {
                    size.store(0, Ordering::Relaxed);
                }
            }
            Ok(Part::Data(data)) => {
                watcher.moved(data.len() as u64);
                if let Some(size) = sizes.get(now) {
                    size.fetch_add(data.len() as u64, Ordering::Relaxed);
                }
            }
            _ => {}
        })
        .boxed()
}
