//! `files sync`

use super::ends::Side;
use super::meter::Meter;
use super::{cp, rm, values};
use crate::cli::{Outcome, complete};
use crate::config::duration;
use crate::context::Ctx;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{At, RemotePath, SyncChange, Synced, Time};
use crate::output::{Cell, Column, Danger, ListOptions, human};
use crate::provider::exec::Owner;
use crate::provider::local::Temps;
use crate::provider::{Feature, Need};
use crate::settings::Opt;
use crate::signal;
use crate::transfer::sync::{self, Deed, Exclude, Peer, Plan, Rules, Summary, Watched};
use crate::transfer::{Observer, Options};
use clap::Args;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

const DONE: &[Column<Synced>] = &[
    Column::new("SOURCE", "source", |s: &Synced| Cell::text(&s.source)),
    Column::new("DESTINATION", "destination", |s: &Synced| Cell::text(&s.destination)),
    Column::new("FILES", "files", |s: &Synced| Cell::Count(Some(s.files))),
    Column::new("SIZE", "size_bytes", |s: &Synced| Cell::Size(Some(s.size_bytes))),
    Column::new("DELETED", "deleted", |s: &Synced| Cell::Count(Some(s.deleted))),
    Column::new("UNCHANGED", "unchanged", |s: &Synced| Cell::Count(Some(s.unchanged))),
];

const CHANGES: &[Column<SyncChange>] = &[
    Column::new("CHANGE", "change", |c: &SyncChange| Cell::text(&c.change)),
    Column::new("SIZE", "size_bytes", |c: &SyncChange| Cell::Size(c.size_bytes)),
    Column::new("PATH", "path", |c: &SyncChange| Cell::text(c.path.text())),
];

/// Between two looks at the source, unless `--watch` says otherwise.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Args, Debug)]
#[command(after_help = "\
What is in SRC comes to be in DST. Files are compared by size and SHA-256, never
by their clocks; the sums are made over there where programs can be run. So a
sync that was cut off goes on where it was, when it is started again.

--exclude takes a name, at any depth, or with a slash a path below SRC; * is any
text and ? any character. What is excluded is neither copied nor deleted.

--watch goes on and brings over what changes in SRC; each change is a line, or
with -o jsonl an event. SECS is the time between two looks.

Examples:
  esker files sync ./dist web:/srv/app --delete --exclude '*.map'
  esker files sync old:/srv/data new:/srv/data --dry-run
  esker files sync ./src sprites/dev:/home/sprite/src --watch --exclude .git")]
pub struct SyncArgs {
    /// The directory to be like: TARGET:/PATH or a local path
    #[arg(value_name = "SRC", add = complete::paths())]
    source: OsString,
    /// The directory to make like it: TARGET:/PATH or a local path
    #[arg(value_name = "DST", add = complete::paths())]
    dest: OsString,
    /// Delete what is only in DST; asks first
    #[arg(long)]
    delete: bool,
    /// Say what would be done, and do nothing
    #[arg(long, conflicts_with = "watch")]
    dry_run: bool,
    /// Leave out what matches this, in both; repeat it for several
    #[arg(long, value_name = "PATTERN", value_parser = Exclude::parse)]
    exclude: Vec<Exclude>,
    /// Go on and bring over what changes; SECS between two looks (default 1s)
    #[arg(long, value_name = "SECS", num_args = 0..=1, require_equals = true, default_missing_value = "0",
          value_parser = duration::parse)]
    watch: Option<Duration>,
    /// Copy what symbolic links lead to
    #[arg(short = 'L', long)]
    follow_links: bool,
    /// Mode of the files; by default that of their source
    #[arg(long, value_name = "OCTAL", value_parser = values::mode)]
    mode: Option<u32>,
    /// Owner of what is copied, by name or number
    #[arg(long, value_name = "USER[:GROUP]", value_parser = values::owner)]
    owner: Option<Owner>,
}

