//! `vm policy`: what a machine's programs may reach and use.

use crate::cli::args::Listing;
use crate::cli::over::{Gathered, at};
use crate::cli::tree::{Node, group, talk};
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, NetworkRule, PrivilegesPolicy, ResourcesPolicy, Row};
use crate::output::{Cell, Column, human};
use crate::provider::Feature;
use crate::provider::feature::capability;
use crate::provider::policies::Policies;
use crate::resolve::Target;
use clap::Args;

/// The commands.
pub(super) static TREE: &[Node] = &[
    group!("network", "Domains that may be reached", NETWORK),
    group!("privileges", "What programs may do", PRIVILEGES),
    group!("resources", "How much memory there is", RESOURCES),
];

static NETWORK: &[Node] = &[
    talk!("list", NetworkListArgs, network_list, "List the rules").alias("ls"),
    talk!("set", NetworkSetArgs, network_set, "Replace all rules"),
    talk!("clear", ClearArgs, network_clear, "Remove all rules: everything may be reached"),
];

static PRIVILEGES: &[Node] = &[
    talk!("show", ShowArgs, privileges_show, "Show the policy"),
    talk!("set", PrivilegesSetArgs, privileges_set, "Replace the policy"),
    talk!("clear", ClearArgs, privileges_clear, "Go back to the provider's default"),
];

static RESOURCES: &[Node] = &[
    talk!("show", ShowArgs, resources_show, "Show the policy"),
    talk!("set", ResourcesSetArgs, resources_set, "Replace the policy"),
    talk!("clear", ClearArgs, resources_clear, "Go back to the provider's default"),
];

const RULES: &[Column<NetworkRule>] = &[
    Column::new("DOMAIN", "domain", |r: &NetworkRule| Cell::maybe(r.domain.as_deref())),
    Column::new("ACTION", "action", |r: &NetworkRule| Cell::maybe(r.action.as_deref())),
    Column::new("INCLUDE", "include", |r: &NetworkRule| Cell::maybe(r.include.as_deref())),
];

const PRIVILEGE: &[Column<PrivilegesPolicy>] = &[
    Column::new("PROFILE", "profile", |p: &PrivilegesPolicy| Cell::maybe(p.profile.as_deref())),
    Column::new("DEVICES", "devices", |p: &PrivilegesPolicy| Cell::List(p.devices.clone())),
    Column::new("NO NEW", "no_new_privileges", |p: &PrivilegesPolicy| Cell::yes_no(p.no_new_privileges)),
];

const RESOURCE: &[Column<ResourcesPolicy>] = &[
    Column::new("MEMORY", "memory_bytes", |p: &ResourcesPolicy| Cell::maybe(p.memory_bytes.map(human::size))),
    Column::new("GROWS", "memory_grows", |p: &ResourcesPolicy| p.memory_grows.map_or(Cell::Empty, Cell::yes_no)),
];

