//! `target`: where commands act, and the short names for it. None of these talks to anybody.

pub mod add;
pub mod list;
pub mod remove;
pub mod show;
pub mod r#use;

use super::tree::{Node, plain};

/// The commands.
pub(super) static TREE: &[Node] = &[
    plain!("list", list::TargetListArgs, list::run, "List short names and endpoints, and what is the default")
        .alias("ls"),
    plain!("show", show::TargetShowArgs, show::run, "Show what a target stands for, without connecting"),
    plain!("add", add::TargetAddArgs, add::run, "Give a target a short name"),
    plain!("use", r#use::TargetUseArgs, r#use::run, "Choose the default target"),
    plain!("remove", remove::TargetRemoveArgs, remove::run, "Remove short names").alias("rm"),
];