/// Makes one directory like another.
pub async fn run(ctx: &Ctx, args: SyncArgs) -> anyhow::Result<Outcome> {
    let temps = Temps::new(&ctx.cleanups);
    let reading = vec![Need::new(Feature::Files, "files sync"), Need::new(Feature::FilesDirectories, "files sync")];
    let mut writing = reading.clone();
    writing.extend(args.mode.map(|_| Need::new(Feature::FilesMode, "--mode")));
    writing.extend(args.owner.as_ref().map(|_| Need::new(Feature::FilesOwner, "--owner")));
    let dest = Side::destination(ctx, &args.dest, &writing, &temps)?;
    let source = Side::source(ctx, &args.source, &reading, &temps)?;
    if !source.is_remote() && !dest.is_remote() {
        return Err(Error::usage("neither directory is over there")
            .hint("write a path over there as TARGET:/PATH, or :/PATH for the default target")
            .into());
    }
    let work = Work {
        ctx,
        source: source.peer()?,
        dest: dest.peer()?,
        rules: args.rules(ctx, &dest),
        shown: (source.shown(), dest.shown()),
        // Whose rows these are: the destination's, unless it is this machine.
        place: [&dest, &source].into_iter().find_map(Side::place).unwrap_or_default(),
    };
    if args.delete && rm::is_root(&work.dest.end.path) {
        let root = dest.shown();
        return Err(Error::usage(format!("refusing to delete from `{root}`: it is everything")).into());
    }
    let mut signals = ctx.signals.listen().await?;
    let syncing = async {
        match (args.watch, ctx.settings.duration(Opt::Timeout)) {
            (Some(every), _) => work.watch(if every.is_zero() { EVERY } else { every }).await,
            (None, None) => work.once(args.dry_run).await,
            (None, Some(limit)) => match tokio::time::timeout(limit, work.once(args.dry_run)).await {
                Ok(done) => done,
                Err(_) => Err(Error::timeout(format!("gave up after {} (--timeout)", duration::show(limit)))
                    .cause("no file is half written; what was finished is there")
                    .into()),
            },
        }
    };
    tokio::select! {
        done = syncing => done,
        signal = signals.next() => {
            let error = signal::interrupted(&signal, "interrupted: not everything may be alike");
            Err(error.cause("no file is half written; what was finished is there").into())
        }
    }
}

impl SyncArgs {
    fn rules(&self, ctx: &Ctx, dest: &Side) -> Rules {
        Rules {
            delete: self.delete,
            exclude: self.exclude.clone(),
            sets_modes: dest.has(Feature::FilesChange),
            copy: Options {
                recursive: true,
                parents: true,
                follow: self.follow_links,
                into_directory: true,
                mode: self.mode,
                owner: self.owner.clone(),
                preserve_owner: false,
                jobs: cp::jobs(ctx),
            },
        }
    }
}

/// A sync, opened.
struct Work<'a> {
    ctx: &'a Ctx,
    source: Peer<'a>,
    dest: Peer<'a>,
    rules: Rules,
    shown: (String, String),
    place: (&'static str, String),
}

