//! One process split into two that guard each other, so that nothing they start outlives them, not even if one of them
//! is killed.
//!
//! The *guard* is the process that the user started: it stays in the foreground, passes signals on, and ends as the
//! ward does. The *ward* does the work. If the ward is killed, what it left falls to the guard, which ends it; if the
//! guard is killed, the ward's lifeline breaks and the ward ends everything. The ward is in a process group of its
//! own, so that killing the guard's whole group does not take it along.

use super::process::{Exit, end_descendants};
use crate::provider::exec::Signal;
use rustix::process::{Pid, WaitOptions, getpgrp, kill_process, setpgid, waitpid};
use rustix::termios::tcgetpgrp;
use std::io;
use std::os::fd::OwnedFd;
use tokio::net::unix::pipe::Receiver;
use tokio::signal::unix::{SignalKind, signal};

/// Which of the two this process is now.
pub enum Half {
    /// The one that watches.
    Guard(Guard),
    /// The one that works.
    Ward(Ward),
}

/// The half that watches.
pub struct Guard {
    ward: Pid,
    /// The ward's lifeline: it breaks when this process ends, however that happens.
    _lifeline: OwnedFd,
}

/// The half that works.
pub struct Ward {
    lifeline: OwnedFd,
    /// The process group of the guard, which the terminal belongs to.
    group: Pid,
}

/// Splits this process. It must have one thread only: no other would be in the ward.
pub fn split() -> io::Result<Half> {
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads > 1 {
        return Err(io::Error::other(format!("a process of {threads} threads cannot be split")));
    }
    let (theirs, ours) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    super::process::adopt()?;
    let group = getpgrp();
    // SAFETY: there is one thread, so the child finds every lock as it should be.
    match unsafe { libc::fork() } {
        0 => {
            drop(ours);
            setpgid(None, None)?;
            Ok(Half::Ward(Ward { lifeline: theirs, group }))
        }
        pid => match Pid::from_raw(pid) {
            Some(ward) if pid > 0 => Ok(Half::Guard(Guard { ward, _lifeline: ours })),
            _ => Err(io::Error::last_os_error()),
        },
    }
}

impl Guard {
    /// Passes a signal on to the ward.
    pub fn signal(&self, signal: &Signal) {
        if let Some(signal) = rustix::process::Signal::from_named_raw(i32::from(signal.number())) {
            // A ward that is gone by now is about to be noticed.
            let _ = kill_process(self.ward, signal);
        }
    }

    /// Waits for the ward's end, and ends everything that it left.
    pub async fn wait(&self) -> io::Result<Exit> {
        let mut children = signal(SignalKind::child())?;
        loop {
            if let Some((_, status)) = waitpid(Some(self.ward), WaitOptions::NOHANG)? {
                end_descendants();
                return Ok(Exit::from(status));
            }
            children.recv().await;
        }
    }
}

impl Ward {
    /// Waits until the guard is gone.
    pub async fn orphaned(&self) -> io::Result<()> {
        let lifeline = Receiver::from_owned_fd(self.lifeline.try_clone()?)?;
        // Nothing is ever written to it: it can be read when it breaks.
        loop {
            lifeline.readable().await?;
            match lifeline.try_read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return Ok(()),
            }
        }
    }

    /// The process group that the terminal belongs to, for a program that is to be in the foreground.
    pub fn foreground(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Whether a key on the terminal that sends a signal sends it to that group.
    pub fn has_terminal(&self) -> bool {
        use rustix::stdio::{stderr, stdin};
        [tcgetpgrp(stdin()), tcgetpgrp(stderr())].contains(&Ok(self.group))
    }
}
