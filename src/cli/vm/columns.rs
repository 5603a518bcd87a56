//! The columns of machines.

use crate::model::{Machine, MachineDone, MachineHealth, MachineUrl};
use crate::output::{Cell, Column};

/// Of a list, and of one machine. Its full name stands before them.
pub(super) const MACHINES: &[Column<Machine>] = &[
    Column::new("STATUS", "status", |m: &Machine| Cell::state(&m.status)),
    Column::new("LABELS", "labels", |m: &Machine| Cell::List(m.labels.clone())).elastic(),
    Column::new("CREATED", "created_at", |m: &Machine| Cell::Time(m.created_at)),
    Column::new("LAST ACTIVE", "last_active_at", |m: &Machine| Cell::Time(m.last_active_at)),
    Column::new("URL", "url", |m: &Machine| Cell::maybe(m.url.as_deref())).elastic(),
    Column::new("NAME", "name", |m: &Machine| Cell::text(&m.name)).wide(),
    Column::new("KEY", "key", |m: &Machine| Cell::text(m.key.as_str())).wide(),
    Column::new("IMAGE", "image", |m: &Machine| Cell::maybe(m.image.as_deref())).wide(),
    Column::new("REGION", "region", |m: &Machine| Cell::maybe(m.region.as_deref())).wide(),
    Column::new("CPUS", "cpus", |m: &Machine| Cell::maybe(m.cpus.map(|cpus| cpus.to_string()))).wide(),
    Column::new("MEMORY", "memory_bytes", |m: &Machine| Cell::Size(m.memory_bytes)).wide(),
    Column::new("DISK", "disk_bytes", |m: &Machine| Cell::Size(m.disk_bytes)).wide(),
];

/// Of what was done.
pub(super) const DONE: &[Column<MachineDone>] = &[
    Column::new("ACTION", "action", |m: &MachineDone| Cell::text(&m.action)),
    Column::new("STATUS", "status", |m: &MachineDone| Cell::state(&m.machine.status)),
    Column::new("OPERATION", "operation_id", |m: &MachineDone| Cell::maybe(m.operation_id.as_deref())),
];

/// Of an address.
pub(super) const URLS: &[Column<MachineUrl>] = &[
    Column::new("URL", "url", |u: &MachineUrl| Cell::text(&u.url)),
    Column::new("ACCESS", "access", |u: &MachineUrl| Cell::maybe(u.access.as_deref())),
];

/// Of health.
pub(super) const HEALTH: &[Column<MachineHealth>] = &[
    Column::new("HEALTHY", "healthy", |h: &MachineHealth| Cell::yes_no(h.healthy)),
    Column::new("STATUS", "status", |h: &MachineHealth| Cell::state(&h.status)),
    Column::new("REASON", "reason", |h: &MachineHealth| Cell::maybe(h.reason.as_deref())).elastic(),
    Column::new("CHECKED", "checked_at", |h: &MachineHealth| Cell::Time(h.checked_at)),
];
