//! The help of the whole tool: grouped, with examples, made from the tree.

use super::{Kind, TREE};
use std::fmt::Write as _;

/// How the commands are grouped, by name.
const GROUPS: &[(&str, &[&str])] = &[
    ("Operate", &["svc", "exec", "files", "checkpoint", "vm", "agent", "api"]),
    ("Set up", &["target", "endpoint", "config", "doctor", "providers"]),
    ("About esker", &["version", "schema", "completion", "man", "help"]),
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
    text.push_str(
        "
Examples:
  esker svc list                          what runs, and what does not
  esker svc logs web -f --target prod     follow a service's log
  esker exec prod -- uptime               run a program, with its true exit code
  esker files cp -r ./conf prod:/etc/app/ copy files either way

Everywhere:
  --target TARGET   where to act; repeat it or use a glob for several
  -o FORMAT         table, wide, json, jsonl, yaml, csv, name
  -q, -v            say less, say more (-vvv traces the requests)
  `esker COMMAND --help` has the rest, `man esker` the exit codes.
",
    );
    text
}
