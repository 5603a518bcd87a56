//! Work at many targets or items at once, bounded, in one task: nothing is spawned, so work may borrow.

use crate::config::duration;
use crate::error::{Effect, Error, Result};
use crate::resolve::Target;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::cell::RefCell;
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
    let located = |(target, outcome): (Target, Result<T>)| {
        let outcome = outcome.map_err(|error| error.at(target.provider.driver().id, &*target.full));
        (target, outcome)
    };
    items(targets, limits, work).await.into_iter().map(located).collect()
}

/// The same for items of any kind: several names at one target, say.
pub async fn items<I, T, F, Fut>(items: Vec<I>, limits: Limits, work: F) -> Vec<(I, Result<T>)>
where
    I: Clone,
    F: Fn(I) -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let outcomes: Vec<RefCell<Option<Result<T>>>> = items.iter().map(|_| RefCell::default()).collect();
    let start = |index: usize| -> LocalBoxFuture<'_, bool> {
        let (work, outcome) = (work(items[index].clone()), &outcomes[index]);
        Box::pin(async move {
            let result = work.await;
            let is_success = result.is_ok();
            outcome.replace(Some(result));
            is_success
        })
    };
    let lost = lanes(items.len(), limits, &start).await;
    let outcomes = outcomes.into_iter().zip(lost).map(|(outcome, lost)| match (outcome.into_inner(), lost) {
        (_, Some(error)) => Err(error),
        (Some(result), None) => result,
        (None, None) => Err(Error::internal("a lane ended without a result")),
    });
    let outcomes: Vec<_> = outcomes.collect();
    items.into_iter().zip(outcomes).collect()
}

/// Runs `count` lanes, each of which says whether it succeeded, and returns why one gave no result.
///
/// Every command has lanes of its own type: this is the part of a fan-out that is compiled once.
async fn lanes<'a>(
    count: usize,
    limits: Limits,
    start: &dyn Fn(usize) -> LocalBoxFuture<'a, bool>,
) -> Vec<Option<Error>> {
    let jobs = limits.jobs.unwrap_or(usize::MAX).max(1);
    let (mut waiting, mut running, mut has_failed) = (0..count, FuturesUnordered::new(), false);
    let mut lost: Vec<_> = (0..count).map(|_| None).collect();
    loop {
        while running.len() < jobs && !(has_failed && limits.fail_fast) {
            let Some(index) = waiting.next() else { break };
            let lane = start(index);
            running.push(async move { (index, bounded(lane.map(Ok), limits.timeout).await) });
        }
        let Some((index, end)) = running.next().await else { break };
        has_failed |= !matches!(end, Ok(true));
        lost[index] = end.err();
    }
    // Only a failure leaves lanes waiting while nothing runs.
    for index in waiting {
        lost[index] = Some(not_started());
    }
    lost
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
