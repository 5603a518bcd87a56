//! Processes and terminals of this machine. The only room with `unsafe`.

#![allow(unsafe_code)]

pub mod guard;
pub mod namespace;
pub mod process;
pub mod unwind;

use crate::provider::exec::Signal;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Turns core dumps off, before any secret is read (ux 8.6).
pub fn prepare() {
    // It may be forbidden to lower a limit (a sandbox, say); then the dump holds what it holds.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Lets go of the standard streams, which belong to whoever started this process.
pub fn silence() -> std::io::Result<()> {
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// Ends the process at once: no runtime is torn down, since a blocked read of a terminal would never let it end.
pub fn exit(status: u8) -> ! {
    std::process::exit(i32::from(status))
}

/// Ends the process by a signal, so that a shell that runs it in a loop sees that the user interrupted.
pub fn die_by(signal: &Signal) -> ! {
    let number = i32::from(signal.number());
    // SAFETY: installing the default action has no handler that could run anything.
    unsafe { libc::signal(number, libc::SIG_DFL) };
    if let Some(signal) = rustix::process::Signal::from_named_raw(number) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
    }
    exit(128 + signal.number())
}
