//! The tools: what each offers, and what is allowed.

use crate::cli::{Kind, Node, TREE};
use crate::error::{Error, Result};
use crate::suggest::nearest;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The capabilities that are tools.
const TOOLS: [&str; 6] = ["svc", "exec", "files", "checkpoint", "vm", "agent"];

/// The last words of commands that change nothing, whatever they are about.
const READS: [&str; 15] = [
    "list", "show", "logs", "wait", "plan", "health", "metrics", "info", "cat", "stats", "ports", "usage", "models",
    "doctor", "schema",
];

/// What explains a command, and is always allowed.
pub(super) const HELP: &str = "help";

/// The commands that may be called.
#[derive(Debug)]
pub(super) struct Tools(Vec<Tool>);

#[derive(Debug)]
struct Tool {
    name: &'static str,
    about: &'static str,
    /// The allowed commands below it, each with a line of help; empty for `exec`, which has none.
    verbs: Vec<(String, &'static str)>,
    only_reads: bool,
}

impl Tools {
    /// The tools, with what `allowed` names beside what only reads.
    pub(super) fn new(allowed: &[String], is_pinned: bool) -> Result<Self> {
        let known = commands();
        for name in allowed {
            if !known.iter().any(|(command, _)| command == name) && !TOOLS.contains(&name.as_str()) {
                let names = known.iter().map(|(command, _)| command.as_str()).chain(TOOLS);
                let error = Error::usage(format!("--allow: there is no command `{name}`"));
                return Err(match nearest(name, names) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint("`esker svc --help` and its siblings show them"),
                });
            }
        }
        let is_named = |command: &str| {
            allowed.iter().any(|name| {
                command == name || command.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(' '))
            })
        };
        let tools = TOOLS.iter().filter_map(|name| {
            let node = TREE.iter().find(|node| node.name == *name)?;
            let below = known.iter().filter(|(command, _)| command.starts_with(&format!("{name} ")));
            let verbs: Vec<_> = below.filter(|(command, _)| reads(command) || is_named(command)).cloned().collect();
            let is_leaf = matches!(node.kind, Kind::Leaf { .. });
            let only_reads = !is_leaf && verbs.iter().all(|(command, _)| reads(command));
            let strip = |(command, about): (String, &'static str)| (command[name.len() + 1..].to_owned(), about);
            let tool = Tool { name, about: node.about, verbs: verbs.into_iter().map(strip).collect(), only_reads };
            // Sessions of agents are on this machine, not at the one target that a pinned server is about.
            let is_elsewhere = is_pinned && *name == "agent" && tool.only_reads;
            ((!tool.verbs.is_empty() || is_leaf && is_named(name)) && !is_elsewhere).then_some(tool)
        });
        Ok(Self(tools.collect()))
    }

    /// The words of the command that a call means.
    pub(super) fn command(&self, tool: &str, verb: Option<&str>) -> Result<Vec<String>> {
        let Some(found) = self.0.iter().find(|found| found.name == tool) else {
            return Err(Error::forbidden(format!("there is no tool `{tool}`, or it is not allowed"))
                .hint(format!("`esker mcp --allow {tool}` allows it")));
        };
        if found.verbs.is_empty() {
            return Ok(vec![tool.to_owned()]);
        }
        let verb = verb.ok_or_else(|| Error::usage(format!("`verb` is missing: what is `{tool}` to do?")))?;
        if verb != HELP && !found.verbs.iter().any(|(name, _)| name == verb) {
            let is_known = commands().iter().any(|(command, _)| *command == format!("{tool} {verb}"));
            let error = Error::forbidden(format!("`{tool}` has no verb `{verb}`, or it is not allowed"));
            return Err(match nearest(verb, found.verbs.iter().map(|(name, _)| name.as_str())) {
                _ if is_known => error.hint(format!("`esker mcp --allow '{tool} {verb}'` allows it")),
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            });
        }
        let verb = if verb == HELP { "" } else { verb };
        Ok(std::iter::once(tool).chain(verb.split_whitespace()).map(str::to_owned).collect())
    }

    /// The tools as a client sees them; with `targets`, each call may name one.
    pub(super) fn list(&self, targets: bool) -> Value {
        self.0.iter().map(|tool| tool.shown(targets)).collect()
    }
}

