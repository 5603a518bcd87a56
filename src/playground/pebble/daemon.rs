//! The daemon's state, and the one way to change it.

use super::changes::{Changes, Kind, Step, Task};
use super::checks::Check;
use super::exec::Exec;
use super::identities::Identities;
use super::layers::Layers;
use super::logs::Ring;
use super::notices::{Notices, Occurrence};
use super::services::{self, Service};
use super::store::Store;
use super::{checks, exec, go};
use crate::host::process::Processes;
use crate::model::Time;
use crate::notes::Notes;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// What the daemon was started with.
#[derive(Debug)]
pub(super) struct Options {
    /// The environment that services and commands begin with.
    pub(super) environment: BTreeMap<String, String>,
    /// Where state is kept; in memory only if `None`.
    pub(super) store: Option<PathBuf>,
    /// The address of plain HTTP, as clients are told it.
    pub(super) http: Option<String>,
    /// Where the daemon's own log goes.
    pub(super) notes: Notes,
}

/// A running daemon.
pub(super) struct Daemon {
    pub(super) options: Options,
    pub(super) processes: Processes,
    book: Mutex<Book>,
    store: Option<Store>,
    changed: watch::Sender<u64>,
    written: Arc<watch::Sender<u64>>,
    ended: watch::Sender<Option<u8>>,
}

/// All that the daemon knows.
#[derive(Default)]
pub(super) struct Book {
    pub(super) layers: Layers,
    pub(super) changes: Changes,
    pub(super) notices: Notices,
    pub(super) identities: Identities,
    pub(super) services: BTreeMap<String, Service>,
    pub(super) checks: BTreeMap<String, Check>,
    /// What runs or ran, by its task.
    pub(super) execs: BTreeMap<u64, Arc<Exec>>,
}

impl Daemon {
    /// A daemon with these layers, and with the state that it left behind.
    pub(super) fn new(options: Options, layers: Layers, processes: Processes) -> Arc<Self> {
        let store = options.store.clone().map(Store::new);
        let mut book = Book { layers, ..Book::default() };
        if let Some(left) = store.as_ref().and_then(Store::read) {
            (book.changes, book.notices, book.identities) = left;
            book.changes.begin_again();
        }
        let (changed, written, ended) = (watch::channel(0).0, Arc::new(watch::channel(0).0), watch::channel(None).0);
        let book = Mutex::new(book);
        let daemon = Arc::new(Self { options, processes, book, store, changed, written, ended });
        checks::replan(&daemon);
        daemon
    }

    /// Writes a line of the daemon's own log.
    pub(super) fn log(&self, text: &str) {
        self.options.notes.info(format!("{} [pebble] {text}", go::millis(Time::now())));
    }

    /// A look at the state.
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state; what can be begun then is begun, and whoever waits looks again.
    pub(super) fn change<T>(self: &Arc<Self>, act: impl FnOnce(&mut Book) -> T) -> T {
        let (result, begun) = {
            let mut book = self.book();
            let result = act(&mut book);
            book.tell();
            let begun = book.changes.take_up();
            book.tell();
            if let Some(store) = &self.store {
                store.write(&book.changes, &book.notices, &book.identities);
            }
            (result, begun)
        };
        self.changed.send_modify(|count| *count += 1);
        for task in begun {
            self.begin(&task);
        }
        result
    }

    /// Begins the work of a task.
    fn begin(self: &Arc<Self>, task: &Task) {
        match task.kind {
            Kind::Start => services::start(self, task),
            Kind::Stop => services::stop(self, task),
            Kind::Exec => exec::begin(self, task.id),
            // They are under way as long as the check is.
            Kind::PerformCheck | Kind::RecoverCheck => checks::begin(self, task),
        }
    }

    /// Asks for the end of a change; the tasks that [`Self::stop_tasks`] stops then.
    pub(super) fn ask_to_stop(self: &Arc<Self>, id: u64) -> Vec<Task> {
        self.change(|book| book.changes.abort(id)).unwrap_or_default()
    }

    /// Stops what is not wanted any more.
    pub(super) fn stop_tasks(self: &Arc<Self>, tasks: Vec<Task>) {
        for task in tasks {
            match task.kind {
                Kind::Start => services::abort_start(self, &task),
                Kind::Exec => exec::abort(self, task.id),
                Kind::PerformCheck | Kind::RecoverCheck => checks::abort(self, &task),
                // What stops a service goes on.
                Kind::Stop => {}
            }
        }
    }

    /// Waits until something holds.
    pub(super) async fn until<T>(&self, mut holds: impl FnMut(&Book) -> Option<T>) -> T {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if let Some(found) = holds(&self.book()) {
                return found;
            }
            if changed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Told about everything that any service writes.
    pub(super) fn output(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }

    /// A new buffer for the output of a service.
    pub(super) fn ring(&self, service: &str) -> Arc<Ring> {
        Arc::new(Ring::new(service, self.written.clone()))
    }

    /// Ends the daemon with this exit status.
    pub(super) fn end(&self, status: u8) {
        self.ended.send_if_modified(|ended| {
            let is_first = ended.is_none();
            ended.get_or_insert(status);
            is_first
        });
    }

    /// Waits until something ends the daemon; the exit status.
    pub(super) async fn ended(&self) -> u8 {
        let mut ended = self.ended.subscribe();
        let status = ended.wait_for(Option::is_some).await.ok().and_then(|status| *status);
        status.unwrap_or_default()
    }

    /// Stops all services, and waits until they are stopped.
    pub(super) async fn stop_services(self: &Arc<Self>) {
        self.change(|book| book.checks.values_mut().for_each(Check::silence));
        services::stop_all(self);
        self.until(|book| (!book.services.values().any(Service::has_process)).then_some(())).await;
    }
}

impl Book {
    /// Turns what became of changes into notices.
    fn tell(&mut self) {
        for (id, kind, check) in self.changes.news() {
            let mut data = BTreeMap::from([("kind".to_owned(), kind)]);
            data.extend(check.map(|check| ("check-name".to_owned(), check)));
            let key = id.to_string();
            self.notices.occur(Occurrence { kind: "change-update", key, data, ..Occurrence::default() });
        }
    }

    /// A new change of one task.
    pub(super) fn add_single(&mut self, kind: Kind, name: &str, summary: &str, subject: &str) -> (u64, u64) {
        let is_check = matches!(kind, Kind::PerformCheck | Kind::RecoverCheck);
        let step = Step { kind, summary: summary.to_owned(), subject: subject.to_owned(), lane: 0, after: Vec::new() };
        let change = self.changes.add(name, summary.to_owned(), is_check.then_some(subject), vec![step]);
        let task = self.changes.get(change).and_then(|change| change.tasks.first()).map_or(0, |task| task.id);
        (change, task)
    }
}
