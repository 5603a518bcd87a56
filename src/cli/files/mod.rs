//! `files`: files over there, and between there and here.

pub mod cat;
pub mod change;
mod columns;
pub mod cp;
pub mod edit;
mod editor;
mod ends;
pub mod list;
mod meter;
pub mod mkdir;
pub mod mv;
pub mod rm;
pub mod show;
mod spot;
pub mod sync;
mod values;

use super::tree::{Node, talk};

/// The commands.
pub(super) static TREE: &[Node] = &[
    talk!("list", list::FilesListArgs, list::run, "List a directory").alias("ls"),
    talk!("show", show::FilesShowArgs, show::run, "Show one file or directory"),
    talk!("cat", cat::CatArgs, cat::run, "Print files, byte for byte"),
    talk!("cp", cp::CpArgs, cp::run, "Copy files and directories, to, from and between targets"),
    talk!("sync", sync::SyncArgs, sync::run, "Make one directory like another, copying only what differs"),
    talk!("mkdir", mkdir::MkdirArgs, mkdir::run, "Make directories"),
    talk!("rm", rm::RmArgs, rm::run, "Remove files and directories"),
    talk!("mv", mv::MvArgs, mv::run, "Move and rename files and directories"),
    talk!("chmod", change::ChmodArgs, change::chmod, "Change modes"),
    talk!("chown", change::ChownArgs, change::chown, "Change owners"),
    talk!("edit", edit::EditArgs, edit::run, "Edit a file in your editor"),
];
