//! How a session is: what its events say of it.

use crate::model::{AgentEvent, Dialog, LiveSession, Time};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// What is known of a session that runs.
pub(super) struct Status {
    pub(super) live: LiveSession,
    /// The tools that run, by their calls.
    tools: BTreeMap<String, String>,
    questions: Vec<Dialog>,
    is_working: bool,
    /// When something happened last.
    pub(super) active: Instant,
}

impl Status {
    pub(super) fn new(live: LiveSession) -> Self {
        Self { live, tools: BTreeMap::new(), questions: Vec::new(), is_working: false, active: Instant::now() }
    }

    /// A prompt was sent.
    pub(super) fn prompted(&mut self) {
        self.is_working = true;
        self.touched();
    }

    /// Something was said.
    pub(super) fn heard(&mut self, event: &AgentEvent) {
        match event {
            AgentEvent::Start { .. } => self.is_working = true,
            AgentEvent::ToolStart { tool_call_id, name, .. } => {
                self.tools.insert(tool_call_id.clone(), name.clone());
            }
            AgentEvent::ToolEnd { tool_call_id, .. } => {
                self.tools.remove(tool_call_id);
            }
            AgentEvent::Usage { total, turns, .. } => (self.live.usage, self.live.turns) = (*total, *turns),
            AgentEvent::Interaction(dialog) => self.questions.push(dialog.clone()),
            AgentEvent::InteractionEnd { request_id, .. } => {
                self.questions.retain(|dialog| dialog.request_id != *request_id);
            }
            AgentEvent::End { .. } => {
                self.is_working = false;
                self.tools.clear();
            }
            _ => {}
        }
        self.touched();
    }

    pub(super) fn touched(&mut self) {
        self.active = Instant::now();
        self.live.active_at = Time::now();
    }

    /// Whether nothing is under way, nobody is waited for, and nobody watches.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_working && self.questions.is_empty() && self.tools.is_empty() && self.live.attached == 0
    }

    /// As it is told.
    pub(super) fn told(&self) -> LiveSession {
        let state = match () {
            () if self.live.ended.is_some() => "ended",
            () if !self.questions.is_empty() => "waiting",
            () if self.is_working => "working",
            () => "idle",
        };
        LiveSession {
            state: state.to_owned(),
            questions: self.questions.clone(),
            tools: self.tools.values().cloned().collect(),
            ..self.live.clone()
        }
    }
}
