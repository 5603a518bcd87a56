//! Everything that the simulated system is: its rows, the contents of its files, who is signed in, and what is under way.

use super::store::{Id, Kept, Store};
use super::times;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What happens later.
type Step = Box<dyn FnOnce(&mut World) + Send>;

/// How many entries of the log are kept.
const MAX_LOGS: usize = 5000;

/// The system.
pub(super) struct World {
    pub(super) store: Store,
    /// Where the contents of files are.
    pub(super) dir: PathBuf,
    /// Sessions by their token, each with its user.
    pub(super) sessions: HashMap<String, Id>,
    /// How long a machine takes to start, to stop, and to do anything else that is not done at once.
    pub(super) pace: Duration,
    /// Whether guests take no notice of being asked to shut down.
    pub(super) are_deaf: bool,
    /// What is under way, in the order in which it was begun.
    pending: Vec<(Instant, Step)>,
    /// The rows that a test wants back.
    marked: Option<Kept>,
}

impl World {
    pub(super) fn new(dir: PathBuf, pace: Duration) -> Self {
        let (sessions, pending) = (HashMap::new(), Vec::new());
        Self { store: Store::new(), dir, sessions, pace, are_deaf: false, pending, marked: None }
    }

    /// Remembers all rows as they are when all that is under way has come to its end.
    pub(super) fn mark(&mut self) {
        while !self.pending.is_empty() {
            let (_, step) = self.pending.remove(0);
            step(self);
        }
        self.marked = Some(self.store.keep());
    }

    /// Has all rows be as they were when they were marked, and forgets what is under way.
    pub(super) fn rewind(&mut self) {
        if let Some(kept) = &self.marked {
            self.store.restore(kept);
            self.pending.clear();
        }
    }

    /// Has something happen once the usual time has passed.
    pub(super) fn later(&mut self, step: impl FnOnce(&mut Self) + Send + 'static) {
        self.pending.push((Instant::now() + self.pace, Box::new(step)));
    }

    /// Has happen what is due. Nobody can tell that it did not happen before they looked.
    pub(super) fn settle(&mut self) {
        let now = Instant::now();
        loop {
            let due = self.pending.iter().enumerate().filter(|(_, (at, _))| *at <= now);
            let Some((index, _)) = due.min_by_key(|(_, (at, _))| *at) else { return };
            let (_, step) = self.pending.remove(index);
            step(self);
        }
    }

    /// Writes into the system's log.
    pub(super) fn log(&mut self, user: &str, object: &Id, text: impl Into<String>) {
        let kind = self.store.schema_of(object.table).singular().to_owned();
        let name = self.store.schema_of(object.table).column("name").map(|_| self.store.text(object, "name"));
        self.store.add(
            "logs",
            [
                ("text", text.into().into()),
                ("user", user.into()),
                ("object_type", kind.into()),
                ("object_name", name.unwrap_or_default().into()),
                ("timestamp", times::micros().into()),
            ],
        );
        let table = self.store.table("logs");
        if self.store.rows(table).count() > MAX_LOGS {
            let oldest = self.store.rows(table).next().map(|(key, _)| Id { table, key: key.clone() });
            oldest.iter().for_each(|id| self.store.remove(id));
        }
    }

    /// Writes into a log of its own kind, such as that of a machine.
    pub(super) fn log_in(&mut self, table: &str, column: &str, id: &Id, text: &str) {
        let cells = [
            (column, id.key.to_value()),
            ("level", json!("message")),
            ("text", json!(text)),
            ("user", json!("")),
            ("timestamp", times::micros().into()),
        ];
        self.store.add(table, cells);
    }

    /// Sets cells of a row once the usual time has passed, if the cell `column` still is `before`.
    pub(super) fn become_later<const N: usize>(
        &mut self,
        id: &Id,
        column: &'static str,
        before: Value,
        cells: [(&'static str, Value); N],
    ) {
        let id = id.clone();
        self.later(move |world| {
            if world.store.cell(&id, column) == before {
                world.store.set_all(&id, cells);
            }
        });
    }
}
