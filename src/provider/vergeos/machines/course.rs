//! Power states and what it takes to get there: no request has an id, so the machine itself is looked at.

use super::VergeMachines;
use super::convert::Brief;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Key, Machine, Progress};
use crate::operation::{Operation, Step};
use crate::provider::machines::{Power, Row, Selector};
use crate::provider::vergeos::resources::VergeResources;
use crate::provider::vergeos::settle::Pauses;
use crate::stream;
use crate::transport::Method;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// How long a sign that a restart has begun is waited for: one that is quick shows none.
const UNSEEN: Duration = Duration::from_secs(5);

/// A state to be waited for.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// It runs.
    Running,
    /// It is stopped; the plug is pulled after this time.
    Stopped(Option<Duration>),
    /// It is stopped with its memory saved.
    Hibernated,
    /// It runs again: it was started at another time than this, or was seen to be down.
    RunningAgain(Option<Value>),
    /// It runs on another node than this one.
    Elsewhere(Option<String>),
}

/// What is still to be done.
#[derive(Clone, Debug)]
pub(super) enum Leg {
    /// An action of the machine.
    Act(&'static str, Value),
    /// A state.
    Wait(Goal),
}

/// What one look at a machine says.
enum Seen {
    Reached,
    NotYet,
    /// The plug is to be pulled.
    Overdue,
}

impl VergeMachines {
    pub(super) async fn bring(&self, which: &Selector, to: Power) -> Result<Operation<Machine>> {
        let brief = self.brief(which).await?;
        let runs = brief.status == "running";
        let is_off = matches!(brief.status.as_str(), "stopped" | "hibernated" | "");
        let stop = |force_after| [Leg::Act("poweroff", Value::Null), Leg::Wait(Goal::Stopped(force_after))];
        let start = || [Leg::Act("poweron", Value::Null), Leg::Wait(Goal::Running)];
        let legs: Vec<Leg> = match to {
            Power::On if runs => return self.nothing_to_do(&brief, "runs already").await,
            Power::Off { .. } | Power::Kill if brief.status == "stopped" => {
                return self.nothing_to_do(&brief, "is stopped already").await;
            }
            Power::On => start().into(),
            Power::Off { force_after } => stop(force_after).into(),
            Power::Kill => vec![Leg::Act("kill", Value::Null), Leg::Wait(Goal::Stopped(None))],
            Power::Reset if is_off => return Err(self.must_run(&brief, "reset")),
            Power::Reset => {
                vec![Leg::Act("reset", Value::Null), Leg::Wait(Goal::RunningAgain(brief.started.clone()))]
            }
            Power::Restart { .. } if is_off => start().into(),
            // Changes that wait for a restart want it off and on, and so does a guest that may not obey.
            Power::Restart { force_after, followed: true } if brief.need_restart || force_after.is_some() => {
                stop(force_after).into_iter().chain(start()).collect()
            }
            Power::Restart { force_after: Some(_), followed: false } => {
                return Err(Error::usage(
                    "--force-after and --no-wait exclude each other: somebody must look at the clock",
                ));
            }
            Power::Restart { .. } => {
                let graceful = json!({"graceful": true});
                vec![Leg::Act("reset", graceful), Leg::Wait(Goal::RunningAgain(brief.started.clone()))]
            }
        };
        let verb = match to {
            Power::On => "start",
            Power::Off { .. } => "stop",
            Power::Kill => "kill",
            Power::Restart { .. } => "restart",
            Power::Reset => "reset",
        };
        self.follow(brief, verb, legs).await
    }

    async fn nothing_to_do(&self, brief: &Brief, why: &str) -> Result<Operation<Machine>> {
        self.client.notes().info(format!("nothing to do: virtual machine `{}` {why}", brief.name));
        Ok(Operation::done(None, self.detail(&brief.key).await?))
    }

    fn must_run(&self, brief: &Brief, verb: &str) -> Error {
        let what = format!("{verb} virtual machine `{}`", brief.name);
        self.client
            .error(ErrorKind::Conflict, &what, &format!("it is `{}`", brief.status))
            .hint("start it first: `esker vm start`")
    }

