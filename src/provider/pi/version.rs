//! Which of the two programs it is, in which version, and what that means (section 0).

use super::argv::Missing;
use std::fmt;

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// The original.
    Pi,
    /// oh-my-pi, its fork.
    Omp,
}

impl Flavour {
    /// The name of the program.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pi => "pi",
            Self::Omp => "omp",
        }
    }
}

/// A version, as far as anything depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) u32, pub(super) u32, pub(super) u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// An installed program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Build {
    /// Which it is.
    pub(super) flavour: Flavour,
    /// Its version.
    pub(super) version: Version,
}

impl Build {
    /// Reads what `--version` prints: pi the bare version, omp `omp/18.2.3`. Warnings may stand before it.
    pub fn parse(text: &str) -> Option<Self> {
        text.lines().rev().find_map(|line| {
            let line = line.trim();
            let (flavour, version) = match line.strip_prefix("omp/") {
                Some(rest) => (Flavour::Omp, rest),
                None => (Flavour::Pi, line.strip_prefix("pi/").or(line.strip_prefix('v')).unwrap_or(line)),
            };
            Some(Self { flavour, version: version_of(version)? })
        })
    }

    /// Itself as [`Build::parse`] reads it.
    pub(super) fn word(&self) -> String {
        format!("{}/{}", self.flavour.name(), self.version)
    }

    /// Whether it is a pi of at least this version.
    pub(super) fn is_pi(&self, major: u32, minor: u32, patch: u32) -> bool {
        self.flavour == Flavour::Pi && self.version >= Version(major, minor, patch)
    }

    /// Whether it is omp.
    pub(super) fn is_omp(&self) -> bool {
        self.flavour == Flavour::Omp
    }

    /// How it tells that a prompt is done with (section 2.5).
    pub(super) fn ending(&self) -> Ending {
        match self.flavour {
            Flavour::Omp => Ending::Terminal,
            Flavour::Pi if self.version >= Version(0, 80, 4) => Ending::Settled,
            Flavour::Pi => Ending::Silent,
        }
    }

    /// The refusal of something that this program or its version lacks.
    pub(super) fn lacks(&self, what: &'static str, since: Option<&'static str>) -> Missing {
        Missing { build: *self, what, since }
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.flavour.name(), self.version)
    }
}

/// How an agent tells that a prompt is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// By `agent_settled`, after everything.
    Settled,
    /// By an `agent_end` that is not declared to be intermediate.
    Terminal,
    /// Not at all: after an `agent_end` it has to be asked.
    Silent,
}

fn version_of(text: &str) -> Option<Version> {
    let text = text.split(['-', '+', ' ']).next()?;
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    let version = Version(numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(version)
}

/// What `--version` said of a file, as long as the file is the same: a line of the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    /// The file, links followed.
    pub(super) path: String,
    /// When it was last changed, in nanoseconds of the epoch.
    pub(super) modified: i128,
    /// Its size in bytes.
    pub(super) size: u64,
    /// What it said.
    pub(super) said: String,
}

impl Remembered {
    /// The line of a cache that is about this file as it is now.
    pub(super) fn find(cache: &str, path: &str, modified: i128, size: u64) -> Option<Build> {
        let is_it = |line: &Self| line.path == path && line.modified == modified && line.size == size;
        Build::parse(&cache.lines().filter_map(Self::read).find(is_it)?.said)
    }

    /// The cache with this line, and without what it knew of the same file before.
    pub(super) fn add(&self, cache: &str) -> String {
        let others = cache.lines().filter(|line| Self::read(line).is_some_and(|line| line.path != self.path));
        let own = format!("{}\t{}\t{}\t{}", self.modified, self.size, self.said.trim(), self.path);
        others.chain([own.as_str()]).fold(String::new(), |all, line| all + line + "\n")
    }

    fn read(line: &str) -> Option<Self> {
        let mut parts = line.splitn(4, '\t');
        Some(Self {
            modified: parts.next()?.parse().ok()?,
            size: parts.next()?.parse().ok()?,
            said: parts.next()?.to_owned(),
            path: parts.next()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_say_who_they_are() {
        let parse = |text: &str| Build::parse(text).map(|build| build.to_string());
        assert_eq!(parse("0.73.1\n").as_deref(), Some("pi 0.73.1"));
        assert_eq!(parse("Warning: old Node\nomp/18.2.3\n").as_deref(), Some("omp 18.2.3"));
        assert_eq!(parse("1.5.2-beta.1").as_deref(), Some("pi 1.5.2"));
        for text in ["0.73.1", "omp/18.2.3"] {
            let build = Build::parse(text).unwrap();
            assert_eq!(Build::parse(&build.word()), Some(build));
        }
        for not in ["", "3.14", "Raspberry Pi", "1.2.3.4", "v1.x.2"] {
            assert_eq!(parse(not), None, "{not}");
        }
    }

    #[test]
    fn endings_follow_the_generation() {
        let ending = |text: &str| Build::parse(text).unwrap().ending();
        assert_eq!(ending("0.58.0"), Ending::Silent);
        assert_eq!(ending("0.80.3"), Ending::Silent);
        assert_eq!(ending("0.80.4"), Ending::Settled);
        assert_eq!(ending("1.5.2"), Ending::Settled);
        assert_eq!(ending("omp/18.2.3"), Ending::Terminal);
    }

    #[test]
    fn a_file_is_remembered_until_it_changes() {
        let line = |said: &str, modified| Remembered { path: "/a b/pi".into(), modified, size: 7, said: said.into() };
        let cache = line("0.73.1\n", 1).add("garbage\n5\t6\tomp/18.2.3\t/bin/omp\n");
        assert_eq!(Remembered::find(&cache, "/a b/pi", 1, 7).unwrap().version, Version(0, 73, 1));
        assert_eq!(Remembered::find(&cache, "/bin/omp", 5, 6).unwrap().flavour, Flavour::Omp);
        assert_eq!(Remembered::find(&cache, "/a b/pi", 2, 7), None);
        let cache = line("0.87.1", 2).add(&cache);
        assert_eq!(cache.lines().count(), 2);
        assert_eq!(Remembered::find(&cache, "/a b/pi", 2, 7).unwrap().version, Version(0, 87, 1));
    }
}
