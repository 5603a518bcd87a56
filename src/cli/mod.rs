//! What the user said: the command tree, its arguments, and one file per command.
//!
//! A command resolves its targets, builds a request, calls a capability and hands one value to the output. It knows
//! no wire, reads no environment and prints nothing itself.

pub mod args;
pub mod complete;
pub mod drive;
pub mod exec;
pub mod global;
pub mod help;
pub mod outcome;
pub mod over;
pub mod parse;
pub mod source;
pub mod svc;
pub mod tree;
pub mod verbatim;

pub use global::Globals;
pub use help::overview;
pub use outcome::Outcome;
pub use parse::{Chosen, parse};
pub use tree::{Kind, Node, Run, find};

use clap::{Args, Command};
use tree::{group, talk};

/// Every command.
pub static TREE: &[Node] = &[
    group!("svc", "Services, their checks, logs, layers and changes", svc::TREE),
    talk!("exec", exec::ExecArgs, exec::run, "Run a program, with its true exit code").passes_status(),
];

/// The clap command of the whole tool.
pub fn command() -> Command {
    let root = parse::root(Command::new("esker"))
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(TREE.iter().map(Node::command));
    Globals::augment_args(root)
}
