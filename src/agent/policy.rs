//! Who answers the questions of an agent: rules first, then a policy, and what is left the person at the terminal.
//! What nobody answers is refused.

use crate::error::{Error, Result};
use crate::glob::matches;
use crate::model::{Dialog, DialogKind};
use crate::provider::agent::Answer;
use crate::provider::labels::{self, Decision};
use serde_json::Value;

/// What becomes of questions about permission that no rule decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Policy {
    /// Somebody is asked.
    Ask,
    /// They are allowed.
    Auto,
    /// They are refused.
    Deny,
}

/// What a rule decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ruling {
    Allow,
    Deny,
    Ask,
}

/// One rule: which calls, and what about them.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// The tool; a pattern. Every tool by default.
    tool: Option<String>,
    /// What it is about: the command, the path, or its arguments as JSON; a pattern.
    #[serde(rename = "match")]
    about: Option<String>,
    decision: Ruling,
}

/// Rules, of which the first that matches decides.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Reads a list of rules. `name` is that of the file, for messages.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let bad = |what: &dyn std::fmt::Display| {
            Error::config(format!("invalid rules in `{name}`: {what}"))
                .hint("a list of `{tool: NAME, match: PATTERN, decision: allow|deny|ask}`")
        };
        serde_yaml::from_str(text).map(Self).map_err(|error| bad(&error))
    }

    /// What the first rule that matches says.
    fn ruling(&self, dialog: &Dialog) -> Option<Ruling> {
        let tool = dialog.tool.as_deref();
        let about = dialog.arguments.as_ref().map(subject);
        let fits = |rule: &&Rule| {
            let of = |pattern: &Option<String>, text: Option<&str>| {
                pattern.as_ref().is_none_or(|pattern| text.is_some_and(|text| matches(pattern, text)))
            };
            of(&rule.tool, tool) && of(&rule.about, about.as_deref())
        };
        self.0.iter().find(fits).map(|rule| rule.decision)
    }
}

/// What a call is about, as a rule sees it.
fn subject(arguments: &Value) -> String {
    ["command", "path", "file_path", "url"]
        .iter()
        .find_map(|key| arguments[*key].as_str().map(str::to_owned))
        .unwrap_or_else(|| arguments.to_string())
}

/// Who answers.
#[derive(Clone, Debug)]
pub struct Responder {
    rules: Option<Rules>,
    policy: Policy,
    /// Whether there is somebody to be asked.
    attended: bool,
}

/// What becomes of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// This is the answer.
    Answer(Answer),
    /// It is refused, for this reason.
    Refuse(Answer, &'static str),
    /// Somebody is asked.
    Ask,
}

impl Responder {
    /// Rules, and what is done where none of them decides. With rules that is refusing, unless a policy is named.
    pub fn new(rules: Option<Rules>, policy: Option<Policy>, attended: bool) -> Self {
        let default = if rules.is_some() { Policy::Deny } else { Policy::Ask };
        Self { rules, policy: policy.unwrap_or(default), attended }
    }

    /// What becomes of a question.
    pub fn respond(&self, dialog: &Dialog) -> Response {
        if dialog.kind != DialogKind::Permission {
            // Nobody else can know the answer.
            return if self.attended {
                Response::Ask
            } else {
                Response::Refuse(Answer::Cancelled, "nobody is there to answer")
            };
        }
        let ruling = self.rules.as_ref().and_then(|rules| rules.ruling(dialog));
        let decision = match (ruling, self.policy) {
            (Some(Ruling::Allow), _) | (None, Policy::Auto) => Decision::Allow,
            (Some(Ruling::Deny), _) => {
                return Response::Refuse(answer_or_cancel(dialog, Decision::Deny), "a rule denies it");
            }
            (None, Policy::Deny) => {
                let why = if self.rules.is_some() { "no rule allows it" } else { "--approve deny" };
                return Response::Refuse(answer_or_cancel(dialog, Decision::Deny), why);
            }
            (Some(Ruling::Ask), _) | (None, Policy::Ask) if self.attended => return Response::Ask,
            (Some(Ruling::Ask), _) | (None, Policy::Ask) => {
                let why = "nobody is there to be asked; see --approve";
                return Response::Refuse(answer_or_cancel(dialog, Decision::Deny), why);
            }
        };
        match answer(dialog, decision) {
            Some(answer) => Response::Answer(answer),
            None if self.attended => Response::Ask,
            None => Response::Refuse(Answer::Cancelled, "none of its options plainly allows it"),
        }
    }
}

