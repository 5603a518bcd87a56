//! `vm list`: one inventory of every endpoint that has machines.

use super::columns::MACHINES;
use super::watch;
use crate::cli::args::Order;
use crate::cli::over::Gathered;
use crate::cli::{Outcome, complete};
use crate::config::{Origin, duration};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::fanout::{self, Limits};
use crate::glob;
use crate::model::{At, Machine, Name};
use crate::provider::machines::{MachineQuery, Selector};
use crate::provider::{Feature, Need, require};
use crate::resolve::{Address, Defaults, Pattern, Target};
use crate::settings::Opt;
use crate::stream;
use clap::Args;
use futures_util::TryStreamExt;
use std::time::Duration;

#[derive(Args, Debug)]
#[command(after_help = "\
Without a target it asks every endpoint of your config, and every other that has
a login or whose variables are set. An endpoint that does not answer hides no
other: exit code 12 then.

--watch repaints on a terminal. Otherwise, and with -o json, it prints one event
per change: present, added, changed, deleted. SECS is how often all of it is
asked for again beside what the server tells by itself.

Examples:
  esker vm list
  esker vm list sprites --label ci --status running -o name
  esker vm list 'sprites/web-*' --sort created_at:desc --limit 5
  esker vm list --watch -o jsonl | jq -r 'select(.change == \"deleted\") | .target'")]
pub struct VmListArgs {
    /// Endpoints, machines or globs; as with --target
    #[arg(value_name = "TARGET", add = complete::machines())]
    targets: Vec<String>,
    /// Only machines whose name begins with this
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// Only machines that bear this label; repeat it for several
    #[arg(long, value_name = "LABEL")]
    label: Vec<String>,
    /// Only machines in this state, such as running
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// The provider's own filter, such as "status eq 'running' and ram gt 2048"
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Go on and show what changes; SECS between two looks at all of it
    #[arg(long, value_name = "SECS", num_args = 0..=1, require_equals = true, default_missing_value = "0",
          value_parser = duration::parse)]
    watch: Option<Duration>,
    #[command(flatten)]
    list: Order,
}

/// What is asked of one endpoint.
#[derive(Clone)]
pub(super) struct Job {
    /// The endpoint.
    pub(super) target: Target,
    /// The one machine that was named, if one was.
    pub(super) name: Option<Name>,
    /// Which of its machines.
    pub(super) query: MachineQuery,
}

impl Job {
    /// A machine of it, with its full name.
    pub(super) fn row<T>(&self, name: &str, value: T) -> At<T> {
        let address = Address { endpoint: self.target.address.endpoint.clone(), name: Some(Name::from(name)) };
        At { provider: self.target.provider.driver().id, target: address.to_string(), value }
    }

    /// Whether a machine is meant.
    pub(super) fn admits(&self, machine: &Machine) -> bool {
        self.name.as_ref().is_none_or(|name| name.0 == machine.name) && self.query.admits(machine)
    }

    async fn read(&self) -> Result<Vec<At<Machine>>> {
        let machines = super::machines(&self.target, "vm list")?;
        let found = match &self.name {
            Some(name) => stream::iter([Ok(machines.find(&Selector::Auto(name.0.clone())).await?)]),
            None => machines.list(self.query.clone()),
        };
        // There may be ten thousand: each becomes a row as it comes.
        let found = found.try_filter(|machine| std::future::ready(self.query.admits(machine)));
        found.map_ok(|machine| self.row(&machine.name.clone(), machine)).try_collect().await
    }
}

/// Lists machines, or watches them.
pub async fn run(ctx: &Ctx, args: VmListArgs) -> anyhow::Result<Outcome> {
    let (jobs, mut failed) = jobs(ctx, &args)?;
    if let Some(every) = args.watch {
        let every = Some(every).filter(|every| !every.is_zero());
        return watch::run(ctx, jobs, failed, &args.list.into(), every).await;
    }
    let limits = Limits::reads(ctx.settings.number(Opt::Jobs), ctx.settings.duration(Opt::Timeout), jobs.len());
    let work = |job: Job| async move { job.read().await };
    let answers = fanout::items(jobs, limits, work).await;
    let mut rows = Vec::new();
    let mut done = Vec::new();
    for (Job { target, .. }, answer) in answers {
        match answer {
            Ok(found) => {
                // The rows of the first, often the only one, stay where they are.
                if rows.is_empty() {
                    rows = found;
                } else {
                    rows.extend(found);
                }
                done.push((target, ()));
            }
            Err(error) => failed.push(error.at(target.provider.driver().id, &*target.full)),
        }
    }
    rows.sort_unstable_by(|a, b| a.target.cmp(&b.target));
    // Globs may overlap.
    rows.dedup_by(|a, b| a.target == b.target);
    ctx.list(&rows, MACHINES, &args.list.into(), Gathered { done, failed })
}

