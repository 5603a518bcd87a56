//! The shell: what the tool and the command of that name run.

use super::agent::Stop;
use crate::host::process::{Exit, Io, Processes, Spec, Stream};
use crate::provider::exec::Signal;
use std::path::Path;

/// The most that is read at once, in bytes.
const CHUNK: usize = 16 * 1024;

/// What came of a command.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) output: String,
    /// `None` if it was stopped.
    pub(super) status: Option<u8>,
}

/// Runs a command, and hands on what it writes. What it started in its group is killed if it is stopped.
pub(super) async fn run(
    processes: &Processes,
    dir: &Path,
    command: &str,
    mut stop: Stop,
    mut wrote: impl FnMut(&str, &str),
) -> Ran {
    let io = Io { stdin: Stream::Null, stderr: Stream::Stdout, ..Io::PIPES };
    let mut spec = Spec::new("/bin/sh").args(["-c", command]).io(io);
    spec.dir = Some(dir.to_owned());
    let child = match processes.spawn(&spec) {
        Ok(child) => child,
        Err(error) => return Ran { output: error.to_string(), status: Some(127) },
    };
    let mut raw = Vec::new();
    let mut stdout = child.stdout;
    let mut ended = None;
    loop {
        tokio::select! {
            read = async { stdout.as_mut().expect("it is looked at only as long as it is there").read(CHUNK).await }, if stdout.is_some() => {
                match read {
                    Ok(Some(bytes)) => {
                        raw.extend_from_slice(&bytes);
                        wrote(&String::from_utf8_lossy(&raw), &String::from_utf8_lossy(&bytes));
                    }
                    _ => stdout = None,
                }
            }
            exit = child.running.wait(), if ended.is_none() => ended = Some(exit),
            () = stop.stopped() => {
                child.running.signal_group(&Signal::parse("KILL").expect("it exists"));
                let output = String::from_utf8_lossy(&raw).into_owned();
                return Ran { output, status: None };
            }
        }
        if let (None, Some(exit)) = (&stdout, ended) {
            let status = match exit {
                Exit::Code(code) => code,
                Exit::Signal(signal) => 128 + signal,
            };
            return Ran { output: String::from_utf8_lossy(&raw).into_owned(), status: Some(status) };
        }
    }
}
