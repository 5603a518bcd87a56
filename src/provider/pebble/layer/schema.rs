//! What a layer may hold, as data: the sections, their keys in the order in which the server prints them, and how
//! each key merges.

/// What a key holds.
#[derive(Debug)]
pub(super) enum Kind {
    /// Text; any scalar will do. Empty is unset.
    Text,
    /// One of these words; `strict` if the daemon refuses others.
    Word {
        /// The words.
        words: &'static [&'static str],
        /// Whether another word is refused.
        strict: bool,
    },
    /// An integer for which 0 is unset.
    Int,
    /// An integer for which 0 is a value.
    Id,
    /// A floating-point number.
    Float,
    /// A duration such as `1m30s`.
    Duration,
    /// A list of text; merging appends.
    Texts,
    /// Text by name; merging goes by name.
    TextMap,
    /// One of these words by name.
    WordMap(&'static [&'static str]),
    /// Keys of its own.
    Object(&'static [Key]),
}

/// A key of an object.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether the server prints it even if it is empty.
    pub always: bool,
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, always: false }
}

const fn always(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, always: true }
}

const fn words(words: &'static [&'static str]) -> Kind {
    Kind::Word { words, strict: true }
}

/// A section that holds objects by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Section {
    /// `services`
    Services,
    /// `checks`
    Checks,
    /// `log-targets`
    LogTargets,
    /// `workloads`
    Workloads,
}

impl Section {
    /// All of them, in the server's order.
    pub(super) const ALL: [Self; 4] = [Self::Services, Self::Checks, Self::LogTargets, Self::Workloads];

    /// Its key.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Checks => "checks",
            Self::LogTargets => "log-targets",
            Self::Workloads => "workloads",
        }
    }

    /// What one of its objects is called.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Services => "service",
            Self::Checks => "check",
            Self::LogTargets => "log target",
            Self::Workloads => "workload",
        }
    }

    /// The keys of its objects.
    pub(super) const fn keys(self) -> &'static [Key] {
        match self {
            Self::Services => SERVICE,
            Self::Checks => CHECK,
            Self::LogTargets => LOG_TARGET,
            Self::Workloads => WORKLOAD,
        }
    }
}

/// The keys of a layer.
pub(super) const TOP: [&str; 7] =
    ["summary", "description", "services", "checks", "log-targets", "workloads", "pairing"];

/// What `override` can say.
pub(super) const OVERRIDES: &[&str] = &["merge", "replace"];

const STARTUPS: &[&str] = &["enabled", "disabled"];
const AFTER_SUCCESS: &[&str] = &["restart", "shutdown", "failure-shutdown", "ignore"];
const AFTER_FAILURE: &[&str] = &["restart", "shutdown", "success-shutdown", "ignore"];

/// The keys of a service.
const SERVICE: &[Key] = &[
    key("summary", Kind::Text),
    key("description", Kind::Text),
    // The daemon takes anything, and takes anything but `enabled` for `disabled`.
    key("startup", Kind::Word { words: STARTUPS, strict: false }),
    key("override", words(OVERRIDES)),
    key("command", Kind::Text),
    key("after", Kind::Texts),
    key("before", Kind::Texts),
    key("requires", Kind::Texts),
    key("workload", Kind::Text),
    key("environment", Kind::TextMap),
    key("user-id", Kind::Id),
    key("user", Kind::Text),
    key("group-id", Kind::Id),
    key("group", Kind::Text),
    key("working-dir", Kind::Text),
    key("on-success", words(AFTER_SUCCESS)),
    key("on-failure", words(AFTER_FAILURE)),
    key("on-check-failure", Kind::WordMap(AFTER_FAILURE)),
    key("backoff-delay", Kind::Duration),
    key("backoff-factor", Kind::Float),
    key("backoff-limit", Kind::Duration),
    key("kill-delay", Kind::Duration),
];

/// The keys of a check.
const CHECK: &[Key] = &[
    key("override", words(OVERRIDES)),
    key("level", words(&["alive", "ready"])),
    key("startup", words(STARTUPS)),
    key("period", Kind::Duration),
    key("timeout", Kind::Duration),
    key("threshold", Kind::Int),
    key("http", Kind::Object(&[key("url", Kind::Text), key("headers", Kind::TextMap)])),
    key("tcp", Kind::Object(&[key("port", Kind::Int), key("host", Kind::Text)])),
    key(
        "exec",
        Kind::Object(&[
            key("command", Kind::Text),
            key("service-context", Kind::Text),
            key("environment", Kind::TextMap),
            key("user-id", Kind::Id),
            key("user", Kind::Text),
            key("group-id", Kind::Id),
            key("group", Kind::Text),
            key("working-dir", Kind::Text),
        ]),
    ),
];

/// The keys of a log target.
const LOG_TARGET: &[Key] = &[
    always("type", words(&["loki", "opentelemetry", "syslog"])),
    always("location", Kind::Text),
    always("services", Kind::Texts),
    key("override", words(OVERRIDES)),
    key("labels", Kind::TextMap),
];

/// The keys of a workload.
const WORKLOAD: &[Key] = &[
    key("override", words(OVERRIDES)),
    key("environment", Kind::TextMap),
    key("user-id", Kind::Id),
    key("user", Kind::Text),
    key("group-id", Kind::Id),
    key("group", Kind::Text),
];

/// The keys of the section `pairing`.
pub(super) const PAIRING: &[Key] = &[key("mode", words(&["disabled", "single", "multiple"]))];

/// What `given` was probably meant to be: a slip of the fingers, another spelling, or the start of one of `known`.
pub(super) fn suggest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let plain = given.to_lowercase().replace(['_', ' '], "-");
    let distance = |name: &&str| {
        // Keys that other service managers have and that share no letters with ours.
        let synonym = matches!(
            (plain.as_str(), *name),
            ("env" | "envs", "environment")
                | ("cwd" | "dir" | "directory" | "workdir" | "working-directory", "working-dir")
                | ("depends-on" | "depends" | "wants", "requires")
                | ("uid", "user-id")
                | ("gid", "group-id")
                | ("cmd" | "exec-start" | "run", "command")
                | ("interval", "period")
        );
        if synonym { 0 } else { strsim::damerau_levenshtein(&plain, name) }
    };
    let limit = (plain.chars().count() / 3).max(1);
    let best = known.into_iter().map(|name| (distance(&name), name)).min_by_key(|(distance, _)| *distance)?;
    (best.0 <= limit).then(|| best.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Section, TOP, suggest};

    #[test]
    fn suggestions_are_close_or_absent() {
        let names = || Section::Services.keys().iter().map(|key| key.name);
        for (given, meant) in [
            ("comand", Some("command")),
            ("Command", Some("command")),
            ("kill_delay", Some("kill-delay")),
            ("env", Some("environment")),
            ("cwd", Some("working-dir")),
            ("user_id", Some("user-id")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(suggest(given, names()).as_deref(), meant, "{given}");
        }
        assert_eq!(suggest("service", TOP).as_deref(), Some("services"));
    }
}
