//! `files cp`

use super::ends::Side;
use super::meter::Meter;
use super::values;
use crate::cli::{Outcome, complete};
use crate::config::duration;
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, Copied, RemotePath};
use crate::output::{Cell, Column, human};
use crate::provider::exec::Owner;
use crate::provider::files::WriteSpec;
use crate::provider::local::{Temps, stdin};
use crate::provider::{Feature, Need};
use crate::resolve::Target;
use crate::settings::Opt;
use crate::signal;
use crate::transfer::{self, Options, Summary};
use clap::Args;
use futures_util::StreamExt;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Instant;

/// Requests in flight unless `--jobs` says otherwise: enough to keep a disk busy that is flushed after each file.
const JOBS: usize = 8;

const COLUMNS: &[Column<Copied>] = &[
    Column::new("SOURCE", "source", |c: &Copied| Cell::text(&c.source)),
    Column::new("DESTINATION", "destination", |c: &Copied| Cell::text(&c.destination)),
    Column::new("FILES", "files", |c: &Copied| Cell::Count(Some(c.files))),
    Column::new("SIZE", "size_bytes", |c: &Copied| Cell::Size(Some(c.size_bytes))),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker files cp ./app.conf web:/etc/app.conf --owner app:app
  esker files cp -r :/var/log ./logs
  esker files cp -r ./dist/. web:/srv/app           # what is in dist, not dist itself
  esker files cp old:/srv/data.db new:/srv/data.db
  pg_dump | esker files cp - web:/backup/today.sql

A path that starts with / ./ or ../ is local; TARGET:/PATH and :/PATH are over
there; - is stdin or stdout. A file replaces what has its name once all of it
has come, and never before. Symbolic links in a tree are skipped and named,
unless -L copies what they lead to.")]
pub struct CpArgs {
    /// What to copy, and last where to: TARGET:/PATH, a local path, or -
    #[arg(value_names = ["SRC", "DST"], num_args = 2.., required = true, add = complete::paths())]
    paths: Vec<OsString>,
    /// Directories with all below
    #[arg(short, long)]
    recursive: bool,
    /// Make missing directories above the destination
    #[arg(short, long)]
    parents: bool,
    /// Copy what symbolic links lead to
    #[arg(short = 'L', long)]
    follow_links: bool,
    /// Mode of the files; by default that of their source
    #[arg(long, value_name = "OCTAL", value_parser = values::mode)]
    mode: Option<u32>,
    /// Owner of everything, by name or number
    #[arg(long, value_name = "USER[:GROUP]", value_parser = values::owner, conflicts_with = "preserve_owner")]
    owner: Option<Owner>,
    /// Keep owners, by name where it is known
    #[arg(long)]
    preserve_owner: bool,
}

/// Copies files. Each that fails is named, and the others are copied all the same.
pub async fn run(ctx: &Ctx, args: CpArgs) -> anyhow::Result<Outcome> {
    let temps = Temps::new(&ctx.cleanups);
    let Some((last, sources)) = args.paths.split_last() else {
        return Err(Error::usage("cp needs a source and a destination").into());
    };
    let (reading, writing) = args.needs();
    let dest = Side::destination(ctx, last, &writing, &temps)?;
    let sources: Vec<Side> =
        sources.iter().map(|text| Side::source(ctx, text, &reading, &temps)).collect::<Result<_>>()?;
    if !dest.is_remote() && !sources.iter().any(Side::is_remote) {
        return Err(Error::usage("nothing to copy here is over there")
            .hint("write a path over there as TARGET:/PATH, or :/PATH for the default target")
            .into());
    }
    let mut signals = ctx.signals.listen().await?;
    let started = Instant::now();
    let copying = async {
        match ctx.settings.duration(Opt::Timeout) {
            None => args.copy(ctx, &sources, &dest, last).await,
            Some(limit) => match tokio::time::timeout(limit, args.copy(ctx, &sources, &dest, last)).await {
                Ok(copied) => copied,
                Err(_) => Err(Error::timeout(format!("gave up after {} (--timeout)", duration::show(limit)))
                    .cause("no file is half written; what was finished is there")),
            },
        }
    };
    let summary = tokio::select! {
        summary = copying => summary?,
        signal = signals.next() => {
            let error = signal::interrupted(&signal, "interrupted: not everything was copied");
            return Err(error.cause("no file is half written; what was finished is there").into());
        }
    };
    report(ctx, &sources, &dest, summary, started)
}

impl CpArgs {
    /// What is needed of sources, and of the destination.
    fn needs(&self) -> (Vec<Need>, Vec<Need>) {
        let mut reading = vec![Need::new(Feature::Files, "files cp")];
        if self.recursive {
            reading.push(Need::new(Feature::FilesDirectories, "-r"));
        }
        let mut writing = reading.clone();
        writing.extend(self.mode.map(|_| Need::new(Feature::FilesMode, "--mode")));
        writing.extend(self.owner.as_ref().map(|_| Need::new(Feature::FilesOwner, "--owner")));
        writing.extend(self.preserve_owner.then(|| Need::new(Feature::FilesOwner, "--preserve-owner")));
        (reading, writing)
    }

    async fn copy(&self, ctx: &Ctx, sources: &[Side], dest: &Side, text: &OsStr) -> Result<Summary> {
        let into_directory = text.as_bytes().ends_with(b"/");
        match (sources, dest) {
            ([Side::Stdio], dest) => self.save_stdin(dest, into_directory).await,
            ([source], Side::Stdio) => to_stdout(ctx, source).await,
            _ => {
                let ends = sources.iter().map(Side::end).collect::<Result<Vec<_>>>()?;
                let options = Options {
                    recursive: self.recursive,
                    parents: self.parents,
                    follow: self.follow_links,
                    into_directory,
                    mode: self.mode,
                    owner: self.owner.clone(),
                    preserve_owner: self.preserve_owner,
                    jobs: jobs(ctx),
                };
                let meter = Arc::new(Meter::new("copying", &ctx.out));
                transfer::copy(ends, &dest.end()?, &options, meter).await
            }
        }
    }

    /// Stdin becomes a file. It exists only once stdin has ended.
    async fn save_stdin(&self, dest: &Side, into_directory: bool) -> Result<Summary> {
        let end = dest.end()?;
        let is_directory = into_directory
            || end.files.stat(&end.path, true).await.is_ok_and(|e| e.kind == crate::model::FileKind::Directory);
        if is_directory {
            return Err(Error::usage(format!("stdin has no name to go by in `{}`", dest.shown()))
                .hint("name the file as the destination"));
        }
        let spec =
            WriteSpec { path: end.path, len: None, mode: self.mode, owner: self.owner.clone(), parents: self.parents };
        let written = end.files.write(spec, stdin()).await?;
        Ok(Summary { files: 1, size_bytes: written.size_bytes, ..Summary::default() })
    }
}

/// What is in a directory of this machine, to be copied elsewhere.
pub(in crate::cli) struct Tree(Side);

impl Tree {
    /// What is in this directory.
    pub(in crate::cli) fn of(ctx: &Ctx, dir: &OsStr) -> Result<Self> {
        if !std::path::Path::new(dir).is_dir() {
            return Err(Error::not_found(format!("cannot copy `{}`: it is no directory", dir.display())));
        }
        let mut content = OsString::from("./");
        if std::path::Path::new(dir).is_absolute() {
            content.clear();
        }
        content.push(dir);
        content.push("/.");
        let temps = Temps::new(&ctx.cleanups);
        Side::source(ctx, &content, &(Feature::Files, "files cp"), &temps).map(Self)
    }

    /// Copies it into a directory over there, which is made where it is missing.
    pub(in crate::cli) async fn copy(&self, ctx: &Ctx, target: &Target, to: RemotePath) -> Result<()> {
        let dest = Side::Remote(target.clone(), to);
        let options = Options {
            recursive: true,
            parents: true,
            follow: false,
            into_directory: true,
            mode: None,
            owner: None,
            preserve_owner: false,
            jobs: jobs(ctx),
        };
        let summary =
            transfer::copy(vec![self.0.end()?], &dest.end()?, &options, Arc::new(Meter::new("copying", &ctx.out)))
                .await?;
        if summary.failed.is_empty() {
            return Ok(());
        }
        Err(Error::several("files", summary.failed, usize::try_from(summary.files).unwrap_or(usize::MAX)))
    }
}

/// How many requests at once.
pub(super) fn jobs(ctx: &Ctx) -> usize {
    ctx.settings.number(Opt::Jobs).and_then(|n| n.try_into().ok()).unwrap_or(JOBS)
}

async fn to_stdout(ctx: &Ctx, source: &Side) -> Result<Summary> {
    let end = source.end()?;
    let mut body = end.files.read(&end.path, None).await?.body;
    let mut size_bytes = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        size_bytes += chunk.len() as u64;
        ctx.out.bytes(&chunk)?;
    }
    Ok(Summary { files: 1, size_bytes, ..Summary::default() })
}

