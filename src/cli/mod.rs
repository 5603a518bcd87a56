//! What the user said: the command tree, its arguments, and one file per command.
//!
//! A command resolves its targets, builds a request, calls a capability and hands one value to the output. It knows
//! no wire, reads no environment and prints nothing itself.

pub mod args;
pub mod complete;
pub mod files;
pub mod global;
pub mod help;
pub mod outcome;
pub mod over;
pub mod svc;
pub mod tree;
pub mod verbatim;

pub use global::Globals;
pub use help::overview;
pub use outcome::Outcome;
pub use tree::{Kind, Node, Run, find};

use clap::{Args, Command};
use tree::group;

/// Every command.
pub static TREE: &[Node] = &[
    group!("svc", "Services, their checks, logs, layers and changes", svc::TREE),
    group!("files", "Files: list, show, copy, edit, remove", files::TREE),
];

/// The clap command of the whole tool.
pub fn command() -> Command {
    let root = Command::new("esker")
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(100)
        .subcommands(TREE.iter().map(Node::command));
    Globals::augment_args(root)
}
