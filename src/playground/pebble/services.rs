//! Services: what they are, and what tasks do with them (section 2.4).
//!
//! A service is in one phase at a time. Tasks, here, and the end of its process and timers, in `upkeep`, move it on.

use super::changes::Task;
use super::daemon::{Book, Daemon};
use super::logs::Ring;
use super::upkeep::{after, came_up, launch, terminate};
use super::{go, plan};
use crate::host::process::Running;
use crate::model::Time;
use crate::provider::exec::Signal;
use std::sync::Arc;
use std::time::Duration;

/// How long a process must live for its start to count as a success.
const OKAY_DELAY: Duration = Duration::from_secs(1);

/// The exit status of a daemon that a failed check ended.
const FAILED_CHECK: u8 = 11;

/// A service that was started at least once.
pub(super) struct Service {
    pub(super) config: plan::Service,
    pub(super) phase: Phase,
    since: Time,
    pub(super) running: Option<Running>,
    pub(super) ring: Arc<Ring>,
    /// How often it was started.
    pub(super) starts: u64,
    /// Counts the phases, so that a timer knows its own.
    pub(super) turn: u64,
    /// How often in a row it was started again by itself.
    pub(super) backoffs: u32,
    /// The tasks that end when it is up.
    pub(super) starting: Vec<u64>,
    /// The tasks that end when it is down.
    pub(super) stopping: Vec<u64>,
    /// Whether it is to start once it is down.
    pub(super) restarts: bool,
}

/// Where a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Starting,
    Running,
    /// SIGTERM was sent.
    Terminating,
    /// SIGKILL was sent.
    Killing,
    Stopped,
    /// It waits to be started again.
    Backoff,
    /// It ended and is left alone.
    Exited {
        success: bool,
    },
}

impl Service {
    fn new(config: plan::Service, ring: Arc<Ring>) -> Self {
        Self {
            config,
            phase: Phase::Stopped,
            since: Time::now(),
            running: None,
            ring,
            starts: 0,
            turn: 0,
            backoffs: 0,
            starting: Vec::new(),
            stopping: Vec::new(),
            restarts: false,
        }
    }

    /// Its state, as clients see it.
    pub(super) fn current(&self) -> &'static str {
        match self.phase {
            Phase::Starting | Phase::Running => "active",
            Phase::Terminating | Phase::Killing | Phase::Stopped | Phase::Exited { success: true } => "inactive",
            Phase::Backoff => "backoff",
            Phase::Exited { success: false } => "error",
        }
    }

    /// Since when it is in that state.
    pub(super) fn since(&self) -> Time {
        self.since
    }

    /// Whether it has a process.
    pub(super) fn has_process(&self) -> bool {
        matches!(self.phase, Phase::Starting | Phase::Running | Phase::Terminating | Phase::Killing)
    }

    /// Whether it was started from something else than `config`.
    pub(super) fn differs(&self, config: &plan::Service) -> bool {
        self.config != *config
    }

    /// Sends its process a signal; false if it has none.
    pub(super) fn signal(&self, signal: &Signal) -> bool {
        self.has_process() && self.running.as_ref().is_some_and(|running| running.signal(signal))
    }

    /// Moves it on.
    pub(super) fn enter(&mut self, phase: Phase) {
        let before = self.current();
        self.phase = phase;
        self.turn += 1;
        if self.current() != before || !self.has_process() {
            self.since = Time::now();
        }
    }

    /// Signals everything that its process leads.
    pub(super) fn signal_group(&self, name: &str) {
        let signal = Signal::parse(name).expect("it exists");
        // A group that is gone needs no signal.
        let _ = self.running.as_ref().is_some_and(|running| running.signal_group(&signal));
    }
}

/// Does a task that starts a service.
pub(super) fn start(daemon: &Arc<Daemon>, task: &Task) {
    daemon.change(|book| {
        let name = task.subject.as_str();
        let Some(config) = book.layers.plan().services.get(name).cloned() else {
            return book.changes.failed(task.id, &format!("cannot find service {} in plan", go::quote(name)));
        };
        let fresh = || Service::new(config.clone(), daemon.ring(name));
        let service = book.services.entry(name.to_owned()).or_insert_with(fresh);
        match service.phase {
            Phase::Starting | Phase::Running => {
                book.changes.info(task.id, &format!("Service {} already started.", go::quote(name)));
                book.changes.done(task.id);
            }
            Phase::Terminating | Phase::Killing => {
                book.changes.failed(task.id, "cannot start service while terminating");
            }
            Phase::Stopped | Phase::Backoff | Phase::Exited { .. } => {
                service.config = config;
                service.backoffs = 0;
                match launch(daemon, book, name) {
                    Ok(()) => {
                        let Some(service) = book.services.get_mut(name) else { return };
                        service.enter(Phase::Starting);
                        service.starting.push(task.id);
                        after(daemon, service, name, OKAY_DELAY, came_up);
                    }
                    Err(why) => {
                        if let Some(service) = book.services.get_mut(name) {
                            service.enter(Phase::Stopped);
                        }
                        book.changes.failed(task.id, &why);
                    }
                }
            }
        }
    });
}

/// Does a task that stops a service.
pub(super) fn stop(daemon: &Arc<Daemon>, task: &Task) {
    daemon.change(|book| {
        let name = task.subject.as_str();
        let Some(service) = book.services.get_mut(name) else {
            book.changes.info(task.id, &format!("Service {} has never been started.", go::quote(name)));
            return book.changes.done(task.id);
        };
        match service.phase {
            Phase::Stopped | Phase::Exited { .. } => {
                book.changes.info(task.id, &format!("Service {} already stopped.", go::quote(name)));
                book.changes.done(task.id);
            }
            Phase::Backoff => {
                service.enter(Phase::Stopped);
                book.changes.done(task.id);
            }
            Phase::Starting | Phase::Running => {
                service.stopping.push(task.id);
                terminate(daemon, service, name);
            }
            Phase::Terminating | Phase::Killing => {
                service.restarts = false;
                service.stopping.push(task.id);
            }
        }
    });
}

/// A task that starts a service is not wanted any more.
pub(super) fn abort_start(daemon: &Arc<Daemon>, task: &Task) {
    daemon.change(|book| {
        let Some(service) = book.services.get_mut(&task.subject).filter(|service| service.phase == Phase::Starting)
        else {
            return;
        };
        service.signal_group("KILL");
        service.enter(Phase::Killing);
        for id in std::mem::take(&mut service.starting) {
            book.changes.failed(id, "start aborted, sent SIGKILL to process");
        }
    });
}

/// Stops every service; none is started again.
pub(super) fn stop_all(daemon: &Arc<Daemon>) {
    daemon.change(|book| {
        for (name, service) in &mut book.services {
            service.restarts = false;
            match service.phase {
                Phase::Starting | Phase::Running => terminate(daemon, service, name),
                Phase::Backoff => service.enter(Phase::Stopped),
                _ => {}
            }
        }
    });
}

/// A check failed as often as it may: what its services want then is done.
pub(super) fn check_failed(daemon: &Arc<Daemon>, book: &mut Book, check: &str) {
    for (name, service) in &mut book.services {
        // One that is not up yet is judged by its own start.
        if service.phase != Phase::Running {
            continue;
        }
        match service.config.on_check_failure.get(check).map(|action| &**action) {
            Some("restart") => {
                service.restarts = true;
                terminate(daemon, service, name);
            }
            Some("shutdown") => daemon.end(FAILED_CHECK),
            Some("success-shutdown") => daemon.end(0),
            _ => {}
        }
    }
}
