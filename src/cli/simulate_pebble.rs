//! `simulate-pebble`: the simulated Pebble daemon alone, in a directory that exists. The tests start it where they
//! would start the daemon itself.

use super::Outcome;
use crate::context::{Ctx, environment};
use crate::host::process::Processes;
use crate::playground::pebble::Setup;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker simulate-pebble /tmp/pebble
  esker simulate-pebble /tmp/pebble --hold --http 4000")]
pub struct SimulatePebbleArgs {
    /// Directory of the daemon, with its layers
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Leave services alone that are enabled
    #[arg(long)]
    hold: bool,
    /// Keep changes, notices and identities on disk
    #[arg(long)]
    persist: bool,
    /// Loopback port that also speaks plain HTTP
    #[arg(long, value_name = "PORT")]
    http: Option<u16>,
}

pub async fn run(ctx: &Ctx, args: SimulatePebbleArgs) -> anyhow::Result<Outcome> {
    let mut signals = ctx.signals.listen().await?;
    let processes = Processes::adopting()?;
    let mut setup = Setup::new(args.dir, environment());
    (setup.hold, setup.persist, setup.http_port) = (args.hold, args.persist, args.http);
    setup.notes = ctx.out.notes();
    let pebble = setup.start(processes.clone()).await?;
    let stop = pebble.stop();
    let mut running = std::pin::pin!(pebble.run());
    let status = tokio::select! {
        status = &mut running => status,
        _ = signals.next() => {
            // Its clients see how the services stop.
            tokio::select! {
                status = &mut running => status,
                () = stop.services() => 0,
            }
        }
    };
    stop.services().await;
    processes.kill();
    Ok(Outcome::Status(status))
}
