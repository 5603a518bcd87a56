//! Starting a program: its streams are made here, the rest is set in the child between `fork` and `exec`.

use super::streams::{Input, Output, Terminal};
use super::{Lead, Spec, Stream, User, Within};
use rustix::fs::Mode;
use rustix::process::{Pid, Signal, getpid, getppid, ioctl_tiocsctty, setpgid, setsid, umask};
use rustix::stdio::stdout as our_stdout;
use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
use std::ffi::{CString, OsString};
use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::Stdio;
use std::sync::Arc;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::process::Command;

/// Why a program was not started.
#[derive(Debug)]
pub struct SpawnError {
    /// What failed.
    pub stage: Stage,
    /// How; its `raw_os_error` is the system's number.
    pub error: io::Error,
}

/// What is done to start a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Stage {
    /// The program itself is executed: `NotFound` and `PermissionDenied` are about it, or about its interpreter.
    Program = 0,
    /// Pipes, a terminal, a process.
    Resources,
    /// It gets a session or a process group.
    Lead,
    /// It becomes its user.
    User,
    /// It goes to its directory.
    Directory,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Program, Self::Resources, Self::Lead, Self::User, Self::Directory];
    /// Where a stage is hidden in the one number that a child can tell its parent: above every error of the system.
    const SHIFT: i32 = 16;

    /// The error of this stage, as the child tells it.
    fn encode(self, error: rustix::io::Errno) -> io::Error {
        io::Error::from_raw_os_error(error.raw_os_error() | (self as i32) << Self::SHIFT)
    }

    fn decode(error: io::Error) -> SpawnError {
        let Some(number) = error.raw_os_error() else { return SpawnError { stage: Self::Resources, error } };
        let stage = Self::ALL.into_iter().find(|stage| *stage as i32 == number >> Self::SHIFT);
        let error = io::Error::from_raw_os_error(number & ((1 << Self::SHIFT) - 1));
        SpawnError { stage: stage.unwrap_or(Self::Resources), error }
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stage {
            Stage::Program => write!(f, "{}", self.error),
            Stage::Resources => write!(f, "cannot start a process: {}", self.error),
            Stage::Lead => write!(f, "cannot start a session: {}", self.error),
            Stage::User => write!(f, "cannot become the user: {}", self.error),
            Stage::Directory => write!(f, "cannot go to the working directory: {}", self.error),
        }
    }
}

impl std::error::Error for SpawnError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// A program that was started, and our ends of its streams.
pub(super) struct Spawned {
    pub(super) child: tokio::process::Child,
    pub(super) terminal: Option<Arc<Terminal>>,
    pub(super) stdin: Option<Input>,
    pub(super) stdout: Option<Output>,
    pub(super) stderr: Option<Output>,
}

/// Starts `spec`. Must be called on the runtime's own thread: the program dies with the thread that started it.
pub(super) fn spawn(spec: &Spec) -> Result<Spawned, SpawnError> {
    let resources = |error: io::Error| SpawnError { stage: Stage::Resources, error };
    let mut streams = Streams::new(spec).map_err(resources)?;
    let (stdin, child_stdin) = streams.stdin(spec.io.stdin).map_err(resources)?;
    let (stdout, child_stdout, copy) = streams.stdout(spec.io.stdout).map_err(resources)?;
    let (stderr, child_stderr) = match (spec.io.stderr, copy) {
        (Stream::Stdout, Some(copy)) => (None, Stdio::from(copy)),
        (Stream::Stdout, None) => (None, streams.same_as_stdout(spec.io.stdout).map_err(resources)?),
        (stream, _) => streams.stdout(stream).map(|(output, child, _)| (output, child)).map_err(resources)?,
    };
    let preparation = Preparation::new(spec).map_err(resources)?;
    let mut command = Command::new(&spec.program);
    command.args(&spec.args).stdin(child_stdin).stdout(child_stdout).stderr(child_stderr);
    if let Some(arg0) = &spec.arg0 {
        command.arg0(arg0);
    }
    if let Some(env) = &spec.env {
        command.env_clear().envs(env.iter().map(|(name, value)| (name, value)));
    }
    let image = Image::new(spec).map_err(resources)?;
    // SAFETY: between `fork` and `exec` only system calls are made: nothing allocates, locks or panics.
    unsafe {
        command.pre_exec(move || {
            preparation.apply()?;
            image.as_ref().map_or(Ok(()), |image| Err(image.execute()))
        });
    }
    let child = command.spawn().map_err(Stage::decode)?;
    // `command` is dropped here, and with it our copies of the child's ends.
    Ok(Spawned { child, terminal: streams.terminal, stdin, stdout, stderr })
}