/// What is to be asked of whom, and what cannot be asked.
fn jobs(ctx: &Ctx, args: &VmListArgs) -> Result<(Vec<Job>, Vec<Error>)> {
    let mut needs = vec![Need::new(Feature::Machines, "vm list")];
    if !args.label.is_empty() {
        needs.push(Need::new(Feature::MachinesLabels, "vm list --label"));
    }
    needs.extend(args.filter.as_ref().map(|_| Need::new(Feature::MachinesFilter, "vm list --filter")));
    let query = MachineQuery {
        prefix: args.prefix.clone(),
        glob: None,
        status: args.status.clone(),
        labels: args.label.clone(),
        filter: args.filter.clone(),
    };
    let mut jobs: Vec<Job> = Vec::new();
    let mut failed = Vec::new();
    for Wanted { endpoint, name, glob, is_named } in wanted(ctx, args)? {
        let address = Address { endpoint, name: None };
        match ctx.resolver.target(&address, &Defaults::default()) {
            Ok(target) => match require(&*target.place, &needs) {
                Ok(()) => jobs.push(Job { target, name, query: MachineQuery { glob, ..query.clone() } }),
                Err(error) if is_named => return Err(error.at(target.provider.driver().id, &*target.full)),
                Err(_) => {}
            },
            Err(error) => failed.push(error),
        }
    }
    if jobs.is_empty() && failed.is_empty() {
        failed.push(Error::not_found("no endpoint with machines is configured").hint(
            "`esker endpoint add` adds one; `esker providers` shows which have `vm`, `esker doctor` what is there",
        ));
    }
    Ok((jobs, failed))
}

/// An endpoint, and what of it.
struct Wanted {
    endpoint: String,
    name: Option<Name>,
    glob: Option<String>,
    /// Whether it was named: what does not fit is refused then, and passed over otherwise.
    is_named: bool,
}

fn wanted(ctx: &Ctx, args: &VmListArgs) -> Result<Vec<Wanted>> {
    let patterns = if !args.targets.is_empty() {
        ctx.patterns(&args.targets)?
    } else if ctx.settings.on(Opt::All)
        || matches!(ctx.settings.origin(Opt::Target), Origin::Flag(_) | Origin::Variable(_))
    {
        ctx.resolver.wanted(&ctx.settings)?
    } else {
        // A default target says where to act, not what there is.
        vec![Pattern::All]
    };
    Ok(patterns.into_iter().flat_map(|pattern| endpoints(ctx, pattern)).collect())
}

fn endpoints(ctx: &Ctx, pattern: Pattern) -> Vec<Wanted> {
    let all = |endpoint: String| Wanted { endpoint, name: None, glob: None, is_named: false };
    match pattern {
        Pattern::One(Address { endpoint, name }, _) => vec![Wanted { endpoint, name, glob: None, is_named: true }],
        Pattern::Places { endpoint, glob } => vec![Wanted { endpoint, name: None, glob: Some(glob), is_named: true }],
        Pattern::All => ctx.resolver.endpoints().into_iter().map(all).collect(),
        Pattern::Glob(wanted) => {
            let short = ctx.config.targets.keys().filter(|name| glob::matches(&wanted, name));
            let short = short.filter_map(|name| match ctx.resolver.parse(name) {
                Ok(Pattern::One(Address { endpoint, name: Some(name) }, _)) => {
                    Some(Wanted { name: Some(name), ..all(endpoint) })
                }
                _ => None,
            });
            let endpoints = ctx.resolver.endpoints().into_iter().filter(|name| glob::matches(&wanted, name));
            short.chain(endpoints.map(all)).collect()
        }
    }
}
