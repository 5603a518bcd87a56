//! `files mv`

use super::columns::PATHS;
use super::spot::Spot;
use crate::cli::over::at;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileKind, RemotePath};
use crate::output::ListOptions;
use crate::provider::files::Files;
use crate::provider::{Feature, Need};
use clap::Args;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker files mv /srv/app.new /srv/app
  esker files mv web:/tmp/a web:/tmp/b web:/srv/inbox/

All paths are at one target: between two, copy first (files cp), then remove.
What has the new name already is replaced, unless it is a directory: into one
that exists things are moved under their own names.")]
pub struct MvArgs {
    /// What to move, and last where to: /PATH or TARGET:/PATH
    #[arg(value_names = ["SRC", "DST"], num_args = 2.., required = true, add = complete::remote_paths())]
    paths: Vec<OsString>,
}

/// Moves files and directories; each is tried.
pub async fn run(ctx: &Ctx, args: MvArgs) -> anyhow::Result<Outcome> {
    let needs = vec![Need::new(Feature::Files, "files mv"), Need::new(Feature::FilesRename, "files mv")];
    let spots = args.paths.iter().map(|path| ctx.spot(&needs, path)).collect::<Result<Vec<_>>>()?;
    let Some((dest, sources)) = spots.split_last() else {
        return Err(Error::usage("mv needs a source and a destination").into());
    };
    if let Some(stranger) = sources.iter().find(|source| source.target.full != dest.target.full) {
        let (from, to) = (&stranger.target.full, &dest.target.full);
        return Err(Error::usage(format!("cannot move from `{from}` to `{to}`: they are two targets"))
            .hint("copy with `esker files cp`, and remove the source")
            .into());
    }
    let files = dest.files("files mv")?;
    let wants_directory = sources.len() > 1 || args.paths.last().is_some_and(|text| text.as_bytes().ends_with(b"/"));
    let into = is_directory(files, dest, wants_directory).await.map_err(|error| dest.located(error))?;
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    let mut done = 0;
    for source in sources {
        let to = if into { dest.path.join(source.path.file_name()) } else { dest.path.clone() };
        match files.rename(&source.path, &to).await {
            Err(error) => failed.push(source.located(error)),
            Ok(()) => {
                done += 1;
                ctx.out.done(&format!("moved `{}` to `{to}` on `{}`", source.path, dest.target.full));
                if ctx.out.is_structured() {
                    match files.stat(&to, false).await {
                        Ok(entry) => rows.push(at(&dest.target, entry)),
                        Err(error) => failed.push(dest.located(error)),
                    }
                }
            }
        }
    }
    if !rows.is_empty() {
        ctx.out.list(&rows, PATHS, &ListOptions::default())?;
    }
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("paths", failed, done).into()) }
}

/// Whether things go into the destination rather than take its name.
async fn is_directory(files: &dyn Files, dest: &Spot, wanted: bool) -> Result<bool> {
    let trimmed = |path: &RemotePath| match path.as_bytes() {
        [rest @ .., b'/'] if !rest.is_empty() => RemotePath::new(rest),
        _ => path.clone(),
    };
    match files.stat(&trimmed(&dest.path), true).await {
        Ok(entry) if entry.kind == FileKind::Directory => Ok(true),
        Ok(_) if wanted => Err(Error::conflict(format!("`{}` is not a directory", dest.shown()))),
        Ok(_) => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound && !wanted => Ok(false),
        Err(error) => Err(error),
    }
}
