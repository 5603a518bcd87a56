//! esker: one command for services, sandboxes, containers, virtual machines and coding agents.
//!
//! argv → `cli/` (what the user said) → a target resolved (`resolve`) → a capability trait (`provider/`) →
//! `transport/` → the wire; and back: wire types → `model` → `output/`. One direction: `cli/` knows no wire,
//! `provider/` never prints and never sees clap, `output/` never sees a provider, `transport/` knows no system.
//! A provider is a folder with the same file names as its siblings'; a new one touches nothing in `cli/`, a new verb
//! touches `cli/` and one trait.
//!
//! This file parses, runs and maps what came of it to an exit status; nothing else ends the process.

use clap::{ArgMatches, FromArgMatches};
use esker::cli::{self, Chosen, Globals, Kind, Outcome, Run, watch};
use esker::context::Ctx;
use esker::{host, signal, startup, tty};
use std::ffi::OsString;
use std::time::Duration;

/// How long what is left to undo may take at the end (ux 8.5).
const CLEANUP_BOUND: Duration = Duration::from_secs(2);

fn main() {
    host::prepare();
    let argv: Vec<OsString> = std::env::args_os().collect();
    startup::guard_panics(&argv);
    let status = match startup::early(&argv) {
        Some(status) => status,
        None => match cli::parse(&argv) {
            Ok(chosen) => dispatch(&argv, chosen),
            Err(error) => startup::usage(&argv, &error),
        },
    };
    host::exit(status)
}

/// Runs the chosen command and returns its exit status.
fn dispatch(argv: &[OsString], Chosen { node, mut matches, name }: Chosen) -> u8 {
    let Kind::Leaf { run, passes_status, .. } = &node.kind else { return 2 };
    // Taken out, not copied: a copy of the matches and its end cost a tenth of the instructions of a short command.
    let ctx = match Globals::from_arg_matches_mut(&mut matches) {
        Ok(globals) => Ctx::new(&globals.into(), name, node.reads),
        Err(error) => Err(esker::error::Error::internal(error)),
    };
    match ctx {
        Ok(ctx) => finish(&ctx, *passes_status, perform(&ctx, run, &mut matches)),
        Err(error) => startup::report(argv, &error.into(), *passes_status),
    }
}

fn perform(ctx: &Ctx, run: &Run, matches: &mut ArgMatches) -> anyhow::Result<Outcome> {
    let every = watch::asked(matches);
    if let (Run::Plain(run), None) = (run, every) {
        return run(ctx, matches);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let outcome = match every {
            None => run.once(ctx, matches).await,
            Some(every) => {
                let matches = &*matches;
                watch::again(ctx, every, || async move { run.once(ctx, &mut matches.clone()).await }).await
            }
        };
        if !ctx.cleanups.is_empty() {
            for what in ctx.cleanups.run(CLEANUP_BOUND).await {
                ctx.out.warn(&format!("could not clean up: {what}"));
            }
        }
        outcome
    });
    // Dropping a runtime waits for its blocking threads, and a read of a terminal never ends.
    std::mem::forget(runtime);
    outcome
}

fn finish(ctx: &Ctx, passes_status: bool, outcome: anyhow::Result<Outcome>) -> u8 {
    match outcome {
        Ok(outcome) => outcome.status(),
        Err(error) => {
            tty::restore();
            let status = ctx.out.report(&error, passes_status);
            match signal::of(&error) {
                Some(signal) => host::die_by(&signal),
                None => status,
            }
        }
    }
}