    /// Sends the first request now, and the others as they are due.
    pub(super) async fn follow(&self, brief: Brief, verb: &'static str, legs: Vec<Leg>) -> Result<Operation<Machine>> {
        struct State {
            course: Course,
            legs: VecDeque<Leg>,
            pauses: Pauses,
            /// Since when the present goal is waited for.
            since: Instant,
            last: String,
            is_forced: bool,
            is_seen: bool,
            is_done: bool,
        }
        let what = format!("{verb} virtual machine `{}`", brief.name);
        let course = Course { machines: self.clone(), brief, what };
        let mut legs: VecDeque<Leg> = legs.into();
        if let Some(Leg::Act(action, params)) = legs.pop_front_if(|leg| matches!(leg, Leg::Act(..))) {
            course.act(action, &params).await?;
        }
        let state = State {
            last: course.brief.status.clone(),
            course,
            legs,
            pauses: Pauses::default(),
            since: Instant::now(),
            is_forced: false,
            is_seen: false,
            is_done: false,
        };
        Ok(Operation::new(
            None,
            stream::unfold(state, |mut state| async move {
                if state.is_done {
                    return Ok(None);
                }
                loop {
                    match state.legs.front().cloned() {
                        None => {
                            state.is_done = true;
                            let machine = state.course.machines.detail(&state.course.brief.key).await?;
                            return Ok(Some((Step::Done(machine), state)));
                        }
                        Some(Leg::Act(action, params)) => {
                            state.course.act(action, &params).await?;
                            state.legs.pop_front();
                            (state.since, state.pauses, state.is_seen) = (Instant::now(), Pauses::default(), false);
                        }
                        Some(Leg::Wait(goal)) => {
                            state.pauses.next().await;
                            let now = state.course.look().await?;
                            state.is_seen |= now.status != "running";
                            match state.course.judge(&goal, &now, state.since, state.is_forced, state.is_seen)? {
                                Seen::Reached => {
                                    state.legs.pop_front();
                                }
                                Seen::Overdue => {
                                    state.is_forced = true;
                                    state.course.machines.client.notes().warn(format!(
                                        "virtual machine `{}` did not shut down in time: pulling the plug",
                                        state.course.brief.name
                                    ));
                                    state.course.act("kill", &Value::Null).await?;
                                }
                                Seen::NotYet => {}
                            }
                            if now.status != state.last {
                                state.last.clone_from(&now.status);
                                let progress = Progress { label: now.status, ..Progress::default() };
                                return Ok(Some((Step::Progress(progress), state)));
                            }
                        }
                    }
                }
            }),
        ))
    }
}

/// A machine on its way.
struct Course {
    machines: VergeMachines,
    brief: Brief,
    what: String,
}

impl Course {
    async fn look(&self) -> Result<Brief> {
        self.machines.brief(&Selector::Key(Key(self.brief.key.clone()))).await
    }

    /// Sends an action, once. That it is there already is what was wanted.
    async fn act(&self, action: &str, params: &Value) -> Result<()> {
        let mut body = json!({"vm": VergeResources::number(&self.brief.key), "action": action});
        if !params.is_null() {
            body["params"] = params.clone();
        }
        let sent: Result<Value> = self.machines.client.send(&self.what, Method::POST, "vm_actions", Some(&body)).await;
        match sent {
            Err(error) if error.kind() == ErrorKind::Conflict && matches!(action, "poweron" | "poweroff" | "kill") => {
                // Somebody else was quicker, or it is on its way: the state is looked at in any case.
                let is_there = said(&error).contains("already");
                if is_there { Ok(()) } else { Err(error) }
            }
            sent => sent.map(drop),
        }
    }

    fn judge(&self, goal: &Goal, now: &Brief, since: Instant, is_forced: bool, is_seen: bool) -> Result<Seen> {
        let status = now.status.as_str();
        let failed = |why: &str| {
            let error = self.machines.client.error(ErrorKind::Failure, &self.what, why);
            error.hint(format!("`esker vm show {}/{}` tells more", self.machines.client.endpoint(), now.name))
        };
        if matches!(status, "error" | "unlicensed") {
            return Err(failed(&format!("it is `{status}` now")));
        }
        let waited = since.elapsed();
        let reached = match goal {
            Goal::Running => {
                if status == "stopped" && is_seen && waited > UNSEEN {
                    return Err(failed("it is stopped again"));
                }
                status == "running"
            }
            Goal::Stopped(force_after) => {
                if status != "stopped" && !is_forced && force_after.is_some_and(|limit| waited >= limit) {
                    return Ok(Seen::Overdue);
                }
                status == "stopped"
            }
            Goal::Hibernated => matches!(status, "hibernated" | "stopped"),
            Goal::RunningAgain(before) => {
                let is_new = now.started != *before || is_seen || waited > UNSEEN;
                status == "running" && is_new
            }
            Goal::Elsewhere(before) => {
                if status == "running" && now.node == *before && waited > UNSEEN {
                    return Err(failed("it still runs where it was"));
                }
                status == "running" && now.node != *before
            }
        };
        Ok(if reached { Seen::Reached } else { Seen::NotYet })
    }
}

fn said(error: &Error) -> &str {
    error.parts().wire.as_ref().and_then(|wire| wire.message.as_deref()).unwrap_or_default()
}

/// Fields that are not null.
pub(super) fn filled(pairs: impl IntoIterator<Item = (&'static str, Value)>) -> Row {
    pairs.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}
