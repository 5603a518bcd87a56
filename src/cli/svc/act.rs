//! `svc start`, `stop`, `restart`, `replan` and `autostart`: one operation each, waited for.

use crate::cli::drive::Driven;
use crate::cli::over::at;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::fanout::bounded;
use crate::model::{At, Changed, OperationId};
use crate::operation::Item;
use crate::output::{Cell, Column, Format, ListOptions};
use crate::provider::feature::capability;
use crate::provider::services::{Acted, Action};
use crate::provider::{Feature, Need};
use crate::resolve::Target;
use crate::settings::Opt;
use clap::Args;

/// The columns of what was changed.
pub(super) const COLUMNS: &[Column<Changed>] = &[
    Column::new("NAME", "name", |c: &Changed| Cell::text(&c.name)),
    Column::new("ACTION", "action", |c: &Changed| Cell::text(&c.action)),
    Column::new("CHANGED", "changed", |c: &Changed| Cell::yes_no(c.changed)),
    Column::new("STATE", "state", |c: &Changed| Cell::state(c.state.as_deref().unwrap_or("-"))),
    Column::new("OPERATION", "operation_id", |c: &Changed| Cell::maybe(c.operation_id.as_deref())),
];

// Whether it is waited for.
#[derive(Args, Debug)]
pub struct WaitArgs {
    /// Print the id of the change and do not wait for it
    #[arg(long)]
    no_wait: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Waits until the change is through. If a service fails to start, its own last
output and the reason are printed. Ctrl-C stops waiting, not the change.

Examples:
  esker svc start web worker
  esker svc restart web --target 'prod-*'
  esker svc stop web --no-wait")]
pub struct NamedArgs {
    /// Services to act on
    #[arg(value_name = "NAME", required = true, add = complete::services())]
    names: Vec<String>,
    #[command(flatten)]
    wait: WaitArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker svc replan
  esker svc replan --no-wait
  esker svc autostart --timeout 1m")]
pub struct WholeArgs {
    #[command(flatten)]
    wait: WaitArgs,
}

/// Starts services and what they require.
pub async fn start(ctx: &Ctx, args: NamedArgs) -> anyhow::Result<Outcome> {
    run(ctx, Action::Start, &args.names, &args.wait).await
}

/// Stops services and what requires them.
pub async fn stop(ctx: &Ctx, args: NamedArgs) -> anyhow::Result<Outcome> {
    run(ctx, Action::Stop, &args.names, &args.wait).await
}

/// Restarts services.
pub async fn restart(ctx: &Ctx, args: NamedArgs) -> anyhow::Result<Outcome> {
    run(ctx, Action::Restart, &args.names, &args.wait).await
}

/// Applies the configuration in force.
pub async fn replan(ctx: &Ctx, args: WholeArgs) -> anyhow::Result<Outcome> {
    run(ctx, Action::Replan, &[], &args.wait).await
}

/// Starts everything that is enabled.
pub async fn autostart(ctx: &Ctx, args: WholeArgs) -> anyhow::Result<Outcome> {
    run(ctx, Action::Autostart, &[], &args.wait).await
}

async fn run(ctx: &Ctx, action: Action, names: &[String], wait: &WaitArgs) -> anyhow::Result<Outcome> {
    let asked = format!("svc {}", action.verb());
    let mut needs = vec![Need::new(Feature::Services, &asked)];
    if matches!(action, Action::Replan | Action::Autostart) {
        needs.push(Need::new(Feature::ServicesReplan, &asked));
    }
    let gathered = ctx.operate(&needs, |target| act(ctx, target, action, names, !wait.no_wait)).await?;
    let alone = names.len() == 1 && gathered.done.len() + gathered.failed.len() == 1;
    let mut rows = Vec::new();
    let mut failed = gathered.failed;
    let mut without_rows = 0;
    for (target, driven) in gathered.done {
        match driven {
            Driven::Left(id) => {
                without_rows += 1;
                left(ctx, &target, id)?;
            }
            Driven::Done(id, items) => {
                without_rows += usize::from(items.is_empty());
                tell(ctx, &target, action, id.as_ref(), items, &mut rows, &mut failed);
            }
        }
    }
    let done = rows.len() + without_rows;
    if !wait.no_wait {
        print(ctx, &rows, alone)?;
    }
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("services", failed, done).into()) }
}

async fn act(
    ctx: &Ctx,
    target: Target,
    action: Action,
    names: &[String],
    wait: bool,
) -> Result<Driven<Vec<Item<Acted>>>> {
    let what = match names {
        [] => format!("{} `{}`", action.verb(), target.full),
        names => format!("{} {}", action.verb(), names.join(", ")),
    };
    let services = capability(&*target.place, |p| p.services(), Feature::Services, action.verb())?;
    let operation = bounded(services.act(action, names), ctx.settings.duration(Opt::Timeout)).await?;
    ctx.drive(&target, &what, "esker svc change wait", wait, operation).await
}

/// Prints what was changed where a document is wanted: what was asked for alone as an object, several as an array
/// (ux 4.9).
pub(super) fn print(ctx: &Ctx, rows: &[At<Changed>], alone: bool) -> Result<()> {
    match rows {
        _ if !ctx.out.is_structured() => Ok(()),
        [row] if alone => ctx.out.one(row, COLUMNS),
        [] if alone => Ok(()),
        rows => ctx.out.list(rows, COLUMNS, &ListOptions::default()),
    }
}

/// What is left running: its id, or the target where the system has no ids (ux 6.1).
pub(super) fn left(ctx: &Ctx, target: &Target, id: Option<OperationId>) -> Result<()> {
    #[derive(serde::Serialize)]
    struct Left {
        operation_id: Option<String>,
    }
    if ctx.out.format() != Format::Table && ctx.out.is_structured() {
        return ctx.out.value(&at(target, Left { operation_id: id.map(|id| id.0) }));
    }
    ctx.out.line(&id.map_or_else(|| target.full.clone(), |id| id.0))
}

/// Says what became of each service, and sorts it into rows and failures.
fn tell(
    ctx: &Ctx,
    target: &Target,
    action: Action,
    id: Option<&OperationId>,
    items: Vec<Item<Acted>>,
    rows: &mut Vec<At<Changed>>,
    failed: &mut Vec<Error>,
) {
    if items.is_empty() {
        ctx.out.done(&format!("nothing to {} on `{}`", action.verb(), target.full));
    }
    for item in items {
        match item.outcome {
            Ok(acted) => {
                let state = acted.service.map(|service| service.state);
                let verb = if acted.changed { action.done().to_owned() } else { already(action, state.as_deref()) };
                ctx.out.done(&format!("{verb} `{}` on `{}`", item.name, target.full));
                rows.push(at(
                    target,
                    Changed {
                        name: item.name,
                        action: action.verb().to_owned(),
                        changed: acted.changed,
                        state,
                        operation_id: id.map(|id| id.0.clone()),
                    },
                ));
            }
            Err(error) => failed.push(error.at(target.provider.driver().id, &*target.full)),
        }
    }
}

/// What became of one thing that a command acts on, where there is neither a state nor an operation to name.
pub(super) fn changed(target: &Target, name: &str, action: &str, changed: bool) -> At<Changed> {
    at(target, Changed { name: name.to_owned(), action: action.to_owned(), changed, state: None, operation_id: None })
}

/// Nothing to do is success, and says so (ux 4.9).
fn already(action: Action, state: Option<&str>) -> String {
    match state {
        Some(state) => format!("nothing to {}, already {state}:", action.verb()),
        None => format!("nothing to {}:", action.verb()),
    }
}
