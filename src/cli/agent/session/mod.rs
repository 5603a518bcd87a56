//! `agent session`: sessions that are kept in files.

pub mod export;
pub mod fork;
pub mod list;
pub mod show;

use super::{agent, target};
use crate::cli::tree::{Node, talk};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::AgentSession;
use crate::resolve::Target;

/// The commands.
pub(super) static TREE: &[Node] = &[
    talk!("list", list::ListArgs, list::run, "List sessions").alias("ls"),
    talk!("show", show::ShowArgs, show::run, "Show a session"),
    talk!("export", export::ExportArgs, export::run, "Print a session as JSON lines, or write it as a page"),
    talk!("fork", fork::ForkArgs, fork::run, "Begin a session as a copy of another"),
];

/// The one session that `id` names: all of an id, or a beginning that no other has.
async fn find(ctx: &Ctx, id: &str, shared: bool, asked: &str) -> Result<(Target, AgentSession)> {
    let target = target(ctx, asked)?;
    let all = agent(&target, asked)?.sessions(None, shared).await?;
    let mut found: Vec<_> = all.into_iter().filter(|session| session.session_id.starts_with(id)).collect();
    if let Some(at) = found.iter().position(|session| session.session_id == id) {
        found = vec![found.swap_remove(at)];
    }
    match <[AgentSession; 1]>::try_from(found) {
        Ok([session]) => Ok((target, session)),
        Err(none) if none.is_empty() => {
            Err(Error::not_found(format!("no session `{id}` of `{}`", target.full)).hint(if shared {
                "`esker agent session list --shared` shows all"
            } else {
                "`esker agent session list` shows all; --shared adds your own"
            }))
        }
        Err(several) => {
            let ids: Vec<_> = several.iter().map(|session| session.session_id.as_str()).collect();
            Err(Error::conflict(format!("`{id}` begins {} sessions", ids.len())).cause(ids.join(", ")))
        }
    }
}
