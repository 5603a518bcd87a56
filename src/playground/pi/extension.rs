//! What extensions do here. Nothing of their code runs; a line of theirs that begins with `//@` says in JSON what it
//! would do:
//!
//! * `{"on":"tool_call","tool":"bash","confirm":"Allow command?","reason":"Denied"}` asks before that tool runs, or
//!   before every one but those in `except`; `${tool}` stands for its name;
//! * `{"command":"ask","dialogs":[{"method":"select","title":"Pick one","options":["A","B"]}]}` is a slash command that
//!   asks questions one after another, and `{"command":"say","notify":"text"}` one that says something;
//! * `{"command":"quit","shutdown":true}` ends the program.

use super::args::Refusal;
use serde::Deserialize;
use serde_json::{Map, Value};

/// One such line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Directive {
    /// `tool_call`.
    #[serde(default)]
    pub(super) on: Option<String>,
    #[serde(default)]
    pub(super) tool: Option<String>,
    #[serde(default)]
    pub(super) except: Vec<String>,
    #[serde(default)]
    pub(super) confirm: Option<String>,
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) timeout: Option<u64>,
    #[serde(default)]
    pub(super) command: Option<String>,
    #[serde(default)]
    pub(super) dialogs: Vec<Map<String, Value>>,
    #[serde(default)]
    pub(super) notify: Option<String>,
    #[serde(default)]
    pub(super) shutdown: bool,
}

impl Directive {
    /// The question before a call of `tool`, if there is one.
    pub(super) fn question(&self, tool: &str) -> Option<String> {
        let meant = self.on.as_deref() == Some("tool_call")
            && self.tool.as_deref().is_none_or(|name| name == tool)
            && self.except.iter().all(|name| name != tool);
        let title = self.confirm.as_ref().filter(|_| meant)?;
        Some(title.replace("${tool}", tool))
    }
}

/// What the extensions in these files do.
pub(super) fn load(files: &[String]) -> Result<Vec<Directive>, Refusal> {
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Refusal::new(format!("Error: Failed to load extension \"{file}\": {error}")))?;
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("//@")) {
            let directive = serde_json::from_str(line)
                .map_err(|error| Refusal::new(format!("Error: Failed to load extension \"{file}\": {error}")))?;
            all.push(directive);
        }
    }
    Ok(all)
}
