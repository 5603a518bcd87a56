//! A command that runs beside the test: read from, signalled, waited for.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Longer than anything here takes on a busy machine; a test that waits so long has failed.
const PATIENCE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// A copy of a program that can be run at once. Another process makes it: a file that this one had open for writing while
/// another test forks is "busy" for as long as that child has it open too.
pub(crate) fn copy_of_program(program: &Path, copy: &Path) {
    let status = Command::new("cp").arg("--").args([program, copy]).status().expect("cp is there");
    assert!(status.success(), "a copy of {}", program.display());
}

/// A running command with pipes on stdin, stdout and stderr.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().expect("the command starts"))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("it can be signalled");
    }

    /// The next line of its stdout, without the end.
    pub(crate) fn line(&mut self) -> String {
        line(self.0.stdout.as_mut().expect("stdout is a pipe"))
    }

    /// The next line of its stderr.
    pub(crate) fn error_line(&mut self) -> String {
        line(self.0.stderr.as_mut().expect("stderr is a pipe"))
    }

    /// Waits for its end: the status as a shell shows it, and the rest of stderr.
    pub(crate) fn end(mut self) -> (i32, String) {
        drop(self.0.stdin.take());
        self.wait()
    }

    /// The same with its stdin still open.
    pub(crate) fn wait(&mut self) -> (i32, String) {
        use std::os::unix::process::ExitStatusExt;
        let mut text = String::new();
        if let Some(mut stderr) = self.0.stderr.take() {
            stderr.read_to_string(&mut text).expect("stderr is text");
        }
        let status = self.0.wait().expect("it can be waited for");
        (status.code().or(status.signal().map(|signal| 128 + signal)).expect("it ended"), text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One line, byte by byte, so that nothing behind it is taken.
pub(crate) fn line(from: &mut (impl Read + AsFd)) -> String {
    let mut line = Vec::new();
    loop {
        assert!(readable(from), "nothing came after {:?}", String::from_utf8_lossy(&line));
        let mut byte = [0];
        match from.read(&mut byte) {
            Ok(1) if byte != *b"\n" => line.push(byte[0]),
            _ => return String::from_utf8(line).expect("a line of text"),
        }
    }
}

/// Waits until something can be read, or the other end is closed.
pub(crate) fn readable(fd: &impl AsFd) -> bool {
    matches!(poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&PATIENCE)), Ok(ready) if ready > 0)
}

/// Waits until a process, not only a child, is gone.
pub(crate) fn gone(pid: i32) -> bool {
    let Ok(process) = pidfd_open(Pid::from_raw(pid).expect("a process id"), PidfdFlags::empty()) else { return true };
    readable(&process)
}

/// Whether a process runs.
pub(crate) fn runs(pid: i32) -> bool {
    rustix::process::test_kill_process(Pid::from_raw(pid).expect("a process id")).is_ok()
}
