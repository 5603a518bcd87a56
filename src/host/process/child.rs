//! A program that was started, and the handle by which it is signalled and waited for.

use super::processes::system_signal;
use super::streams::{Input, Output, Terminal};
use crate::provider::exec::{Signal, TermSize};
use rustix::process::{Pid, WaitStatus, kill_process, kill_process_group, test_kill_process_group};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Weak;
use tokio::sync::watch;

/// A program that was started. Dropping it ends its pipes and hangs its terminal up; the program is left to itself.
pub struct Child {
    /// What it reads, if that is a pipe or a terminal.
    pub stdin: Option<Input>,
    /// What it writes, if that is a pipe or a terminal.
    pub stdout: Option<Output>,
    /// What it writes to its stderr, if that is a pipe or a terminal.
    pub stderr: Option<Output>,
    /// The program itself.
    pub running: Running,
}

/// The handle of a program. Cheap to clone; a signal that comes after its exit goes nowhere.
#[derive(Clone)]
pub struct Running {
    pid: Pid,
    leads: bool,
    terminal: Weak<Terminal>,
    exit: watch::Receiver<Option<Exit>>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Code(u8),
    /// By this signal, in Linux numbering.
    Signal(u8),
}

impl Exit {
    /// As a shell has it: the status, or 128 and the signal.
    pub fn status(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128u8.saturating_add(signal),
        }
    }
}

impl From<WaitStatus> for Exit {
    fn from(status: WaitStatus) -> Self {
        Self::from(ExitStatus::from_raw(status.as_raw()))
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        let byte = |number: i32| u8::try_from(number & 0xff).expect("it was masked");
        match status.signal() {
            Some(signal) => Self::Signal(byte(signal)),
            None => Self::Code(byte(status.code().unwrap_or_default())),
        }
    }
}

impl Running {
    pub(super) fn new(pid: Pid, leads: bool, terminal: Weak<Terminal>, exit: watch::Receiver<Option<Exit>>) -> Self {
        Self { pid, leads, terminal, exit }
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits for its exit. Any number of tasks may wait.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await.ok().and_then(|exit| *exit);
        match ended {
            Some(exit) => exit,
            // Who watched it ended with the runtime, and so does whoever waits here.
            None => std::future::pending().await,
        }
    }

    /// How it ended, if it has.
    pub fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Sends it a signal, and to nobody else; false if it ended already or the system refuses.
    pub fn signal(&self, signal: &Signal) -> bool {
        self.exit().is_none() && kill_process(self.pid, system_signal(signal)).is_ok()
    }

    /// Sends a signal to its whole process group, also after it ended itself; false if nobody is left in it. A program
    /// that leads no group gets it alone.
    pub fn signal_group(&self, signal: &Signal) -> bool {
        if self.leads { kill_process_group(self.pid, system_signal(signal)).is_ok() } else { self.signal(signal) }
    }

    /// Whether anybody is left in its process group.
    pub fn has_group(&self) -> bool {
        self.leads && test_kill_process_group(self.pid).is_ok()
    }

    /// Changes the size of its terminal, which it is told by SIGWINCH; without a terminal nothing happens.
    pub fn resize(&self, size: TermSize) -> std::io::Result<()> {
        self.terminal.upgrade().map_or(Ok(()), |terminal| terminal.resize(size))
    }
}
