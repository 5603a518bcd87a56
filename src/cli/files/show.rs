//! `files show`

use super::columns::PATHS;
use crate::cli::over::at;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::provider::Feature;
use clap::Args;
use std::ffi::OsString;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker files show /etc/hosts
  esker files show web:/srv/app -o json | jq -r .mode")]
pub struct FilesShowArgs {
    /// A file or directory: /PATH or TARGET:/PATH
    #[arg(value_name = "PATH", add = complete::remote_paths())]
    path: OsString,
    /// What a symbolic link leads to instead of itself
    #[arg(short = 'L', long)]
    follow_links: bool,
}

/// Shows one entry.
pub async fn run(ctx: &Ctx, args: FilesShowArgs) -> anyhow::Result<Outcome> {
    let spot = ctx.spot(&(Feature::Files, "files show"), &args.path)?;
    let files = spot.files("files show")?;
    let entry = files.stat(&spot.path, args.follow_links).await.map_err(|error| spot.located(error))?;
    ctx.out.one(&at(&spot.target, entry), PATHS)?;
    Ok(Outcome::Done)
}
