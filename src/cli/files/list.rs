//! `files list`

use super::columns::{NAMES, PATHS};
use super::spot::Spot;
use crate::cli::args::Listing;
use crate::cli::over::{Gathered, at};
use crate::cli::verbatim::VerbatimArgs;
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::fanout::{self, Limits};
use crate::glob::matches;
use crate::model::{At, FileEntry, FileKind, RemotePath};
use crate::provider::Feature;
use crate::provider::documents::Document;
use crate::provider::files::Files;
use crate::settings::Opt;
use crate::stream;
use crate::transfer;
use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::ffi::OsString;

/// Directories that are listed at once.
const AT_ONCE: usize = 8;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker files list /etc
  esker files list web:/var/log --sort size_bytes:desc
  esker files list '/etc/*.conf'
  esker files list -R /srv -o json | jq -r '.[] | select(.type == \"file\") | .path'")]
pub struct FilesListArgs {
    /// Directories or files: /PATH or TARGET:/PATH; the last part may be a pattern with * ? [...]
    #[arg(value_name = "PATH", default_value = "/", add = complete::remote_paths())]
    paths: Vec<OsString>,
    /// Everything below, too
    #[arg(short = 'R', long)]
    recursive: bool,
    /// A directory itself instead of what is in it
    #[arg(short, long, conflicts_with = "recursive")]
    directory: bool,
    #[command(flatten)]
    list: Listing,
    #[command(flatten)]
    verbatim: VerbatimArgs,
}

/// Lists directories. What cannot be listed is reported after what can.
pub async fn run(ctx: &Ctx, args: FilesListArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Files, "files list");
    if args.verbatim.wanted().is_some() {
        return verbatim(ctx, &args).await;
    }
    let (spots, mut failed) = ctx.spots(&needs, &args.paths).await?;
    let limits = Limits::reads(ctx.settings.number(Opt::Jobs), ctx.settings.duration(Opt::Timeout), spots.len());
    let args = &args;
    let listed = fanout::items(spots, limits, |spot| async move { entries(&spot, args).await }).await;
    let mut rows: Vec<At<FileEntry>> = Vec::new();
    let mut done = Vec::new();
    for (spot, found) in listed {
        match found {
            Ok((entries, errors)) => {
                failed.extend(errors.into_iter().map(|error| spot.located(error)));
                rows.extend(entries.into_iter().map(|entry| at(&spot.target, entry)));
                done.push((spot.target, ()));
            }
            Err(error) => failed.push(spot.located(error)),
        }
    }
    let columns = if args.recursive || args.paths.len() > 1 { PATHS } else { NAMES };
    ctx.list(&rows, columns, &args.list.clone().into(), Gathered { done, failed })
}

/// `--raw` and `--compat`: one document, so one path, and its provider's own rules for patterns.
async fn verbatim(ctx: &Ctx, args: &FilesListArgs) -> anyhow::Result<Outcome> {
    let needs = (Feature::Files, "files list");
    let ([path], false) = (args.paths.as_slice(), args.recursive) else {
        return Err(Error::usage("--raw and --compat print one document: name one path, without -R").into());
    };
    let spot = ctx.spot(&needs, path)?;
    let Some(how) = args.verbatim.wanted() else { return Ok(Outcome::Done) };
    let place = &*spot.target.place;
    let documents = crate::provider::feature::capability(place, |place| place.documents(), Feature::Raw, "--raw")?;
    let document = Document::Files { path: spot.path.clone(), itself: args.directory };
    let bytes = documents.document(&document, how).await.map_err(|error| spot.located(error))?;
    ctx.out.bytes(&bytes)?;
    Ok(Outcome::Done)
}

/// The entries that one argument names, and which directories below it failed.
async fn entries(spot: &Spot, args: &FilesListArgs) -> Result<(Vec<FileEntry>, Vec<Error>)> {
    let files = spot.files("files list")?;
    let mut found = named(files, &spot.path, args.directory).await?;
    let mut failed = Vec::new();
    if args.recursive {
        let mut below = below(files, &found, &mut failed).await;
        found.append(&mut below);
        found.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok((found, failed))
}

/// What a path names: a name that exists means itself, also if it looks like a pattern.
async fn named(files: &dyn Files, path: &RemotePath, itself: bool) -> Result<Vec<FileEntry>> {
    let is_pattern = path.file_name().iter().any(|byte| b"*?[".contains(byte));
    if is_pattern {
        match files.stat(path, false).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(_) if !itself => return stream::collect(files.list(path)).await,
            Ok(entry) => return Ok(vec![entry]),
        }
        let pattern = String::from_utf8_lossy(path.file_name()).into_owned();
        let mut entries = stream::collect(files.list(&path.parent())).await?;
        entries.retain(|entry| matches(&pattern, &entry.name));
        if entries.is_empty() {
            return Err(Error::not_found(format!("nothing matches `{path}`")));
        }
        return Ok(entries);
    }
    if itself { Ok(vec![files.stat(path, false).await?]) } else { stream::collect(files.list(path)).await }
}

/// Where an entry of `dir` leads down to. A server that names what is above would have us go round for ever.
fn deeper(dir: &RemotePath, entry: &FileEntry, failed: &mut Vec<Error>) -> Option<RemotePath> {
    if entry.kind != FileKind::Directory {
        return None;
    }
    match transfer::entry_name("", dir, entry) {
        Ok(name) => Some(dir.join(name)),
        Err(error) => {
            failed.push(error);
            None
        }
    }
}

/// Everything below the directories among `top`.
async fn below(files: &dyn Files, top: &[FileEntry], failed: &mut Vec<Error>) -> Vec<FileEntry> {
    let list = |dir: RemotePath| async move { stream::collect(files.list(&dir)).await.map(|entries| (dir, entries)) };
    let mut waiting = Vec::new();
    for entry in top {
        waiting.extend(deeper(&entry.path.parent(), entry, failed));
    }
    let mut running = FuturesUnordered::new();
    let mut found = Vec::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(dir) = waiting.pop()
        {
            running.push(list(dir));
        }
        match running.next().await {
            None => return found,
            Some(Ok((dir, entries))) => {
                for entry in &entries {
                    waiting.extend(deeper(&dir, entry, failed));
                }
                found.extend(entries);
            }
            Some(Err(error)) => failed.push(error),
        }
    }
}
