//! Programs of this machine: where agents run unless they are told otherwise.
//!
//! A program leads a session of its own, so that a Ctrl-C of our terminal does not reach it, and ends with us however
//! we end. What it writes is read only as fast as it is asked for.

use crate::error::{Error, Result};
use crate::host::process::{self, Input, Output, Processes, Running, SpawnError, Spec, Stage, Stream};
use crate::model::{Note, RunId};
use crate::provider::exec::{
    Control, Event, Exec, ExecSpec, Exit, Io, Life, Nobody, Process, Remote, Signal, Stdin, StdinMode,
};
use crate::provider::exec::{Owner, TermSize};
use crate::stream::{self, Items};
use async_trait::async_trait;
use bytes::Bytes;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// The most that is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// How long a stream may stay open after its program ended, silent: what it left behind may hold it for ever.
const LINGER: Duration = Duration::from_millis(500);

/// How long a program whose time ran out may take to end.
const GRACE: Duration = Duration::from_secs(2);

/// Starts programs on this machine. Dropping everything that belongs to a program kills it.
#[derive(Clone, Default)]
pub struct LocalExec {
    /// What all programs belong to; by default each has its own.
    owner: Option<Processes>,
    /// The whole environment that programs start from; by default ours.
    base: Option<Vec<(OsString, OsString)>>,
    /// Whether what they start ends with us even if we are killed.
    sheltered: bool,
}

impl LocalExec {
    /// Programs that start from an empty environment, and whose every descendant is ended with them: this process
    /// becomes the parent of what loses its own. Nothing else in this process may start a program, and to kill one is
    /// to kill all. Needs the runtime.
    pub fn confined() -> Self {
        // Where adopting is impossible, what a program starts is still found as long as its parents live.
        Self { owner: Some(Processes::adopting().unwrap_or_default()), base: Some(Vec::new()), sheltered: true }
    }

    /// Programs that start from an empty environment.
    pub fn bare() -> Self {
        Self { base: Some(Vec::new()), ..Self::default() }
    }

    fn spec(&self, spec: &ExecSpec) -> Result<Spec> {
        if spec.user.as_ref().is_some_and(|owner| *owner != Owner::default()) {
            return Err(Error::unsupported("programs of this machine run as you do"));
        }
        if spec.service_context.is_some() || !matches!(spec.life, Life::Attached) {
            return Err(Error::unsupported("programs of this machine end with the command that started them"));
        }
        let mut argv = spec.argv.iter().map(|word| OsString::from_vec(word.to_vec()));
        let Some(program) = argv.next() else {
            return Err(Error::unsupported("this machine's login shell is the one that you are in"));
        };
        let mut local = Spec::new(program).args(argv).io(streams(spec.io));
        local.sheltered = self.sheltered;
        local.dir = spec.dir.as_ref().map(|dir| super::local_path(dir).to_owned());
        let base = self.base.clone().unwrap_or_else(|| std::env::vars_os().collect());
        let added = spec.env.iter().map(|(name, value)| (name.into(), OsString::from_vec(value.to_vec())));
        local.env = Some(base.into_iter().chain(added).collect());
        Ok(local)
    }
}

fn streams(io: Io) -> process::Io {
    match io {
        Io::Pipes { stdin, merge_stderr } => process::Io {
            stdin: if stdin == StdinMode::None { Stream::Null } else { Stream::Pipe },
            stderr: if merge_stderr { Stream::Stdout } else { Stream::Pipe },
            ..process::Io::PIPES
        },
        Io::Terminal { size, split_stderr, .. } => process::Io {
            stderr: if split_stderr { Stream::Pipe } else { Stream::Terminal },
            ..process::Io::terminal(size)
        },
    }
}

#[async_trait]
impl Exec for LocalExec {
    async fn start(&self, spec: ExecSpec) -> Result<Process> {
        let owner = self.owner.clone().unwrap_or_default();
        let child = match owner.spawn(&self.spec(&spec)?) {
            Ok(child) => child,
            Err(error) => return refused(&spec, error),
        };
        let control = Arc::new(LocalControl { running: child.running.clone(), owner: owner.clone() });
        let stdin = match spec.io {
            Io::Terminal { interactive: false, .. } => None,
            _ => child.stdin.map(|input| Box::new(LocalStdin(Some(input))) as Box<dyn Stdin>),
        };
        let watch = Watch {
            stdout: child.stdout,
            stderr: child.stderr,
            running: child.running,
            owner,
            deadline: spec.timeout.map(|limit| Instant::now() + limit),
            stage: Reading::Live,
        };
        Ok(Process::new(None, stdin, control, watch.events()))
    }
}

