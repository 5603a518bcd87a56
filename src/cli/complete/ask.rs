//! Asking a target for names.

use super::{Candidate, Surroundings, cache};
use crate::config::KeyKind;
use crate::error::Result;
use crate::provider::Place;
use crate::provider::changes::Select;
use crate::resolve::Pattern;
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
}

/// The names at the target of the line; none if that is slow, gone, or would have to be asked for a password.
pub(super) fn names(around: &Surroundings, noun: Noun) -> Vec<Candidate> {
    let Ok(wanted) = around.resolver.wanted(&around.settings) else { return Vec::new() };
    let Some(Pattern::One(address, defaults)) = wanted.first() else { return Vec::new() };
    let Ok((driver, endpoint)) = around.resolver.endpoint(&address.endpoint) else { return Vec::new() };
    let place = (noun, address.to_string(), format!("{:?}", endpoint.values));
    let cache = cache::Cache::new(around.dirs.cache.as_deref(), &place);
    if let Some(names) = cache.load() {
        return names;
    }
    // A command that prints a password may ask for another one.
    let asks = driver.keys.iter().any(|key| key.kind == KeyKind::Argv && endpoint.values.contains_key(key.name));
    if asks {
        return Vec::new();
    }
    let Ok(target) = around.resolver.target(address, defaults) else { return Vec::new() };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
    let answer = runtime.block_on(async { tokio::time::timeout(LIMIT, fetch(&*target.place, noun)).await });
    let Ok(Ok(names)) = answer else { return Vec::new() };
    cache.store(&names);
    names
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
    })
}
