//! `svc info`

use crate::cli::Outcome;
use crate::cli::verbatim::VerbatimArgs;
use crate::context::Ctx;
use crate::model::Info;
use crate::output::{Cell, Column};
use crate::provider::Feature;
use crate::provider::documents::Document;
use clap::Args;

const COLUMNS: &[Column<Info>] = &[
    Column::new("VERSION", "version", |i: &Info| Cell::maybe(i.version.as_deref())),
    Column::new("ADDRESS", "address", |i: &Info| Cell::text(&i.address)),
    Column::new("BOOT ID", "boot_id", |i: &Info| Cell::maybe(i.boot_id.as_deref())),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Open to everybody and answered even by a daemon that is wedged, so it serves as
a ping.

Examples:
  esker svc info
  esker svc info --wait-for-daemon 30s
  esker svc info -o json | jq -r .version")]
pub struct InfoArgs {
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

/// Says which system answers.
pub async fn run(ctx: &Ctx, args: InfoArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Services, "svc info");
    if let Some(outcome) = args.verbatim.print(ctx, &needs, Document::Info).await? {
        return Ok(outcome);
    }
    let gathered = ctx.read(&needs, |target| async move { target.provider.check().await }).await?;
    ctx.objects(gathered, COLUMNS)
}
