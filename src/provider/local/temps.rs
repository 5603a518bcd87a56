//! The temporary files that are being written, so that none is left if the command ends early.

use crate::cleanups::{Armed, Cleanups};
use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The temporary files of one command, under one undo. Cheap to clone.
#[derive(Clone, Default)]
pub struct Temps(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    live: BTreeSet<PathBuf>,
    is_closed: bool,
    armed: Option<Armed>,
}

impl Temps {
    /// Temporary files that are removed when `cleanups` run.
    pub fn new(cleanups: &Cleanups) -> Self {
        let temps = Self::default();
        let undo = temps.clone();
        let armed =
            cleanups.add("temporary files of an unfinished copy".to_owned(), Box::pin(async move { undo.close() }));
        temps.lock().armed = Some(armed);
        temps
    }

    /// Removes what is there, and lets nothing be made any more.
    fn close(&self) -> Result<()> {
        let mut table = self.lock();
        table.is_closed = true;
        let mut left = None;
        for path in std::mem::take(&mut table.live) {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    left = Some(super::failed("remove", &path, error));
                }
                _ => {}
            }
        }
        left.map_or(Ok(()), Err)
    }

    /// Makes a temporary file at `path`, unless the command is ending already.
    pub(super) fn make<T>(&self, path: &Path, make: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut table = self.lock();
        if table.is_closed {
            return Err(Error::interrupted("the command is ending"));
        }
        let made = make()?;
        table.live.insert(path.to_owned());
        Ok(made)
    }

    /// Forgets `path`: it has been renamed or removed.
    pub(super) fn forget(&self, path: &Path) {
        self.lock().live.remove(path);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn what_is_unfinished_goes_and_nothing_comes_after() {
        let dir = tempfile::tempdir().unwrap();
        let cleanups = Cleanups::default();
        let temps = Temps::new(&cleanups);
        let make = |name: &str| {
            let path = dir.path().join(name);
            temps.make(&path, || std::fs::write(&path, "x").map_err(Error::internal)).map(|()| path)
        };
        let (open, done) = (make("open").unwrap(), make("done").unwrap());
        temps.forget(&done);
        assert!(cleanups.run(Duration::from_secs(5)).await.is_empty());
        assert!(!open.exists() && done.exists());
        assert!(make("late").is_err() && !dir.path().join("late").exists());
    }
}
