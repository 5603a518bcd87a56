//! What happens in a run, written down as it happens: the lines of `-o jsonl`.

use super::Envelope;
use crate::config::reason;
use crate::error::{Error, Result};
use crate::model::AgentEvent;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A file that holds what happened so far.
pub(in crate::cli::agent) struct Transcript {
    path: PathBuf,
    file: File,
    seq: u64,
}

impl Transcript {
    /// A new one, which only we read.
    pub(in crate::cli::agent) fn create(path: &Path) -> Result<Self> {
        let made = File::options().write(true).create_new(true).mode(0o600).open(path);
        let file = made.map_err(|error| cannot(path, &error))?;
        Ok(Self { path: path.to_owned(), file, seq: 0 })
    }

    /// Adds an event.
    pub(super) fn add(&mut self, event: &AgentEvent, provider: &'static str, target: &str) -> Result<()> {
        let mut line =
            serde_json::to_string(&Envelope::new(event, provider, target, self.seq)).map_err(Error::internal)?;
        line.push('\n');
        self.seq += 1;
        self.file.write_all(line.as_bytes()).map_err(|error| cannot(&self.path, &error))
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Error {
    Error::failure(format!("cannot write `{}`: {}", path.display(), reason(error)))
}
