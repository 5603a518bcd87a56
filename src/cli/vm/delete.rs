//! `vm delete`

use super::{MachineArgs, MachineWaitArgs};
use crate::cli::Outcome;
use crate::cli::drive::Driven;
use crate::cli::over::{at, finish};
use crate::context::Ctx;
use crate::model::Changed;
use crate::output::{Cell, Column, Danger, ListOptions};
use crate::provider::machines::Power;
use crate::provider::{Feature, Need};
use crate::resolve::Target;
use clap::Args;

const COLUMNS: &[Column<Changed>] = &[
    Column::new("NAME", "name", |c: &Changed| Cell::text(&c.name)),
    Column::new("ACTION", "action", |c: &Changed| Cell::text(&c.action)),
    Column::new("CHANGED", "changed", |c: &Changed| Cell::yes_no(c.changed)),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Asks for the name of what is lost: files, checkpoints and all. In a script,
--confirm names each machine, or --confirm-count says how many there are.

Examples:
  esker vm delete sprites/dev
  esker vm delete sprites/dev --confirm sprites/dev
  esker vm delete 'sprites/ci-*' --confirm-count 3
  esker vm delete lab/web01 --force --confirm lab/web01")]
pub struct VmDeleteArgs {
    #[command(flatten)]
    which: MachineArgs,
    /// Stop it at once, before, if it runs
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

/// Deletes machines, once somebody confirmed that.
pub async fn run(ctx: &Ctx, args: VmDeleteArgs) -> anyhow::Result<Outcome> {
    let asked = "vm delete";
    let mut needs = vec![Need::new(Feature::Machines, asked)];
    if args.force {
        needs.push(Need::new(Feature::MachinesPower, "vm delete --force"));
    }
    let (targets, mut failed) = args.which.named(ctx, asked, &needs).await?;
    let action = match targets.as_slice() {
        [] => return finish(failed, 0),
        [target] => format!("delete {}", super::called(target)),
        targets => format!("delete {} machines", targets.len()),
    };
    let names = targets.iter().map(|target| target.full.clone()).collect();
    ctx.confirm(Danger::Severe { action, names }).await?;
    let alone = targets.len() + failed.len() == 1;
    let wait = !args.wait.no_wait;
    let work = |target: Target| async move {
        let which = super::which(&target, asked)?;
        let machines = super::machines(&target, asked)?;
        let gone = async {
            if args.force {
                machines.power(&which, Power::Kill).await?.wait().await?;
            }
            machines.delete(&which).await
        };
        super::drive(ctx, &target, "delete", wait, gone).await
    };
    let gathered = ctx.operate_at(targets, std::mem::take(&mut failed), work).await;
    let finished = gathered.done.len();
    let mut rows = Vec::new();
    for (target, driven) in gathered.done {
        match driven {
            Driven::Left(id) => ctx.left(&target, id)?,
            Driven::Done(id, ()) => {
                ctx.out.done(&format!("deleted {}", super::called(&target)));
                let name = target.address.name.as_ref().map_or_else(String::new, |name| name.0.clone());
                let changed = Changed {
                    name,
                    action: "delete".to_owned(),
                    changed: true,
                    state: None,
                    operation_id: id.map(|id| id.0),
                };
                rows.push(at(&target, changed));
            }
        }
    }
    if ctx.out.is_structured() {
        match rows.as_slice() {
            [row] if alone => ctx.out.one(row, COLUMNS)?,
            [] => {}
            rows => ctx.out.list(rows, COLUMNS, &ListOptions::default())?,
        }
    }
    finish(gathered.failed, finished)
}
