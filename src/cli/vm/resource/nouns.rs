//! The nouns that stand for tables where people live: `vm network`, `vm tenant`, `vm drive`, …

use super::args::{AnyRowsArgs, FieldArgs, FieldsArgs, NamedRowsArgs, OfArgs, RowsArgs, WaitArgs};
use super::{Which, change, list, show};
use crate::cli::Outcome;
use crate::cli::tree::{Node, Run, group, read};
use crate::context::Ctx;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm network list --target lab
  esker vm network list --filter \"type eq 'internal'\" --sort name:desc --limit 5
  esker vm network list --field name --field 'machine#status#status as state'")]
pub struct NounListArgs {
    #[command(flatten)]
    of: OfArgs,
    #[command(flatten)]
    rows: RowsArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm network show Internal --target lab
  esker vm network show 5 --by-key -o json | jq .fields")]
pub struct NounShowArgs {
    #[command(flatten)]
    which: NamedRowsArgs,
    #[command(flatten)]
    of: OfArgs,
    #[command(flatten)]
    fields: FieldArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
`esker vm resource schema TABLE` shows the fields. Sizes take units, and what is
a row of another table is named: --set vnet=Internal.

Examples:
  esker vm network create Internal --set type=internal --set network=10.0.0.0/24
  esker vm drive create data --target lab/web01 --set disksize=20GiB
  esker vm user create ci --set-file password=./secret")]
pub struct NounCreateArgs {
    #[command(flatten)]
    which: AnyRowsArgs,
    #[command(flatten)]
    of: OfArgs,
    #[command(flatten)]
    fields: FieldsArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
What is not named stays as it is. What the system did not take is warned about.

Examples:
  esker vm network update Internal --set description='for tests'
  esker vm drive update data --target lab/web01 --set disksize=40GiB")]
pub struct NounUpdateArgs {
    #[command(flatten)]
    which: NamedRowsArgs,
    #[command(flatten)]
    of: OfArgs,
    #[command(flatten)]
    fields: FieldsArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Asks before it does so; --yes, or for what much goes with --confirm NAME, is the
answer in a script.

Examples:
  esker vm rule delete web --of Internal --yes
  esker vm tenant delete acme --confirm acme")]
pub struct NounDeleteArgs {
    #[command(flatten)]
    which: NamedRowsArgs,
    #[command(flatten)]
    of: OfArgs,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Parameters are fields: --set NAME=VALUE. Waits until it has come to its end.

Examples:
  esker vm network start Internal --target lab
  esker vm tenant clone acme --set name=acme-2")]
pub struct NounActArgs {
    #[command(flatten)]
    which: AnyRowsArgs,
    #[command(flatten)]
    of: OfArgs,
    #[command(flatten)]
    fields: FieldsArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

async fn run_list(ctx: &Ctx, noun: &'static str, args: NounListArgs) -> anyhow::Result<Outcome> {
    list::run(ctx, &Which::Noun(noun), args.of, args.rows).await
}

async fn run_show(ctx: &Ctx, noun: &'static str, args: NounShowArgs) -> anyhow::Result<Outcome> {
    show::run(ctx, &Which::Noun(noun), args.of, args.which.into(), args.fields.field).await
}

async fn run_create(ctx: &Ctx, noun: &'static str, args: NounCreateArgs) -> anyhow::Result<Outcome> {
    change::create(ctx, &Which::Noun(noun), args.of, args.which, args.fields, args.wait).await
}

async fn run_update(ctx: &Ctx, noun: &'static str, args: NounUpdateArgs) -> anyhow::Result<Outcome> {
    change::update(ctx, &Which::Noun(noun), args.of, args.which.into(), args.fields, args.wait).await
}

async fn run_delete(ctx: &Ctx, noun: &'static str, args: NounDeleteArgs) -> anyhow::Result<Outcome> {
    change::delete(ctx, &Which::Noun(noun), args.of, args.which.into()).await
}

async fn run_act(ctx: &Ctx, noun: &'static str, verb: &'static str, args: NounActArgs) -> anyhow::Result<Outcome> {
    change::act(ctx, &Which::Noun(noun), verb, args.of, args.which, args.fields, args.wait).await
}

/// A command of a noun: a plain function knows its noun by being written out.
macro_rules! leaf {
    ($verb:literal, $about:expr, $args:ty, |$ctx:ident, $read:ident| $call:expr) => {
        Node::leaf(
            $verb,
            $about,
            <$args as Args>::augment_args,
            Run::Talk(|$ctx, matches| {
                Box::pin(async move {
                    let $read = read::<$args>(matches)?;
                    $call.await
                })
            }),
        )
    };
}

/// A noun: its name, what several and one of it are called, how much can be changed, and its actions.
macro_rules! noun {
    ($noun:literal, $many:literal, $one:literal, $about:literal, [$($verb:literal: $what:literal),*]) => {
        group!($noun, $about, {
            const CHILDREN: &[Node] = &[
                leaf!("list", concat!("List ", $many), NounListArgs, |ctx, args| run_list(ctx, $noun, args)).alias("ls"),
                leaf!("show", concat!("Show a ", $one, " with all that is known of it"), NounShowArgs, |ctx, args| run_show(ctx, $noun, args)),
                leaf!("create", concat!("Make a ", $one), NounCreateArgs, |ctx, args| run_create(ctx, $noun, args)),
                leaf!("update", concat!("Change ", $many), NounUpdateArgs, |ctx, args| run_update(ctx, $noun, args)),
                leaf!("delete", concat!("Delete ", $many), NounDeleteArgs, |ctx, args| run_delete(ctx, $noun, args)).alias("rm"),
                $(leaf!($verb, $what, NounActArgs, |ctx, args| run_act(ctx, $noun, $verb, args)),)*
            ];
            CHILDREN
        })
    };
    ($noun:literal, $many:literal, $one:literal, $about:literal, read only [$($verb:literal: $what:literal),*]) => {
        group!($noun, $about, {
            const CHILDREN: &[Node] = &[
                leaf!("list", concat!("List ", $many), NounListArgs, |ctx, args| run_list(ctx, $noun, args)).alias("ls"),
                leaf!("show", concat!("Show a ", $one, " with all that is known of it"), NounShowArgs, |ctx, args| run_show(ctx, $noun, args)),
                $(leaf!($verb, $what, NounActArgs, |ctx, args| run_act(ctx, $noun, $verb, args)),)*
            ];
            CHILDREN
        })
    };
}

/// `vm drive`.
pub(in crate::cli::vm) const DRIVE: Node = noun!("drive", "drives of machines", "drive", "Drives of machines", ["apply-universal-vars": "Apply universal variables to a drive"]);

/// `vm nic`.
pub(in crate::cli::vm) const NIC: Node =
    noun!("nic", "network cards of machines", "network card", "Network cards of machines", []);

/// `vm device`.
pub(in crate::cli::vm) const DEVICE: Node =
    noun!("device", "devices passed to machines", "device", "Devices passed to machines", []);

/// `vm network`.
pub(in crate::cli::vm) const NETWORK: Node = noun!(
    "network", "networks", "network", "Networks",
    [
        "start": "Start networks", "stop": "Stop networks", "kill": "Stop networks at once",
        "restart": "Restart networks, and wait until they run again",
        "apply-rules": "Put changed firewall rules into force", "apply-dns": "Put changed DNS records into force",
        "clear-statistics": "Set counters to zero"
    ]
);

/// `vm rule`.
pub(in crate::cli::vm) const RULE: Node = noun!(
    "rule", "firewall rules of networks", "firewall rule", "Firewall rules of networks",
    ["enable": "Enable rules", "disable": "Disable rules"]
);

/// `vm tenant`.
pub(in crate::cli::vm) const TENANT: Node = noun!(
    "tenant", "tenants", "tenant", "Tenants",
    [
        "start": "Start tenants", "stop": "Stop tenants", "reset": "Restart tenants at once",
        "clone": "Make a copy of a tenant", "isolate": "Cut tenants off from the network",
        "unisolate": "Connect tenants to the network again", "send-file": "Give tenants a file of the catalog",
        "restore": "Go back to a snapshot"
    ]
);

/// `vm user`.
pub(in crate::cli::vm) const USER: Node = noun!(
    "user", "users", "user", "Users",
    ["enable": "Let users sign in", "disable": "Keep users from signing in", "unlock": "Lift the lock after failed logins"]
);

/// `vm group`.
pub(in crate::cli::vm) const GROUP: Node = noun!("group", "groups of users", "group", "Groups of users", ["enable": "Enable groups", "disable": "Disable groups"]);

/// `vm task`.
pub(in crate::cli::vm) const TASK: Node = noun!(
    "task", "tasks", "task", "Automation: what is done on a schedule or event",
    ["run": "Run tasks now, and wait for their end", "cancel": "Stop tasks", "enable": "Enable tasks", "disable": "Disable tasks"]
);

/// `vm node`.
pub(in crate::cli::vm) const NODE: Node = noun!(
    "node", "nodes", "node", "The machines that everything runs on",
    [
        "maintenance": "Move everything away from nodes", "leave-maintenance": "Let nodes work again",
        "restart": "Move everything away from nodes and restart them", "start": "Power nodes on",
        "stop": "Power nodes off", "refresh": "Read the state of nodes anew"
    ]
);

/// `vm cluster`.
pub(in crate::cli::vm) const CLUSTER: Node = noun!(
    "cluster", "clusters", "cluster", "Clusters of nodes",
    ["enable": "Enable clusters", "disable": "Disable clusters", "shutdown": "Shut all nodes of clusters down", "cancel-shutdown": "Do not shut down after all"]
);

/// `vm nas`.
pub(in crate::cli::vm) const NAS: Node = noun!(
    "nas", "NAS services", "NAS service", "NAS services",
    ["start": "Start services", "stop": "Stop services", "kill": "Stop services at once", "restart": "Restart services"]
);

/// `vm recipe`.
pub(in crate::cli::vm) const RECIPE: Node = noun!(
    "recipe", "recipes", "recipe", "Recipes, from which machines are made",
    ["download": "Fetch recipes from their catalog", "deploy": "Make a machine of a recipe"]
);

/// `vm alarm`.
pub(in crate::cli::vm) const ALARM: Node = noun!(
    "alarm", "alarms", "alarm", "Alarms",
    read only ["snooze": "Hide alarms for a while: --set until=24h", "unsnooze": "Show alarms again", "resolve": "Say that alarms are dealt with"]
);

/// `vm log`.
pub(in crate::cli::vm) const LOG: Node =
    noun!("log", "log entries, the newest first", "log entry", "What happened", read only []);

/// All of them.
pub(in crate::cli) static ALL: &[Node] =
    &[DRIVE, NIC, DEVICE, NETWORK, RULE, TENANT, USER, GROUP, TASK, NODE, CLUSTER, NAS, RECIPE, ALARM, LOG];
