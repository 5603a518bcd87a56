//! `wait`: until something holds, whatever system it is about (ux 6.2).

mod condition;

use super::until::{Look, until};
use super::{Outcome, agent, complete};
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::fanout::{self, Limits};
use crate::model::FileKind;
use crate::provider::feature::capability;
use crate::provider::{Feature, Need};
use crate::resolve::Target;
use clap::Args;
use condition::Condition;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// What the user typed, in messages.
const ASKED: &str = "wait";

#[derive(Args, Debug)]
#[command(after_help = "\
Conditions, all of which must hold at once:
  svc:NAME=STATE       a service: active, inactive, error, …
  check:NAME=STATUS    a check: up, down, inactive
  health=WORD          healthy or unhealthy; health:LEVEL=… for checks of a level
  change:ID=WORD       a change: done, or ready whether it failed or not
  vm=STATE             the machine: running, stopped, …, usable, deleted
  file:/PATH=WORD      a path: present or absent
  agent:NAME=STATE     a session of `esker agent`: idle, waiting, ended, …; its
                       conditions need no target

Exit codes: 0 they hold, 9 the time is up (30s unless --timeout says otherwise),
7 they can no longer hold, 6 no such object.

Examples:
  esker wait web --for svc:web=active --for health=healthy --timeout 1m
  esker wait 'sprites/ci-*' --for vm=running
  esker wait sprites/dev --for file:/tmp/ready=present && make check
  esker wait --for agent:fix=waiting --timeout 0")]
pub struct WaitArgs {
    /// Targets to look at; globs too
    #[arg(value_name = "TARGET", add = complete::targets())]
    targets: Vec<String>,
    /// What to wait for; repeat it for several
    #[arg(long = "for", value_name = "CONDITION", required = true, value_parser = condition::parse)]
    conditions: Vec<Condition>,
}

/// Waits until every condition holds at every target.
pub async fn run(ctx: &Ctx, args: WaitArgs) -> anyhow::Result<Outcome> {
    let what: Vec<String> = args.conditions.iter().map(|condition| format!(" --for {condition}")).collect();
    let what = what.concat();
    let (about_agents, others): (Vec<_>, Vec<_>) =
        args.conditions.into_iter().partition(|condition| matches!(condition, Condition::Agent { .. }));
    if others.is_empty() {
        if !args.targets.is_empty() {
            return Err(Error::usage("sessions of agents are on this machine: their conditions take no target").into());
        }
        let seen = RefCell::default();
        until(ctx, "this machine", &format!("wait{what}"), || sessions(ctx, &about_agents, &seen)).await?;
        return Ok(Outcome::Done);
    }
    let needs: Vec<Need> = others.iter().filter_map(Condition::feature).map(|f| Need::new(f, ASKED)).collect();
    let (targets, failed) = ctx.acted_on(&args.targets, &needs).await?;
    let (about_agents, others, what) = (&about_agents, &others, &what);
    // All at once, whatever `--jobs` says of changes: waiting is nothing but looking.
    let limits = Limits::reads(ctx.settings.number(crate::settings::Opt::Jobs), None, targets.len());
    let waits = fanout::each(targets, limits, |target: Target| async move {
        let seen = RefCell::default();
        let what = format!("wait {}{what}", target.full);
        until(ctx, &target.full, &what, || async {
            match sessions(ctx, about_agents, &seen).await? {
                Look::Met => conditions(&target, others, &seen).await,
                look => Ok(look),
            }
        })
        .await
    });
    let mut failures = failed;
    let mut done = 0;
    for (_, outcome) in waits.await {
        match outcome {
            Ok(()) => done += 1,
            Err(error) => failures.push(error),
        }
    }
    super::over::finish(failures, done)
}

/// What was there at an earlier look: if it is gone now, it was deleted.
type Seen = RefCell<BTreeSet<String>>;

async fn conditions(target: &Target, conditions: &[Condition], seen: &Seen) -> Result<Look> {
    let mut not_yet = None;
    for condition in conditions {
        match look(target, condition, seen).await? {
            Look::Met => {}
            Look::NotYet(state) => not_yet = not_yet.or(Some(state)),
            never @ Look::Never(_) => return Ok(never),
        }
    }
    Ok(not_yet.map_or(Look::Met, Look::NotYet))
}

async fn look(target: &Target, condition: &Condition, seen: &Seen) -> Result<Look> {
    match condition {
        Condition::Service { name, state } => {
            super::svc::wait::services(target, std::slice::from_ref(name), state).await
        }
        Condition::Check { name, status } => {
            super::svc::wait::check_statuses(target, std::slice::from_ref(name), status).await
        }
        Condition::Health { level, word } => super::svc::wait::health(target, level.as_deref(), word).await,
        Condition::Change { id, only_done } => change(target, id, *only_done).await,
        Condition::Machine { state } => {
            let key = condition.to_string();
            let was_there = std::cell::Cell::new(seen.borrow().contains(&key));
            let looked = super::vm::wait::look(target, state, &was_there).await;
            if was_there.get() {
                seen.borrow_mut().insert(key);
            }
            looked
        }
        Condition::File { path, present } => {
            let files = capability(&*target.place, |p| p.files(), Feature::Files, ASKED)?;
            let there = match files.stat(path, true).await {
                Ok(entry) => Some(entry.kind),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            Ok(match (there, present) {
                (Some(_), true) | (None, false) => Look::Met,
                (Some(FileKind::Directory), false) => Look::NotYet(format!("there is a directory `{path}`")),
                (Some(_), false) => Look::NotYet(format!("there is a file `{path}`")),
                (None, true) => Look::NotYet(format!("there is no `{path}`")),
            })
        }
        // Looked at apart, since it needs no target.
        Condition::Agent { .. } => Ok(Look::Met),
    }
}

async fn change(target: &Target, id: &crate::model::OperationId, only_done: bool) -> Result<Look> {
    let changes = capability(&*target.place, |p| p.changes(), Feature::Changes, ASKED)?;
    let change = changes.get(id).await?;
    Ok(match (change.ready, &change.error) {
        (false, _) => Look::NotYet(format!("change {id} is `{}`", change.status)),
        (true, Some(error)) if only_done => Look::Never(format!("change {id} failed: {error}")),
        (true, _) if only_done && change.status != "Done" => Look::Never(format!("change {id} is `{}`", change.status)),
        (true, _) => Look::Met,
    })
}

async fn sessions(ctx: &Ctx, conditions: &[Condition], seen: &Seen) -> Result<Look> {
    let mut not_yet = None;
    for condition in conditions {
        let Condition::Agent { name, state } = condition else { continue };
        match agent::state(ctx, name).await? {
            Some(is) if is == *state => {}
            Some(is) if is == "ended" || is == "lost" => {
                return Ok(Look::Never(format!("the session `{name}` is `{is}`")));
            }
            Some(is) => {
                seen.borrow_mut().insert(name.clone());
                not_yet = not_yet.or(Some(format!("the session `{name}` is `{is}`")));
            }
            None if seen.borrow().contains(name) => {
                return Ok(Look::Never(format!("nothing is left of the session `{name}`")));
            }
            None => return Err(Error::not_found(format!("no session `{name}`")).hint("`esker agent list` shows all")),
        }
    }
    Ok(not_yet.map_or(Look::Met, Look::NotYet))
}
