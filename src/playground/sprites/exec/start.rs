//! What a request wants to run, and starting it in its sprite.

use crate::host::process::{Child, Io, Lead, Processes, SpawnError, Spec, Stage, Stream, Within};
use crate::playground::sprites::disk::{HOME, View};
use crate::playground::sprites::sprite::Sprite;
use crate::playground::sprites::times;
use crate::provider::exec::TermSize;
use crate::transport::server::Query;
use rustix::fs::{AtFlags, FileType, OFlags, statat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where programs are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin";

/// A command as the query of an exec gives it.
#[derive(Clone, Debug)]
pub(in crate::playground::sprites) struct Command {
    /// The program and its arguments.
    pub(in crate::playground::sprites) argv: Vec<OsString>,
    /// What is executed, if that is not the first of them.
    pub(in crate::playground::sprites) path: Option<OsString>,
    /// The whole environment, if one was given.
    pub(in crate::playground::sprites) env: Option<Vec<(OsString, OsString)>>,
    /// The working directory.
    pub(in crate::playground::sprites) dir: Option<PathBuf>,
    /// Its terminal, if it gets one.
    pub(in crate::playground::sprites) size: Option<TermSize>,
    /// Whether it may read what clients send.
    pub(in crate::playground::sprites) stdin: bool,
    /// How long it outlives its last client; `None` is for ever.
    pub(in crate::playground::sprites) survive: Option<Duration>,
}

/// Why a command was not started.
#[derive(Debug)]
pub(in crate::playground::sprites) enum Failed {
    /// There is no such program, or it cannot be executed: the status a shell has for that, and why.
    Program(u8, String),
    /// Anything else.
    Other(String),
}

/// A command that was started.
pub(in crate::playground::sprites) struct Started {
    pub(in crate::playground::sprites) child: Child,
    /// As a list of sessions shows it: the program's path and the arguments.
    pub(in crate::playground::sprites) command: String,
    pub(in crate::playground::sprites) dir: String,
}

impl Command {
    /// Reads a query; `None` if it names no command.
    pub(in crate::playground::sprites) fn of(query: &Query, survive: Duration) -> Option<Self> {
        let list = |name| query.all(name).map(|value| OsString::from_vec(value.to_vec())).collect::<Vec<_>>();
        let argv = Some(list("cmd")).filter(|argv| !argv.is_empty()).unwrap_or_else(|| list("cmd[]"));
        if argv.is_empty() {
            return None;
        }
        let is = |name, value: &[u8]| query.first(name) == Some(value);
        let tty = is("tty", b"true");
        let size = |name, default| {
            let size = query.text(name).and_then(|text| text.parse().ok());
            size.filter(|size| *size > 0).unwrap_or(default)
        };
        let env: Vec<_> = query.all("env").map(pair).collect();
        let asked = query.text("max_run_after_disconnect").and_then(|text| times::duration(&text));
        Some(Self {
            argv,
            path: query.first("path").filter(|path| !path.is_empty()).map(|path| OsStr::from_bytes(path).to_owned()),
            env: (!env.is_empty()).then_some(env),
            dir: query.first("dir").filter(|dir| !dir.is_empty()).map(|dir| OsStr::from_bytes(dir).into()),
            size: tty.then(|| TermSize { cols: size("cols", 80), rows: size("rows", 24) }),
            stdin: if tty { !is("stdin", b"false") } else { is("stdin", b"true") },
            survive: match asked {
                Some(Duration::ZERO) => None,
                Some(asked) => Some(asked),
                None if tty => None,
                None => Some(survive),
            },
        })
    }
}

/// `K=V`, or a name without a value.
fn pair(bytes: &[u8]) -> (OsString, OsString) {
    let at = bytes.iter().position(|byte| *byte == b'=');
    let (name, value) = at.map_or((bytes, &b""[..]), |at| (&bytes[..at], &bytes[at + 1..]));
    (OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value).to_owned())
}