// The machines, as arguments or by --target.
#[derive(Args, Debug)]
pub struct MachineArgs {
    /// The machine: as with --target
    #[arg(value_name = "TARGET", add = complete::targets())]
    targets: Vec<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm policy network list sprites/dev
  esker vm policy network list sprites/dev -o json")]
pub struct NetworkListArgs {
    #[command(flatten)]
    machine: MachineArgs,
    #[command(flatten)]
    list: Listing,
}

#[derive(Args, Debug)]
#[command(after_help = "\
The rules given here take the place of all there are. An exact host counts more
than `*.DOMAIN`, and that more than `*`.

Examples:
  esker vm policy network set sprites/dev --allow '*.github.com' --deny '*'
  esker vm policy network set sprites/dev --include defaults --allow example.com")]
pub struct NetworkSetArgs {
    #[command(flatten)]
    machine: MachineArgs,
    /// Allow this domain; repeat it for several
    #[arg(long, value_name = "DOMAIN")]
    allow: Vec<String>,
    /// Deny this domain; repeat it for several
    #[arg(long, value_name = "DOMAIN")]
    deny: Vec<String>,
    /// Include a named set of the provider, such as `defaults`
    #[arg(long, value_name = "NAME")]
    include: Vec<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm policy privileges show sprites/dev
  esker vm policy resources show sprites/dev -o json")]
pub struct ShowArgs {
    #[command(flatten)]
    machine: MachineArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm policy network clear sprites/dev
  esker vm policy resources clear --target sprites/dev")]
pub struct ClearArgs {
    #[command(flatten)]
    machine: MachineArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm policy privileges set sprites/dev --profile minimal --no-new-privileges
  esker vm policy privileges set sprites/dev --profile standard --device /dev/fuse")]
pub struct PrivilegesSetArgs {
    #[command(flatten)]
    machine: MachineArgs,
    /// A named set of privileges: minimal, standard, privileged
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// A device that may be used; repeat it for several
    #[arg(long = "device", value_name = "PATH")]
    devices: Vec<String>,
    /// Programs gain no more privileges than they start with
    #[arg(long)]
    no_new_privileges: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm policy resources set sprites/dev --memory 8GiB
  esker vm policy resources set sprites/dev --memory 16GiB --grow true")]
pub struct ResourcesSetArgs {
    #[command(flatten)]
    machine: MachineArgs,
    /// The limit of its memory, such as 8GiB
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    memory: Option<u64>,
    /// Whether its memory grows by itself
    #[arg(long, value_name = "BOOL")]
    grow: Option<bool>,
}

fn memory(text: &str) -> Result<u64, String> {
    match human::parse_size(text).map_err(|error| error.to_string())? {
        0 => Err("no memory is not enough".to_owned()),
        bytes => Ok(bytes),
    }
}

const NEEDS: (Feature, &str) = (Feature::Policies, "vm policy");

fn policies(target: &Target) -> Result<&dyn Policies> {
    capability(&*target.place, |place| place.policies(), NEEDS.0, NEEDS.1)
}

/// Reads a policy at every machine.
async fn read<T>(
    ctx: &Ctx,
    machine: &MachineArgs,
    work: impl AsyncFn(&dyn Policies) -> Result<T>,
) -> Result<Gathered<T>> {
    let (targets, failed) = ctx.targets_of(ctx.patterns(&machine.targets)?, &NEEDS).await?;
    let work = &work;
    Ok(ctx.read_at(targets, failed, |target| async move { work(policies(&target)?).await }).await)
}

/// Changes a policy at every machine, and prints it as it is then.
async fn change<T: Row>(
    ctx: &Ctx,
    machine: &MachineArgs,
    done: &str,
    work: impl AsyncFn(&dyn Policies) -> Result<T>,
    columns: &[Column<T>],
) -> anyhow::Result<Outcome> {
    let (targets, failed) = ctx.targets_of(ctx.patterns(&machine.targets)?, &NEEDS).await?;
    let work = &work;
    let gathered = ctx.change_at(targets, failed, |target| async move { work(policies(&target)?).await }).await;
    for (target, _) in &gathered.done {
        ctx.out.done(&format!("{done} of `{}`", target.full));
    }
    if ctx.out.is_structured() { ctx.objects(gathered, columns) } else { gathered.finish() }
}

/// Lists the rules of what may be reached.
pub async fn network_list(ctx: &Ctx, args: NetworkListArgs) -> anyhow::Result<Outcome> {
    let gathered = read(ctx, &args.machine, async |policies| policies.network().await).await?;
    let (rows, gathered) = gathered.rows(|rules| rules);
    if rows.is_empty() && gathered.failed.is_empty() {
        ctx.out.note("no rules: everything may be reached");
    }
    ctx.list(&rows, RULES, &args.list.into(), gathered)
}

/// Replaces the rules of what may be reached.
pub async fn network_set(ctx: &Ctx, args: NetworkSetArgs) -> anyhow::Result<Outcome> {
    let rule = |domain: &String, action: &str| NetworkRule {
        domain: Some(domain.clone()),
        action: Some(action.to_owned()),
        include: None,
    };
    let include = |name: &String| NetworkRule { domain: None, action: None, include: Some(name.clone()) };
    let rules: Vec<NetworkRule> = args
        .include
        .iter()
        .map(include)
        .chain(args.allow.iter().map(|domain| rule(domain, "allow")))
        .chain(args.deny.iter().map(|domain| rule(domain, "deny")))
        .collect();
    if rules.is_empty() {
        return Err(Error::usage("no rule is given")
            .hint("`--allow`, `--deny` and `--include` make them; `vm policy network clear` removes all")
            .into());
    }
    if let Some(twice) = args.allow.iter().find(|domain| args.deny.contains(domain)) {
        return Err(Error::usage(format!("`{twice}` is both allowed and denied")).into());
    }
    replace_network(ctx, &args.machine, rules, "set the network policy").await
}

/// Removes the rules of what may be reached.
pub async fn network_clear(ctx: &Ctx, args: ClearArgs) -> anyhow::Result<Outcome> {
    replace_network(ctx, &args.machine, Vec::new(), "cleared the network policy").await
}

async fn replace_network(
    ctx: &Ctx,
    machine: &MachineArgs,
    rules: Vec<NetworkRule>,
    done: &str,
) -> anyhow::Result<Outcome> {
    let (targets, failed) = ctx.targets_of(ctx.patterns(&machine.targets)?, &NEEDS).await?;
    let rules = &rules;
    let gathered =
        ctx.change_at(targets, failed, |target| async move { policies(&target)?.set_network(rules).await }).await;
    let mut rows: Vec<At<NetworkRule>> = Vec::new();
    for (target, ()) in &gathered.done {
        ctx.out.done(&format!("{done} of `{}`", target.full));
        rows.extend(rules.iter().map(|rule| at(target, rule.clone())));
    }
    if ctx.out.is_structured() && !gathered.done.is_empty() {
        ctx.out.list(&rows, RULES, &crate::output::ListOptions::default())?;
    }
    gathered.finish()
}

/// Shows what programs may do.
pub async fn privileges_show(ctx: &Ctx, args: ShowArgs) -> anyhow::Result<Outcome> {
    let gathered = read(ctx, &args.machine, async |policies| policies.privileges().await).await?;
    ctx.objects(gathered, PRIVILEGE)
}

/// Replaces what programs may do.
pub async fn privileges_set(ctx: &Ctx, args: PrivilegesSetArgs) -> anyhow::Result<Outcome> {
    let policy =
        PrivilegesPolicy { profile: args.profile, devices: args.devices, no_new_privileges: args.no_new_privileges };
    if policy == PrivilegesPolicy::default() {
        return Err(nothing("--profile, --device or --no-new-privileges"));
    }
    let work = async |policies: &dyn Policies| {
        policies.set_privileges(Some(&policy)).await?;
        Ok(policy.clone())
    };
    change(ctx, &args.machine, "set the privileges policy", work, PRIVILEGE).await
}

/// Goes back to the default of what programs may do.
pub async fn privileges_clear(ctx: &Ctx, args: ClearArgs) -> anyhow::Result<Outcome> {
    let work = async |policies: &dyn Policies| {
        policies.set_privileges(None).await?;
        policies.privileges().await
    };
    change(ctx, &args.machine, "cleared the privileges policy", work, PRIVILEGE).await
}

/// Shows how much there is.
pub async fn resources_show(ctx: &Ctx, args: ShowArgs) -> anyhow::Result<Outcome> {
    let gathered = read(ctx, &args.machine, async |policies| policies.resources().await).await?;
    ctx.objects(gathered, RESOURCE)
}

/// Replaces how much there is.
pub async fn resources_set(ctx: &Ctx, args: ResourcesSetArgs) -> anyhow::Result<Outcome> {
    let policy = ResourcesPolicy { memory_bytes: args.memory, memory_grows: args.grow };
    if policy == ResourcesPolicy::default() {
        return Err(nothing("--memory or --grow"));
    }
    let work = async |policies: &dyn Policies| {
        policies.set_resources(Some(&policy)).await?;
        Ok(policy.clone())
    };
    change(ctx, &args.machine, "set the resources policy", work, RESOURCE).await
}

/// Goes back to the default of how much there is.
pub async fn resources_clear(ctx: &Ctx, args: ClearArgs) -> anyhow::Result<Outcome> {
    let work = async |policies: &dyn Policies| {
        policies.set_resources(None).await?;
        policies.resources().await
    };
    change(ctx, &args.machine, "cleared the resources policy", work, RESOURCE).await
}

fn nothing(flags: &str) -> anyhow::Error {
    Error::usage("nothing is to be set").hint(format!("say it with {flags}")).into()
}
