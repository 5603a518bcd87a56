//! Many small files at once: tar streams, by programs over there.

use super::RexecFiles;
use crate::error::{Effect, Result};
use crate::model::RemotePath;
use crate::provider::files::{BatchLimits, Bulk, Files as _, Part, WriteSpec};
use crate::stream::Items;
use async_trait::async_trait;

/// A program takes a tenth of a second to start, so a batch is as large as may be lost with a connection.
const LIMITS: BatchLimits = BatchLimits { files: 1024, bytes: 8 << 20, largest: 512 << 10, paths: 512 << 10 };

#[async_trait]
impl Bulk for RexecFiles {
    fn reads(&self) -> BatchLimits {
        LIMITS
    }

    fn writes(&self) -> BatchLimits {
        LIMITS
    }

    fn read_many(&self, paths: Vec<RemotePath>) -> Items<Part> {
        self.tar.read_many(paths)
    }

    async fn write_many(&self, specs: Vec<WriteSpec>, parts: Items<Part>) -> Result<Vec<Result<()>>> {
        let mut verdicts = self.tar.write_many(specs.clone(), parts).await?;
        for (spec, verdict) in specs.iter().zip(&mut verdicts) {
            // No archive gives files away: that takes root.
            if let (Some(owner), Ok(())) = (&spec.owner, &verdict)
                && let Err(error) = self.shell.set(&spec.path, None, Some(owner.clone())).await
            {
                *verdict = Err(error.effect(Effect::Partial).cause("it was written, and belongs to somebody else"));
            }
        }
        Ok(verdicts)
    }
}
