//! Which of the real programs is played (section 0 of the reference).

use std::str::FromStr;

/// A build of one of the real programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// pi 0.73.1, of generation B.
    Old,
    /// pi 0.87.1, of generation C.
    New,
    /// omp 18.2.3, of generation O2.
    Omp,
}

impl Dialect {
    /// What `--version` prints.
    pub const fn version(self) -> &'static str {
        match self {
            Self::Old => "0.73.1",
            Self::New => "0.87.1",
            Self::Omp => "omp/18.2.3",
        }
    }

    /// Whether it is a pi.
    pub(super) fn is_pi(self) -> bool {
        self != Self::Omp
    }

    /// Whether every delta repeats the message so far (section 2.5).
    pub(super) fn repeats(self) -> bool {
        self != Self::New
    }

    /// The stop reason of a message that has not stopped.
    pub(super) const fn pending(self) -> &'static str {
        match self {
            Self::New => "pending",
            Self::Old | Self::Omp => "stop",
        }
    }

    /// What a failure of the model is called.
    pub(super) fn failure(self, status: u16, body: &serde_json::Value) -> String {
        let error = &body["error"];
        let message = error["message"].as_str().unwrap_or("no answer");
        match self {
            Self::Old => format!("{status} {message}"),
            Self::New => format!("{status}: {error}"),
            Self::Omp => format!("{status} {message}\n{message} (type={})", error["type"].as_str().unwrap_or("error")),
        }
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Old, Self::New, Self::Omp]
            .into_iter()
            .find(|dialect| dialect.version() == text)
            .ok_or_else(|| "expected 0.73.1, 0.87.1 or omp/18.2.3".to_owned())
    }
}
