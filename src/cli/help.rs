//! The help of the whole tool: grouped, with examples, made from the tree.

use super::{Kind, TREE};
use std::fmt::Write as _;

/// How the commands are grouped, by name.
const GROUPS: &[(&str, &[&str])] = &[
    ("Operate", &["svc", "exec", "files", "checkpoint", "vm", "agent", "wait", "top", "api", "mcp"]),
    ("Set up", &["playground", "target", "endpoint", "config", "doctor", "providers"]),
    ("About esker", &["version", "schema", "completion", "man", "help"]),
];

/// What to try first; those of commands that are not there are left out.
const EXAMPLES: &[(&str, &str)] = &[
    ("esker svc list", "what runs, and what does not"),
    ("esker svc logs web -f --target prod", "follow what a service writes"),
    ("esker svc restart web --target prod", "restart it, and wait until it runs"),
    ("esker exec prod -- uptime", "run a program, with its true exit code"),
    ("esker files cp -r ./conf prod:/etc/app/", "copy files either way"),
    ("esker vm create sprites/dev", "a sandbox, as soon as it can be used"),
    ("esker target use prod", "act there from now on"),
    ("esker doctor", "find out what is wrong"),
];

/// What `esker` and `esker --help` print.
pub fn overview() -> String {
    let mut text = format!("{}\n\nUsage: esker <COMMAND> [ARGS] [FLAGS]\n", env!("CARGO_PKG_DESCRIPTION"));
    for (title, names) in GROUPS {
        let nodes = names.iter().filter_map(|name| TREE.iter().find(|node| node.name == *name));
        let _ = write!(text, "\n{title}:\n");
        for node in nodes {
            let verbs = match &node.kind {
                Kind::Group { .. } => " …",
                Kind::Leaf { .. } => "",
            };
            let _ = writeln!(text, "  {:<14}{}", format!("{}{verbs}", node.name), node.about);
        }
    }
    text.push_str("\nExamples:\n");
    for (example, meaning) in EXAMPLES {
        let noun = example.split(' ').nth(1).unwrap_or_default();
        if TREE.iter().any(|node| node.name == noun) {
            let _ = writeln!(text, "  {example:<40}  {meaning}");
        }
    }
    text.push_str(
        "
Everywhere:
  --target TARGET   where to act; repeat it or use a glob for several
  -o FORMAT         table, wide, json, jsonl, yaml, csv, name
  -q, -v            say less, say more (-vvv traces the requests)
  `esker COMMAND --help` has the rest, `esker man` the exit codes.
",
    );
    text
}
