//! What becomes of a service by itself: its process starts and ends, its times pass, it is started again (section 2.4).
//!
//! A timer that was set in an earlier phase does nothing.

use super::accounts::Wish;
use super::daemon::{Book, Daemon};
use super::launch::{Launch, environment};
use super::logs::Ring;
use super::plan::Action;
use super::services::{Phase, Service};
use super::words;
use crate::host::process::{Exit, Io, Lead, Output, Running, Stream};
use crate::model::Time;
use crate::provider::exec::TermSize;
use std::sync::Arc;
use std::time::Duration;

/// How long a process that was killed may take to be gone.
const FAIL_DELAY: Duration = Duration::from_secs(5);

/// How long the rest of the output is waited for once a process has ended.
const DRAIN_DELAY: Duration = Duration::from_millis(200);

/// How much output is read at once, in bytes.
const CHUNK: usize = 32 * 1024;

/// The exit status of a daemon that a failed service ended.
const FAILED_SERVICE: u8 = 10;

/// Starts the process of a service.
pub(super) fn launch(daemon: &Arc<Daemon>, book: &mut Book, name: &str) -> Result<(), String> {
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
pub(super) fn after(
    daemon: &Arc<Daemon>,
    service: &Service,
    name: &str,
    delay: Duration,
    act: fn(&Arc<Daemon>, &mut Book, &str),
) {
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
pub(super) fn came_up(daemon: &Arc<Daemon>, book: &mut Book, name: &str) {
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

pub(super) fn terminate(daemon: &Arc<Daemon>, service: &mut Service, name: &str) {
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
