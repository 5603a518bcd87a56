//! Work at many targets or items at once, bounded, in one task: nothing is spawned, so work may borrow.

use crate::config::duration;
use crate::error::{Effect, Error, Result};
use crate::resolve::Target;
use futures_util::stream::{FuturesUnordered, Stream, StreamExt};
use std::time::Duration;

/// How many changes and programs run at once unless `--jobs` says otherwise (ux 2).
pub const CHANGES: usize = 32;
/// So few lanes fit into any limit on open files: below, the limit is not even looked at.
const ALWAYS_FITS: usize = 32;
/// Open files that a lane may need: a connection each for a request, its wait and a stream or two, and a local file.
const FILES_PER_LANE: u64 = 6;
/// Open files of the process itself.
const FILES_OF_OURS: u64 = 64;

/// The bounds of a fan-out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many lanes at once; `None` means all.
    pub jobs: Option<usize>,
    /// How long one lane may take from its start; `None` means for ever.
    pub timeout: Option<Duration>,
    /// Start no further lane once one failed. Those that run are let finish, since their outcome would be unknown
    /// otherwise; work that can be stopped watches for it itself.
    pub fail_fast: bool,
}

impl Limits {
    /// Bounds for reading from `lanes` targets: all at once, as far as open files allow. Raises the soft limit on
    /// open files towards the hard one if it is in the way.
    pub fn reads(jobs: Option<u64>, timeout: Option<Duration>, lanes: usize) -> Self {
        let asked = jobs.and_then(|jobs| usize::try_from(jobs).ok()).unwrap_or(lanes).min(lanes);
        let jobs = if asked <= ALWAYS_FITS { asked } else { asked.min(fitting(asked)) };
        Self { jobs: Some(jobs.max(1)), timeout, fail_fast: false }
    }

    /// Bounds for changing things and running programs.
    pub fn changes(jobs: Option<u64>, timeout: Option<Duration>) -> Self {
        let jobs = jobs.and_then(|jobs| usize::try_from(jobs).ok()).unwrap_or(CHANGES);
        Self { jobs: Some(jobs.max(1)), timeout, fail_fast: false }
    }
}

/// How many of `lanes` fit into the limit on open files, after raising it as far as that is needed and allowed.
#[cfg(unix)]
fn fitting(lanes: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = (lanes as u64).saturating_mul(FILES_PER_LANE).saturating_add(FILES_OF_OURS);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let mut limit = current.unwrap_or(u64::MAX);
    if limit < wanted {
        let raised = wanted.min(maximum.unwrap_or(u64::MAX));
        if raised > limit && setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }).is_ok() {
            limit = raised;
        }
    }
    usize::try_from(limit.saturating_sub(FILES_OF_OURS) / FILES_PER_LANE).unwrap_or(usize::MAX).max(1)
}

#[cfg(not(unix))]
fn fitting(lanes: usize) -> usize {
    lanes.min(256)
}

/// Does `work` at every target and returns what became of each, in the order of the targets.
///
/// An error names its target. Lanes that `fail_fast` kept from starting are `Interrupted`.
pub async fn each<T, F, Fut>(targets: Vec<Target>, limits: Limits, work: F) -> Vec<(Target, Result<T>)>
where
    F: Fn(Target) -> Fut,
    Fut: Future<Output = Result<T>>,
{
    in_order(as_they_come(targets, limits, work)).await
}

/// Waits for all results and puts them into the order of their items.
pub async fn in_order<I, T>(results: impl Stream<Item = (usize, I, Result<T>)>) -> Vec<(I, Result<T>)> {
    let mut results = std::pin::pin!(results);
    // Every position comes once, so each result has a place of its own: nothing is compared.
    let mut places = Vec::new();
    while let Some((index, item, result)) = results.next().await {
        if places.len() <= index {
            places.resize_with(index + 1, || None);
        }
        places[index] = Some((item, result));
    }
    places.into_iter().flatten().collect()
}

/// Does `work` at every target and hands out each result as it comes, with the position of its target.
pub fn as_they_come<T, F, Fut>(
    targets: Vec<Target>,
    limits: Limits,
    work: F,
) -> impl Stream<Item = (usize, Target, Result<T>)>
where
    F: Fn(Target) -> Fut,
    Fut: Future<Output = Result<T>>,
{
    items(targets, limits, work).map(|(index, target, result)| {
        let result = result.map_err(|error| error.at(target.provider.driver().id, &*target.full));
        (index, target, result)
    })
}

/// The same for items of any kind: several names at one target, say.
pub fn items<I, T, F, Fut>(items: Vec<I>, limits: Limits, work: F) -> impl Stream<Item = (usize, I, Result<T>)>
where
    I: Clone,
    F: Fn(I) -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let jobs = limits.jobs.unwrap_or(usize::MAX).max(1);
    let state = (items.into_iter().enumerate(), FuturesUnordered::new(), work, false);
    futures_util::stream::unfold(state, move |(mut waiting, mut running, work, mut failed)| async move {
        while running.len() < jobs && !(failed && limits.fail_fast) {
            let Some((index, item)) = waiting.next() else { break };
            let lane = work(item.clone());
            running.push(async move { (index, item, bounded(lane, limits.timeout).await) });
        }
        let next: (usize, I, Result<T>) = match running.next().await {
            Some(next) => next,
            // Only a failure leaves items waiting while nothing runs.
            None => waiting.next().map(|(index, item)| (index, item, Err(not_started())))?,
        };
        failed |= next.2.is_err();
        Some((next, (waiting, running, work, failed)))
    })
}

fn not_started() -> Error {
    Error::interrupted("not started, since another one failed (--fail-fast)")
}

/// Does `lane` within `timeout`; what became of it after that is unknown.
pub async fn bounded<T>(lane: impl Future<Output = Result<T>>, timeout: Option<Duration>) -> Result<T> {
    let Some(timeout) = timeout else { return lane.await };
    tokio::time::timeout(timeout, lane).await.unwrap_or_else(|_| {
        let what = format!("gave up after {} (--timeout)", duration::show(timeout));
        Err(Error::timeout(what).effect(Effect::Unknown))
    })
}

#[cfg(test)]
mod tests;
