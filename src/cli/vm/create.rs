//! `vm create`

use super::{MachineArgs, MachineWaitArgs};
use crate::cli::Outcome;
use crate::cli::args::key_value;
use crate::context::Ctx;
use crate::error::Error;
use crate::output::human;
use crate::provider::machines::{MachineSpec, Size};
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
  esker vm create sprites/big --set wait_for_capacity=true --no-wait")]
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
    /// How many processors it has
    #[arg(long, value_name = "N", value_parser = processors, help_heading = MACHINE)]
    cpus: Option<f64>,
    /// How much memory it has, such as 2GiB
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = MACHINE)]
    memory: Option<u64>,
    /// How much disk it has, such as 20GiB
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = MACHINE)]
    disk: Option<u64>,
    /// Who may use its address, in the provider's word, such as public
    #[arg(long, value_name = "WHO", help_heading = MACHINE)]
    access: Option<String>,
    /// A field that only this provider has; repeat it for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = key_value, help_heading = MACHINE)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    wait: MachineWaitArgs,
}

fn size(text: &str) -> Result<u64, String> {
    human::parse_size(text).map_err(|error| error.to_string())
}

fn processors(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|cpus: &f64| cpus.is_finite() && *cpus > 0.0).ok_or_else(|| "expected a number".to_owned())
}

impl VmCreateArgs {
    fn spec(&self, name: &str) -> MachineSpec {
        MachineSpec {
            name: name.to_owned(),
            image: self.image.clone(),
            from: self.from.clone(),
            labels: self.label.clone(),
            env: self.environment.clone(),
            size: Size { cpus: self.cpus, memory_bytes: self.memory, disk_bytes: self.disk },
            region: self.region.clone(),
            access: self.access.clone(),
            fields: self.set.clone(),
        }
    }
}

/// Makes machines.
pub async fn run(ctx: &Ctx, args: VmCreateArgs) -> anyhow::Result<Outcome> {
    let asked = "vm create";
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
    let gathered = ctx.operate_at(targets, failed, work).await;
    super::tell(ctx, "create", "created", gathered)
}
