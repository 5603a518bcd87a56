//! `checkpoint`: states that can be gone back to.

mod columns;
pub mod create;
pub mod delete;
pub mod list;
pub mod restore;
pub mod show;

use super::tree::{Node, talk};
use crate::error::{Effect, Error, Result};
use crate::provider::Feature;
use crate::provider::checkpoints::Checkpoints;
use crate::provider::feature::capability;
use crate::resolve::Target;

/// The commands.
pub(super) static TREE: &[Node] = &[
    talk!("create", create::CheckpointCreateArgs, create::run, "Make a checkpoint"),
    talk!("list", list::CheckpointListArgs, list::run, "List checkpoints").alias("ls"),
    talk!("show", show::CheckpointShowArgs, show::run, "Show a checkpoint"),
    talk!("restore", restore::CheckpointRestoreArgs, restore::run, "Go back to a checkpoint"),
    talk!("delete", delete::CheckpointDeleteArgs, delete::run, "Delete checkpoints").alias("rm"),
];

/// The checkpoints of a target; `asked` is what the user typed.
fn of<'a>(target: &'a Target, asked: &str) -> Result<&'a dyn Checkpoints> {
    capability(&*target.place, |place| place.checkpoints(), Feature::Checkpoints, asked)
}

/// Names the command that tells what became of work whose end is unknown.
fn uncertain(error: Error, command: &str) -> Error {
    let is_unknown = error.parts().effect == Effect::Unknown && error.parts().hint.is_none();
    if is_unknown { error.hint(format!("`{command}` tells what became of it")) } else { error }
}
