//! Services while they run: started, watched, started again, stopped (section 2.4).
//!
//! A service is in one phase at a time. Tasks, the end of its process and timers move it on; a timer that was set in
//! an earlier phase does nothing.

use super::accounts::Wish;
use super::changes::Task;
use super::daemon::{Book, Daemon};
use super::go;
use super::launch::{Launch, environment};
use super::logs::Ring;
use super::plan::{self, Action};
use super::words;
use crate::host::process::{Exit, Io, Lead, Output, Running, Stream};
use crate::model::Time;
use crate::provider::exec::{Signal, TermSize};
use std::sync::Arc;
use std::time::Duration;

/// How long a process must live for its start to count as a success.
const OKAY_DELAY: Duration = Duration::from_secs(1);

/// How long a process that was killed may take to be gone.
const FAIL_DELAY: Duration = Duration::from_secs(5);

/// How long the rest of the output is waited for once a process has ended.
const DRAIN_DELAY: Duration = Duration::from_millis(200);

/// How much output is read at once, in bytes.
const CHUNK: usize = 32 * 1024;

/// The exit status of a daemon that a failed service ended.
const FAILED_SERVICE: u8 = 10;

/// The exit status of a daemon that a failed check ended.
const FAILED_CHECK: u8 = 11;

/// A service that was started at least once.
pub(super) struct Service {
    config: plan::Service,
    phase: Phase,
    since: Time,
    running: Option<Running>,
    pub(super) ring: Arc<Ring>,
    /// How often it was started.
    pub(super) starts: u64,
    /// Counts the phases, so that a timer knows its own.
    turn: u64,
    /// How often in a row it was started again by itself.
    backoffs: u32,
    /// The tasks that end when it is up.
    starting: Vec<u64>,
    /// The tasks that end when it is down.
    stopping: Vec<u64>,
    /// Whether it is to start once it is down.
    restarts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
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

    fn enter(&mut self, phase: Phase) {
        let before = self.current();
        self.phase = phase;
        self.turn += 1;
        if self.current() != before || !self.has_process() {
            self.since = Time::now();
        }
    }

    fn signal_group(&self, name: &str) {
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

/// Starts the process of a service.
fn launch(daemon: &Arc<Daemon>, book: &mut Book, name: &str) -> Result<(), String> {
    let Some(service) = book.services.get_mut(name) else { return Ok(()) };
    let workload = book.layers.plan().workloads.get(&*service.config.workload).cloned().unwrap_or_default();
    let of_workload = Wish {
        user_id: workload.user_id,
        user: Some(workload.user.0.clone()),
        group_id: workload.group_id,
        group: Some(workload.group.0.clone()),
    };
    let wish = Wish::of_service(&service.config).or(of_workload);
    let extra = workload.environment.iter().chain(&service.config.environment);
    let extra = extra.map(|(name, value)| (name.as_str(), &**value));
    let (environment, ids) = environment(&daemon.options.environment, &wish, extra)?;
    let dir = Some(&service.config.working_dir).filter(|dir| !dir.is_empty()).map(|dir| dir.0.clone().into());
    let command = words::service(&service.config.command)?;
    let io =
        Io { stdin: Stream::Null, stdout: Stream::Pipe, stderr: Stream::Stdout, size: TermSize { cols: 80, rows: 25 } };
    let path = daemon.options.environment.get("PATH").map(String::as_str);
    let launch = Launch { command, environment, ids, dir };
    let child =
        launch.start(&daemon.processes, path, io, Lead::Group).map_err(|why| format!("cannot start service: {why}"))?;
    service.starts += 1;
    service.running = Some(child.running.clone());
    let drained = tokio::spawn(collect(child.stdout, service.ring.clone()));
    let (daemon, name) = (daemon.clone(), name.to_owned());
    tokio::spawn(async move {
        let exit = child.running.wait().await;
        // Whoever it left behind may hold its output open.
        let _ = tokio::time::timeout(DRAIN_DELAY, drained).await;
        daemon.change(|book| exited(&daemon, book, &name, child.running.pid(), exit));
    });
    Ok(())
}

/// Keeps what a service writes.
async fn collect(output: Option<Output>, ring: Arc<Ring>) {
    let Some(mut output) = output else { return };
    while let Ok(Some(bytes)) = output.read(CHUNK).await {
        ring.write(&bytes, Time::now());
    }
}

/// Does something in a while, unless the service is in another phase by then.
fn after(daemon: &Arc<Daemon>, service: &Service, name: &str, delay: Duration, act: fn(&Arc<Daemon>, &mut Book, &str)) {
    let (daemon, name, turn) = (daemon.clone(), name.to_owned(), service.turn);
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        daemon.change(|book| {
            if book.services.get(&name).is_some_and(|service| service.turn == turn) {
                act(&daemon, book, &name);
            }
        });
    });
}

