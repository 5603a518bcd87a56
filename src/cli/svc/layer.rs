//! `svc layer`: adding layers, and finding everything wrong in one before the daemon finds the first.

use crate::cli::Outcome;
use crate::cli::over::at;
use crate::cli::source;
use crate::cli::tree::{Node, talk};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, Changed, Finding, PlanDocument, Severity};
use crate::output::{Cell, Column, ListOptions, Tone};
use crate::provider::Feature;
use crate::provider::feature::capability;
use crate::provider::plan::LayerSpec;
use crate::resolve::Target;
use clap::Args;
use std::path::PathBuf;

/// The commands.
pub(super) static TREE: &[Node] =
    &[talk!("add", AddArgs, add, "Add a layer"), talk!("lint", LintArgs, lint, "List everything wrong in a layer")];

const COLUMNS: &[Column<Finding>] = &[
    Column::new("WHERE", "line", |f: &Finding| Cell::text(format!("{}:{}:{}", f.file, f.line, f.column))),
    Column::new("SEVERITY", "severity", |f: &Finding| match f.severity {
        Severity::Error => Cell::Toned(Tone::Bad, "error".to_owned()),
        Severity::Warning => Cell::Toned(Tone::Warning, "warning".to_owned()),
    }),
    Column::new("PATH", "path", |f: &Finding| Cell::text(&f.path)).wide(),
    Column::new("MESSAGE", "message", |f: &Finding| Cell::text(said(f))),
];

#[derive(Args, Debug)]
#[command(after_help = "\
The layer is checked first, as `svc layer lint` does: errors stop it before
anything is sent. Layers added this way are lost when the daemon restarts.

Examples:
  esker svc layer add extra web.yaml && esker svc replan
  esker svc layer add extra --combine - < web.yaml
  esker svc layer add extra web.yaml --dry-run")]
pub struct AddArgs {
    /// Label of the layer
    #[arg(value_name = "LABEL")]
    label: String,
    /// File that holds it; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Merge it into the layer of that label, if there is one
    #[arg(long)]
    combine: bool,
    /// Allow it before other layers, inside its group
    #[arg(long)]
    inner: bool,
    /// Print how the plan would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Send it without checking it first
    #[arg(long)]
    no_lint: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Names are also checked against the plan in force, where a daemon answers.
Exit code 8 if the daemon would refuse the layer; warnings alone are 0.

Examples:
  esker svc layer lint web.yaml
  cat web.yaml | esker svc layer lint - -o json")]
pub struct LintArgs {
    /// File that holds the layer; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Check the file alone, without asking for the plan in force
    #[arg(long)]
    offline: bool,
}

/// Lists everything wrong in a layer.
pub async fn lint(ctx: &Ctx, args: LintArgs) -> anyhow::Result<Outcome> {
    let text = source::read_text(&args.file)?;
    let file = args.file.display().to_string();
    let target = ctx.target(&(Feature::Plan, "svc layer lint"))?;
    let plans = capability(&*target.place, |p| p.plan(), Feature::Plan, "svc layer lint")?;
    let plan = if args.offline {
        None
    } else {
        match plans.get().await {
            Ok(plan) => Some(plan),
            Err(error) => {
                ctx.out.note(&format!("checked without the plan in force: {error}"));
                None
            }
        }
    };
    let findings = plans.lint(&file, &text, plan.as_ref());
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let rows: Vec<At<Finding>> = findings.into_iter().map(|finding| at(&target, finding)).collect();
    ctx.out.list(&rows, COLUMNS, &ListOptions::default())?;
    if errors > 0 {
        return Err(refused(&file, errors).at(target.provider.driver().id, &*target.full).into());
    }
    Ok(Outcome::Done)
}

/// Adds a layer, or shows what adding it would change.
pub async fn add(ctx: &Ctx, args: AddArgs) -> anyhow::Result<Outcome> {
    let text = source::read_text(&args.file)?;
    let file = args.file.display().to_string();
    let layer = LayerSpec { label: args.label.clone(), text, combine: args.combine, inner: args.inner };
    let (layer, file, dry_run, check) = (&layer, &file, args.dry_run, !args.no_lint);
    let gathered = ctx
        .change(&(Feature::Plan, "svc layer add"), |target| async move {
            let plans = capability(&*target.place, |p| p.plan(), Feature::Plan, "svc layer add")?;
            // The plan is for admins, who alone may add a layer: a refusal here is the refusal of the whole.
            let plan = if check || dry_run { Some(plans.get().await?) } else { None };
            if check {
                judge(ctx, file, &plans.lint(file, &layer.text, plan.as_ref()))?;
            }
            if let Some(plan) = plan.filter(|_| dry_run) {
                preview(ctx, &target, plans, &plan, layer).map(|()| None)
            } else {
                plans.add_layer(layer).await?;
                ctx.out.done(&format!(
                    "added layer `{}` to `{}`; `esker svc replan` applies it",
                    layer.label, target.full
                ));
                Ok(Some(Changed {
                    name: layer.label.clone(),
                    action: "add".to_owned(),
                    changed: true,
                    state: None,
                    operation_id: None,
                }))
            }
        })
        .await?;
    let (rows, gathered) = gathered.rows(|changed| changed.into_iter().collect());
    if !rows.is_empty() {
        super::act::print(ctx, &rows, gathered.done.len() + gathered.failed.len() == 1)?;
    }
    gathered.finish()
}

/// Says every finding, and refuses the layer if one is an error.
fn judge(ctx: &Ctx, file: &str, findings: &[Finding]) -> Result<()> {
    let mut errors = 0;
    for finding in findings {
        let text = format!("{}:{}:{}: {}", finding.file, finding.line, finding.column, said(finding));
        match finding.severity {
            Severity::Error => {
                errors += 1;
                ctx.out.done(&format!("error: {text}"));
            }
            Severity::Warning => ctx.out.warn(&text),
        }
    }
    if errors > 0 { Err(refused(file, errors)) } else { Ok(()) }
}

fn preview(
    ctx: &Ctx,
    target: &Target,
    plans: &dyn crate::provider::plan::Plans,
    plan: &PlanDocument,
    layer: &LayerSpec,
) -> Result<()> {
    if layer.combine {
        ctx.out.note("shown as if the layer came last; merged into an earlier one, later layers may still override it");
    }
    let after = plans.preview(plan, layer)?;
    let diff = crate::output::diff(&plan.text, &after);
    if diff.is_empty() {
        ctx.out.done(&format!("layer `{}` would change nothing on `{}`", layer.label, target.full));
        return Ok(());
    }
    ctx.out.bytes(diff.as_bytes())
}

fn refused(file: &str, errors: usize) -> Error {
    let plural = if errors == 1 { "" } else { "s" };
    Error::rejected(format!("`{file}` has {errors} error{plural}"))
}

/// A finding in one sentence.
fn said(finding: &Finding) -> String {
    match &finding.suggestion {
        Some(suggestion) => format!("{} (did you mean `{suggestion}`?)", finding.message),
        None => finding.message.clone(),
    }
}
