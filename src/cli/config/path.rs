//! `config path`

use crate::cli::{Outcome, edits};
use crate::context::Ctx;
use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Prints the file that `esker target add` and the like change, whether it exists
or not. `esker config show --origin` names every file that has a say.

Examples:
  esker config path
  cp team.yaml \"$(esker config path)\"")]
pub struct ConfigPathArgs {}

/// Prints the path of the user's config file.
pub fn run(ctx: &Ctx, _: ConfigPathArgs) -> anyhow::Result<Outcome> {
    let path = edits::file(ctx)?.display().to_string();
    if ctx.out.is_structured() {
        ctx.out.value(&path)?;
    } else {
        ctx.out.line(&path)?;
    }
    Ok(Outcome::Done)
}
