//! What the systems themselves say. All are asked at once, each for a bounded time.

use super::Diagnosis;
use crate::config::Origin;
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::fanout::{self, Limits};
use crate::provider::notices::NoticesQuery;
use crate::provider::{Feature, Finding, Place};
use crate::resolve::{Address, Defaults, Pattern, Target};
use crate::settings::Opt;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, join_all};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long one target may take unless `--timeout` says otherwise.
const LIMIT: Duration = Duration::from_secs(10);

/// The checks of a provider are several, and may run programs: they have so many times the limit of one.
const PROVIDERS_OWN: u32 = 4;

pub(super) async fn examine(ctx: &Ctx) -> Vec<Diagnosis> {
    let (wanted, lost) = wanted(ctx);
    let resolved = ctx.resolver.expand(wanted).await;
    let limit = ctx.settings.duration(Opt::Timeout).unwrap_or(LIMIT);
    let limits = Limits::reads(ctx.settings.number(Opt::Jobs), None, resolved.targets.len());
    let failed = resolved.failed.into_iter().map(|(what, error)| {
        let provider = error.parts().provider;
        Diagnosis::error("reach", "fail", &error).at(provider, &what)
    });
    let lost = lost.map(|error| Diagnosis::error("reach", "fail", &error));
    let mut found: Vec<_> = lost.into_iter().chain(failed).collect();
    if found.is_empty() && resolved.targets.is_empty() {
        found.push(Diagnosis::new("reach", "skip", "no endpoint is configured").fix("name one with --target"));
    }
    let work = |target: Target| async move { Ok(one(&target, limit).await) };
    for (target, answer) in fanout::items(resolved.targets, limits, work).await {
        let provider = target.provider.driver().id;
        match answer {
            Ok(answer) => found.extend(answer.into_iter().map(|d| d.at(Some(provider), &target.full))),
            Err(error) => found.push(Diagnosis::error("reach", "fail", &error).at(Some(provider), &target.full)),
        }
    }
    found
}

/// What to look at: what was named on the command line, or all that may be used without being named; and why the
/// target of other commands cannot be had, if so.
fn wanted(ctx: &Ctx) -> (Vec<Pattern>, Option<Error>) {
    let (wanted, lost) = match ctx.resolver.wanted(&ctx.settings) {
        Ok(wanted) => (wanted, None),
        // That there is no default is fine: nothing was asked for.
        Err(_) if ctx.settings.list(Opt::Target).is_empty() => (Vec::new(), None),
        Err(error) => (Vec::new(), Some(error)),
    };
    if matches!(ctx.settings.origin(Opt::Target), Origin::Flag(_)) {
        return (wanted, lost);
    }
    let endpoint = |endpoint| Pattern::One(Address { endpoint, name: None }, Defaults::default());
    let has_places = |name: &String| ctx.resolver.endpoint(name).is_ok_and(|(driver, _)| driver.place.is_some());
    let endpoints = ctx.resolver.endpoints();
    let single = endpoints.into_iter().filter(|name| !has_places(name)).map(endpoint);
    (single.chain(wanted).collect(), lost)
}

/// Everything about one target.
async fn one(target: &Target, limit: Duration) -> Vec<Diagnosis> {
    let late = || Error::timeout(format!("no answer after {}", crate::config::duration::show(limit)));
    let check = tokio::time::timeout(limit, target.provider.check()).await;
    let info = match check.unwrap_or_else(|_| Err(late())) {
        Ok(info) => info,
        Err(error) if matches!(error.kind(), ErrorKind::Auth | ErrorKind::Forbidden) => {
            return vec![Diagnosis::error("access", "fail", &error)];
        }
        Err(error) => {
            let skip = |check| Diagnosis::new(check, "skip", "it cannot be reached");
            return vec![Diagnosis::error("reach", "fail", &error), skip("access"), skip("features")];
        }
    };
    let version = info.version.unwrap_or_else(|| "of an unknown version".to_owned());
    let reach =
        Diagnosis::new("reach", "pass", format!("{} {version} at {}", target.provider.driver().id, info.address));
    let probes =
        join_all(probes(&*target.place).into_iter().map(|(feature, probe)| async move { (feature, probe.await) }));
    let mut found = match tokio::time::timeout(limit, probes).await {
        Ok(answers) => vec![reach, access(&answers), features(&answers)],
        Err(_) => vec![reach, Diagnosis::error("access", "fail", &late())],
    };
    found.extend(examined(target, limit * PROVIDERS_OWN).await);
    found
}

