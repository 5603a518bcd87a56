//! `agent session export`

use super::find;
use crate::cli::Outcome;
use crate::cli::agent::host::Host;
use crate::cli::agent::{GRACE, close, open, reply};
use crate::config::reason;
use crate::context::Ctx;
use crate::error::Error;
use crate::provider::agent::{Command, Keys, SessionSpec, Which};
use clap::Args;
use std::path::PathBuf;

const ASKED: &str = "agent session export";

#[derive(Args, Debug)]
#[command(after_help = "\
Without --html the file is printed as it is: JSON lines, the agent's own. The page
is made by the agent, which is started for it.

Examples:
  esker agent session export 01a1fd4a > session.jsonl
  esker agent session export 01a1fd4a --html session.html")]
pub struct ExportArgs {
    /// Session to export: its id or a beginning of it
    #[arg(value_name = "ID")]
    session: String,
    /// Write a page to this file instead
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Look among your own too
    #[arg(long)]
    shared: bool,
}

/// Exports one session.
pub async fn run(ctx: &Ctx, args: ExportArgs) -> anyhow::Result<Outcome> {
    let (target, session) = find(ctx, &args.session, args.shared, ASKED).await?;
    let Some(html) = args.html else {
        let bytes = std::fs::read(&session.path)
            .map_err(|error| Error::failure(format!("cannot read `{}`: {}", session.path, reason(&error))))?;
        ctx.out.bytes(&bytes)?;
        return Ok(Outcome::Done);
    };
    let path = std::path::absolute(&html)?.display().to_string();
    let dir = session.cwd.as_deref().map(std::path::Path::new).filter(|dir| dir.is_dir());
    let spec = SessionSpec {
        session: Which::Known(session.path.clone()),
        dir: dir.map(crate::provider::local::remote_path),
        keys: Keys::None,
        ..SessionSpec::default()
    };
    let mut open = open(ctx, &target, spec, &Host::here(), ASKED).await?;
    let written = reply(ctx, &mut open, Command::ExportHtml { path: Some(path) }).await;
    let closed = close(open, GRACE).await;
    written.and_then(|answer| closed.map(|()| answer))?;
    ctx.out.done(&format!("wrote `{}`", html.display()));
    Ok(Outcome::Done)
}
