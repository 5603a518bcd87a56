//! What is waited for, as it is typed: `KIND[:NAME]=WORD`.

use crate::model::{OperationId, RemotePath};
use crate::provider::Feature;
use crate::suggest::nearest;
use std::fmt;

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// A service is in a state.
    Service { name: String, state: String },
    /// A check has a status.
    Check { name: String, status: String },
    /// All checks, or those of a level, are well or not.
    Health { level: Option<String>, word: String },
    /// A change came to its end; well, if that is asked for.
    Change { id: OperationId, only_done: bool },
    /// The machine is in a state.
    Machine { state: String },
    /// A path is there or not.
    File { path: RemotePath, present: bool },
    /// A session of an agent is in a state.
    Agent { name: String, state: String },
}

/// The kinds, each with whether it takes a name, and the words that are known to be the only ones.
const KINDS: [(&str, Named, &[&str]); 7] = [
    ("svc", Named::Always, &[]),
    ("check", Named::Always, &["up", "down", "inactive"]),
    ("health", Named::Maybe, &["healthy", "unhealthy"]),
    ("change", Named::Always, &["done", "ready"]),
    ("vm", Named::Never, &[]),
    ("file", Named::Always, &["present", "absent"]),
    ("agent", Named::Always, &[]),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Always,
    Maybe,
    Never,
}

/// Reads a condition.
///
/// # Errors
///
/// What is wrong with it, and what it may be.
pub(super) fn parse(text: &str) -> Result<Condition, String> {
    // A name may hold `=` and a path may hold `:`: the word is after the last, the kind before the first.
    let (subject, word) = text.rsplit_once('=').ok_or("expected KIND[:NAME]=WORD, such as svc:web=active")?;
    let (kind, name) = subject.split_once(':').map_or((subject, None), |(kind, name)| (kind, Some(name)));
    let Some((_, named, words)) = KINDS.iter().find(|(known, ..)| *known == kind) else {
        let near = nearest(kind, KINDS.iter().map(|(known, ..)| *known));
        let near = near.map_or_else(String::new, |near| format!(", such as `{near}`"));
        return Err(format!(
            "no condition is about `{kind}`; there are svc, check, health, change, vm, file, agent{near}"
        ));
    };
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    match (named, &name) {
        (Named::Always, None) => return Err(format!("`{kind}` needs a name: {kind}:NAME={word}")),
        (Named::Never, Some(_)) => return Err(format!("`{kind}` takes no name: {kind}={word}")),
        _ => {}
    }
    if word.is_empty() {
        return Err("nothing stands after `=`".to_owned());
    }
    if !words.is_empty() && !words.contains(&word) {
        return Err(format!("`{kind}` is waited to be {}", words.join(" or ")));
    }
    let (name, word) = (name.unwrap_or_default(), word.to_owned());
    Ok(match kind {
        "svc" => Condition::Service { name, state: word },
        "check" => Condition::Check { name, status: word },
        "health" => Condition::Health { level: Some(name).filter(|level| !level.is_empty()), word },
        "change" => Condition::Change { id: OperationId(name), only_done: word == "done" },
        "vm" => Condition::Machine { state: word },
        "file" if !name.starts_with('/') => return Err(format!("`{name}` is relative: a path starts with `/`")),
        "file" => Condition::File { path: RemotePath::from(name.as_str()), present: word == "present" },
        _ => Condition::Agent { name, state: word },
    })
}

impl Condition {
    /// What a target must offer for it; nothing, if it is about this machine.
    pub(super) fn feature(&self) -> Option<Feature> {
        Some(match self {
            Self::Service { .. } => Feature::Services,
            Self::Check { .. } | Self::Health { .. } => Feature::Checks,
            Self::Change { .. } => Feature::Changes,
            Self::Machine { state } if state == super::super::vm::wait::USABLE => Feature::MachinesHealth,
            Self::Machine { .. } => Feature::Machines,
            Self::File { .. } => Feature::Files,
            Self::Agent { .. } => return None,
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service { name, state } => write!(f, "svc:{name}={state}"),
            Self::Check { name, status } => write!(f, "check:{name}={status}"),
            Self::Health { level: Some(level), word } => write!(f, "health:{level}={word}"),
            Self::Health { level: None, word } => write!(f, "health={word}"),
            Self::Change { id, only_done } => write!(f, "change:{id}={}", if *only_done { "done" } else { "ready" }),
            Self::Machine { state } => write!(f, "vm={state}"),
            Self::File { path, present } => write!(f, "file:{path}={}", if *present { "present" } else { "absent" }),
            Self::Agent { name, state } => write!(f, "agent:{name}={state}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_shown_as_they_are_typed() {
        for text in [
            "svc:web=active",
            "svc:a=b=error",
            "check:db=up",
            "health=healthy",
            "health:ready=unhealthy",
            "change:12=done",
            "change:12=ready",
            "vm=running",
            "file:/tmp/a:b=present",
            "agent:fix=idle",
        ] {
            assert_eq!(parse(text).map(|condition| condition.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_condition_says_what_is() {
        let why = |text| parse(text).expect_err(text);
        assert!(why("web").contains("svc:web=active"));
        assert!(why("svcs:web=active").contains("such as `svc`"));
        assert!(why("svc=active").contains("svc:NAME=active"));
        assert!(why("vm:x=running").contains("vm=running"));
        assert!(why("health=fine").contains("healthy or unhealthy"));
        assert!(why("file:tmp=present").contains("relative"));
        assert!(why("svc:web=").contains("nothing stands"));
    }
}
