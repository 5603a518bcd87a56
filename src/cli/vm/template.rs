//! `vm apply` and `vm export-template`.

use super::MachineArgs;
use crate::cli::args::key_value;
use crate::cli::over::at;
use crate::cli::{Outcome, source};
use crate::context::{Ctx, var};
use crate::error::{Error, Result};
use crate::fanout::bounded;
use crate::model::{At, MachinePlan};
use crate::output::{Cell, Column, Format, ListOptions, to_yaml};
use crate::provider::feature::unsupported;
use crate::provider::templates::Templates;
use crate::provider::{Feature, Need};
use crate::resolve::Target;
use crate::settings::Opt;
use clap::Args;
use std::path::PathBuf;

const COLUMNS: &[Column<MachinePlan>] = &[
    Column::new("NAME", "name", |p: &MachinePlan| Cell::text(&p.name)),
    Column::new("ACTION", "action", |p: &MachinePlan| Cell::text(&p.action)),
    Column::new("DIFFERENCES", "differences", |p: &MachinePlan| {
        Cell::List(p.differences.iter().map(|difference| difference.field.clone()).collect())
    })
    .elastic(),
];

#[derive(Args, Debug)]
#[command(after_help = "\
A file holds one machine or several, in the form of the provider's own client
(.vrg.yaml). Applied again it changes nothing. A new machine that could not be
finished is deleted again; of one that was there the error says what was changed.
Drives and network cards that a file does not name stay.

Examples:
  esker vm apply web.vrg.yaml --target lab
  esker vm apply web.vrg.yaml --dry-run
  sed s/NAME/web02/ base.yaml | esker vm apply - --set vm.ram=4GB")]
pub struct VmApplyArgs {
    /// Files; `-` is stdin
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A field laid over the files, by its path; repeat it for several
    #[arg(long, value_name = "PATH=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Show what differs, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm export-template lab/web01 > web01.vrg.yaml
  esker vm export-template lab/web01 -o json | jq .vm.nics")]
pub struct VmExportArgs {
    #[command(flatten)]
    which: MachineArgs,
}

fn templates<'a>(target: &'a Target, asked: &str) -> Result<&'a dyn Templates> {
    target.provider.templates().ok_or_else(|| unsupported(target.provider.driver(), Feature::MachinesTemplate, asked))
}

/// Makes machines so as files describe them, one after another.
pub async fn apply(ctx: &Ctx, args: VmApplyArgs) -> anyhow::Result<Outcome> {
    let asked = "vm apply";
    let target = ctx.target(&vec![Need::new(Feature::MachinesTemplate, asked)])?;
    let templates = templates(&target, asked)?;
    // Every file is checked before the first machine is touched.
    let mut described = Vec::new();
    for file in &args.files {
        let text = source::read_text(file)?;
        let found = templates.read(&text, &args.set, &var);
        described.extend(found.map_err(|error| error.wrap(format!("cannot use `{}`", file.display())))?);
    }
    let mut rows: Vec<At<MachinePlan>> = Vec::new();
    let mut failed: Vec<Error> = Vec::new();
    let limit = ctx.settings.duration(Opt::Timeout);
    for one in &described {
        let work = async {
            let plan = templates.plan(one).await?;
            if args.dry_run || plan.action == "none" { Ok(plan) } else { templates.apply(one, plan).await }
        };
        match bounded(work, limit).await {
            Ok(plan) => {
                tell(ctx, &target, &plan, args.dry_run)?;
                rows.push(at(&target, plan));
            }
            Err(error) => failed.push(error.at(target.provider.driver().id, &*target.full)),
        }
    }
    if ctx.out.is_structured() && !rows.is_empty() {
        ctx.out.list(&rows, COLUMNS, &ListOptions::default())?;
    }
    crate::cli::over::finish(failed, rows.len())
}

/// What was done in a sentence; what would be done as the answer itself.
fn tell(ctx: &Ctx, target: &Target, plan: &MachinePlan, dry_run: bool) -> Result<()> {
    let name = format!("{}/{}", target.address.endpoint, plan.name);
    if !dry_run {
        ctx.out.done(&match plan.action.as_str() {
            "create" => format!("created `{name}`"),
            "update" => format!("updated `{name}`: {}", plan.differences.len()),
            _ => format!("nothing to do: `{name}` is as described"),
        });
        return Ok(());
    }
    if ctx.out.is_structured() {
        return Ok(());
    }
    ctx.out.remote_line(&format!("{} {name}", plan.action))?;
    for difference in &plan.differences {
        let line = if difference.from.is_null() {
            format!("  + {}: {}", difference.field, difference.to)
        } else {
            format!("  ~ {}: {} -> {}", difference.field, difference.from, difference.to)
        };
        ctx.out.remote_line(&line)?;
    }
    Ok(())
}

/// Writes machines down.
pub async fn export(ctx: &Ctx, args: VmExportArgs) -> anyhow::Result<Outcome> {
    let asked = "vm export-template";
    let (targets, failed) = args.which.machines(ctx, asked, &(Feature::MachinesTemplate, asked)).await?;
    let gathered = ctx
        .read_at(targets, failed, |target| async move {
            templates(&target, asked)?.export(&super::which(&target, asked)?).await
        })
        .await;
    for (place, (_, document)) in gathered.done.iter().enumerate() {
        let value = serde_json::Value::Object(document.clone());
        match ctx.out.format() {
            Format::Json | Format::Jsonl => ctx.out.value(&value)?,
            _ => {
                // Several documents in one stream are set off from each other.
                let before = if place > 0 { "---\n" } else { "" };
                ctx.out.bytes(format!("{before}{}", to_yaml(&value)).as_bytes())?;
            }
        }
    }
    gathered.finish()
}
