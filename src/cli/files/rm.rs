//! `files rm`

use super::spot::Spot;
use crate::cli::over::at;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{At, RemotePath, Removed};
use crate::output::{Cell, Column, Danger, ListOptions};
use crate::provider::Feature;
use crate::provider::files::Files;
use crate::resolve::Target;
use clap::Args;
use std::ffi::OsString;

const COLUMNS: &[Column<Removed>] = &[Column::new("PATH", "path", |r: &Removed| Cell::text(r.path.text()))];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker files rm /srv/app/old.log
  esker files rm -r web:/srv/app/cache
  esker files rm -rf --yes /srv/app/cache      # in a script")]
pub struct RmArgs {
    /// Files, or with -r directories: /PATH or TARGET:/PATH
    #[arg(value_name = "PATH", required = true, add = complete::remote_paths())]
    paths: Vec<OsString>,
    /// Directories with all below; asks first
    #[arg(short, long)]
    recursive: bool,
    /// Accept that something is not there
    #[arg(short, long)]
    force: bool,
}

/// Removes files; each is tried.
pub async fn run(ctx: &Ctx, args: RmArgs) -> anyhow::Result<Outcome> {
    let (spots, mut failed) = ctx.spots(&(Feature::Files, "files rm"), &args.paths).await?;
    if let Some(root) = spots.iter().find(|spot| is_root(&spot.path)) {
        return Err(Error::usage(format!("refusing to remove `{}`: it is everything", root.shown())).into());
    }
    if args.recursive && !spots.is_empty() {
        let names: Vec<_> = spots.iter().map(|spot| format!("`{}`", spot.shown())).collect();
        let danger = Danger::Moderate { action: format!("remove {} and all below", names.join(", ")) };
        ctx.confirm(danger).await?;
    }
    let mut rows: Vec<At<Removed>> = Vec::new();
    for (target, paths) in by_target(spots) {
        let files =
            crate::provider::feature::capability(&*target.place, |place| place.files(), Feature::Files, "files rm")?;
        let located = |error: Error| error.at(target.provider.driver().id, &*target.full);
        match remove(files, &paths, args.recursive).await {
            Err(error) => failed.push(located(error)),
            Ok(verdicts) => {
                for (path, verdict) in verdicts {
                    match verdict {
                        Err(error) if args.force && error.kind() == ErrorKind::NotFound => {}
                        Err(error) => failed.push(located(error)),
                        Ok(()) => {
                            ctx.out.done(&format!("removed `{path}` on `{}`", target.full));
                            rows.push(at(&target, Removed { path }));
                        }
                    }
                }
            }
        }
    }
    if ctx.out.is_structured() && (failed.is_empty() || !rows.is_empty()) {
        ctx.out.list(&rows, COLUMNS, &ListOptions::default())?;
    }
    if failed.is_empty() { Ok(Outcome::Done) } else { Err(Error::several("paths", failed, rows.len()).into()) }
}

/// All paths of a target in one request.
async fn remove(files: &dyn Files, paths: &[RemotePath], recursive: bool) -> Result<Vec<(RemotePath, Result<()>)>> {
    let verdicts = files.remove(paths, recursive).await?;
    let hinted = verdicts.into_iter().map(|(path, verdict)| {
        let verdict = verdict.map_err(|error| match error.kind() {
            ErrorKind::Conflict if !recursive => error.hint("-r removes a directory with all below"),
            _ => error,
        });
        (path, verdict)
    });
    Ok(hinted.collect())
}

/// Whether a path names the root, as far as its text tells.
pub(super) fn is_root(path: &RemotePath) -> bool {
    let mut depth = 0_usize;
    for part in path.as_bytes().split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => depth = depth.saturating_sub(1),
            _ => depth += 1,
        }
    }
    path.is_absolute() && depth == 0
}

/// The paths of each target, in the order in which the targets were named.
fn by_target(spots: Vec<Spot>) -> Vec<(Target, Vec<RemotePath>)> {
    let mut groups: Vec<(Target, Vec<RemotePath>)> = Vec::new();
    for Spot { target, path } in spots {
        match groups.iter_mut().find(|(known, _)| known.full == target.full) {
            Some((_, paths)) => paths.push(path),
            None => groups.push((target, vec![path])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_known_by_any_name() {
        for path in ["/", "//", "/.", "/a/..", "/..", "/a/b/../../"] {
            assert!(is_root(&path.into()), "{path}");
        }
        for path in ["/a", "/..a", "/a/../b", "relative"] {
            assert!(!is_root(&path.into()), "{path}");
        }
    }
}
