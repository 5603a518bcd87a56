//! `files mkdir`

use super::columns::PATHS;
use super::spot::Spot;
use super::values;
use crate::cli::over::at;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::fanout::{self, Limits};
use crate::model::FileEntry;
use crate::output::ListOptions;
use crate::provider::exec::Owner;
use crate::provider::files::MkdirSpec;
use crate::provider::{Feature, Need};
use crate::settings::Opt;
use clap::Args;
use std::ffi::OsString;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker files mkdir /srv/app
  esker files mkdir -p web:/srv/app/data --mode 750 --owner app:app")]
pub struct MkdirArgs {
    /// Directories: /PATH or TARGET:/PATH
    #[arg(value_name = "PATH", required = true, add = complete::remote_paths())]
    paths: Vec<OsString>,
    /// Make missing parents, and accept a directory that exists
    #[arg(short, long)]
    parents: bool,
    /// Its mode, such as 755
    #[arg(long, value_name = "OCTAL", value_parser = values::mode)]
    mode: Option<u32>,
    /// Its owner, by name or number
    #[arg(long, value_name = "USER[:GROUP]", value_parser = values::owner)]
    owner: Option<Owner>,
}

/// Makes directories; each is tried.
pub async fn run(ctx: &Ctx, args: MkdirArgs) -> anyhow::Result<Outcome> {
    let mut needs = vec![Need::new(Feature::Files, "files mkdir"), Need::new(Feature::FilesDirectories, "files mkdir")];
    needs.extend(args.mode.map(|_| Need::new(Feature::FilesMode, "--mode")));
    needs.extend(args.owner.as_ref().map(|_| Need::new(Feature::FilesOwner, "--owner")));
    let (spots, mut failed) = ctx.spots(&needs, &args.paths).await?;
    let spec = &MkdirSpec { parents: args.parents, mode: args.mode, owner: args.owner };
    let wants_rows = ctx.out.is_structured();
    let limits = Limits::changes(ctx.settings.number(Opt::Jobs), ctx.settings.duration(Opt::Timeout));
    let work = |spot: Spot| async move { make(&spot, spec, wants_rows).await };
    let made = fanout::items(spots, limits, work).await;
    let (mut rows, mut done) = (Vec::new(), 0);
    for (spot, outcome) in made {
        match outcome {
            Ok(entry) => {
                done += 1;
                ctx.out.done(&format!("made `{}` on `{}`", spot.path, spot.target.full));
                rows.extend(entry.map(|entry| at(&spot.target, entry)));
            }
            Err(error) => failed.push(spot.located(error)),
        }
    }
    if wants_rows && done > 0 {
        ctx.out.list(&rows, PATHS, &ListOptions::default())?;
    }
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("directories", failed, done).into()) }
}

async fn make(spot: &Spot, spec: &MkdirSpec, wants_row: bool) -> Result<Option<FileEntry>> {
    let files = spot.files("files mkdir")?;
    files.mkdir(&spot.path, spec.clone()).await?;
    if wants_row { files.stat(&spot.path, true).await.map(Some) } else { Ok(None) }
}