/// It lived long enough.
fn came_up(daemon: &Arc<Daemon>, book: &mut Book, name: &str) {
    let Some(service) = book.services.get_mut(name) else { return };
    service.enter(Phase::Running);
    for id in std::mem::take(&mut service.starting) {
        book.changes.done(id);
    }
    after(daemon, service, name, service.config.backoff_limit(), lived_long);
}

/// Its delays begin anew.
fn lived_long(_: &Arc<Daemon>, book: &mut Book, name: &str) {
    if let Some(service) = book.services.get_mut(name) {
        service.backoffs = 0;
    }
}

fn terminate(daemon: &Arc<Daemon>, service: &mut Service, name: &str) {
    service.signal_group("TERM");
    service.enter(Phase::Terminating);
    after(daemon, service, name, service.config.kill_delay(), kill);
}

fn kill(daemon: &Arc<Daemon>, book: &mut Book, name: &str) {
    let Some(service) = book.services.get_mut(name) else { return };
    service.signal_group("KILL");
    service.enter(Phase::Killing);
    after(daemon, service, name, FAIL_DELAY, |_, book, name| {
        let Some(service) = book.services.get_mut(name) else { return };
        for id in std::mem::take(&mut service.stopping) {
            book.changes.failed(id, "process still running after SIGTERM and SIGKILL");
        }
    });
}

/// The process of a service has ended.
fn exited(daemon: &Arc<Daemon>, book: &mut Book, name: &str, pid: i32, exit: Exit) {
    let Some(service) = book.services.get_mut(name) else { return };
    if service.running.as_ref().map(Running::pid) != Some(pid) {
        return;
    }
    service.running = None;
    match service.phase {
        Phase::Terminating | Phase::Killing => {
            service.enter(Phase::Stopped);
            let restarts = std::mem::take(&mut service.restarts);
            for id in std::mem::take(&mut service.starting) {
                book.changes.failed(id, "service was stopped while it started");
            }
            for id in std::mem::take(&mut service.stopping) {
                book.changes.done(id);
            }
            if restarts {
                again(daemon, book, name);
            }
        }
        _ => ended_by_itself(daemon, book, name, exit.status()),
    }
}

/// It ended, and nobody had asked it to.
fn ended_by_itself(daemon: &Arc<Daemon>, book: &mut Book, name: &str, status: u8) {
    let Some(service) = book.services.get_mut(name) else { return };
    let action = service.config.on_exit(status == 0);
    let will = match action {
        Action::Restart => "restart",
        Action::Ignore => "ignore",
        Action::SuccessShutdown | Action::FailureShutdown => "shut down",
    };
    let recent = service.ring.recent();
    for id in std::mem::take(&mut service.starting) {
        book.changes.info(id, &format!("Most recent service output:\n{recent}"));
        let why = format!("service start attempt: exited quickly with code {status}, will {will}");
        book.changes.failed(id, &why);
    }
    match action {
        Action::Restart => back_off(daemon, service, name),
        Action::Ignore => service.enter(Phase::Exited { success: status == 0 }),
        Action::SuccessShutdown | Action::FailureShutdown => {
            service.enter(Phase::Exited { success: status == 0 });
            daemon.end(if action == Action::SuccessShutdown { 0 } else { FAILED_SERVICE });
        }
    }
}

fn back_off(daemon: &Arc<Daemon>, service: &mut Service, name: &str) {
    service.backoffs = service.backoffs.saturating_add(1);
    let delay = service.config.backoff(service.backoffs);
    service.enter(Phase::Backoff);
    // Up to a tenth more, so that several services do not come back at once.
    let jitter = delay.mul_f64(f64::from(Time::now().subsec_nanosecond() % 1000) / 10_000.0);
    after(daemon, service, name, delay + jitter, again);
}

/// Starts a service again by itself.
fn again(daemon: &Arc<Daemon>, book: &mut Book, name: &str) {
    let launched = launch(daemon, book, name);
    let Some(service) = book.services.get_mut(name) else { return };
    match launched {
        Ok(()) => {
            service.enter(Phase::Running);
            after(daemon, service, name, service.config.backoff_limit(), lived_long);
        }
        Err(_) => back_off(daemon, service, name),
    }
}