impl Tool {
    fn shown(&self, targets: bool) -> Value {
        let texts = |about: &str| json!({"type": "array", "items": {"type": "string"}, "description": about});
        let mut properties = json!({
            "stdin": {"type": "string", "description": "What the command finds on its standard input"},
        });
        let mut about = format!("{}.", self.about);
        let required = if self.verbs.is_empty() {
            properties["command"] = texts("The program and its arguments, as a list; no shell unless it is one");
            properties["workdir"] = json!({"type": "string", "description": "Where it runs"});
            properties["env"] = json!({"type": "object", "additionalProperties": {"type": "string"},
                "description": "Variables that it finds"});
            "command"
        } else {
            let mut verbs: Vec<&str> = self.verbs.iter().map(|(verb, _)| verb.as_str()).collect();
            verbs.push(HELP);
            properties["verb"] = json!({"type": "string", "enum": verbs, "description": "What to do"});
            properties["arguments"] = texts("The arguments and flags of the verb, as they are typed; see `help`");
            for (verb, what) in &self.verbs {
                let _ = write!(about, "\n{verb}: {what}");
            }
            "verb"
        };
        if targets {
            properties["target"] =
                json!({"type": "string", "description": "Where to act: ENDPOINT/NAME, ENDPOINT or a short name"});
        }
        json!({
            "name": self.name,
            "description": about,
            "inputSchema": {"type": "object", "properties": properties, "required": [required],
                "additionalProperties": false},
            "annotations": {"readOnlyHint": self.only_reads, "openWorldHint": true},
        })
    }
}

fn reads(command: &str) -> bool {
    let mut words = command.split(' ');
    // The verb of `vm resource` is an argument, and may be any.
    words.next_back().is_some_and(|last| READS.contains(&last)) && command != "exec"
}

/// Every command of a tool with its help, by its words.
fn commands() -> Vec<(String, &'static str)> {
    fn below(node: &'static Node, before: &str, all: &mut Vec<(String, &'static str)>) {
        let name = if before.is_empty() { node.name.to_owned() } else { format!("{before} {}", node.name) };
        match &node.kind {
            Kind::Leaf { .. } if !node.hidden => all.push((name, node.about)),
            Kind::Group { children, .. } => children.iter().for_each(|child| below(child, &name, all)),
            Kind::Leaf { .. } => {}
        }
    }
    let mut all = Vec::new();
    TREE.iter().filter(|node| TOOLS.contains(&node.name)).for_each(|node| below(node, "", &mut all));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn tools(allowed: &[&str]) -> Tools {
        Tools::new(&allowed.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), false).unwrap()
    }

    fn verbs(tools: &Tools, name: &str) -> Vec<String> {
        let tool = tools.0.iter().find(|tool| tool.name == name);
        tool.map(|tool| tool.verbs.iter().map(|(verb, _)| verb.clone()).collect()).unwrap_or_default()
    }

    #[test]
    fn without_permission_nothing_changes_anything() {
        let tools = tools(&[]);
        assert_eq!(verbs(&tools, "files"), ["list", "show", "cat"]);
        assert_eq!(verbs(&tools, "checkpoint"), ["list", "show"]);
        assert!(!tools.0.iter().any(|tool| tool.name == "exec") && tools.0.iter().all(|tool| tool.only_reads));
        // By their last words, so that a new command is not allowed unless it is named like one that reads.
        let words =
            ["start", "stop", "rm", "delete", "create", "update", "cp", "sync", "edit", "run", "restart", "send"];
        let all = tools.0.iter().flat_map(|tool| &tool.verbs);
        for (verb, _) in all {
            let last = verb.rsplit(' ').next().unwrap();
            assert!(!words.contains(&last) && READS.contains(&last), "{verb}");
        }
    }

    #[test]
    fn what_is_allowed_is_a_capability_or_one_command() {
        let some = tools(&["svc restart", "exec", "checkpoint"]);
        assert!(
            verbs(&some, "svc").contains(&"restart".to_owned()) && !verbs(&some, "svc").contains(&"stop".to_owned())
        );
        assert_eq!(verbs(&some, "checkpoint"), ["create", "list", "show", "restore", "delete"].map(str::to_owned));
        assert_eq!(some.command("exec", None).unwrap(), ["exec"]);
        assert_eq!(some.command("svc", Some("check list")).unwrap(), ["svc", "check", "list"]);
        let refused = some.command("svc", Some("stop")).unwrap_err();
        assert_eq!(
            (refused.kind(), refused.parts().hint.as_deref()),
            (ErrorKind::Forbidden, Some("`esker mcp --allow 'svc stop'` allows it"))
        );
        assert_eq!(tools(&[]).command("exec", None).unwrap_err().kind(), ErrorKind::Forbidden);
        let unknown = Tools::new(&["svc restrat".to_owned()], false).unwrap_err();
        assert_eq!(unknown.parts().hint.as_deref(), Some("did you mean `svc restart`?"));
    }
}
