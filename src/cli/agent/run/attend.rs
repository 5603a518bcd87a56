//! One run, attended: questions answered, limits kept, signals heeded, until the prompt is done with.

use super::ask::Asker;
use super::result::{Denied, ToolCalls};
use super::show::Show;
use crate::agent::budget::Budget;
use crate::agent::policy::{Responder, Response};
use crate::config::duration;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{AgentEvent, AgentUsage, CommandId, Dialog, EndReason};
use crate::provider::agent::{Command, Session, SessionControl};
use crate::signal::{Listener, interrupted};
use futures_util::StreamExt as _;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often what shows that something goes on moves.
const TICK: Duration = Duration::from_millis(100);

/// How long an agent that was told to stop may take before it is left to the killing.
const STOP: Duration = Duration::from_secs(2);

/// What is kept to.
pub(in crate::cli::agent) struct Limits {
    pub(in crate::cli::agent) budget: Budget,
    /// The end of the whole command, and how long that was.
    pub(in crate::cli::agent) deadline: Option<(Instant, Duration)>,
    pub(in crate::cli::agent) idle: Option<Duration>,
}

/// How a prompt ended.
pub(in crate::cli::agent) enum Ended {
    /// The agent says so.
    Agent { reason: EndReason, error: Option<String> },
    /// It was stopped, for this.
    Stopped(Error),
}

/// What is known of a run, over all its prompts.
#[derive(Default)]
pub(in crate::cli::agent) struct Tally {
    pub(in crate::cli::agent) text: String,
    pub(in crate::cli::agent) usage: AgentUsage,
    pub(in crate::cli::agent) turns: u64,
    pub(super) tools: ToolCalls,
    pub(super) denied: Vec<Denied>,
}

/// Attends a session.
pub(in crate::cli::agent) struct Attendant<'a> {
    pub(super) ctx: &'a Ctx,
    pub(in crate::cli::agent) show: Show<'a>,
    pub(super) responder: Responder,
    pub(super) limits: Limits,
    pub(super) signals: Listener,
    pub(super) asker: Asker<'a>,
    pub(in crate::cli::agent) tally: Tally,
    /// Whether a signal leaves the agent at work, since somebody else holds it.
    pub(in crate::cli::agent) leaves: bool,
    running: BTreeSet<String>,
    /// Whether the last message wants tools, so that the model is called again.
    goes_on: bool,
}

/// What happened.
enum Happened {
    Event(Box<Option<Result<AgentEvent>>>),
    Stop(Error),
    Answer(crate::model::DialogId, crate::provider::agent::Answer),
    Tick,
}

impl<'a> Attendant<'a> {
    pub(in crate::cli::agent) fn new(
        ctx: &'a Ctx,
        show: Show<'a>,
        responder: Responder,
        limits: Limits,
        signals: Listener,
    ) -> Self {
        let (asker, tally) = (Asker::new(ctx), Tally::default());
        Self {
            ctx,
            show,
            responder,
            limits,
            signals,
            asker,
            tally,
            leaves: false,
            running: BTreeSet::new(),
            goes_on: false,
        }
    }

    /// Sends a prompt and sees it through.
    pub(in crate::cli::agent) async fn prompt(&mut self, session: &mut Session, prompt: Command) -> Result<Ended> {
        let ours = session.control.send(prompt).await?;
        let mut heard = Instant::now();
        let mut ticks = tokio::time::interval(TICK);
        loop {
            match self.next(session, heard, &mut ticks).await {
                Happened::Event(event) => {
                    let Some(event) = *event else {
                        return Err(Error::failure("the agent ended before it had answered"));
                    };
                    heard = Instant::now();
                    let event = event?;
                    if let Some(why) = refusal(&event, &ours) {
                        // What goes on then is somebody else's prompt.
                        let error = Some(why.to_owned());
                        return Ok(Ended::Agent { reason: EndReason::Error, error });
                    }
                    if let Some(ended) = self.event(&*session.control, event).await? {
                        return self.ended(session, ended).await;
                    }
                }
                Happened::Answer(id, answer) => {
                    heard = Instant::now();
                    // One that ran out of time just now is answered in vain.
                    let _ = session.control.answer(&id, answer).await;
                }
                Happened::Stop(error) => return self.ended(session, Ended::Stopped(error)).await,
                Happened::Tick => self.show.tick(),
            }
        }
    }

    async fn next(&mut self, session: &mut Session, heard: Instant, ticks: &mut tokio::time::Interval) -> Happened {
        // Neither a tool that says nothing nor a person who thinks is idleness.
        let is_idle = self.running.is_empty() && !self.asker.is_asking();
        let idle = self.limits.idle.filter(|_| is_idle).map(|idle| (heard + idle, idle));
        let (deadline, signals, asker) = (self.limits.deadline, &mut self.signals, &mut self.asker);
        tokio::select! {
            biased;
            signal = signals.next() => Happened::Stop(interrupted(&signal, "the run was interrupted")),
            event = session.events.next() => Happened::Event(Box::new(event)),
            (id, answer) = asker.answered() => Happened::Answer(id, answer),
            limit = expiry(deadline) => Happened::Stop(late("`agent run` gave up after", limit, "--timeout")),
            limit = expiry(idle) => Happened::Stop(late("nothing happened for", limit, "--idle-timeout")),
            _ = ticks.tick() => Happened::Tick,
        }
    }

