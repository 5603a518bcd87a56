//! Where a value comes from, for messages and `config show --origin`.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag, such as `--output`.
    Flag(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A line of a file.
    File {
        /// Which of the files.
        layer: Layer,
        /// Its path.
        path: Arc<Path>,
        /// The line, counted from 1.
        line: usize,
    },
    /// Nobody said anything.
    Default,
}

/// The files that configuration comes from, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The machine's.
    System,
    /// The user's, or the one named by `--config`.
    User,
    /// A file of another client in a directory, which names a place.
    Place,
    /// `.esker.yaml` of a directory, which may only name a target.
    Directory,
}

impl Origin {
    /// What is wrong with the value there, as a config error.
    pub(crate) fn fault(&self, what: &str) -> crate::error::Error {
        crate::error::Error::config(match self {
            Self::File { path, line, .. } => format!("invalid config `{}`, line {line}: {what}", path.display()),
            Self::Flag(name) | Self::Variable(name) => format!("invalid {name}: {what}"),
            Self::Default => format!("invalid default: {what}"),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File { path, line, .. } => write!(f, "{}:{line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}
