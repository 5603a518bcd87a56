//! `vm hibernate`, `migrate`, `clone`, `tag`, `untag`: what only some systems can do to a machine.

use super::{MachineArgs, MachineWaitArgs};
use crate::cli::Outcome;
use crate::cli::args::key_value;
use crate::context::Ctx;
use crate::provider::machines::Deed;
use crate::resolve::Target;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
The guest must be able to do it. `esker vm start` wakes it up again.

Examples:
  esker vm hibernate lab/web01
  esker vm hibernate 'lab/ci-*'")]
pub struct VmHibernateArgs {
    #[command(flatten)]
    which: MachineArgs,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
It keeps running. Waits until it runs elsewhere.

Examples:
  esker vm migrate lab/web01
  esker vm migrate lab/web01 --to node2")]
pub struct VmMigrateArgs {
    #[command(flatten)]
    which: MachineArgs,
    /// The host it moves to, by name or key; by default the one with the least load
    #[arg(long, value_name = "NODE")]
    to: Option<String>,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
The copy is stopped. --set names what the provider knows beside that.

Examples:
  esker vm clone lab/web01 --name web02
  esker vm clone lab/web01 --name web02 --set preserve_macs=true")]
pub struct VmCloneArgs {
    #[command(flatten)]
    which: MachineArgs,
    /// The name of the copy
    #[arg(long, value_name = "NAME")]
    name: String,
    /// A parameter that only this provider has; repeat it for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
A tag of several categories is written CATEGORY/TAG. One that it bears already,
or no more, is success.

Examples:
  esker vm tag lab/web01 --tag production
  esker vm untag lab/web01 --tag env/test")]
pub struct VmTagArgs {
    #[command(flatten)]
    which: MachineArgs,
    /// The tag, by name or key
    #[arg(long, value_name = "TAG")]
    tag: String,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

/// Hibernates machines.
pub async fn hibernate(ctx: &Ctx, args: VmHibernateArgs) -> anyhow::Result<Outcome> {
    deed(ctx, &args.which, &args.wait, "hibernate", "hibernated", Deed::Hibernate).await
}

/// Moves machines to other hosts.
pub async fn migrate(ctx: &Ctx, args: VmMigrateArgs) -> anyhow::Result<Outcome> {
    deed(ctx, &args.which, &args.wait, "migrate", "migrated", Deed::Migrate(args.to)).await
}

/// Copies machines.
pub async fn copy(ctx: &Ctx, args: VmCloneArgs) -> anyhow::Result<Outcome> {
    let copy = Deed::Clone { name: args.name, fields: args.set };
    deed(ctx, &args.which, &args.wait, "clone", "cloned", copy).await
}

/// Puts a tag on machines.
pub async fn tag(ctx: &Ctx, args: VmTagArgs) -> anyhow::Result<Outcome> {
    deed(ctx, &args.which, &args.wait, "tag", "tagged", Deed::Tag(args.tag)).await
}

/// Takes a tag from machines.
pub async fn untag(ctx: &Ctx, args: VmTagArgs) -> anyhow::Result<Outcome> {
    deed(ctx, &args.which, &args.wait, "untag", "untagged", Deed::Untag(args.tag)).await
}

async fn deed(
    ctx: &Ctx,
    which: &MachineArgs,
    wait: &MachineWaitArgs,
    verb: &str,
    done: &str,
    deed: Deed,
) -> anyhow::Result<Outcome> {
    let (feature, asked) = deed.feature();
    let (targets, failed) = which.machines(ctx, asked, &(feature, asked)).await?;
    let (wait, deed) = (!wait.no_wait, &deed);
    let work = |target: Target| async move {
        let which = super::which(&target, asked)?;
        let begun = super::machines(&target, asked)?.act(&which, deed.clone());
        super::drive(ctx, &target, verb, wait, begun).await
    };
    let gathered = ctx.operate_at(targets, failed, work).await;
    super::tell(ctx, verb, done, gathered)
}
