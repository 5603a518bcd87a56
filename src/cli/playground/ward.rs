//! The half that is the playground: the simulators, and the command or the shell in them.

use super::PlaygroundArgs;
use crate::cli::Outcome;
use crate::context::{Ctx, environment, var};
use crate::error::{Error, Result};
use crate::host::guard::Ward;
use crate::host::process::{Exit, Io, Lead, Processes, Running, SpawnError, Spec, Stage};
use crate::playground::greeting::greeting;
use crate::playground::world::{Options, World};
use crate::provider::exec::Signal;
use crate::signal::{Listener, interrupted};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::time::Duration;

/// How long the command may take to end when the playground is told to.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long what runs in the simulators may take to end.
const GRACE: Duration = Duration::from_secs(1);

/// Starts the simulators and does in them what was asked for, unless the other half is killed first.
pub(super) async fn work(ctx: &Ctx, ward: &Ward, options: Options, args: &PlaygroundArgs) -> Result<Outcome> {
    let processes = Processes::adopting().map_err(Error::internal)?;
    tokio::select! {
        outcome = play(ctx, ward, options, args, processes.clone()) => outcome,
        orphaned = ward.orphaned() => {
            orphaned.map_err(Error::internal)?;
            processes.shutdown(Duration::ZERO).await;
            Ok(Outcome::Status(1))
        }
    }
}

async fn play(
    ctx: &Ctx,
    ward: &Ward,
    options: Options,
    args: &PlaygroundArgs,
    processes: Processes,
) -> Result<Outcome> {
    let mut signals = ctx.signals.relayed().await?;
    let greeting = greeting(&options.simulators, &options.dir);
    let mut world = tokio::select! {
        world = World::start(options, processes.clone()) => world?,
        signal = ending(&mut signals) => return Err(interrupted(&signal, "interrupted")),
    };
    let outcome = if args.print_env {
        print(ctx, &world)?;
        ctx.out.note("these are simulators; Ctrl-C ends them");
        tokio::select! {
            _ = ending(&mut signals) => Ok(Outcome::Done),
            error = world.broken() => Err(error),
        }
    } else {
        if args.command.is_empty() && !ctx.out.options().quiet {
            ctx.out.complain(&greeting);
        }
        let spec = spec(args, &world, ward);
        let child = processes.spawn(&spec).map_err(|error| unstarted(&spec.program, error));
        match child {
            Err(error) => Err(error),
            Ok(child) => tokio::select! {
                exit = attend(&child.running, ward, &mut signals) => Ok(Outcome::Status(exit.status())),
                error = world.broken() => Err(error),
            },
        }
    };
    world.end(GRACE).await;
    outcome
}

/// What runs in it: a member of the foreground group, so that the keys of the terminal are for it.
fn spec(args: &PlaygroundArgs, world: &World, ward: &Ward) -> Spec {
    let mut words = args.command.iter().cloned();
    let shell = || var("SHELL").map_or_else(|| OsString::from("/bin/sh"), OsString::from);
    let mut spec = Spec::new(words.next().unwrap_or_else(shell)).args(words).io(Io::INHERITED);
    spec.env = Some(world.environment(environment()));
    spec.lead = Lead::Member(ward.foreground());
    spec
}

/// Waits for the command, passing on what it does not get by itself.
async fn attend(running: &Running, ward: &Ward, signals: &mut Listener) -> Exit {
    loop {
        let signal = tokio::select! {
            exit = running.wait() => return exit,
            signal = signals.next() => signal,
        };
        // A key on the terminal that sends a signal has sent it to the command already.
        let is_key = ["SIGINT", "SIGQUIT"].contains(&signal.name());
        if !(is_key && ward.has_terminal()) {
            running.signal(&signal);
        }
        if ["SIGTERM", "SIGHUP"].contains(&signal.name()) {
            if let Ok(exit) = tokio::time::timeout(PATIENCE, running.wait()).await {
                return exit;
            }
            return Exit::Signal(signal.number());
        }
    }
}

/// The next signal that ends a command.
async fn ending(signals: &mut Listener) -> Signal {
    loop {
        let signal = signals.next().await;
        if ["SIGINT", "SIGTERM", "SIGHUP"].contains(&signal.name()) {
            return signal;
        }
    }
}

/// Why the command does not run, with the status that says so (ux 3.2).
fn unstarted(program: &OsString, SpawnError { stage, error }: SpawnError) -> Error {
    let shown = program.display();
    match (stage, error.kind()) {
        (Stage::Program, ErrorKind::NotFound) => Error::not_found(format!("no program `{shown}`")).status(127),
        (Stage::Program, _) => Error::failure(format!("cannot run `{shown}`")).source(error).status(126),
        _ => Error::failure(format!("cannot start `{shown}`")).source(SpawnError { stage, error }),
    }
}

/// The variables as a shell reads them, or as a document.
fn print(ctx: &Ctx, world: &World) -> Result<()> {
    if ctx.out.is_structured() {
        let text = |value: &OsString| value.to_string_lossy().into_owned();
        let document: std::collections::BTreeMap<_, _> =
            world.variables.iter().map(|(name, value)| (name, value.as_ref().map(text))).collect();
        return ctx.out.value(&document);
    }
    let mut script = Vec::new();
    for (name, value) in &world.variables {
        match value {
            Some(value) => {
                script.extend_from_slice(format!("export {name}='").as_bytes());
                script.extend(
                    value.as_encoded_bytes().split(|byte| *byte == b'\'').collect::<Vec<_>>().join(&br"'\''"[..]),
                );
                script.extend_from_slice(b"'\n");
            }
            None => script.extend_from_slice(format!("unset {name}\n").as_bytes()),
        }
    }
    ctx.out.bytes(&script)
}