/// The streams under construction.
struct Streams {
    terminal: Option<Arc<Terminal>>,
    /// The program's side of it.
    device: Option<OwnedFd>,
}

impl Streams {
    fn new(spec: &Spec) -> io::Result<Self> {
        if !spec.io.has_terminal() {
            return Ok(Self { terminal: None, device: None });
        }
        let (terminal, device) = Terminal::open(spec.io.size)?;
        if let Some(user) = &spec.user {
            // So that the program may open its terminal by name. Without root it is ours, and so is the program.
            let _ = rustix::fs::fchown(&device, Some(rustix::fs::Uid::from_raw(user.uid)), None);
        }
        Ok(Self { terminal: Some(Arc::new(terminal)), device: Some(device) })
    }

    fn device(&self) -> io::Result<(Arc<Terminal>, OwnedFd)> {
        let (Some(terminal), Some(device)) = (&self.terminal, &self.device) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        Ok((terminal.clone(), device.try_clone()?))
    }

    fn stdin(&mut self, stream: Stream) -> io::Result<(Option<Input>, Stdio)> {
        Ok(match stream {
            Stream::Inherited => (None, Stdio::inherit()),
            Stream::Null => (None, Stdio::null()),
            Stream::Pipe => {
                let (theirs, ours) = pipe()?;
                (Some(Input::Pipe(Sender::from_owned_fd(ours)?)), theirs.into())
            }
            Stream::Terminal => {
                let (terminal, device) = self.device()?;
                (Some(Input::Terminal(terminal)), device.into())
            }
            Stream::Stdout => return Err(io::ErrorKind::InvalidInput.into()),
        })
    }

    /// Our end, theirs, and theirs once more if it is a pipe.
    fn stdout(&mut self, stream: Stream) -> io::Result<(Option<Output>, Stdio, Option<OwnedFd>)> {
        Ok(match stream {
            Stream::Inherited => (None, Stdio::inherit(), None),
            Stream::Null => (None, Stdio::null(), None),
            Stream::Pipe => {
                let (ours, theirs) = pipe()?;
                let copy = theirs.try_clone()?;
                (Some(Output::Pipe(Receiver::from_owned_fd(ours)?)), theirs.into(), Some(copy))
            }
            Stream::Terminal => {
                let (terminal, device) = self.device()?;
                (Some(Output::Terminal(terminal)), device.into(), None)
            }
            Stream::Stdout => return Err(io::ErrorKind::InvalidInput.into()),
        })
    }

    /// What stderr is, if it is whatever stdout is and that is no pipe.
    fn same_as_stdout(&self, stdout: Stream) -> io::Result<Stdio> {
        Ok(match stdout {
            Stream::Terminal => self.device()?.1.into(),
            Stream::Inherited => rustix::io::dup(our_stdout())?.into(),
            _ => Stdio::null(),
        })
    }
}

/// The end to read from, and the end to write to.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// A program by its path, as the system takes it. Executed by ourselves, since the library has a shell try its luck
/// with a file that is no program.
struct Image {
    path: CString,
    /// The addresses of the arguments, 0 behind them.
    args: Vec<usize>,
    /// The same of the environment.
    env: Vec<usize>,
    /// What they point to.
    _held: Vec<CString>,
}

impl Image {
    /// `None` for a program that is looked up by its name.
    fn new(spec: &Spec) -> io::Result<Option<Self>> {
        if !spec.program.as_bytes().contains(&b'/') {
            return Ok(None);
        }
        let mut held = Vec::new();
        let mut hold = |bytes: Vec<u8>| -> io::Result<usize> {
            let text = CString::new(bytes)?;
            // The text stays where it is when the string is moved.
            let address = text.as_ptr().expose_provenance();
            held.push(text);
            Ok(address)
        };
        let first = spec.arg0.as_ref().unwrap_or(&spec.program);
        let args = std::iter::once(first).chain(&spec.args);
        let mut args = args.map(|arg| hold(arg.as_bytes().to_vec())).collect::<io::Result<Vec<_>>>()?;
        args.push(0);
        let env = spec.env.clone().unwrap_or_else(|| std::env::vars_os().collect());
        let pair = |(name, value): (OsString, OsString)| [name.as_bytes(), b"=", value.as_bytes()].concat();
        let mut env = env.into_iter().map(|both| hold(pair(both))).collect::<io::Result<Vec<_>>>()?;
        env.push(0);
        Ok(Some(Self { path: CString::new(spec.program.as_bytes())?, args, env, _held: held }))
    }

