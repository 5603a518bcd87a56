//! Many small files at once, as a tar stream through a program over there. Every file is compared by its checksum,
//! made at both ends; that takes one program for a batch and none for a file.

mod pack;
mod read;
mod write;

use super::program::{Program, output};
use super::sh;
use crate::cleanups::Cleanups;
use crate::model::RemotePath;
use crate::provider::exec::{Exec, Exit};
use crate::provider::files::Files;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Batches through `tar` at one place.
#[derive(Clone)]
pub struct TarBulk {
    exec: Arc<dyn Exec>,
    /// Reads what `tar` does not bring, and says why if it cannot be had.
    single: Arc<dyn Files>,
    cleanups: Cleanups,
    /// Whether all programs that this takes are there, once that was asked.
    ready: Arc<OnceCell<bool>>,
}

/// Succeeds where there is all that the other scripts use.
const PROBE: &str = "command -v tar sha256sum find xargs mktemp readlink >/dev/null";

impl TarBulk {
    /// Batches through programs that `exec` starts. What cannot be brought so is read through `single`.
    pub fn new(exec: Arc<dyn Exec>, single: Arc<dyn Files>, cleanups: Cleanups) -> Self {
        Self { exec, single, cleanups, ready: Arc::default() }
    }

    /// Whether batches can go this way. Asked once, before a batch whose content would be gone if they cannot.
    async fn is_ready(&self) -> bool {
        let ask = || async {
            let said = output(&*self.exec, sh(PROBE, &[]), None).await;
            said.is_ok_and(|said| said.exit == Exit::Code(0))
        };
        *self.ready.get_or_init(ask).await
    }
}

/// Whether a name can stand in a list that ends names with NUL, and below a directory.
fn is_listable(path: &RemotePath) -> bool {
    path.is_absolute() && !path.as_bytes().contains(&0)
}
