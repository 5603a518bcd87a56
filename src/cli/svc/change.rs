//! `svc change`: what was done and is being done.

use crate::cli::args::Listing;
use crate::cli::drive::Driven;
use crate::cli::tree::{Node, talk};
use crate::cli::verbatim::VerbatimArgs;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, Result, Wire};
use crate::fanout::bounded;
use crate::model::{At, Change, OperationId};
use crate::output::{Cell, Column, Format, Tone};
use crate::provider::Feature;
use crate::provider::changes::{Changes, Select};
use crate::provider::documents::Document;
use crate::provider::feature::capability;
use crate::resolve::Target;
use crate::settings::Opt;
use clap::Args;

/// The commands.
pub(super) static TREE: &[Node] = &[
    talk!("list", ListArgs, list, "List changes").alias("ls"),
    talk!("show", ShowArgs, show, "Show a change with its tasks and their logs"),
    talk!("wait", WaitArgs, wait, "Wait until a change is through"),
    talk!("abort", AbortArgs, abort, "Abort a change"),
];

const COLUMNS: &[Column<Change>] = &[
    Column::new("ID", "id", |c: &Change| Cell::text(&c.id)),
    Column::new("KIND", "kind", |c: &Change| Cell::text(&c.kind)),
    Column::new("STATUS", "status", |c: &Change| Cell::Toned(tone(&c.status), c.status.clone())),
    Column::new("STARTED", "started_at", |c: &Change| Cell::Time(c.started_at)),
    Column::new("READY", "ready_at", |c: &Change| Cell::Time(c.ready_at)),
    Column::new("SUMMARY", "summary", |c: &Change| Cell::text(&c.summary)).elastic(),
];

const ONE: &[Column<Change>] = &[
    Column::new("ID", "id", |c: &Change| Cell::text(&c.id)),
    Column::new("KIND", "kind", |c: &Change| Cell::text(&c.kind)),
    Column::new("SUMMARY", "summary", |c: &Change| Cell::text(&c.summary)),
    Column::new("STATUS", "status", |c: &Change| Cell::Toned(tone(&c.status), c.status.clone())),
    Column::new("STARTED", "started_at", |c: &Change| Cell::Time(c.started_at)),
    Column::new("READY", "ready_at", |c: &Change| Cell::Time(c.ready_at)),
    Column::new("ERROR", "error", |c: &Change| Cell::maybe(c.error.as_deref())),
];

/// How grave a status is.
fn tone(status: &str) -> Tone {
    match status {
        "Done" => Tone::Good,
        "Error" => Tone::Bad,
        "Hold" | "Undone" => Tone::Dim,
        _ => Tone::Warning,
    }
}

/// Prints a change; in a table, every task and its log below.
fn print(ctx: &Ctx, row: &At<Change>) -> Result<()> {
    ctx.out.one(row, ONE)?;
    if matches!(ctx.out.format(), Format::Table | Format::Wide) {
        for task in &row.value.tasks {
            let code = task.exit_code.map_or_else(String::new, |code| format!(", exit code {code}"));
            ctx.out.remote_line(&format!("task {}: {}: {}{code}", task.id, task.status, task.summary))?;
            for line in task.log.iter().flat_map(|entry| entry.lines()) {
                ctx.out.remote_line(&format!("  {line}"))?;
            }
        }
    }
    Ok(())
}

#[derive(Args, Debug)]
#[command(after_help = "\
Checks run as changes that last; --select in-progress lists those too.

Examples:
  esker svc change list
  esker svc change list web --kind start
  esker svc change list --select in-progress -o json")]
pub struct ListArgs {
    /// Only changes of this service
    #[arg(value_name = "SERVICE", add = complete::services())]
    service: Option<String>,
    /// Which: all, those that still run, those that came to an end
    #[arg(long, value_name = "WHICH", default_value = "all", value_parser = ["all", "in-progress", "ready"])]
    select: String,
    /// Only changes of this kind, such as start or exec
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    #[command(flatten)]
    list: Listing,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

// Which change.
#[derive(Args, Debug)]
pub struct WhichArgs {
    /// Id of the change
    #[arg(value_name = "ID", required_unless_present = "last", conflicts_with = "last", add = complete::changes())]
    id: Option<String>,
    /// The last change of this kind instead; with `?` at the end, none is success
    #[arg(long, value_name = "KIND[?]")]
    last: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc change show 12
  esker svc change show --last start
  esker svc change show --last 'restart?' -o json")]
pub struct ShowArgs {
    #[command(flatten)]
    which: WhichArgs,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Exit code 0 if the change succeeded, 1 if it failed, 9 if --timeout passed.

Examples:
  esker svc change wait 12 --timeout 1m
  esker svc change wait --last restart")]
pub struct WaitArgs {
    #[command(flatten)]
    which: WhichArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc change abort 12
  esker svc change abort --last start")]
pub struct AbortArgs {
    #[command(flatten)]
    which: WhichArgs,
}

fn of<'a>(target: &'a Target, asked: &str) -> Result<&'a dyn Changes> {
    capability(&*target.place, |p| p.changes(), Feature::Changes, asked)
}

/// Lists changes.
pub async fn list(ctx: &Ctx, args: ListArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Changes, "svc change list");
    let document = Document::Changes { service: args.service.clone() };
    if let Some(outcome) = args.verbatim.print(ctx, &needs, document).await? {
        return Ok(outcome);
    }
    let select = match args.select.as_str() {
        "in-progress" => Select::InProgress,
        "ready" => Select::Ready,
        _ => Select::All,
    };
    let service = args.service.as_deref();
    let gathered =
        ctx.read(&needs, |target| async move { of(&target, "svc change list")?.list(select, service).await }).await?;
    let (mut rows, gathered) = gathered.rows(|changes| changes);
    if let Some(kind) = &args.kind {
        rows.retain(|row| &row.value.kind == kind);
    }
    ctx.list(&rows, COLUMNS, &args.list.into(), gathered)
}

/// Shows a change.
pub async fn show(ctx: &Ctx, args: ShowArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Changes, "svc change show");
    if let (Some(_), Some(id)) = (args.verbatim.wanted(), &args.which.id)
        && let Some(outcome) = args.verbatim.print(ctx, &needs, Document::Change(id.clone())).await?
    {
        return Ok(outcome);
    }
    let which = &args.which;
    let gathered = ctx.read(&needs, |target| async move { which.find(&target).await }).await?;
    let (rows, gathered) = gathered.rows(|change| change.into_iter().collect::<Vec<_>>());
    match rows.as_slice() {
        [] if gathered.failed.is_empty() => ctx.out.note("no change of that kind"),
        [row] => match args.verbatim.wanted() {
            Some(_) => {
                let document = Document::Change(row.value.id.clone());
                args.verbatim.print(ctx, &needs, document).await?;
            }
            None => print(ctx, row)?,
        },
        rows => ctx.out.list(rows, COLUMNS, &crate::output::ListOptions::default())?,
    }
    gathered.finish()
}