/// A program that was not started: what is wrong with the program itself is an exit, everything else an error.
fn refused(spec: &ExecSpec, error: SpawnError) -> Result<Process> {
    let program = spec.argv.first().map(|word| String::from_utf8_lossy(word).into_owned()).unwrap_or_default();
    let why = crate::config::reason(&error.error);
    let exit = match (error.stage, error.error.kind()) {
        (Stage::Program, ErrorKind::NotFound) => Exit::NotFound(why),
        (Stage::Program, _) => Exit::NotRunnable(why),
        (Stage::Directory, kind) => {
            let dir = spec.dir.as_ref().map(ToString::to_string).unwrap_or_default();
            let message = format!("cannot start `{program}` in `{dir}`: {why}");
            let missing = matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory);
            return Err(if missing { Error::not_found(message) } else { Error::forbidden(message) });
        }
        _ => return Err(Error::failure(format!("cannot start `{program}`: {error}")).source(error)),
    };
    Ok(Process::new(None, None, Arc::new(Nobody), stream::iter([Ok(Event::Exit(exit))])))
}

/// What is left to be read of a program.
struct Watch {
    stdout: Option<Output>,
    stderr: Option<Output>,
    running: Running,
    owner: Processes,
    deadline: Option<Instant>,
    stage: Reading,
}

enum Reading {
    /// The program runs.
    Live,
    /// It ended; its streams may hold something still.
    Ended(Exit),
    Over,
}

impl Watch {
    fn events(self) -> Items<Event> {
        stream::unfold(self, |mut watch| async move { Ok(watch.next().await?.map(|event| (event, watch))) })
    }

    async fn next(&mut self) -> Result<Option<Event>> {
        if let Reading::Over = self.stage {
            return Ok(None);
        }
        if let Reading::Ended(exit) = &self.stage {
            let exit = exit.clone();
            return Ok(Some(match timeout(LINGER, self.read()).await {
                Ok(Some(event)) => event?,
                // What it left behind holds its streams, and says nothing.
                Err(_) => {
                    (self.stdout, self.stderr) = (None, None);
                    Event::Note(Note::Gap("what the program left running keeps its output open".to_owned()))
                }
                Ok(None) => {
                    self.stage = Reading::Over;
                    Event::Exit(exit)
                }
            }));
        }
        let running = self.running.clone();
        let deadline = self.deadline;
        let ended = async {
            match deadline {
                Some(deadline) => timeout_at(deadline, running.wait()).await.ok(),
                None => Some(running.wait().await),
            }
        };
        // Output first: a program that writes and ends has written first.
        tokio::select! {
            biased;
            Some(event) = self.read() => event.map(Some),
            exit = ended => {
                let exit = match exit {
                    Some(process::Exit::Code(code)) => Exit::Code(code),
                    Some(process::Exit::Signal(signal)) => Exit::Signal(signal),
                    None => Exit::TimedOut(ended_by(&self.owner, GRACE).await),
                };
                self.stage = Reading::Ended(exit);
                Box::pin(self.next()).await
            }
        }
    }

    /// The next bytes of either stream; `None` once both have ended. Cancel-safe.
    async fn read(&mut self) -> Option<Result<Event>> {
        loop {
            let (is_stdout, read) = tokio::select! {
                read = next_of(&mut self.stdout), if self.stdout.is_some() => (true, read),
                read = next_of(&mut self.stderr), if self.stderr.is_some() => (false, read),
                else => return None,
            };
            match read {
                Ok(Some(bytes)) => {
                    return Some(Ok(if is_stdout { Event::Stdout(bytes) } else { Event::Stderr(bytes) }));
                }
                Ok(None) if is_stdout => self.stdout = None,
                Ok(None) => self.stderr = None,
                Err(error) => {
                    return Some(Err(Error::failure("cannot read the output of a program").source(error)));
                }
            }
        }
    }
}

async fn next_of(output: &mut Option<Output>) -> std::io::Result<Option<Bytes>> {
    match output {
        Some(output) => output.read(CHUNK).await,
        None => Ok(None),
    }
}

/// Ends what belongs to `owner`.
async fn ended_by(owner: &Processes, grace: Duration) -> Remote {
    if owner.shutdown(grace).await == 0 { Remote::Gone } else { Remote::Running }
}

struct LocalStdin(Option<Input>);

#[async_trait]
impl Stdin for LocalStdin {
    async fn write(&mut self, chunk: Bytes) -> Result<bool> {
        let Some(input) = &mut self.0 else { return Ok(false) };
        input.write(&chunk).await.map_err(|error| Error::failure("cannot write to a program").source(error))
    }

    async fn end(&mut self) -> Result<()> {
        self.0 = None;
        Ok(())
    }
}

struct LocalControl {
    running: Running,
    owner: Processes,
}

