//! The flags that say how a session is opened: those of `agent run` and `agent start`.

use super::host::HostArgs;
use crate::agent::policy::{Policy, Responder, Rules};
use crate::cli::source::read_text;
use crate::error::{Error, Result};
use crate::provider::agent::{Approval, Isolation, Keys, SessionSpec, Which};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const MODEL: &str = "Model";
const SESSION: &str = "Session";
const TOOLS: &str = "Tools and questions";
const SURROUNDINGS: &str = "Surroundings";

// What opens a session.
#[derive(Args, Debug)]
pub struct OpenArgs {
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
    approve_rules: Option<PathBuf>,
    /// Extension to load
    #[arg(long, value_name = "FILE", help_heading = TOOLS)]
    extension: Vec<String>,

    /// Directory it works in
    #[arg(long, value_name = "DIR", help_heading = SURROUNDINGS)]
    pub(super) cwd: Option<PathBuf>,
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

    #[command(flatten)]
    pub(super) host: HostArgs,
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

impl OpenArgs {
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

    /// Who answers.
    pub(super) fn judge(&self) -> Result<Judge> {
        let policy = self.approve.map(|approve| match approve {
            Approve::Ask => Policy::Ask,
            Approve::Auto => Policy::Auto,
            Approve::Deny => Policy::Deny,
        });
        let rules = self.approve_rules.as_ref();
        let rules = rules.map(|path| Ok::<_, Error>((read_text(path)?, path.display().to_string()))).transpose()?;
        Ok(Judge { policy, rules })
    }
}

/// Who answers the questions of an agent: what was asked for, in a form that can be passed on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Judge {
    policy: Option<Policy>,
    /// The text of the rules, and the name of their file.
    rules: Option<(String, String)>,
}

impl Judge {
    /// The same, ready to answer. `attended` says whether somebody can be asked.
    pub(super) fn responder(&self, attended: bool) -> Result<Responder> {
        let rules = self.rules.as_ref().map(|(text, name)| Rules::parse(text, name)).transpose()?;
        Ok(Responder::new(rules, self.policy, attended))
    }
}
