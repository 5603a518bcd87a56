//! `files chmod` and `files chown`

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
use crate::provider::{Feature, Need};
use crate::settings::Opt;
use clap::Args;
use std::ffi::OsString;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker files chmod 755 /srv/app/run.sh
  esker files chmod 0600 web:/srv/app/key.pem web:/srv/app/token")]
pub struct ChmodArgs {
    /// Mode, such as 755
    #[arg(value_name = "OCTAL", value_parser = values::mode)]
    mode: u32,
    /// Files and directories: /PATH or TARGET:/PATH
    #[arg(value_name = "PATH", required = true, add = complete::remote_paths())]
    paths: Vec<OsString>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker files chown app /srv/app/data
  esker files chown 1000:1000 web:/srv/app/data web:/srv/app/log")]
pub struct ChownArgs {
    /// Owner, by name or number
    #[arg(value_name = "USER[:GROUP]", value_parser = values::owner)]
    owner: Owner,
    /// Files and directories: /PATH or TARGET:/PATH
    #[arg(value_name = "PATH", required = true, add = complete::remote_paths())]
    paths: Vec<OsString>,
}

/// Changes modes; each path is tried.
pub async fn chmod(ctx: &Ctx, args: ChmodArgs) -> anyhow::Result<Outcome> {
    change(ctx, &args.paths, &Change { asked: "files chmod", what: "mode", mode: Some(args.mode), owner: None }).await
}

/// Changes owners; each path is tried.
pub async fn chown(ctx: &Ctx, args: ChownArgs) -> anyhow::Result<Outcome> {
    let owner = Some(args.owner);
    change(ctx, &args.paths, &Change { asked: "files chown", what: "owner", mode: None, owner }).await
}

/// What is changed.
struct Change {
    asked: &'static str,
    what: &'static str,
    mode: Option<u32>,
    owner: Option<Owner>,
}

async fn change(ctx: &Ctx, paths: &[OsString], change: &Change) -> anyhow::Result<Outcome> {
    let needs = vec![Need::new(Feature::Files, change.asked), Need::new(Feature::FilesChange, change.asked)];
    let (spots, mut failed) = ctx.spots(&needs, paths).await?;
    let wants_rows = ctx.out.is_structured();
    let limits = Limits::changes(ctx.settings.number(Opt::Jobs), ctx.settings.duration(Opt::Timeout));
    let work = |spot: Spot| async move { set(&spot, change, wants_rows).await };
    let changed = fanout::items(spots, limits, work).await;
    let (mut rows, mut done) = (Vec::new(), 0);
    for (spot, outcome) in changed {
        match outcome {
            Ok(entry) => {
                done += 1;
                ctx.out.done(&format!("changed the {} of `{}` on `{}`", change.what, spot.path, spot.target.full));
                rows.extend(entry.map(|entry| at(&spot.target, entry)));
            }
            Err(error) => failed.push(spot.located(error)),
        }
    }
    if !rows.is_empty() {
        ctx.out.list(&rows, PATHS, &ListOptions::default())?;
    }
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("paths", failed, done).into()) }
}

async fn set(spot: &Spot, change: &Change, wants_row: bool) -> Result<Option<FileEntry>> {
    let files = spot.files(change.asked)?;
    files.set(&spot.path, change.mode, change.owner.clone()).await?;
    if wants_row { files.stat(&spot.path, true).await.map(Some) } else { Ok(None) }
}
