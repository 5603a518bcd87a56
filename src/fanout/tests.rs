use super::*;
use crate::config::{Config, Defaults};
use crate::error::ErrorKind;
use crate::model::Name;
use crate::provider::{Env, fake};
use crate::resolve::{Address, Resolver};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use tokio::time::{Instant, sleep};

fn targets(names: &[&str]) -> Vec<Target> {
    let resolver = Resolver::new(Arc::new(Config::default()), Box::new(|_| None), fake::DRIVERS, Env::default());
    let address = |name: &&str| Address { endpoint: "sprites".to_owned(), name: Some(Name::from(*name)) };
    names.iter().map(|name| resolver.target(&address(name), &Defaults::default()).unwrap()).collect()
}

fn name(target: &Target) -> &str {
    target.full.strip_prefix("sprites/").unwrap()
}

fn limits(jobs: Option<usize>) -> Limits {
    Limits { jobs, ..Limits::default() }
}

/// Every lane takes as many seconds as its target's name says.
async fn nap(target: Target) -> Result<u64> {
    let seconds = name(&target).parse().unwrap();
    sleep(Duration::from_secs(seconds)).await;
    if seconds == 13 { Err(Error::not_found("no luck")) } else { Ok(seconds) }
}

#[tokio::test(start_paused = true)]
async fn results_keep_the_order_and_lanes_run_side_by_side() {
    let start = Instant::now();
    let results = each(targets(&["3", "1", "2"]), limits(None), nap).await;
    let seen: Vec<_> = results.iter().map(|(target, result)| (name(target), *result.as_ref().unwrap())).collect();
    assert_eq!(seen, [("3", 3), ("1", 1), ("2", 2)]);
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn no_more_lanes_run_than_jobs() {
    let (now, most) = (Cell::new(0), Cell::new(0));
    let work = |target| {
        now.set(now.get() + 1);
        most.set(most.get().max(now.get()));
        let now = &now;
        async move {
            let result = nap(target).await;
            now.set(now.get() - 1);
            result
        }
    };
    let start = Instant::now();
    let results = each(targets(&["5", "1", "1", "1", "1"]), limits(Some(2)), work).await;
    assert_eq!((results.len(), most.get(), start.elapsed().as_secs()), (5, 2, 5));
    let start = Instant::now();
    each(targets(&["1", "2", "3"]), limits(Some(1)), nap).await;
    assert_eq!(start.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn every_lane_has_its_own_deadline() {
    let limits = Limits { jobs: Some(1), timeout: Some(Duration::from_secs(5)), fail_fast: false };
    let results = each(targets(&["4", "60", "3"]), limits, nap).await;
    let kinds: Vec<_> = results.iter().map(|(_, result)| result.as_ref().err().map(Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Timeout), None]);
    let error = results[1].1.as_ref().unwrap_err();
    assert_eq!(error.to_string(), "gave up after 5s (--timeout)");
    assert_eq!(error.parts().effect, Effect::Unknown);
}

#[tokio::test(start_paused = true)]
async fn an_error_names_its_target_and_stops_no_other() {
    let results = each(targets(&["13", "20"]), limits(None), nap).await;
    let parts = results[0].1.as_ref().unwrap_err().parts();
    assert_eq!((parts.provider, parts.target.as_deref()), (Some("sprites"), Some("sprites/13")));
    assert_eq!(*results[1].1.as_ref().unwrap(), 20);
}

#[tokio::test(start_paused = true)]
async fn fail_fast_starts_no_more_and_lets_finish_what_runs() {
    let started = RefCell::new(Vec::new());
    let work = |target: Target| {
        started.borrow_mut().push(name(&target).to_owned());
        nap(target)
    };
    let limits = Limits { jobs: Some(2), timeout: None, fail_fast: true };
    let results = each(targets(&["20", "13", "1", "2"]), limits, work).await;
    assert_eq!(*started.borrow(), ["20", "13"]);
    assert_eq!(*results[0].1.as_ref().unwrap(), 20);
    let kinds: Vec<_> = results[1..].iter().map(|(_, result)| result.as_ref().unwrap_err().kind()).collect();
    assert_eq!(kinds, [ErrorKind::NotFound, ErrorKind::Interrupted, ErrorKind::Interrupted]);
    assert_eq!(results[3].1.as_ref().unwrap_err().parts().target.as_deref(), Some("sprites/2"));
}

#[test]
fn reads_run_all_at_once_within_open_files() {
    assert_eq!(Limits::reads(None, None, 3).jobs, Some(3));
    assert_eq!(Limits::reads(Some(2), None, 3).jobs, Some(2));
    assert_eq!(Limits::reads(None, None, 0).jobs, Some(1));
    assert_eq!(Limits::changes(None, None).jobs, Some(CHANGES));
    assert_eq!(Limits::changes(Some(1), None).jobs, Some(1));
    if cfg!(target_os = "linux") {
        // The kernel keeps every limit on open files below this.
        assert!(Limits::reads(None, None, usize::MAX).jobs.unwrap() < 1 << 40);
    }
}