fn report(ctx: &Ctx, sources: &[Side], dest: &Side, summary: Summary, started: Instant) -> anyhow::Result<Outcome> {
    let Summary { files, directories, size_bytes, skipped, failed } = summary;
    let took = started.elapsed();
    let shown: Vec<_> = sources.iter().map(Side::shown).collect();
    let copied = Copied {
        source: shown.join(" "),
        destination: dest.shown(),
        files,
        directories,
        size_bytes,
        skipped,
        failed: failed.len() as u64,
        duration_seconds: took.as_secs_f64(),
    };
    // What goes to stdout is the file itself there, and nothing beside it.
    let target = [dest].into_iter().chain(sources).find_map(|side| match side {
        Side::Remote(target, _) => Some(target),
        _ => None,
    });
    if ctx.out.is_structured()
        && !dest.is_stdio()
        && let Some(target) = target
    {
        let row = At { provider: target.provider.driver().id, target: target.full.clone(), value: copied };
        ctx.out.one(&row, COLUMNS)?;
    }
    if files > 0 || failed.is_empty() {
        let several = if files == 1 { "file" } else { "files" };
        let rest = if skipped > 0 { format!(", skipped {skipped}") } else { String::new() };
        ctx.out.done(&format!(
            "copied {files} {several}, {} in {}{rest}",
            human::size(size_bytes),
            human::duration(std::time::Duration::from_millis(took.as_millis().try_into().unwrap_or(u64::MAX)))
        ));
    }
    if failed.is_empty() {
        return Ok(Outcome::Done);
    }
    let done = usize::try_from(files).unwrap_or(usize::MAX);
    Err(Error::several("files", failed, done).into())
}
