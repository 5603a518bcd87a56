//! How a run looks: text that streams for people, the final text in a pipe, one object, or an event per line.

use super::result::AgentResult;
use super::transcript::Transcript;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{AgentEvent, At, Channel};
use crate::output::{Format, Progress};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How much of a call is shown, in characters.
const SUBJECT: usize = 70;

/// A line of `agent run -o jsonl`.
#[derive(Serialize, JsonSchema)]
pub struct Envelope<'a, T> {
    /// The event; its `type` comes first.
    #[serde(flatten)]
    event: &'a T,
    /// The provider's id.
    provider: &'static str,
    /// The full name of the target.
    target: &'a str,
    /// Lines are counted from 0.
    seq: u64,
}

impl<'a, T> Envelope<'a, T> {
    /// The line of number `seq`.
    pub(super) fn new(event: &'a T, provider: &'static str, target: &'a str, seq: u64) -> Self {
        Self { event, provider, target, seq }
    }
}

/// The last line of a run.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename = "result")]
pub struct Last {
    #[serde(flatten)]
    result: AgentResult,
}

/// Any line of a run, for its schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
pub enum AnyLine {
    /// Something that the agent did, said or asked.
    Event(Box<AgentEvent>),
    /// What the run came to.
    Last(Box<Last>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Text as it comes, on a terminal.
    Stream,
    /// The final text.
    Final,
    /// The result as an object.
    Object,
    /// Every event as a line.
    Events,
}

/// Shows a run.
pub(in crate::cli::agent) struct Show<'a> {
    ctx: &'a Ctx,
    provider: &'static str,
    target: &'a str,
    style: Style,
    /// Whether what it does beside its answer is told on stderr.
    tells: bool,
    status: Option<Progress>,
    /// Who spoke last, if the line that it is on has not ended.
    open: Option<Channel>,
    tools: BTreeMap<String, String>,
    turns: u64,
    cost: Option<f64>,
    seq: u64,
    transcript: Option<Transcript>,
}

impl<'a> Show<'a> {
    pub(in crate::cli::agent) fn new(ctx: &'a Ctx, provider: &'static str, target: &'a str) -> Result<Self> {
        let style = match ctx.out.format() {
            Format::Json | Format::Yaml => Style::Object,
            Format::Jsonl => Style::Events,
            Format::Table | Format::Wide if ctx.out.stdout_is_tty() => Style::Stream,
            Format::Table | Format::Wide => Style::Final,
            Format::Csv | Format::Name => {
                return Err(Error::usage("an answer is a text, not a table").hint("use -o json, -o yaml or -o jsonl"));
            }
        };
        let tells = ctx.out.stderr_is_tty() && !ctx.out.options().quiet && style != Style::Events;
        let (status, open, tools, transcript) = (None, None, BTreeMap::new(), None);
        Ok(Self { ctx, provider, target, style, tells, status, open, tools, turns: 0, cost: None, seq: 0, transcript })
    }

    /// The same, written down as well.
    pub(in crate::cli::agent) fn recorded(self, transcript: Option<Transcript>) -> Self {
        Self { transcript, ..self }
    }

    /// The same for what is only watched: there is no final text to wait for, so text streams into a pipe too.
    pub(in crate::cli::agent) fn streaming(ctx: &'a Ctx, provider: &'static str, target: &'a str) -> Result<Self> {
        let mut show = Self::new(ctx, provider, target)?;
        match show.style {
            Style::Final => show.style = Style::Stream,
            // What has no end is lines (ux 5.1).
            Style::Object => show.style = Style::Events,
            Style::Stream | Style::Events => {}
        }
        Ok(show)
    }