impl Work<'_> {
    async fn once(&self, dry_run: bool) -> anyhow::Result<Outcome> {
        let started = Instant::now();
        let meter = Arc::new(Meter::new("syncing", &self.ctx.out));
        let plan = sync::plan(&self.source, &self.dest, &self.rules, &*meter).await?;
        self.warn(&plan);
        if dry_run {
            drop(meter);
            return self.show(plan);
        }
        self.ask(&plan).await?;
        let summary = sync::apply(plan, &self.source, &self.dest, &self.rules, meter).await;
        self.report(summary, started)
    }

    fn warn(&self, plan: &Plan) {
        if plan.withheld {
            self.ctx.out.warn("nothing is deleted, since not all of the source could be seen");
        }
    }

    async fn ask(&self, plan: &Plan) -> Result<()> {
        let count = plan.deletes();
        if count == 0 {
            return Ok(());
        }
        let what = if count == 1 { "1 path".to_owned() } else { format!("{count} paths") };
        self.ctx.confirm(Danger::Moderate { action: format!("delete {what} below `{}`", self.shown.1) }).await
    }

    /// The plan as a list, for `--dry-run`.
    fn show(&self, plan: Plan) -> anyhow::Result<Outcome> {
        let rows: Vec<_> = plan.changes.iter().map(|change| self.row(change)).collect();
        self.ctx.out.list(&rows, CHANGES, &ListOptions::default())?;
        if plan.failed.is_empty() {
            return Ok(Outcome::Done);
        }
        Err(Error::several("paths", plan.failed, rows.len()).into())
    }

    fn row(&self, change: &sync::Change) -> At<SyncChange> {
        let path = if change.path.is_empty() { b".".to_vec() } else { change.path.clone() };
        let comes = matches!(change.deed, Deed::Create | Deed::Update);
        let value = SyncChange {
            change: change.deed.word().to_owned(),
            path: RemotePath::new(path),
            size_bytes: change.entry.size_bytes.filter(|_| comes),
        };
        At { provider: self.place.0, target: self.place.1.clone(), value }
    }

    fn report(&self, mut summary: Summary, started: Instant) -> anyhow::Result<Outcome> {
        let failed = summary.take_failed();
        let took = started.elapsed();
        let synced = Synced {
            source: self.shown.0.clone(),
            destination: self.shown.1.clone(),
            files: summary.copied.files,
            directories: summary.copied.directories,
            size_bytes: summary.copied.size_bytes,
            modes: summary.modes,
            deleted: summary.deleted,
            unchanged: summary.unchanged,
            skipped: summary.copied.skipped,
            failed: failed.len() as u64,
            duration_seconds: took.as_secs_f64(),
        };
        let done = synced.files + synced.modes + synced.deleted + synced.unchanged;
        if failed.is_empty() || done > 0 {
            self.ctx.out.done(&told(&synced, took));
        }
        if self.ctx.out.is_structured() {
            let row = At { provider: self.place.0, target: self.place.1.clone(), value: synced };
            self.ctx.out.one(&row, DONE)?;
        }
        if failed.is_empty() {
            return Ok(Outcome::Done);
        }
        Err(Error::several("paths", failed, usize::try_from(done).unwrap_or(usize::MAX)).into())
    }

    /// Goes on until it is stopped, or the source is gone.
    async fn watch(&self, every: Duration) -> anyhow::Result<Outcome> {
        if self.rules.delete {
            let action = format!("delete below `{}` whatever goes from `{}`", self.shown.1, self.shown.0);
            self.ctx.confirm(Danger::Moderate { action }).await?;
        }
        let quiet: Arc<dyn Observer> = Arc::new(Meter::new("syncing", &self.ctx.out));
        let mut watched = Watched::default();
        let mut is_first = true;
        loop {
            match watched.next(&self.source, &self.dest, &self.rules, &*quiet).await {
                Ok(plan) => {
                    self.warn(&plan);
                    let changes = plan.changes.clone();
                    let mut summary =
                        sync::apply(plan, &self.source, &self.dest, &self.rules, Arc::clone(&quiet)).await;
                    let failed = summary.take_failed();
                    // Which of them were done is not sure then, and found out by comparing again.
                    if failed.is_empty() {
                        changes.iter().try_for_each(|change| self.tell(change))?;
                    } else {
                        watched.forget();
                    }
                    failed.iter().for_each(|error| self.ctx.out.warn(&error.to_string()));
                }
                Err(error) if !is_first && error.kind() == ErrorKind::Unreachable => {
                    self.ctx.out.warn(&error.to_string());
                    watched.forget();
                }
                Err(error) => return Err(error.into()),
            }
            if is_first {
                self.ctx.out.note(&format!("`{}` is like `{}`; watching", self.shown.1, self.shown.0));
            }
            is_first = false;
            tokio::time::sleep(every).await;
        }
    }

    fn tell(&self, change: &sync::Change) -> Result<()> {
        let row = self.row(change);
        if self.ctx.out.is_structured() {
            return self.ctx.out.event("change", &row);
        }
        let now = Time::now().round(jiff::Unit::Second).unwrap_or_default();
        self.ctx.out.remote_line(&format!("{now} {} {}", row.value.change, row.value.path.text()))
    }
}

fn told(synced: &Synced, took: Duration) -> String {
    let count = |count: u64, what: &str| if count > 0 { format!(", {what} {count}") } else { String::new() };
    let several = if synced.files == 1 { "file" } else { "files" };
    let took = Duration::from_millis(took.as_millis().try_into().unwrap_or(u64::MAX));
    format!(
        "copied {} {several}, {} in {}{}{}{}{}",
        synced.files,
        human::size(synced.size_bytes),
        human::duration(took),
        count(synced.modes, "changed modes of"),
        count(synced.deleted, "deleted"),
        count(synced.unchanged, "unchanged"),
        count(synced.skipped, "skipped"),
    )
}
