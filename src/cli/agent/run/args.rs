//! The flags of `agent run`.

use crate::agent::policy::Policy;
use crate::config::duration;
use crate::error::{Error, Result};
use crate::provider::agent::{Approval, Isolation, Keys, SessionSpec, Which};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

const MODEL: &str = "Model";
const SESSION: &str = "Session";
const TOOLS: &str = "Tools and questions";
const LIMITS: &str = "Limits";
const SURROUNDINGS: &str = "Surroundings";

#[derive(Args, Debug)]
#[command(after_help = "\
The prompt is an argument, a file or stdin; stdin that is piped in beside a prompt
is context. On a terminal the text streams; piped, the final text alone is printed.

By default the agent has a configuration and a home of its own and only the key
of its provider. Questions are asked on the terminal; with nobody there they are
refused, and the exit status is 5.

Exit status: 0 done; 1 the agent or its model failed; 4 no login; 5 something was
denied or stayed unanswered; 6 no such agent; 9 out of time; 14 a limit is used up.

Examples:
  esker agent run 'fix the failing test' --approve auto --max-cost 0.50
  git diff | esker agent run 'review this' --tools read -o json | jq -r .text
  esker agent run --continue 'and now the docs'
  esker agent run --target omp -o jsonl < prompt.md")]
pub struct RunArgs {
    /// What the agent is to do; `-` reads stdin
    #[arg(value_name = "PROMPT")]
    pub(super) prompt: Option<String>,
    /// Read the prompt from a file
    #[arg(long, value_name = "FILE", conflicts_with = "prompt")]
    pub(super) prompt_file: Option<PathBuf>,
    /// Picture to show with the prompt
    #[arg(long, value_name = "FILE")]
    pub(super) image: Vec<PathBuf>,
    /// Want JSON that keeps to this schema; asks again up to twice
    #[arg(long, value_name = "FILE")]
    pub(super) schema: Option<PathBuf>,

    /// Model, as the agent names it
    #[arg(long, value_name = "MODEL", help_heading = MODEL)]
    model: Option<String>,
    /// Who serves the model
    #[arg(long, value_name = "NAME", help_heading = MODEL)]
    provider: Option<String>,
    /// How much it thinks: off, minimal, low, medium, high, xhigh, max
    #[arg(long, value_name = "LEVEL", help_heading = MODEL)]
    thinking: Option<String>,
    /// Replace the system prompt
    #[arg(long, value_name = "TEXT", help_heading = MODEL)]
    system_prompt: Option<String>,
    /// Add to the system prompt
    #[arg(long, value_name = "TEXT", help_heading = MODEL)]
    append_system_prompt: Vec<String>,

    /// Go on with the last session of this directory
    #[arg(long = "continue", help_heading = SESSION, conflicts_with_all = ["resume", "no_session"])]
    go_on: bool,
    /// Go on with this session: an id, its beginning, or a file
    #[arg(long, value_name = "ID", help_heading = SESSION, conflicts_with = "no_session")]
    resume: Option<String>,
    /// Keep no session
    #[arg(long, help_heading = SESSION)]
    no_session: bool,
    /// Name of the session
    #[arg(long, value_name = "NAME", help_heading = SESSION)]
    session_name: Option<String>,
    /// Where sessions are kept
    #[arg(long, value_name = "DIR", help_heading = SESSION)]
    session_dir: Option<String>,

    /// Tool that it may use; repeat for several
    #[arg(long, value_name = "TOOL", help_heading = TOOLS, conflicts_with = "no_tools")]
    tools: Vec<String>,
    /// Tool that it may not use; repeat for several
    #[arg(long, value_name = "TOOL", help_heading = TOOLS)]
    exclude_tools: Vec<String>,
    /// No tools at all
    #[arg(long, help_heading = TOOLS)]
    no_tools: bool,
    /// Who decides before a tool changes something
    #[arg(long, value_name = "POLICY", help_heading = TOOLS)]
    approve: Option<Approve>,
    /// Rules that decide first: a YAML list of tool, match, decision
    #[arg(long, value_name = "FILE", help_heading = TOOLS)]
    pub(super) approve_rules: Option<PathBuf>,
    /// Extension to load
    #[arg(long, value_name = "FILE", help_heading = TOOLS)]
    extension: Vec<String>,

