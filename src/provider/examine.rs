//! What a provider finds when it is examined (`esker doctor`), and the checks that any place with exec can be put to.

mod programs;

pub use programs::programs;

use super::Place;
use crate::config::duration;
use crate::error::{Error, Result};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::sync::Arc;
use std::time::Duration;

/// How long one question may take.
pub const PATIENCE: Duration = Duration::from_secs(8);

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was checked, in one word.
    pub check: &'static str,
    /// What came out.
    pub verdict: Verdict,
    /// What was found.
    pub reason: String,
    /// One thing to do about it.
    pub fix: Option<String>,
}

/// What comes out of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// It works, and something about it should be known.
    Warn,
    /// It does not work.
    Fail,
    /// It was not checked.
    Skip,
}

impl Verdict {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

impl Finding {
    /// Something is as it should be.
    pub fn pass(check: &'static str, reason: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Pass, reason: reason.into(), fix: None }
    }

    /// Something should be known.
    pub fn warn(check: &'static str, reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warn, ..Self::pass(check, reason) }
    }

    /// Something does not work.
    pub fn fail(check: &'static str, reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, ..Self::pass(check, reason) }
    }

    /// Something was not checked.
    pub fn skip(check: &'static str, reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skip, ..Self::pass(check, reason) }
    }

    /// What an error says: its message with its causes, and its hint as the fix.
    pub fn error(check: &'static str, error: &Error) -> Self {
        let parts = error.parts();
        let reason: Vec<_> = std::iter::once(&parts.message).chain(&parts.causes).map(String::as_str).collect();
        Self { fix: parts.hint.clone(), ..Self::fail(check, reason.join(": ")) }
    }

    /// Says what to do about it.
    pub fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }
}

/// A check in its time; an error is its finding.
pub async fn within(check: &'static str, work: impl Future<Output = Result<Finding>>) -> Finding {
    let outcome = tokio::time::timeout(PATIENCE, work).await;
    let late = || Error::timeout(format!("no answer after {}", duration::show(PATIENCE)));
    outcome.unwrap_or_else(|_| Err(late())).unwrap_or_else(|error| Finding::error(check, &error))
}

/// The checks that run programs in a place.
pub fn inside<'a>(place: Result<Arc<dyn Place>>) -> BoxStream<'a, Finding> {
    let found = async move {
        match place {
            Err(error) => vec![Finding::error("exec", &error)],
            Ok(place) => match place.exec() {
                Some(exec) => programs(exec).collect().await,
                None => vec![Finding::skip("exec", "programs cannot be run there")],
            },
        }
    };
    stream::once(found).flat_map(stream::iter).boxed()
}