    /// Becomes the program; returns why not.
    fn execute(&self) -> io::Error {
        // SAFETY: both lists end with 0, and what they point to is held by `self`.
        unsafe { libc::execve(self.path.as_ptr(), self.args.as_ptr().cast(), self.env.as_ptr().cast()) };
        io::Error::last_os_error()
    }
}

/// What the child does to itself before it becomes the program. All of it is made before the fork.
struct Preparation {
    parent: Pid,
    lead: Lead,
    /// Which of the standard streams becomes the controlling terminal.
    terminal: Option<i32>,
    user: Option<(rustix::process::Uid, rustix::process::Gid, Vec<rustix::process::Gid>)>,
    umask: Option<Mode>,
    within: Option<Within>,
    dir: Option<CString>,
    sheltered: bool,
}

impl Preparation {
    fn new(spec: &Spec) -> io::Result<Self> {
        use rustix::process::{Gid, Uid};
        let io = [spec.io.stdin, spec.io.stdout, spec.io.stderr];
        let user = |user: &User| {
            let groups = user.groups.iter().copied().map(Gid::from_raw).collect();
            (Uid::from_raw(user.uid), Gid::from_raw(user.gid), groups)
        };
        Ok(Self {
            parent: getpid(),
            lead: if spec.io.has_terminal() { Lead::Session } else { spec.lead },
            terminal: (0..).zip(io).find(|(_, stream)| *stream == Stream::Terminal).map(|(fd, _)| fd),
            user: spec.user.as_ref().map(user),
            umask: spec.umask.map(Mode::from_raw_mode),
            within: spec.within.clone(),
            dir: spec.dir.clone().map(|dir| CString::new(dir.into_os_string().into_vec())).transpose()?,
            sheltered: spec.sheltered,
        })
    }

    fn apply(&self) -> io::Result<()> {
        let lead = || match self.lead {
            Lead::Nothing => Ok(()),
            Lead::Member(group) => setpgid(None, Pid::from_raw(group)),
            Lead::Group => setpgid(None, None),
            Lead::Session => setsid().map(|_| ()),
        };
        lead().map_err(|error| Stage::Lead.encode(error))?;
        if let Some(fd) = self.terminal {
            // SAFETY: it is one of the standard streams, which are open here.
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            ioctl_tiocsctty(fd).map_err(|error| Stage::Lead.encode(error))?;
        }
        if let Some((uid, gid, groups)) = &self.user {
            let become_user = || {
                // Without root this is forbidden, and allowed to be: the user stays who it is.
                if rustix::process::geteuid().is_root() {
                    set_thread_groups(groups)?;
                }
                set_thread_gid(*gid)?;
                set_thread_uid(*uid)
            };
            become_user().map_err(|error| Stage::User.encode(error))?;
        }
        if let Some(mask) = self.umask {
            umask(mask);
        }
        if let Some(within) = &self.within {
            within.enter().map_err(|error| Stage::Directory.encode(error))?;
        }
        if let Some(dir) = &self.dir {
            rustix::process::chdir(dir.as_c_str()).map_err(|error| Stage::Directory.encode(error))?;
        }
        let parent = if self.sheltered {
            super::shelter::enter(self.parent).map_err(|error| Stage::Resources.encode(error))?
        } else {
            self.parent
        };
        // Last, since becoming another user would take it back.
        die_with_parent().map_err(|error| Stage::Resources.encode(error))?;
        if getppid() != Some(parent) {
            // We were orphaned before the line above took effect.
            return Err(Stage::Resources.encode(rustix::io::Errno::SRCH));
        }
        Ok(())
    }
}

/// Has the system kill this process when the thread that started it ends.
#[cfg(target_os = "linux")]
fn die_with_parent() -> rustix::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent() -> rustix::io::Result<()> {
    Ok(())
}
