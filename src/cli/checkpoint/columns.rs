//! The columns of checkpoints.

use crate::model::Checkpoint;
use crate::output::{Cell, Column};

pub(super) const COLUMNS: &[Column<Checkpoint>] = &[
    Column::new("ID", "id", |c: &Checkpoint| Cell::text(&c.id.0)),
    Column::new("CREATED", "created_at", |c: &Checkpoint| Cell::Time(c.created_at)),
    Column::new("SOURCE", "source_id", |c: &Checkpoint| Cell::maybe(c.source_id.as_ref().map(|id| &id.0))),
    Column::new("HEALTH", "health", |c: &Checkpoint| c.health.as_ref().map_or(Cell::Empty, Cell::state)),
    Column::new("COMMENT", "comment", |c: &Checkpoint| Cell::maybe(c.comment.as_ref())).elastic(),
    Column::new("AUTO", "auto", |c: &Checkpoint| Cell::yes_no(c.auto)).wide(),
    Column::new("EXPIRES", "expires_at", |c: &Checkpoint| Cell::Time(c.expires_at)).wide(),
    Column::new("HISTORY", "history", |c: &Checkpoint| {
        Cell::List(c.history.iter().flatten().map(|id| id.0.clone()).collect())
    })
    .wide(),
];
