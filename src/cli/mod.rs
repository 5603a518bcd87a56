//! What the user said: the command tree, its arguments, and one file per command.
//!
//! A command resolves its targets, builds a request, calls a capability and hands one value to the output. It knows
//! no wire, reads no environment and prints nothing itself.

pub mod agent;
pub mod api;
pub mod args;
pub mod checkpoint;
pub mod complete;
pub mod completion;
pub mod config;
mod confirm;
pub mod doctor;
pub mod drive;
mod edits;
pub mod endpoint;
pub mod exec;
pub mod files;
pub mod global;
pub mod help;
pub mod man;
pub mod mcp;
pub mod outcome;
pub mod over;
pub mod parse;
pub mod playground;
pub mod providers;
pub mod schema;
pub mod simulate_pebble;
pub mod simulate_pi;
pub mod source;
pub mod svc;
pub mod target;
pub mod top;
pub mod tree;
mod until;
pub mod verbatim;
pub mod version;
pub mod vm;
pub mod wait;
pub mod watch;

pub use global::Globals;
pub use help::overview;
pub use outcome::Outcome;
pub use parse::{Chosen, parse};
pub use tree::{Kind, Node, Run, find};

use crate::context::Reads;
use clap::{Args, Command};
use tree::{group, plain, talk};

/// Every command.
pub static TREE: &[Node] = &[
    group!("svc", "Services, their checks, logs, layers and changes", svc::TREE),
    talk!("exec", exec::ExecArgs, exec::run, "Run a program, with its true exit code").passes_status(),
    group!("files", "Files: list, show, copy, edit, remove", files::TREE),
    group!("vm", "Machines: sandboxes, containers, virtual machines", vm::TREE),
    group!("checkpoint", "Checkpoints: make, list, go back to, delete", checkpoint::TREE),
    group!("agent", "Coding agents: run them, and look after their sessions", agent::TREE),
    talk!("top", top::TopArgs, top::run, "Show what goes on at every target, live"),
    talk!("wait", wait::WaitArgs, wait::run, "Wait until services, machines, files or agents are as wanted"),
    group!("target", "Where commands act, and short names for it", target::TREE),
    group!("endpoint", "Where systems are reached, and their logins", endpoint::TREE),
    group!("config", "What is configured, and where it comes from", config::TREE),
    plain!("playground", playground::PlaygroundArgs, playground::run, "Try esker on simulators, on this machine alone")
        .reads(Reads::Nothing),
    talk!("doctor", doctor::DoctorArgs, doctor::run, "Check configuration, credentials and connections")
        .reads(Reads::ConfigIfValid),
    plain!("providers", providers::ProvidersArgs, providers::run, "Show what each provider can do")
        .reads(Reads::ConfigIfValid),
    talk!("mcp", mcp::McpArgs, mcp::run, "Serve the capabilities as tools for agents (Model Context Protocol)"),
    talk!("api", api::ApiArgs, api::run, "Send a raw request to a system that speaks HTTP"),
    plain!("version", version::VersionArgs, version::run, "Print the version").reads(Reads::ConfigIfValid),
    plain!("schema", schema::SchemaArgs, schema::run, "Print the JSON Schema of what commands print")
        .reads(Reads::ConfigIfValid),
    plain!("completion", completion::CompletionArgs, completion::run, "Print the completion script of a shell")
        .reads(Reads::Nothing),
    talk!(
        "simulate-pebble",
        simulate_pebble::SimulatePebbleArgs,
        simulate_pebble::run,
        "Serve a simulated Pebble daemon in a directory"
    )
    .hidden()
    .reads(Reads::Nothing),
    talk!("simulate-pi", simulate_pi::SimulatePiArgs, simulate_pi::run, "Play a coding agent on stdin and stdout")
        .hidden()
        .reads(Reads::Nothing),
    plain!("man", man::ManArgs, man::run, "Print or write the manual pages").reads(Reads::Nothing),
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
