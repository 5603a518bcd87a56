//! `agent session list`

use super::{agent, target};
use crate::cli::Outcome;
use crate::cli::args::Listing;
use crate::cli::over::at;
use crate::context::Ctx;
use crate::model::AgentSession;
use crate::output::{Cell, Column};
use clap::Args;
use std::path::PathBuf;

pub(super) const COLUMNS: &[Column<AgentSession>] = &[
    Column::new("SESSION", "session_id", |s: &AgentSession| Cell::text(&s.session_id)),
    Column::new("MODIFIED", "modified_at", |s: &AgentSession| Cell::Time(s.modified_at)),
    Column::new("MESSAGES", "messages", |s: &AgentSession| Cell::count(s.messages)),
    Column::new("TITLE", "title", |s: &AgentSession| Cell::maybe(s.title.as_deref())).elastic(),
    Column::new("DIRECTORY", "cwd", |s: &AgentSession| Cell::maybe(s.cwd.as_deref())).elastic(),
    Column::new("MODEL", "model", |s: &AgentSession| Cell::maybe(s.model.as_deref())).wide(),
    Column::new("TOKENS", "usage", |s: &AgentSession| Cell::count(s.usage.total_tokens)).wide(),
    Column::new("CREATED", "created_at", |s: &AgentSession| Cell::Time(s.created_at)).wide(),
    Column::new("SHARED", "shared", |s: &AgentSession| Cell::yes_no(s.shared)).wide(),
    Column::new("FILE", "path", |s: &AgentSession| Cell::text(&s.path)).wide(),
];

#[derive(Args, Debug)]
#[command(after_help = "\
Reads the files alone; no agent is started.

Examples:
  esker agent session list
  esker agent session list --cwd . --limit 5
  esker agent session list --shared -o json")]
pub struct ListArgs {
    /// Only those of this directory
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Your own too, beside the private ones
    #[arg(long)]
    shared: bool,
    #[command(flatten)]
    list: Listing,
}

/// Lists sessions.
pub async fn run(ctx: &Ctx, args: ListArgs) -> anyhow::Result<Outcome> {
    let target = target(ctx, "agent session list")?;
    let dir = args.cwd.as_deref().map(crate::provider::local::remote_path);
    let sessions = agent(&target, "agent session list")?.sessions(dir.as_ref(), args.shared).await?;
    let rows: Vec<_> = sessions.into_iter().map(|session| at(&target, session)).collect();
    ctx.out.list(&rows, COLUMNS, &args.list.into())?;
    Ok(Outcome::Done)
}