#[async_trait]
impl Control for LocalControl {
    async fn signal(&self, signal: Signal) -> Result<()> {
        // One that ended meanwhile needs no signal.
        self.running.signal_group(&signal);
        Ok(())
    }

    async fn resize(&self, size: TermSize) -> Result<()> {
        self.running.resize(size).map_err(|error| Error::failure("cannot resize a terminal").source(error))
    }

    async fn kill(&self, grace: Duration) -> Result<Remote> {
        Ok(ended_by(&self.owner, grace).await)
    }

    async fn detach(&self) -> Result<Option<RunId>> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RemotePath;

    fn spec(argv: &[&str]) -> ExecSpec {
        let argv = argv.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        ExecSpec { io: Io::Pipes { stdin: StdinMode::Live, merge_stderr: false }, ..ExecSpec::new(argv) }
    }

    fn shell(script: &str) -> ExecSpec {
        spec(&["/bin/sh", "-c", script])
    }

    /// What a program wrote to stdout and stderr, and its exit.
    async fn all(process: &mut Process) -> (String, String, Exit) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        loop {
            match process.next().await.unwrap() {
                Event::Stdout(bytes) => out.extend_from_slice(&bytes),
                Event::Stderr(bytes) => err.extend_from_slice(&bytes),
                Event::Note(_) => {}
                Event::Exit(exit) => {
                    return (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), exit);
                }
            }
        }
    }

    #[tokio::test]
    async fn a_dialogue_and_its_exit() {
        let mut process = LocalExec::default().start(shell("read x; echo got $x; echo err >&2; exit 7")).await.unwrap();
        let mut stdin = process.stdin.take().unwrap();
        assert!(stdin.write(Bytes::from_static(b"line\n")).await.unwrap());
        assert_eq!(all(&mut process).await, ("got line\n".into(), "err\n".into(), Exit::Code(7)));
        assert!(!stdin.write(Bytes::from_static(b"more\n")).await.unwrap());
        stdin.end().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_not_there_is_an_exit_and_a_missing_directory_an_error() {
        let exec = LocalExec::default();
        let mut process = exec.start(spec(&["/nonexistent/agent"])).await.unwrap();
        assert_eq!(all(&mut process).await.2, Exit::NotFound("no such file or directory".into()));
        let mut process = exec.start(spec(&["/etc/passwd"])).await.unwrap();
        assert_eq!(all(&mut process).await.2, Exit::NotRunnable("permission denied".into()));
        let nowhere = ExecSpec { dir: Some(RemotePath::new("/nonexistent")), ..shell("true") };
        let error = exec.start(nowhere).await.err().unwrap();
        assert_eq!(error.kind(), crate::error::ErrorKind::NotFound);
        assert_eq!(error.to_string(), "cannot start `/bin/sh` in `/nonexistent`: no such file or directory");
    }

    #[tokio::test]
    async fn a_confined_program_has_only_the_environment_that_it_is_given() {
        let mut given = shell("/usr/bin/env");
        given.env = vec![("A".to_owned(), Bytes::from_static(b"b c"))];
        let mut process = LocalExec::bare().start(given).await.unwrap();
        let (out, _, _) = all(&mut process).await;
        let mut names: Vec<_> = out.lines().filter(|line| !line.starts_with("_=")).collect();
        names.retain(|line| !line.starts_with("PWD=") && !line.starts_with("SHLVL="));
        assert_eq!(names, ["A=b c"]);
    }

    #[tokio::test]
    async fn its_time_runs_out_and_so_does_that_of_what_it_started() {
        let late = ExecSpec { timeout: Some(Duration::from_millis(50)), ..shell("sleep 1000 & echo up; wait") };
        let mut process = LocalExec::default().start(late).await.unwrap();
        let (out, _, exit) = all(&mut process).await;
        assert_eq!((out.as_str(), exit), ("up\n", Exit::TimedOut(Remote::Gone)));
    }

    #[tokio::test]
    async fn a_kill_ends_what_ignores_it_and_the_streams_end_too() {
        let mut process =
            LocalExec::default().start(shell("trap '' TERM; echo up; while :; do sleep 0.01; done")).await.unwrap();
        let Event::Stdout(up) = process.next().await.unwrap() else { panic!("not what it wrote") };
        assert_eq!(up, "up\n");
        assert_eq!(process.control.kill(Duration::from_millis(20)).await.unwrap(), Remote::Gone);
        assert_eq!(all(&mut process).await.2, Exit::Signal(9));
    }

    #[tokio::test]
    async fn what_holds_the_output_open_does_not_hold_the_exit() {
        let mut process = LocalExec::default().start(shell("sleep 1000 & echo up; exit 3")).await.unwrap();
        let (out, _, exit) = all(&mut process).await;
        assert_eq!((out.as_str(), exit), ("up\n", Exit::Code(3)));
    }
}