    /// Stop after so many calls of the model
    #[arg(long, value_name = "N", help_heading = LIMITS)]
    pub(super) max_turns: Option<u64>,
    /// Stop after so many US dollars
    #[arg(long, value_name = "USD", help_heading = LIMITS, value_parser = dollars)]
    pub(super) max_cost: Option<f64>,
    /// Stop after so many tokens
    #[arg(long, value_name = "N", help_heading = LIMITS)]
    pub(super) max_tokens: Option<u64>,
    /// Stop when nothing happens for so long
    #[arg(long, value_name = "DURATION", help_heading = LIMITS, value_parser = duration::parse)]
    pub(super) idle_timeout: Option<Duration>,
    /// How long it may take to end before it is killed
    #[arg(long, value_name = "DURATION", help_heading = LIMITS, value_parser = duration::parse, default_value = "5s")]
    pub(super) grace: Duration,

    /// Directory it works in
    #[arg(long, value_name = "DIR", help_heading = SURROUNDINGS)]
    cwd: Option<PathBuf>,
    /// Variable for it; without a value, ours
    #[arg(long, value_name = "NAME[=VALUE]", help_heading = SURROUNDINGS)]
    env: Vec<String>,
    /// Throw its configuration, home and session away at the end
    #[arg(long, help_heading = SURROUNDINGS, conflicts_with_all = ["share_login", "share_config", "go_on"])]
    ephemeral: bool,
    /// Use your own login, in place, and nothing else of yours
    #[arg(long, help_heading = SURROUNDINGS, conflicts_with = "share_config")]
    share_login: bool,
    /// Use your own configuration and home
    #[arg(long, help_heading = SURROUNDINGS)]
    share_config: bool,
}

/// What `--approve` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Approve {
    /// Somebody is asked
    Ask,
    /// Everything is allowed
    Auto,
    /// What would change something is refused
    Deny,
}

fn dollars(text: &str) -> Result<f64, String> {
    let amount: Option<f64> = text.strip_prefix('$').unwrap_or(text).parse().ok();
    amount
        .filter(|amount| amount.is_finite() && *amount > 0.0)
        .ok_or_else(|| "expected an amount such as 0.50".to_owned())
}

impl RunArgs {
    /// The session that is to be opened.
    pub(super) fn spec(&self, vars: &dyn Fn(&str) -> Option<String>) -> Result<SessionSpec> {
        let session = match (&self.resume, self.go_on, self.no_session) {
            (Some(id), ..) => Which::Known(id.clone()),
            (None, true, _) => Which::Last,
            (None, false, true) => Which::Unkept,
            (None, false, false) => Which::New,
        };
        let env = self.env.iter().map(|text| match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            Some(_) => Err(Error::usage(format!("`--env {text}` has no name"))),
            None => match vars(text) {
                Some(value) => Ok((text.clone(), value)),
                None => Err(Error::usage(format!("`--env {text}`: the variable is not set here"))),
            },
        });
        Ok(SessionSpec {
            dir: self.cwd.as_deref().map(crate::provider::local::remote_path),
            model: self.model.clone(),
            model_provider: self.provider.clone(),
            thinking: self.thinking.clone(),
            tools: self.tools.clone(),
            exclude_tools: self.exclude_tools.clone(),
            no_tools: self.no_tools,
            session,
            session_name: self.session_name.clone(),
            session_dir: self.session_dir.clone(),
            system_prompt: self.system_prompt.clone(),
            append_system_prompt: self.append_system_prompt.clone(),
            keys: Keys::OfProvider,
            extensions: self.extension.clone(),
            args: Vec::new(),
            env: env.collect::<Result<_>>()?,
            isolation: match (self.ephemeral, self.share_login, self.share_config) {
                (true, ..) => Isolation::Ephemeral,
                (_, true, _) => Isolation::ShareLogin,
                (_, _, true) => Isolation::ShareConfig,
                _ => Isolation::Private,
            },
            approval: match (self.approve, &self.approve_rules) {
                (None, None) => Approval::Own,
                (Some(Approve::Auto), None) => Approval::Never,
                _ => Approval::Always,
            },
        })
    }

    /// Who answers what no rule decides, if that is said.
    pub(super) fn policy(&self) -> Option<Policy> {
        self.approve.map(|approve| match approve {
            Approve::Ask => Policy::Ask,
            Approve::Auto => Policy::Auto,
            Approve::Deny => Policy::Deny,
        })
    }
}