/// The answer that says `decision`, if one plainly does.
pub fn answer(dialog: &Dialog, decision: Decision) -> Option<Answer> {
    if dialog.method == "confirm" {
        return Some(Answer::Confirmed(decision != Decision::Deny));
    }
    labels::choose(&dialog.options, decision).map(|at| Answer::Value(dialog.options[at].clone()))
}

/// The same where refusing may be done by closing the question.
fn answer_or_cancel(dialog: &Dialog, decision: Decision) -> Answer {
    answer(dialog, decision).unwrap_or(Answer::Cancelled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use serde_json::json;

    fn permission(tool: &str, arguments: Value) -> Dialog {
        Dialog {
            request_id: "d".into(),
            method: "confirm".into(),
            kind: DialogKind::Permission,
            prompt: format!("Allow tool: {tool}"),
            message: None,
            options: Vec::new(),
            default: None,
            tool: Some(tool.into()),
            arguments: Some(arguments),
            tool_call_id: None,
            timeout_seconds: None,
        }
    }

    fn said(response: &Response) -> &'static str {
        match response {
            Response::Answer(Answer::Confirmed(true)) => "yes",
            Response::Refuse(Answer::Confirmed(false), _) => "no",
            Response::Refuse(Answer::Cancelled, _) => "closed",
            Response::Ask => "ask",
            _ => "?",
        }
    }

    #[test]
    fn the_first_rule_that_matches_decides_and_none_is_no() {
        let rules = "- {tool: bash, match: 'git *', decision: allow}\n- {tool: bash, match: '*rm*', decision: deny}\n\
                     - {tool: 'w*', decision: ask}\n- {match: '{\"x\":1}', decision: allow}\n";
        let rules = Rules::parse(rules, "r.yaml").unwrap();
        let responder = |attended| Responder::new(Some(rules.clone()), None, attended);
        let respond =
            |attended, tool: &str, arguments| said(&responder(attended).respond(&permission(tool, arguments)));
        assert_eq!(respond(true, "bash", json!({"command": "git rm -r ."})), "yes");
        assert_eq!(respond(true, "bash", json!({"command": "sudo rm x"})), "no");
        assert_eq!(respond(true, "write", json!({"path": "a"})), "ask");
        assert_eq!(respond(false, "write", json!({"path": "a"})), "no");
        assert_eq!(respond(true, "other", json!({"x": 1})), "yes");
        assert_eq!(respond(true, "edit", json!({"path": "a"})), "no");
        let auto = Responder::new(Some(rules.clone()), Some(Policy::Auto), false);
        assert_eq!(said(&auto.respond(&permission("edit", json!({})))), "yes");
    }

    #[test]
    fn rules_that_say_nothing_known_are_refused() {
        for bad in
            ["- {tool: bash}", "- {tool: bash, decision: maybe}", "{decision: allow}", "- {tols: b, decision: ask}"]
        {
            assert_eq!(Rules::parse(bad, "r.yaml").unwrap_err().kind(), ErrorKind::Config, "{bad}");
        }
    }

    #[test]
    fn who_is_alone_is_refused_and_told_why() {
        let dialog = permission("bash", json!({}));
        let by = |policy, attended| said(&Responder::new(None, policy, attended).respond(&dialog));
        assert_eq!((by(None, true), by(None, false)), ("ask", "no"));
        assert_eq!((by(Some(Policy::Auto), false), by(Some(Policy::Deny), true)), ("yes", "no"));
        let question = Dialog { kind: DialogKind::Question, method: "input".into(), ..dialog.clone() };
        let alone = Responder::new(None, Some(Policy::Auto), false);
        assert_eq!(said(&alone.respond(&question)), "closed", "no policy knows the answer to a question");
        // No label plainly allows it.
        let odd = Dialog { method: "select".into(), options: vec!["Red".into(), "Green".into()], ..dialog };
        assert_eq!(said(&alone.respond(&odd)), "closed");
    }
}
