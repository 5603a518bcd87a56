//! Asking a target for names.

use super::{Candidate, Surroundings, cache};
use crate::config::KeyKind;
use crate::error::Result;
use crate::model::{FileKind, RemotePath};
use crate::provider::Place;
use crate::provider::changes::Select;
use crate::provider::checkpoints::CheckpointsQuery;
use crate::provider::notices::NoticesQuery;
use crate::resolve::{Address, Pattern};
use crate::stream;
use std::hash::Hash;
use std::time::Duration;

/// How long asking may take.
pub(super) const LIMIT: Duration = Duration::from_millis(300);

/// What names are wanted.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) enum Noun {
    Services,
    Checks,
    Changes,
    Identities,
    Checkpoints,
    Notices,
    Runs,
    Snippets,
    Recordings,
}

/// The names at the target of the line; none if that is slow, gone, or would have to be asked for a password.
pub(super) fn names(around: &Surroundings, noun: Noun) -> Vec<Candidate> {
    let Ok(wanted) = around.resolver.wanted(&around.settings) else { return Vec::new() };
    let Some(Pattern::One(address, defaults)) = wanted.first() else { return Vec::new() };
    // Opening may run a command of the user's, so it is part of the answer and not of the question.
    let answer = async { fetch(&*around.resolver.target(address, defaults)?.place, noun).await };
    ask(around, &address.endpoint, (noun, address.to_string()), answer).unwrap_or_default()
}

/// The places of an endpoint whose names begin so, by their full names.
pub(super) fn places(around: &Surroundings, endpoint: &str, begun: &str) -> Vec<Candidate> {
    let has_places = around.resolver.endpoint(endpoint).is_ok_and(|(driver, _)| driver.place.is_some());
    // What is encoded or a wildcard is not looked up: it is being written by hand.
    if !has_places || begun.contains(['%', '*', '?', '[']) {
        return Vec::new();
    }
    let glob = format!("{begun}*");
    let full = |name| Address { endpoint: endpoint.to_owned(), name: Some(name) }.to_string();
    let names = async {
        let names = around.resolver.provider(endpoint)?.names(&glob).await?;
        Ok(names.into_iter().map(|name| (full(name), String::new())).collect())
    };
    ask(around, endpoint, ("places", endpoint, &glob), names).unwrap_or_default()
}

/// The answer from the cache, or from the system if that is quick and needs no command of the user's.
pub(super) fn ask(
    around: &Surroundings,
    endpoint: &str,
    question: impl Hash,
    answer: impl Future<Output = Result<Vec<Candidate>>>,
) -> Option<Vec<Candidate>> {
    let (driver, endpoint) = around.resolver.endpoint(endpoint).ok()?;
    let cache = cache::Cache::new(around.dirs.cache.as_deref(), &(question, format!("{:?}", endpoint.values)));
    if let Some(names) = cache.load() {
        return Some(names);
    }
    // A command that prints a password may ask for another one.
    let asks = driver.keys.iter().any(|key| key.kind == KeyKind::Argv && endpoint.values.contains_key(key.name));
    if asks {
        return None;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let names = runtime.block_on(async { tokio::time::timeout(LIMIT, answer).await }).ok()?.ok()?;
    cache.store(&names);
    Some(names)
}

async fn fetch(place: &dyn Place, noun: Noun) -> Result<Vec<Candidate>> {
    Ok(match noun {
        Noun::Services => match place.services() {
            Some(services) => services.list(&[]).await?.into_iter().map(|s| (s.name, s.state)).collect(),
            None => Vec::new(),
        },
        Noun::Checks => match place.checks() {
            Some(checks) => checks.list(None, &[]).await?.into_iter().map(|c| (c.name, c.status)).collect(),
            None => Vec::new(),
        },
        Noun::Changes => match place.changes() {
            Some(changes) => {
                let all = changes.list(Select::All, None).await?;
                all.into_iter().map(|change| (change.id, change.summary)).collect()
            }
            None => Vec::new(),
        },
        Noun::Identities => match place.identities() {
            Some(identities) => identities.list().await?.into_iter().map(|i| (i.name, i.access)).collect(),
            None => Vec::new(),
        },
        Noun::Checkpoints => match place.checkpoints() {
            Some(checkpoints) => {
                let all = checkpoints.list(&CheckpointsQuery { history: None, include_auto: true }).await?;
                all.into_iter().map(|c| (c.id.0, c.comment.unwrap_or_default())).collect()
            }
            None => Vec::new(),
        },
        Noun::Notices => match place.notices() {
            Some(notices) => {
                let all = notices.list(&NoticesQuery::default()).await?;
                all.into_iter().map(|notice| (notice.id, notice.key)).collect()
            }
            None => Vec::new(),
        },
        Noun::Runs => match place.runs() {
            Some(runs) => {
                let all = stream::collect(runs.list()).await?;
                all.into_iter().map(|run| (run.id, format!("{} ({})", run.command, run.state))).collect()
            }
            None => Vec::new(),
        },
        Noun::Snippets => match place.snippets() {
            Some(snippets) => snippets.list().await?.into_iter().map(|s| (s.name, s.language)).collect(),
            None => Vec::new(),
        },
        Noun::Recordings => match place.recordings() {
            Some(recordings) => recordings.list().await?.into_iter().map(|r| (r.id.0, r.title)).collect(),
            None => Vec::new(),
        },
    })
}

/// The entries of the directory that `word` has begun to name: `TARGET:/DIR/…`, `:/DIR/…` or `/DIR/…` at the default
/// target. A directory ends in a slash, so that the next one can be asked for.
pub(super) fn paths(around: &Surroundings, word: &str) -> Vec<Candidate> {
    let (target, path) = match word.split_once(':') {
        Some((target, path)) => (Some(target).filter(|target| !target.is_empty()), path),
        None => (None, word),
    };
    let before = &word[..word.len() - path.len()];
    let Some((dir, _)) = path.rsplit_once('/') else { return Vec::new() };
    let pattern = match target {
        Some(target) => around.resolver.parse(target).ok(),
        None => around.resolver.wanted(&around.settings).ok().and_then(|wanted| wanted.into_iter().next()),
    };
    let Some(Pattern::One(address, defaults)) = pattern else { return Vec::new() };
    let dir = format!("{dir}/");
    let answer = async {
        let target = around.resolver.target(&address, &defaults)?;
        let Some(files) = target.place.files() else { return Ok(Vec::new()) };
        let entries = stream::collect(files.list(&RemotePath::from(dir.as_str()))).await?;
        Ok(entries
            .into_iter()
            .map(|entry| {
                let slash = if entry.kind == FileKind::Directory { "/" } else { "" };
                (format!("{before}{dir}{}{slash}", entry.name), String::new())
            })
            .collect())
    };
    ask(around, &address.endpoint, ("paths", address.to_string(), before, &dir), answer).unwrap_or_default()
}
