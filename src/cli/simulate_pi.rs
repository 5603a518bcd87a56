//! `simulate-pi`: pi or omp, played on this process's own streams. The playground and the tests start it where they
//! would start the program itself.

use super::Outcome;
use crate::context::{Ctx, var};
use crate::host::process::Processes;
use crate::playground::pi::{Agent, Arguments, Dialect, Refusal, Surroundings, Wire};
use clap::Args;
use std::io::BufRead as _;
use std::path::PathBuf;
use tokio::sync::mpsc;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker simulate-pi -- --version
  esker simulate-pi --build omp/18.2.3 -- --mode rpc --no-session")]
pub struct SimulatePiArgs {
    /// What is played: 0.73.1, 0.87.1 or omp/18.2.3
    #[arg(long, value_name = "VERSION", default_value = "0.87.1")]
    build: Dialect,
    /// A model that there is beside those of its configuration
    #[arg(long, value_name = "URL")]
    model_url: Option<String>,
    /// What the program is started with
    #[arg(last = true, value_name = "ARG")]
    args: Vec<String>,
}

pub async fn run(ctx: &Ctx, args: SimulatePiArgs) -> anyhow::Result<Outcome> {
    let refuse = |refusal: Refusal| {
        if !refusal.text.is_empty() {
            ctx.out.complain(&format!("{}\n", refusal.text));
        }
        Outcome::Status(refusal.status)
    };
    let parsed = match Arguments::parse(args.build, &args.args) {
        Ok(parsed) => parsed,
        Err(refusal) => return Ok(refuse(refusal)),
    };
    if parsed.version {
        ctx.out.line(args.build.version())?;
        return Ok(Outcome::Done);
    }
    let out = ctx.out.clone();
    // Nobody who reads ends it soon enough.
    let wire = Wire::new(args.build, move |line| drop(out.bytes(line)));
    let home = var("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from);
    let below = if args.build == Dialect::Omp { ".omp/agent" } else { ".pi/agent" };
    let around = Surroundings {
        cwd: std::env::current_dir()?,
        agent_dir: var("PI_CODING_AGENT_DIR").map_or_else(|| home.join(below), PathBuf::from),
        model_url: args.model_url,
        var,
    };
    let mut signals = ctx.signals.listen().await?;
    let processes = Processes::default();
    let (agent, warning) = match Agent::start(wire, parsed, around, processes.clone()) {
        Ok(started) => started,
        Err(refusal) => return Ok(refuse(refusal)),
    };
    if let Some(warning) = warning {
        ctx.out.complain(&format!("{warning}\n"));
    }
    let end = tokio::select! {
        end = agent.serve(lines()) => end,
        signal = signals.next() => Refusal { text: String::new(), status: 128 + signal.number() },
    };
    processes.kill();
    Ok(refuse(end))
}

/// The lines of stdin, read by a thread that may stay behind in its last read: it ends with the process.
fn lines() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().split(b'\n').map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