/// What the provider finds by itself; what came in time, if it takes too long.
async fn examined(target: &Target, limit: Duration) -> Vec<Diagnosis> {
    let deadline = Instant::now() + limit;
    let mut coming = target.provider.examine(target.address.name.as_ref());
    let mut found = Vec::new();
    loop {
        match timeout_at(deadline, coming.next()).await {
            Ok(Some(Finding { check, verdict, reason, fix })) => {
                found.push(Diagnosis { fix, ..Diagnosis::new(check, verdict.name(), reason) });
            }
            Ok(None) => return found,
            Err(_) => {
                let reason = format!("not everything was looked at within {}", crate::config::duration::show(limit));
                found.push(Diagnosis::new("examine", "fail", reason).fix("pass a longer --timeout"));
                return found;
            }
        }
    }
}

/// Requests that change nothing, one for each feature that an old version may lack or a user may not use.
fn probes(place: &dyn Place) -> Vec<(Feature, BoxFuture<'_, Result<()>>)> {
    let mut probes: Vec<(Feature, BoxFuture<'_, Result<()>>)> = Vec::new();
    let mut add = |feature, probe| probes.push((feature, probe));
    if let Some(services) = place.services() {
        add(Feature::Services, Box::pin(async move { services.list(&[]).await.map(drop) }));
    }
    if let Some(checks) = place.checks() {
        add(Feature::Checks, Box::pin(async move { checks.list(None, &[]).await.map(drop) }));
    }
    if let Some(plans) = place.plan() {
        add(Feature::Plan, Box::pin(async move { plans.get().await.map(drop) }));
    }
    if let Some(notices) = place.notices() {
        let query = NoticesQuery::default();
        add(Feature::Notices, Box::pin(async move { notices.list(&query).await.map(drop) }));
    }
    if let Some(identities) = place.identities() {
        add(Feature::Identities, Box::pin(async move { identities.list().await.map(drop) }));
    }
    if let Some(metrics) = place.metrics() {
        add(Feature::Metrics, Box::pin(async move { metrics.samples().await.map(drop) }));
    }
    probes
}

/// Whether we may do everything: what reads the configuration in force may also change it.
fn access(answers: &[(Feature, Result<()>)]) -> Diagnosis {
    let refused = answers.iter().filter_map(|(feature, answer)| Some((feature, answer.as_ref().err()?)));
    let refused = refused.filter(|(_, error)| matches!(error.kind(), ErrorKind::Auth | ErrorKind::Forbidden));
    let names: Vec<_> = refused.clone().map(|(feature, _)| feature.name()).collect();
    if let Some((_, error)) = refused.into_iter().next() {
        let mut diagnosis = Diagnosis::new("access", "warn", format!("may not use {}", names.join(", ")));
        diagnosis.fix.clone_from(&error.parts().hint);
        return diagnosis;
    }
    Diagnosis::new("access", "pass", "may read everything")
}

/// Whether the system has everything that its provider can do.
fn features(answers: &[(Feature, Result<()>)]) -> Diagnosis {
    let mut missing = Vec::new();
    for (feature, answer) in answers {
        match answer {
            Err(error) if error.kind() == ErrorKind::Unsupported => missing.push(feature.name()),
            Err(error) if !matches!(error.kind(), ErrorKind::Auth | ErrorKind::Forbidden) => {
                return Diagnosis::error("features", "fail", error);
            }
            _ => {}
        }
    }
    if missing.is_empty() {
        return Diagnosis::new("features", "pass", "everything that was asked is there");
    }
    Diagnosis::new("features", "warn", format!("too old for {}", missing.join(", "))).fix("update it")
}
