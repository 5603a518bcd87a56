//! From patterns to targets: one dead endpoint hides no other.

use super::{Address, Defaults, Pattern, Resolver, Target};
use crate::error::{Error, Result};
use crate::glob;
use crate::model::Name;
use futures_util::future::join_all;
use std::collections::BTreeSet;

/// What patterns stand for.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The targets in the order of the patterns, each once.
    pub targets: Vec<Target>,
    /// What could not be resolved, and why; named as it was written or as the endpoint is called.
    pub failed: Vec<(String, Error)>,
}

/// One step of a pattern: a place that is known, or an endpoint that must be asked.
enum Step {
    One(Address, Defaults),
    Ask { endpoint: String, glob: String },
    Failed(String, Error),
}

impl Resolver {
    /// Expands patterns; endpoints are asked side by side, and only where a wildcard needs it.
    pub async fn expand(&self, patterns: Vec<Pattern>) -> Resolved {
        let steps: Vec<Step> = patterns.into_iter().flat_map(|pattern| self.steps(pattern)).collect();
        let asked = steps.into_iter().map(|step| async move {
            match step {
                Step::One(address, defaults) => vec![(address.to_string(), self.target(&address, &defaults))],
                Step::Ask { endpoint, glob } => self.ask(&endpoint, &glob).await,
                Step::Failed(what, error) => vec![(what, Err(error))],
            }
        });
        let mut resolved = Resolved::default();
        let mut seen = BTreeSet::new();
        for (what, outcome) in join_all(asked).await.into_iter().flatten() {
            match outcome {
                Ok(target) if !seen.insert(target.full.clone()) => {}
                Ok(target) => resolved.targets.push(target),
                Err(error) => resolved.failed.push((what, error)),
            }
        }
        resolved
    }

    fn steps(&self, pattern: Pattern) -> Vec<Step> {
        match pattern {
            Pattern::One(address, defaults) => vec![Step::One(address, defaults)],
            Pattern::Places { endpoint, glob } => vec![Step::Ask { endpoint, glob }],
            Pattern::All => {
                let steps = self.matching("*");
                if steps.is_empty() {
                    self.fallback().map_or_else(|e| vec![Step::Failed("--all".into(), e)], |p| self.steps(p))
                } else {
                    steps
                }
            }
            Pattern::Glob(glob) => {
                let steps = self.matching(&glob);
                if steps.is_empty() {
                    let error =
                        Error::not_found(format!("no target matches `{glob}`")).hint("`esker target list` shows all");
                    return vec![Step::Failed(glob, error)];
                }
                steps
            }
        }
    }

    /// The short names and endpoints that match.
    fn matching(&self, wanted: &str) -> Vec<Step> {
        let targets = self.config().targets.keys().filter(|name| glob::matches(wanted, name));
        let mut steps: Vec<Step> = targets
            .map(|name| match self.parse(name) {
                Ok(Pattern::One(address, defaults)) => Step::One(address, defaults),
                Ok(_) => Step::Failed(name.clone(), Error::internal(format!("short name `{name}` is a pattern"))),
                Err(error) => Step::Failed(name.clone(), error),
            })
            .collect();
        for endpoint in self.endpoints().into_iter().filter(|name| glob::matches(wanted, name)) {
            steps.push(match self.driver_of(&endpoint) {
                Ok(driver) if driver.place.is_none() => {
                    Step::One(Address { endpoint, name: None }, Defaults::default())
                }
                Ok(_) => Step::Ask { endpoint, glob: "*".to_owned() },
                Err(error) => Step::Failed(endpoint, error),
            });
        }
        steps
    }

    /// Asks an endpoint which of its places match.
    async fn ask(&self, endpoint: &str, glob: &str) -> Vec<(String, Result<Target>)> {
        let what = format!("{endpoint}/{glob}");
        let names = match self.provider(endpoint) {
            Ok(provider) => provider.names(glob).await.map_err(|error| error.at(provider.driver().id, endpoint)),
            Err(error) => Err(error),
        };
        match names {
            Err(error) => vec![(what, Err(error))],
            // An endpoint without places is an empty answer; a pattern that fits nothing is a slip.
            Ok(names) if names.is_empty() && glob != "*" => {
                let error = Error::not_found(format!("no target matches `{what}`"));
                vec![(what, Err(error))]
            }
            Ok(names) => names
                .into_iter()
                .map(|name| {
                    let name = Some(name).filter(|Name(name)| !name.is_empty());
                    let address = Address { endpoint: endpoint.to_owned(), name };
                    (address.to_string(), self.target(&address, &Defaults::default()))
                })
                .collect(),
        }
    }
}