impl WhichArgs {
    /// The change that is meant; `None` if there is none and that is fine.
    async fn find(&self, target: &Target) -> Result<Option<Change>> {
        let changes = of(target, "svc change")?;
        if let Some(id) = &self.id {
            return changes.get(&OperationId(id.clone())).await.map(Some);
        }
        let asked = self.last.as_deref().unwrap_or_default();
        let kind = asked.strip_suffix('?').unwrap_or(asked);
        let all = changes.list(Select::All, None).await?;
        match all.into_iter().rfind(|change| change.kind == kind) {
            None if !asked.ends_with('?') => {
                Err(Error::not_found(format!("no change of kind `{kind}` on `{}`", target.full))
                    .hint(format!("`--last '{kind}?'` accepts that there is none")))
            }
            found => Ok(found),
        }
    }
}

/// Waits for a change.
pub async fn wait(ctx: &Ctx, args: WaitArgs) -> anyhow::Result<Outcome> {
    let which = &args.which;
    let gathered = ctx
        .operate(&(Feature::Changes, "svc change wait"), |target| async move {
            let started = async {
                let Some(change) = which.find(&target).await? else { return Ok(None) };
                let id = OperationId(change.id);
                Ok(Some((of(&target, "svc change wait")?.wait(&id).await?, id)))
            };
            let Some((operation, id)) = bounded(started, ctx.settings.duration(Opt::Timeout)).await? else {
                return Ok(None);
            };
            let what = format!("wait for change {id}");
            match ctx.drive(&target, &what, "esker svc change wait", true, operation).await? {
                Driven::Done(_, change) => verdict(&target, change).map(Some),
                Driven::Left(_) => Ok(None),
            }
        })
        .await?;
    let (rows, gathered) = gathered.rows(|change| change.into_iter().collect::<Vec<_>>());
    for row in &rows {
        ctx.out.done(&format!("change {} on `{}` is {}", row.value.id, row.target, row.value.status));
    }
    if ctx.out.is_structured() {
        match rows.as_slice() {
            [row] => ctx.out.one(row, ONE)?,
            [] => {}
            rows => ctx.out.list(rows, COLUMNS, &crate::output::ListOptions::default())?,
        }
    }
    gathered.finish()
}

/// A change that failed is a failure, with everything its tasks logged.
fn verdict(target: &Target, change: Change) -> Result<Change> {
    let Some(why) = &change.error else { return Ok(change) };
    let log = change.tasks.iter().flat_map(|task| task.log.clone()).collect();
    let wire = Wire { message: Some(why.clone()), operation_id: Some(change.id.clone()), log, ..Wire::default() };
    Err(Error::failure(format!("change {} on `{}` failed: {}", change.id, target.full, change.summary)).wire(wire))
}

/// Aborts a change.
pub async fn abort(ctx: &Ctx, args: AbortArgs) -> anyhow::Result<Outcome> {
    let which = &args.which;
    let gathered = ctx
        .change(&(Feature::Changes, "svc change abort"), |target| async move {
            match which.find(&target).await? {
                Some(change) => of(&target, "svc change abort")?.abort(&OperationId(change.id)).await.map(Some),
                None => Ok(None),
            }
        })
        .await?;
    let (rows, gathered) = gathered.rows(|change| change.into_iter().collect::<Vec<_>>());
    for row in &rows {
        ctx.out.done(&format!("asked `{}` to abort change {}; it is {}", row.target, row.value.id, row.value.status));
    }
    if ctx.out.is_structured()
        && let [row] = rows.as_slice()
    {
        ctx.out.one(row, ONE)?;
    }
    gathered.finish()
}
