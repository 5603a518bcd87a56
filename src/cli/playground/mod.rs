//! `playground`: two processes that guard each other, see [`crate::host::guard`]. The one that was started watches;
//! its child is the playground.

mod guard;
mod ward;

use super::Outcome;
use crate::context::{Ctx, var};
use crate::error::{Error, Result};
use crate::host::guard::{Half, split};
use crate::playground::fault;
use crate::playground::world::{Directory, Options};
use crate::playground::{SIMULATORS, Simulator};
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(
    override_usage = "esker playground [FLAGS] [-- CMD [ARG...]]",
    after_help = "\
Everything runs on this machine: the simulators start real processes and keep
real files, in a directory of their own. All of it ends with the playground.
Your own config and targets are not read inside.

Faults: [SIMULATOR:]KIND[=VALUE][:first=N][:path=GLOB][:method=METHOD]
  delay[=DURATION]      answer so much later
  cut[=N] reset[=N]     close or reset the connection after N bytes of a body
  stall[=N]             send nothing after N bytes, and never end
  garbage               a body that is nonsense
  401 403 429 500 502 503   answer so (429=DURATION: come back after that)
A simulator may have more: an unknown kind lists them all.

Exit codes: CMD's own (128+n if signal n killed it), 125 esker failed, 126 not
runnable, 127 not found, 2 the command line is wrong.

Examples:
  esker playground
  esker playground -- sh -c 'esker svc list && esker exec -- uname -a'
  esker playground --only pebble --fault pebble:503:first=2 -- make check
  esker playground --print-env > env.sh"
)]
pub struct PlaygroundArgs {
    /// What to run in it; by default your shell
    #[arg(last = true, value_name = "CMD")]
    command: Vec<OsString>,
    /// Start only this simulator; repeat it for several
    #[arg(long, value_name = "SIMULATOR")]
    only: Vec<String>,
    /// Have something go wrong, see below; repeat it for several
    #[arg(long, value_name = "FAULT")]
    fault: Vec<String>,
    /// Print the variables that lead there, and stay until Ctrl-C
    #[arg(long, conflicts_with = "command")]
    print_env: bool,
    /// Begin with something to look at (default)
    #[arg(long, overrides_with = "no_seed_demo")]
    seed_demo: bool,
    /// Begin empty
    #[arg(long, overrides_with = "seed_demo")]
    no_seed_demo: bool,
    /// Keep the files in this directory, which is new or empty
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs it.
pub fn run(ctx: &Ctx, args: PlaygroundArgs) -> anyhow::Result<Outcome> {
    let simulators = chosen(&args.only)?;
    let faults = args.fault.iter().map(|text| fault::parse(text, &simulators)).collect::<Result<_>>()?;
    let has_command = !args.command.is_empty();
    // A status below 125 is the command's.
    let ours = |error: Error| if has_command && error.parts().status.is_none() { error.status(125) } else { error };
    let directory = match &args.dir {
        Some(dir) => Directory::named(dir),
        None => Directory::temporary(),
    };
    let directory = directory.map_err(ours)?;
    let options = Options {
        dir: directory.path.clone(),
        simulators,
        faults,
        seed_demo: !args.no_seed_demo,
        path: var("PATH").map(OsString::from),
    };
    let half = split().map_err(|error| {
        directory.clean();
        ours(Error::failure("cannot start the playground").source(error))
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = match half {
        Half::Guard(guard) => runtime.block_on(guard::watch(ctx, &guard)),
        Half::Ward(ward) => runtime.block_on(ward::work(ctx, &ward, options, &args)),
    };
    directory.clean();
    Ok(outcome.map_err(ours)?)
}

/// The simulators that are named, each word of a list separated by commas being a name; all of them if none is.
fn chosen(only: &[String]) -> Result<Vec<&'static Simulator>> {
    let names: Vec<&str> = only.iter().flat_map(|list| list.split(',')).collect();
    if let Some(unknown) = names.iter().find(|name| SIMULATORS.iter().all(|simulator| simulator.id != **name)) {
        let known: Vec<_> = SIMULATORS.iter().map(|simulator| simulator.id).collect();
        return Err(
            Error::usage(format!("there is no simulator `{unknown}`")).hint(format!("there are {}", known.join(", ")))
        );
    }
    Ok(SIMULATORS.iter().filter(|simulator| names.is_empty() || names.contains(&simulator.id)).collect())
}
