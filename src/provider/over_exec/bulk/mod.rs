//! Many small files at once, as a tar stream through a program over there. Every file is compared by its checksum,
//! made at both ends; that takes one program for a batch and none for a file.

mod pack;
mod read;
mod write;

use crate::cleanups::Cleanups;
use crate::model::RemotePath;
use crate::provider::exec::Exec;
use crate::provider::files::Files;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The status of a script that lacks a program it needs.
const LACKS: u8 = 94;

/// Batches through `tar` at one place. Cheap to clone.
#[derive(Clone)]
pub struct TarBulk {
    exec: Arc<dyn Exec>,
    /// Reads and writes what cannot go through `tar`, and says why if it cannot be done at all.
    single: Arc<dyn Files>,
    cleanups: Cleanups,
    /// Whether it is known by now that programs are missing over there.
    lacks: Arc<AtomicBool>,
}

impl TarBulk {
    /// Batches through programs that `exec` starts. What cannot go so goes through `single`.
    pub fn new(exec: Arc<dyn Exec>, single: Arc<dyn Files>, cleanups: Cleanups) -> Self {
        Self { exec, single, cleanups, lacks: Arc::default() }
    }

    fn lacks(&self) -> bool {
        self.lacks.load(Ordering::Relaxed)
    }

    fn note_lack(&self) {
        self.lacks.store(true, Ordering::Relaxed);
    }
}

/// Whether a name can stand in a list that ends names with NUL, and below a directory.
fn is_listable(path: &RemotePath) -> bool {
    path.is_absolute() && !path.as_bytes().contains(&0)
}
