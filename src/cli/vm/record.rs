//! `vm record`: recordings that the system made of terminals.

use crate::cli::over::at;
use crate::cli::tree::{Node, talk};
use crate::cli::{Outcome, complete};
use crate::context::Ctx;
use crate::model::{Recording, RecordingId};
use crate::output::{Cell, Column, ListOptions};
use crate::provider::Feature;
use crate::provider::feature::capability;
use clap::Args;
use futures_util::StreamExt;

pub(super) static TREE: &[Node] = &[
    talk!("list", RecordListArgs, list, "List recordings").alias("ls"),
    talk!("show", RecordShowArgs, show, "Show a recording's facts"),
    talk!("export", RecordExportArgs, export, "Write a recording as asciicast v2, which players read"),
];

const COLUMNS: &[Column<Recording>] = &[
    Column::new("ID", "id", |r: &Recording| Cell::text(r.id.as_str())),
    Column::new("TITLE", "title", |r: &Recording| Cell::text(&r.title)).elastic(),
    Column::new("SECONDS", "duration_seconds", |r: &Recording| {
        Cell::maybe(r.duration_seconds.map(|seconds| format!("{seconds:.1}")).as_deref())
    }),
    Column::new("SIZE", "size_bytes", |r: &Recording| Cell::Size(r.size_bytes)),
    Column::new("CREATED", "created_at", |r: &Recording| Cell::Time(r.created_at)),
    Column::new("MACHINE", "machine", |r: &Recording| Cell::text(&r.machine)).wide(),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm record list --target rexec
  esker vm record list --target rexec -o json")]
pub struct RecordListArgs {}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  esker vm record show 0f9c7a3e --target rexec
  esker vm record show 0f9c7a3e --target rexec -o json")]
pub struct RecordShowArgs {
    /// The recording
    #[arg(value_name = "ID", add = complete::recordings())]
    id: String,
}

#[derive(Args, Debug)]
#[command(after_help = "\
What was typed is recorded too, passwords among it: look before you pass it on.

Examples:
  esker vm record export 0f9c7a3e --target rexec > demo.cast
  esker vm record export 0f9c7a3e --target rexec | asciinema play -")]
pub struct RecordExportArgs {
    /// The recording
    #[arg(value_name = "ID", add = complete::recordings())]
    id: String,
}

/// Lists recordings.
pub async fn list(ctx: &Ctx, _args: RecordListArgs) -> anyhow::Result<Outcome> {
    let asked = "vm record list";
    let gathered = ctx
        .read(&(Feature::Recordings, asked), |target| async move {
            capability(&*target.place, |place| place.recordings(), Feature::Recordings, asked)?.list().await
        })
        .await?;
    let (rows, gathered) = gathered.rows(|rows| rows);
    ctx.list(&rows, COLUMNS, &ListOptions::default(), gathered)
}

/// Shows a recording.
pub async fn show(ctx: &Ctx, args: RecordShowArgs) -> anyhow::Result<Outcome> {
    let asked = "vm record show";
    let target = ctx.target(&(Feature::Recordings, asked))?;
    let recordings = capability(&*target.place, |place| place.recordings(), Feature::Recordings, asked)?;
    let found = recordings.get(&RecordingId(args.id)).await;
    let found = found.map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
    ctx.out.one(&at(&target, found), COLUMNS)?;
    Ok(Outcome::Done)
}

/// Writes a recording to stdout.
pub async fn export(ctx: &Ctx, args: RecordExportArgs) -> anyhow::Result<Outcome> {
    let asked = "vm record export";
    let target = ctx.target(&(Feature::Recordings, asked))?;
    let recordings = capability(&*target.place, |place| place.recordings(), Feature::Recordings, asked)?;
    let body = recordings.export(&RecordingId(args.id)).await;
    let mut body = body.map_err(|error| error.at(target.provider.driver().id, &*target.full))?;
    while let Some(bytes) = body.next().await {
        ctx.out.bytes(&bytes?)?;
    }
    Ok(Outcome::Done)
}