/// The environment of a command that brings none.
pub(in crate::playground::sprites) fn environment(
    sprite: &Sprite,
    view: &View,
    tty: bool,
) -> Vec<(OsString, OsString)> {
    let mut env: Vec<(OsString, OsString)> = [
        ("PATH", PATH.to_owned()),
        ("HOME", view.outside(HOME)),
        ("USER", "sprite".to_owned()),
        ("LOGNAME", "sprite".to_owned()),
        ("SHELL", "/bin/bash".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    if view.namespace().is_none() {
        env.push(("TMPDIR".into(), view.outside("/tmp").into()));
    }
    if tty {
        env.push(("TERM".into(), "xterm-256color".into()));
    }
    env.extend(sprite.environment().iter().map(|(name, value)| (name.into(), value.into())));
    env
}

/// Starts `command` in `sprite`.
pub(in crate::playground::sprites) fn start(
    processes: &Processes,
    sprite: &Sprite,
    command: &Command,
) -> Result<Started, Failed> {
    let other = |error: std::io::Error| Failed::Other(error.to_string());
    let view = sprite.disk().and_then(|disk| disk.view()).map_err(other)?;
    let env = command.env.clone().unwrap_or_else(|| environment(sprite, &view, command.size.is_some()));
    let dir = Path::new(HOME).join(command.dir.as_deref().unwrap_or(Path::new("")));
    let at = view
        .directory(&dir)
        .map_err(|errno| Failed::Other(format!("chdir {}: {}", dir.display(), words(&std::io::Error::from(errno)))))?;
    let asked = command.path.as_ref().unwrap_or(&command.argv[0]);
    let path = env.iter().find(|(name, _)| name == "PATH").map_or(OsStr::new(PATH), |(_, value)| value);
    let program = look_up(&view, asked, path, &dir).ok_or_else(|| missing(asked))?;
    let mut io = match command.size {
        Some(size) => Io::terminal(size),
        None => Io::PIPES,
    };
    if command.size.is_none() && !command.stdin {
        io.stdin = Stream::Null;
    }
    let spec = Spec {
        arg0: Some(command.argv[0].clone()),
        args: command.argv[1..].to_vec(),
        env: Some(env),
        within: Some(Within { namespace: view.namespace().cloned(), dir: Arc::new(at) }),
        umask: Some(0o022),
        io,
        lead: Lead::Session,
        ..Spec::new(view.program(&program))
    };
    let child = processes.spawn(&spec).map_err(|SpawnError { stage, error }| match stage {
        Stage::Program => Failed::Program(
            if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 },
            format!("fork/exec {}: {}", program.display(), words(&error)),
        ),
        _ => Failed::Other(SpawnError { stage, error }.to_string()),
    })?;
    let mut shown = program.to_string_lossy().into_owned();
    for arg in &command.argv[1..] {
        shown.push(' ');
        shown.push_str(&arg.to_string_lossy());
    }
    Ok(Started { child, command: shown, dir: dir.to_string_lossy().into_owned() })
}

fn missing(program: &OsStr) -> Failed {
    let program = program.to_string_lossy();
    Failed::Program(
        127,
        if program.contains('/') {
            format!("fork/exec {program}: no such file or directory")
        } else {
            format!("exec: {program:?}: executable file not found in $PATH")
        },
    )
}

/// The system's words for an error, in the lower case of Go.
fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// The path of `program` in the sprite: as it stands if it is a path, or the first that can be executed on `path`.
fn look_up(view: &View, program: &OsStr, path: &OsStr, dir: &Path) -> Option<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Some(dir.join(program));
    }
    path.as_bytes().split(|byte| *byte == b':').filter(|dir| dir.starts_with(b"/")).find_map(|dir| {
        let file = Path::new(OsStr::from_bytes(dir)).join(program);
        is_executable(view, &file).then_some(file)
    })
}

fn is_executable(view: &View, file: &Path) -> bool {
    let stat = match view.open(file, OFlags::PATH, 0) {
        Ok(found) => rustix::fs::fstat(found),
        // Without a namespace the machine's programs are not below the root.
        Err(_) if view.namespace().is_none() => statat(rustix::fs::CWD, file, AtFlags::empty()),
        Err(errno) => Err(errno),
    };
    stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_mode & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(query: &str) -> Option<Command> {
        Command::of(&Query::parse(query), Duration::from_secs(10))
    }

    #[test]
    fn the_defaults_differ_with_a_terminal() {
        let plain = command("cmd=cat&cmd=-n").unwrap();
        assert_eq!((plain.argv.len(), plain.stdin, plain.size), (2, false, None));
        assert_eq!(plain.survive, Some(Duration::from_secs(10)));
        let tty = command("cmd[]=bash&tty=true&cols=120&max_run_after_disconnect=").unwrap();
        assert!(tty.stdin);
        assert_eq!(tty.size, Some(TermSize { cols: 120, rows: 24 }));
        assert_eq!(tty.survive, None);
        assert_eq!(command("cmd=a&max_run_after_disconnect=1h").unwrap().survive, Some(Duration::from_hours(1)));
        assert_eq!(command("cmd=a&max_run_after_disconnect=0").unwrap().survive, None);
        assert!(command("path=bash").is_none());
    }

    #[test]
    fn an_environment_is_split_at_the_first_sign() {
        let env = command("cmd=a&env=A%3D1%3D2%0A&env=B").unwrap().env.unwrap();
        assert_eq!(env, [("A".into(), "1=2\n".into()), ("B".into(), OsString::new())]);
    }
}