    /// Takes an event; returns how the prompt ended if that was its end.
    async fn event(&mut self, control: &dyn SessionControl, event: AgentEvent) -> Result<Option<Ended>> {
        self.show.event(&event)?;
        match event {
            AgentEvent::ToolStart { tool_call_id, .. } => {
                self.tally.tools.count += 1;
                self.running.insert(tool_call_id);
            }
            AgentEvent::ToolEnd { tool_call_id, is_error, .. } => {
                self.tally.tools.failed += u64::from(is_error);
                self.running.remove(&tool_call_id);
            }
            AgentEvent::Message { stop_reason, .. } => self.goes_on = stop_reason.as_deref() == Some("toolUse"),
            AgentEvent::Usage { total, turns, .. } => {
                (self.tally.usage, self.tally.turns) = (total, turns);
                if self.limits.budget.is_blind(&total) {
                    self.ctx.out.warn("--max-cost cannot be kept: the agent knows no price of its model");
                }
                if let Some(error) = self.limits.budget.exceeded(&total, turns, self.goes_on) {
                    return Ok(Some(Ended::Stopped(error)));
                }
            }
            AgentEvent::Interaction(dialog) => self.question(control, dialog).await?,
            AgentEvent::InteractionEnd { request_id, .. } => self.asker.close(&request_id),
            AgentEvent::Error { message, fatal: true, .. } => {
                return Ok(Some(Ended::Agent { reason: EndReason::Error, error: Some(message) }));
            }
            AgentEvent::End { reason, final_text, error } => {
                self.running.clear();
                self.tally.text = final_text;
                return Ok(Some(Ended::Agent { reason, error }));
            }
            _ => {}
        }
        Ok(None)
    }

    async fn question(&mut self, control: &dyn SessionControl, dialog: Dialog) -> Result<()> {
        let id = dialog.request_id.clone();
        match self.responder.respond(&dialog) {
            Response::Ask => return self.asker.ask(dialog),
            Response::Answer(answer) => control.answer(&id, answer).await,
            Response::Refuse(answer, why) => {
                let what = dialog.message.as_deref().map(|message| format!(" ({message})")).unwrap_or_default();
                self.ctx.out.warn(&format!("refused: {}{what}: {why}", dialog.prompt));
                let denied = Denied { tool: dialog.tool, prompt: dialog.prompt, why: why.to_owned() };
                self.tally.denied.push(denied);
                control.answer(&id, answer).await
            }
        }
        // It may have run out of time meanwhile.
        .or_else(|error| if error.kind() == crate::error::ErrorKind::Conflict { Ok(()) } else { Err(error) })
    }

    /// What is stopped is told so, and listened to a little longer: its last words and what it took count.
    async fn ended(&mut self, session: &mut Session, ended: Ended) -> Result<Ended> {
        if let Ended::Stopped(error) = &ended {
            if self.leaves && error.kind() == crate::error::ErrorKind::Interrupted {
                return Ok(ended);
            }
            let _ = session.control.send(Command::Abort).await;
            let until = Instant::now() + STOP;
            loop {
                tokio::select! {
                    biased;
                    // A second one means at once.
                    _ = self.signals.next() => break,
                    event = session.events.next() => match event {
                        Some(Ok(AgentEvent::Interaction(dialog))) => {
                            let answer = crate::provider::agent::Answer::Cancelled;
                            let _ = session.control.answer(&dialog.request_id, answer).await;
                        }
                        Some(Ok(event)) => {
                            let is_end = matches!(event, AgentEvent::End { .. });
                            self.show.event(&event)?;
                            match event {
                                AgentEvent::Usage { total, turns, .. } => {
                                    (self.tally.usage, self.tally.turns) = (total, turns);
                                }
                                AgentEvent::ToolEnd { is_error, .. } => self.tally.tools.failed += u64::from(is_error),
                                AgentEvent::End { final_text, .. } => self.tally.text = final_text,
                                _ => {}
                            }
                            if is_end {
                                break;
                            }
                        }
                        Some(Err(_)) | None => break,
                    },
                    () = sleep_until(until) => break,
                }
            }
        }
        Ok(ended)
    }
}

/// Why a command was refused, if this says so.
fn refusal<'a>(event: &'a AgentEvent, command: &CommandId) -> Option<&'a str> {
    match event {
        AgentEvent::Reply(reply) if reply.id == *command => reply.outcome.as_ref().err().map(String::as_str),
        _ => None,
    }
}

/// Waits for a limit, which is what comes back.
async fn expiry(limit: Option<(Instant, Duration)>) -> Duration {
    match limit {
        Some((at, limit)) => {
            sleep_until(at).await;
            limit
        }
        None => std::future::pending().await,
    }
}

fn late(what: &str, limit: Duration, flag: &str) -> Error {
    Error::timeout(format!("{what} {} ({flag})", duration::show(limit)))
}
