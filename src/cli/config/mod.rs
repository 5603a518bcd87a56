//! `config`: what is configured, where it comes from, and an editor for it.

pub mod edit;
pub mod path;
pub mod show;

use super::tree::{Node, plain};
use crate::context::Reads;

/// The commands.
pub(super) static TREE: &[Node] = &[
    plain!("show", show::ConfigShowArgs, show::run, "Show every option, endpoint and target in force"),
    plain!("path", path::ConfigPathArgs, path::run, "Print the path of your config file").reads(Reads::ConfigIfValid),
    plain!("edit", edit::ConfigEditArgs, edit::run, "Edit your config file, and keep it only if it is valid")
        .reads(Reads::ConfigIfValid),
];
