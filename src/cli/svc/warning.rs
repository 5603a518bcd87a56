//! `svc warning`: warnings of the service manager.

use crate::cli::Outcome;
use crate::cli::args::Listing;
use crate::cli::tree::{Node, talk};
use crate::cli::verbatim::VerbatimArgs;
use crate::context::Ctx;
use crate::error::Result;
use crate::model::Warning;
use crate::output::{Cell, Column};
use crate::provider::Feature;
use crate::provider::documents::Document;
use crate::provider::feature::capability;
use crate::provider::notices::Notices;
use crate::resolve::Target;
use clap::Args;

/// The commands.
pub(super) static TREE: &[Node] =
    &[talk!("list", ListArgs, list, "List warnings").alias("ls"), talk!("ack", AckArgs, ack, "Acknowledge warnings")];

const COLUMNS: &[Column<Warning>] = &[
    Column::new("LAST", "last_added_at", |w: &Warning| Cell::Time(w.last_added_at)),
    Column::new("FIRST", "first_added_at", |w: &Warning| Cell::Time(w.first_added_at)).wide(),
    Column::new("REPEATED", "last_shown_at", |w: &Warning| Cell::Time(w.last_shown_at)).wide(),
    Column::new("EXPIRES AFTER", "expire_after_seconds", |w: &Warning| Cell::Seconds(w.expire_after_seconds)).wide(),
    Column::new("WARNING", "message", |w: &Warning| Cell::text(&w.message)).elastic(),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc warning list
  esker svc warning list --acknowledged -o wide")]
pub struct ListArgs {
    /// Those that were acknowledged too
    #[arg(long)]
    acknowledged: bool,
    #[command(flatten)]
    list: Listing,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Acknowledges what is pending now. A warning that was acknowledged is shown again
when it occurs again.

Examples:
  esker svc warning ack
  esker svc warning ack --target 'prod-*'")]
pub struct AckArgs {}

fn of<'a>(target: &'a Target, asked: &str) -> Result<&'a dyn Notices> {
    capability(&*target.place, |p| p.notices(), Feature::Notices, asked)
}

/// Lists warnings.
pub async fn list(ctx: &Ctx, args: ListArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Notices, "svc warning list");
    let all = args.acknowledged;
    if let Some(outcome) = args.verbatim.print(ctx, &needs, Document::Warnings { all }).await? {
        return Ok(outcome);
    }
    let gathered =
        ctx.read(&needs, |target| async move { of(&target, "svc warning list")?.warnings(all).await }).await?;
    let (rows, gathered) = gathered.rows(|warnings| warnings);
    ctx.list(&rows, COLUMNS, &args.list.into(), gathered)
}

/// Acknowledges warnings.
pub async fn ack(ctx: &Ctx, _: AckArgs) -> anyhow::Result<Outcome> {
    let gathered = ctx
        .change(&(Feature::Notices, "svc warning ack"), |target| async move {
            let notices = of(&target, "svc warning ack")?;
            let pending = notices.warnings(false).await?;
            let newest = pending.iter().filter_map(|warning| warning.last_shown_at.or(warning.last_added_at)).max();
            let count = match newest {
                Some(until) => notices.acknowledge_warnings(until).await?,
                None => 0,
            };
            let said = match count {
                0 => "no warnings to acknowledge".to_owned(),
                1 => "acknowledged 1 warning".to_owned(),
                n => format!("acknowledged {n} warnings"),
            };
            ctx.out.done(&format!("{said} on `{}`", target.full));
            Ok(())
        })
        .await?;
    gathered.finish()
}
