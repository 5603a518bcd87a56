//! `agent session fork`

use super::find;
use crate::cli::Outcome;
use crate::cli::agent::host::Host;
use crate::cli::agent::{GRACE, close, open};
use crate::cli::over::at;
use crate::context::Ctx;
use crate::model::AgentInfo;
use crate::output::{Cell, Column};
use crate::provider::agent::{Keys, SessionSpec, Which};
use clap::Args;

const ASKED: &str = "agent session fork";

const COLUMNS: &[Column<AgentInfo>] = &[
    Column::new("SESSION", "session_id", |a: &AgentInfo| Cell::maybe(a.session_id.as_deref())),
    Column::new("MESSAGES", "messages", |a: &AgentInfo| Cell::count(a.messages)),
    Column::new("DIRECTORY", "cwd", |a: &AgentInfo| Cell::maybe(a.cwd.as_deref())),
    Column::new("FILE", "session_file", |a: &AgentInfo| Cell::maybe(a.session_file.as_deref())),
];

#[derive(Args, Debug)]
#[command(after_help = "\
The copy is a session of its own; `agent run --resume ID` goes on with it.

Examples:
  esker agent session fork 01a1fd4a
  esker agent run --resume \"$(esker agent session fork 01a1fd4a -o name)\" 'try it another way'")]
pub struct ForkArgs {
    /// Session to copy: its id or a beginning of it
    #[arg(value_name = "ID")]
    session: String,
    /// Look among your own too
    #[arg(long)]
    shared: bool,
}

/// Begins a session as a copy of another.
pub async fn run(ctx: &Ctx, args: ForkArgs) -> anyhow::Result<Outcome> {
    let (target, session) = find(ctx, &args.session, args.shared, ASKED).await?;
    let dir = session.cwd.as_deref().map(std::path::Path::new).filter(|dir| dir.is_dir());
    let spec = SessionSpec {
        session: Which::ForkOf(session.path.clone()),
        dir: dir.map(crate::provider::local::remote_path),
        keys: Keys::None,
        ..SessionSpec::default()
    };
    let open = open(ctx, &target, spec, &Host::here(), ASKED).await?;
    let info = open.info.clone();
    close(open, GRACE).await?;
    ctx.out.one(&at(&target, info), COLUMNS)?;
    Ok(Outcome::Done)
}