    /// Shows an event.
    pub(in crate::cli::agent) fn event(&mut self, event: &AgentEvent) -> Result<()> {
        if let Some(transcript) = self.transcript.as_mut().filter(|_| !matches!(event, AgentEvent::Reply(_))) {
            transcript.add(event, self.provider, self.target)?;
        }
        match event {
            // Whoever sent the command takes it.
            AgentEvent::Reply(_) => {}
            event if self.style == Style::Events => return self.line(event),
            AgentEvent::Start { .. } => self.working("thinking"),
            AgentEvent::MessageDelta { channel, text } => self.text(*channel, text)?,
            AgentEvent::Message { .. } => self.break_line()?,
            AgentEvent::ToolStart { tool_call_id, name, arguments } => {
                self.break_line()?;
                let call = call(name, arguments);
                self.working(&call);
                self.tools.insert(tool_call_id.clone(), call);
            }
            AgentEvent::ToolEnd { tool_call_id, name, is_error, duration_seconds, .. } => {
                let call = self.tools.remove(tool_call_id).unwrap_or_else(|| name.clone());
                self.status = None;
                if self.tells {
                    let time = duration_seconds.map(|seconds| format!("  {seconds:.1}s")).unwrap_or_default();
                    self.ctx.out.went(!is_error, &format!("{call}{time}"));
                }
                self.working("thinking");
            }
            AgentEvent::Usage { total, turns, .. } => (self.turns, self.cost) = (*turns, total.cost_usd),
            AgentEvent::Interaction(_) => {
                self.break_line()?;
                self.status = None;
            }
            AgentEvent::InteractionEnd { .. } => self.working("thinking"),
            AgentEvent::Notice { level, text } => {
                self.break_line()?;
                match level.as_str() {
                    "warning" | "error" => self.ctx.out.warn(text),
                    _ => self.ctx.out.info(text),
                }
            }
            AgentEvent::Other { event, data } if event == "auto_retry_start" => {
                self.break_line()?;
                let why = data["errorMessage"].as_str().unwrap_or("the model failed");
                self.ctx.out.done(&format!("trying again: {why}"));
            }
            AgentEvent::Error { message, fatal: false, .. } => self.ctx.out.info(message),
            AgentEvent::Log { text } => self.ctx.out.debug(text),
            AgentEvent::End { .. } => {
                self.break_line()?;
                self.status = None;
            }
            AgentEvent::Error { .. } | AgentEvent::ToolUpdate { .. } | AgentEvent::Other { .. } => {}
        }
        Ok(())
    }

    /// Keeps what shows that something goes on going.
    pub(in crate::cli::agent) fn tick(&self) {
        if let Some(status) = &self.status {
            status.tick();
        }
    }

    /// Shows what the run came to.
    pub(in crate::cli::agent) fn result(&mut self, result: AgentResult) -> Result<()> {
        self.status = None;
        match self.style {
            // It has streamed already.
            Style::Stream => Ok(()),
            Style::Final if result.text.is_empty() => Ok(()),
            Style::Final => self.ctx.out.line(result.text.trim_end_matches('\n')),
            Style::Object => {
                let row = At { provider: self.provider, target: self.target.to_owned(), value: result };
                self.ctx.out.one(&row, &[])
            }
            Style::Events => self.line(&Last { result }),
        }
    }

    fn line<T: Serialize>(&mut self, event: &T) -> Result<()> {
        let seq = self.seq;
        self.seq += 1;
        self.ctx.out.tagged(&Envelope::new(event, self.provider, self.target, seq))
    }

    /// What it does just now, with what it has taken so far.
    fn working(&mut self, what: &str) {
        if !self.tells || self.open.is_some() {
            return;
        }
        let mut label = what.to_owned();
        if self.turns > 0 {
            let _ = write!(label, " · turn {}", self.turns + 1);
        }
        if let Some(cost) = self.cost {
            let _ = write!(label, " · ${cost:.4}");
        }
        match &self.status {
            Some(status) => status.label(&label),
            None => self.status = Some(self.ctx.out.progress(&label)),
        }
    }

    fn text(&mut self, channel: Channel, text: &str) -> Result<()> {
        if self.style != Style::Stream {
            return Ok(());
        }
        // A status below half a line would tear it.
        self.status = None;
        if self.open.is_some_and(|open| open != channel) {
            self.break_line()?;
        }
        match channel {
            Channel::Assistant => self.ctx.out.piece(text)?,
            Channel::Thinking if self.tells => self.ctx.out.aside(text),
            Channel::Thinking => return Ok(()),
        }
        self.open = (!text.ends_with('\n')).then_some(channel);
        Ok(())
    }

    fn break_line(&mut self) -> Result<()> {
        match self.open.take() {
            Some(Channel::Assistant) => self.ctx.out.piece("\n")?,
            Some(Channel::Thinking) => self.ctx.out.aside("\n"),
            None => {}
        }
        Ok(())
    }
}

/// A call of a tool in one line: the tool, and what it is about.
fn call(name: &str, arguments: &Value) -> String {
    let subject = ["command", "path", "file_path", "pattern", "url", "query"]
        .iter()
        .find_map(|key| arguments[*key].as_str().map(str::to_owned))
        .unwrap_or_else(|| match arguments {
            Value::Object(fields) if fields.is_empty() => String::new(),
            other => other.to_string(),
        });
    let line = subject.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(SUBJECT).collect();
    if short.len() < subject.len() {
        short.push('…');
    }
    format!("{name}  {short}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_is_one_line() {
        assert_eq!(call("bash", &json!({"command": "make\nmake test"})), "bash  make…");
        assert_eq!(call("read", &json!({"path": "src/main.rs"})), "read  src/main.rs");
        assert_eq!(call("odd", &json!({"x": 1})), "odd  {\"x\":1}");
        assert_eq!(call("todo", &json!({})), "todo");
    }
}
