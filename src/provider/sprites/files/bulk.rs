//! Many small files at once: tar streams, by programs over there.

use super::SpritesFiles;
use crate::error::{Effect, Error, Result};
use crate::model::RemotePath;
use crate::provider::files::{BatchLimits, Bulk, Part, WriteSpec};
use crate::stream::{self, Items};
use async_trait::async_trait;

#[async_trait]
impl Bulk for SpritesFiles {
    fn reads(&self) -> BatchLimits {
        // Production has lost output of programs beyond half a megabyte (sprites-docs#202). It would be noticed and read
        // again, but smaller batches get through.
        BatchLimits { files: 256, bytes: 384 << 10, ..BatchLimits::default() }
    }

    fn writes(&self) -> BatchLimits {
        BatchLimits { files: 512, bytes: 8 << 20, largest: 256 << 10, paths: 256 << 10 }
    }

    fn read_many(&self, paths: Vec<RemotePath>) -> Items<Part> {
        match &self.tar {
            Some(tar) => tar.read_many(paths),
            None => stream::fail(Error::internal("a batch where there are none")),
        }
    }

    async fn write_many(&self, specs: Vec<WriteSpec>, parts: Items<Part>) -> Result<Vec<Result<()>>> {
        let Some(tar) = &self.tar else { return Err(Error::internal("a batch where there are none")) };
        let mut verdicts = tar.write_many(specs.clone(), parts).await?;
        for (spec, verdict) in specs.iter().zip(&mut verdicts) {
            // No archive gives files away: that takes root.
            if let (Some(owner), Ok(())) = (&spec.owner, &verdict)
                && let Err(error) = self.change(&spec.path, None, Some(owner)).await
            {
                *verdict = Err(error.effect(Effect::Partial).cause("it was written, and belongs to somebody else"));
            }
        }
        Ok(verdicts)
    }
}
