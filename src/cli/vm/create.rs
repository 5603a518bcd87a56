//! `vm create`

use super::batch::numbered;
use super::resize::SizeArgs;
use super::{MachineArgs, MachineWaitArgs};
use crate::cli::Outcome;
use crate::cli::args::key_value;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::provider::machines::MachineSpec;
use crate::resolve::Target;
use clap::Args;

/// Heading of the flags about what is made.
const MACHINE: &str = "The machine";

#[derive(Args, Debug)]
#[command(after_help = "\
Waits until the machine can be used. A request to make one is sent once: after a
lost connection the message says that it may exist. What a provider cannot do
(`esker providers`) is refused with exit code 11 before anything is sent.

Examples:
  esker vm create sprites/dev
  esker vm create sprites/ci-1 sprites/ci-2 --label ci --label run=17
  esker vm create sprites/web --access public --env STAGE=test
  esker vm create sprites/big --set wait_for_capacity=true --no-wait
  esker vm create 'rexec/worker-{n}' --count 5 --image alpine:3.21 --all-or-nothing")]
pub struct VmCreateArgs {
    #[command(flatten)]
    which: MachineArgs,
    /// A label that it bears; repeat it for several
    #[arg(long, value_name = "LABEL", help_heading = MACHINE)]
    label: Vec<String>,
    /// A variable that its programs find; repeat it for several
    #[arg(long = "env", value_name = "K=V", value_parser = key_value, help_heading = MACHINE)]
    environment: Vec<(String, String)>,
    /// What it is made of
    #[arg(long, value_name = "IMAGE", help_heading = MACHINE)]
    image: Option<String>,
    /// The checkpoint or machine that it begins as a copy of
    #[arg(long, value_name = "NAME", help_heading = MACHINE)]
    from: Option<String>,
    /// Where it is
    #[arg(long, value_name = "REGION", help_heading = MACHINE)]
    region: Option<String>,
    #[command(flatten)]
    size: SizeArgs,
    /// Who may use its address, in the provider's word, such as public
    #[arg(long, value_name = "WHO", help_heading = MACHINE)]
    access: Option<String>,
    /// A field that only this provider has; repeat it for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = key_value, help_heading = MACHINE)]
    set: Vec<(String, String)>,
    /// How many: each name has {n} where the number goes, from 1 on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: Option<u32>,
    /// If one of several cannot be made, delete the others again
    #[arg(long, conflicts_with = "no_wait")]
    all_or_nothing: bool,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

impl VmCreateArgs {
    fn spec(&self, name: &str) -> MachineSpec {
        MachineSpec {
            name: name.to_owned(),
            image: self.image.clone(),
            from: self.from.clone(),
            labels: self.label.clone(),
            env: self.environment.clone(),
            size: self.size.size(),
            region: self.region.clone(),
            access: self.access.clone(),
            fields: self.set.clone(),
        }
    }
}

/// Makes machines.
pub async fn run(ctx: &Ctx, mut args: VmCreateArgs) -> anyhow::Result<Outcome> {
    let asked = "vm create";
    args.which.targets = numbered(&args.which.targets, args.count)?;
    let wildcard = args.which.targets.iter().chain(ctx.settings.list(crate::settings::Opt::Target));
    if let Some(text) = wildcard.into_iter().find(|text| crate::glob::is_glob(text)) {
        let error = Error::usage(format!("cannot create `{text}`: wildcards stand for what exists"));
        return Err(error.hint("name each machine").into());
    }
    let (targets, failed) = args.which.named(ctx, asked, &args.spec("")).await?;
    let args = &args;
    let work = |target: Target| async move {
        let machines = super::machines(&target, asked)?;
        let spec = args.spec(super::which(&target, asked)?.text());
        super::drive(ctx, &target, "create", !args.wait.no_wait, machines.create(spec)).await
    };
    let mut gathered = ctx.operate_at(targets, failed, work).await;
    if args.all_or_nothing && !gathered.failed.is_empty() {
        let made = std::mem::take(&mut gathered.done);
        let undone = ctx.operate_at(made.into_iter().map(|(target, _)| target).collect(), Vec::new(), undo).await;
        for (target, ()) in undone.done {
            ctx.out.done(&format!("deleted {} again", super::called(&target)));
        }
        gathered.failed.extend(undone.failed);
    }
    super::tell(ctx, "create", "created", gathered)
}

/// Deletes what was made in vain.
async fn undo(target: Target) -> Result<()> {
    let which = super::which(&target, "vm create")?;
    let deleted = super::machines(&target, "vm create")?.delete(&which);
    let deleted = async { deleted.await?.wait().await }.await;
    deleted.map_err(|error| error.cause("it was to be deleted again: it is still there"))
}
