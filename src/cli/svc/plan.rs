//! `svc plan`

use crate::cli::Outcome;
use crate::cli::verbatim::VerbatimArgs;
use crate::context::Ctx;
use crate::model::PlanDocument;
use crate::output::{Column, Format};
use crate::provider::Feature;
use crate::provider::documents::Document;
use crate::provider::feature::capability;
use clap::Args;

const COLUMNS: &[Column<PlanDocument>] = &[];

#[derive(Args, Debug)]
#[command(after_help = "\
The text is the provider's own; -o json and -o yaml print it as data.

Examples:
  esker svc plan
  esker svc plan -o json | jq '.plan.services | keys'")]
pub struct PlanArgs {
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

/// Prints the configuration in force.
pub async fn run(ctx: &Ctx, args: PlanArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Plan, "svc plan");
    if let Some(outcome) = args.verbatim.print(ctx, &needs, Document::Plan).await? {
        return Ok(outcome);
    }
    let gathered = ctx
        .read(&needs, |target| async move {
            capability(&*target.place, |p| p.plan(), Feature::Plan, "svc plan")?.get().await
        })
        .await?;
    if matches!(ctx.out.format(), Format::Json | Format::Jsonl | Format::Yaml) {
        return ctx.objects(gathered, COLUMNS);
    }
    let several = gathered.done.len() > 1;
    for (target, plan) in &gathered.done {
        if several {
            ctx.out.line(&format!("# {}", target.full))?;
        }
        ctx.out.bytes(plan.text.as_bytes())?;
    }
    gathered.finish()
}
