//! `vm`: sandboxes, containers and virtual machines.

pub mod act;
mod batch;
pub mod columns;
pub mod console;
pub mod create;
pub mod deed;
pub mod delete;
pub mod health;
pub mod list;
pub mod policy;
pub mod ports;
pub mod power;
pub mod proxy;
pub mod record;
pub mod resize;
pub mod resource;
pub mod show;
pub mod snippet;
pub mod stats;
pub mod template;
pub mod update;
pub mod url;
pub mod wait;
pub mod watch;

use super::complete;
use super::drive::Driven;
use super::over::{Gathered, at};
use super::tree::{Node, group, talk};
use super::{Outcome, over};
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::fanout::bounded;
use crate::model::{Machine, MachineDone};
use crate::operation::Operation;
use crate::provider::feature::{misplaced, unsupported};
use crate::provider::machines::{Machines, Selector};
use crate::provider::{Feature, Needs, Scope};
use crate::resolve::Target;
use crate::settings::Opt;
use clap::Args;

/// The commands.
pub(super) static TREE: &[Node] = &[
    talk!("list", list::VmListArgs, list::run, "List machines of every endpoint that has some").alias("ls"),
    talk!("show", show::VmShowArgs, show::run, "Show a machine with all that is known of it"),
    talk!("create", create::VmCreateArgs, create::run, "Make machines, and wait until they can be used"),
    talk!("update", update::VmUpdateArgs, update::run, "Change machines: labels, access and more"),
    talk!("delete", delete::VmDeleteArgs, delete::run, "Delete machines with all that is in them").alias("rm"),
    talk!("apply", template::VmApplyArgs, template::apply, "Make machines so as files describe them"),
    talk!("export-template", template::VmExportArgs, template::export, "Write a machine down as a file"),
    talk!("wait", wait::VmWaitArgs, wait::run, "Wait until machines are in a state"),
    talk!("start", power::VmStartArgs, power::start, "Start machines"),
    talk!("stop", power::VmStopArgs, power::stop, "Stop machines"),
    talk!("restart", power::VmRestartArgs, power::restart, "Restart machines"),
    talk!("reset", power::VmResetArgs, power::reset, "Restart machines at once"),
    talk!("hibernate", deed::VmHibernateArgs, deed::hibernate, "Save the memory of machines and stop them"),
    talk!("migrate", deed::VmMigrateArgs, deed::migrate, "Move machines to another host while they run"),
    talk!("clone", deed::VmCloneArgs, deed::copy, "Copy a machine"),
    talk!("tag", deed::VmTagArgs, deed::tag, "Put a tag on machines"),
    talk!("untag", deed::VmTagArgs, deed::untag, "Take a tag from machines"),
    talk!("console", console::VmConsoleArgs, console::run, "Print where a machine's console can be reached"),
    talk!("upgrade", act::VmUpgradeArgs, act::upgrade, "Upgrade what machines run on"),
    talk!("resize", resize::VmResizeArgs, resize::run, "Give machines more or less"),
    talk!("stats", stats::VmStatsArgs, stats::run, "Say how busy machines are"),
    talk!("url", url::VmUrlArgs, url::run, "Print a machine's address, or change who may use it"),
    talk!("health", health::VmHealthArgs, health::run, "Say whether machines can be used, also by exit code"),
    talk!("proxy", proxy::ProxyArgs, proxy::run, "Reach ports in a machine by ports of this one"),
    talk!("ports", ports::PortsArgs, ports::run, "List ports that are open in a machine"),
    group!("snippet", "Small scripts that an account keeps", snippet::TREE),
    group!("record", "Recordings of terminals", record::TREE),
    group!("policy", "What a machine's programs may reach and use", policy::TREE),
    resource::nouns::DRIVE,
    resource::nouns::NIC,
    resource::nouns::DEVICE,
    resource::nouns::NETWORK,
    resource::nouns::RULE,
    resource::nouns::TENANT,
    resource::nouns::USER,
    resource::nouns::GROUP,
    resource::nouns::TASK,
    resource::nouns::NODE,
    resource::nouns::CLUSTER,
    resource::nouns::NAS,
    resource::nouns::RECIPE,
    resource::nouns::ALARM,
    resource::nouns::LOG,
    resource::RESOURCE,
];

