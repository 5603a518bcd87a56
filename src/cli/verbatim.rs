//! `--raw` and `--compat`: the answer as received, or as the provider's own CLI prints it (ux 4.7).

use super::Outcome;
use crate::context::Ctx;
use crate::provider::documents::{Document, Verbatim};
use crate::provider::feature::capability;
use crate::provider::{Feature, Needs};
use clap::Args;

// The two flags.
#[derive(Args, Clone, Debug)]
pub struct VerbatimArgs {
    /// Print the answer as received
    #[arg(long, conflicts_with = "compat")]
    raw: bool,
    /// Print the JSON of the provider's own CLI
    #[arg(long)]
    compat: bool,
}

impl VerbatimArgs {
    /// How it is wanted, if it is.
    pub fn wanted(&self) -> Option<Verbatim> {
        match (self.raw, self.compat) {
            (true, _) => Some(Verbatim::Raw),
            (_, true) => Some(Verbatim::Compat),
            _ => None,
        }
    }

    /// Prints the document of every target, and returns `None` if the usual answer is wanted instead.
    pub async fn print(&self, ctx: &Ctx, needs: &dyn Needs, document: Document) -> anyhow::Result<Option<Outcome>> {
        let Some(how) = self.wanted() else { return Ok(None) };
        let document = &document;
        let gathered = ctx
            .read(needs, |target| async move {
                let documents = capability(&*target.place, |place| place.documents(), Feature::Raw, "--raw")?;
                documents.document(document, how).await
            })
            .await?;
        for (_, bytes) in &gathered.done {
            ctx.out.bytes(bytes)?;
        }
        gathered.finish().map(Some)
    }
}
