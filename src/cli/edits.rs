//! Changes of the user's own configuration file, and how they are told.

use crate::config::{self, Edit};
use crate::context::Ctx;
use crate::error::{Error, Result};
use crate::model::{At, Changed};
use crate::output::{Cell, Column, ListOptions};
use crate::resolve::Registry;
use std::path::Path;

const COLUMNS: &[Column<Changed>] = &[
    Column::new("NAME", "name", |c: &Changed| Cell::text(&c.name)),
    Column::new("ACTION", "action", |c: &Changed| Cell::text(&c.action)),
    Column::new("CHANGED", "changed", |c: &Changed| Cell::yes_no(c.changed)),
];

/// The file that changes go to, whether it exists or not.
pub(super) fn file(ctx: &Ctx) -> Result<&Path> {
    ctx.config.writable.as_deref().ok_or_else(|| {
        Error::config("there is no place for a config file").hint("set HOME or XDG_CONFIG_HOME, or pass --config FILE")
    })
}

/// Applies edits to that file.
pub(super) fn apply(ctx: &Ctx, edits: &[Edit]) -> Result<()> {
    config::edit(file(ctx)?, edits, &Registry(ctx.resolver.registry()))
}

/// Refuses to remove what stands in another file than the one that changes go to.
pub(super) fn must_be_ours(ctx: &Ctx, what: &str, origin: &str) -> Result<()> {
    let ours = file(ctx)?.display().to_string();
    match origin.rsplit_once(':') {
        Some((path, _)) if path == ours => Ok(()),
        _ => Err(Error::conflict(format!("cannot remove {what}: it is defined at {origin}"))
            .hint(format!("only `{ours}` is changed by esker"))),
    }
}

/// What was done to one name.
pub(super) fn changed(provider: &'static str, target: &str, name: &str, action: &str, changed: bool) -> At<Changed> {
    let value = Changed { name: name.to_owned(), action: action.to_owned(), changed, state: None, operation_id: None };
    At { provider, target: target.to_owned(), value }
}

/// Prints one result for programs; people have read a sentence on stderr (ux 4.9).
pub(super) fn tell(ctx: &Ctx, row: &At<Changed>) -> Result<()> {
    if ctx.out.is_structured() { ctx.out.one(row, COLUMNS) } else { Ok(()) }
}

/// The same for a command that takes several names.
pub(super) fn tell_all(ctx: &Ctx, rows: &[At<Changed>]) -> Result<()> {
    if ctx.out.is_structured() && !rows.is_empty() {
        ctx.out.list(rows, COLUMNS, &ListOptions::default())
    } else {
        Ok(())
    }
}