// The machines that a command acts on.
#[derive(Args, Clone, Debug)]
pub struct MachineArgs {
    /// Machines: ENDPOINT/NAME, a short name or a glob; as with --target
    #[arg(value_name = "TARGET", add = complete::machines())]
    targets: Vec<String>,
}

// Whether it is waited for.
#[derive(Args, Clone, Debug)]
pub struct MachineWaitArgs {
    /// Do not wait until it can be used; print the target, or the id of the operation
    #[arg(long)]
    no_wait: bool,
}

impl MachineArgs {
    /// The machines. Every one has a name: an endpoint alone is none.
    async fn machines(&self, ctx: &Ctx, asked: &str, needs: &dyn Needs) -> Result<(Vec<Target>, Vec<Error>)> {
        let (targets, failed) = ctx.acted_on(&self.targets, needs).await?;
        targets.iter().try_for_each(|target| which(target, asked).map(drop))?;
        Ok((targets, failed))
    }

    /// The same for what is not done to a default target: it must have been named.
    async fn named(&self, ctx: &Ctx, asked: &str, needs: &dyn Needs) -> Result<(Vec<Target>, Vec<Error>)> {
        use crate::config::Origin;
        let by_flag = matches!(ctx.settings.origin(Opt::Target), Origin::Flag(_)) || ctx.settings.on(Opt::All);
        if self.targets.is_empty() && !by_flag {
            return Err(Error::usage(format!("`{asked}` needs the name of a machine"))
                .hint(format!("name it: esker {asked} ENDPOINT/NAME")));
        }
        self.machines(ctx, asked, needs).await
    }
}

/// The machines of a target's endpoint.
pub(in crate::cli) fn machines<'a>(target: &'a Target, asked: &str) -> Result<&'a dyn Machines> {
    target.provider.machines().ok_or_else(|| unsupported(target.provider.driver(), Feature::Machines, asked))
}

/// Which machine a target is.
fn which(target: &Target, asked: &str) -> Result<Selector> {
    match &target.address.name {
        Some(name) => Ok(Selector::Auto(name.0.clone())),
        None => {
            let refusal = misplaced(target.provider.driver(), Scope::Instance, asked);
            Err(refusal.at(target.provider.driver().id, &*target.full))
        }
    }
}

/// How a machine is called in sentences: "sandbox `sprites/dev`".
pub(in crate::cli) fn called(target: &Target) -> String {
    format!("{} `{}`", target.provider.driver().place.unwrap_or("machine"), target.full)
}

/// Waits for what was begun at a machine, within `--timeout` from its beginning on.
pub(in crate::cli) async fn drive<T: Send + 'static>(
    ctx: &Ctx,
    target: &Target,
    verb: &str,
    wait: bool,
    begun: impl Future<Output = Result<Operation<T>>>,
) -> Result<Driven<T>> {
    let what = format!("{verb} {}", called(target));
    let operation = bounded(begun, ctx.settings.duration(Opt::Timeout)).await?;
    let resume = format!("esker vm health {}", target.full);
    ctx.drive(target, &what, &resume, wait, operation).await.map_err(|error| match error.kind() {
        ErrorKind::Timeout | ErrorKind::Interrupted => error.hint(format!("it goes on; see `{resume}`")),
        _ => error,
    })
}

/// Tells what became of each machine, and prints it where a document is wanted: one alone as an object (ux 4.9).
fn tell(ctx: &Ctx, verb: &str, done: &str, gathered: Gathered<Driven<Machine>>) -> anyhow::Result<Outcome> {
    let alone = gathered.done.len() + gathered.failed.len() == 1;
    let mut rows = Vec::new();
    let finished = gathered.done.len();
    for (target, driven) in gathered.done {
        match driven {
            Driven::Left(id) => ctx.left(&target, id)?,
            Driven::Done(id, machine) => {
                let url = machine.url.as_deref().filter(|_| verb == "create");
                let url = url.map(|url| format!(": {url}")).unwrap_or_default();
                ctx.out.done(&format!("{done} {}{url}", called(&target)));
                let operation_id = id.map(|id| id.0);
                rows.push(at(&target, MachineDone { action: verb.to_owned(), operation_id, machine }));
            }
        }
    }
    if ctx.out.is_structured() {
        match rows.as_slice() {
            [row] if alone => ctx.out.one(row, columns::DONE)?,
            [] => {}
            rows => ctx.out.list(rows, columns::DONE, &crate::output::ListOptions::default())?,
        }
    }
    over::finish(gathered.failed, finished)
}
