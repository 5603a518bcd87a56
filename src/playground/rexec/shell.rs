//! The shell of a terminal: a real program in a real terminal.

use super::disk::HOME;
use super::images::program;
use super::state::Container;
use super::world::{World, uuid};
use crate::host::process::{Child, Io, Lead, Output, Spec, Within};
use crate::provider::exec::TermSize;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Where programs are looked for over there.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// And where a container has a `bin` of its own, in which some are missing.
const OWN_PATH: &str = "/usr/local/bin:/bin";

/// The size of a terminal before anybody told it another.
const SIZE: TermSize = TermSize { cols: 80, rows: 24 };

/// The environment of every program in a container.
pub(super) fn environment(container: &Container, view: &crate::playground::view::View) -> Vec<(OsString, OsString)> {
    let path = if container.without.is_empty() { PATH } else { OWN_PATH };
    let mut env: Vec<(OsString, OsString)> = [
        ("PATH", path.to_owned()),
        ("HOME", view.outside(HOME)),
        ("TERM", "xterm-256color".to_owned()),
        ("COLORTERM", "truecolor".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("LC_ALL", "C.UTF-8".to_owned()),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    if view.namespace().is_none() {
        env.push(("TMPDIR".into(), view.outside("/tmp").into()));
    }
    env
}

/// A program in `container`, with these arguments, not yet started.
pub(super) fn spec(container: &Container, program: &str, args: &[&str], io: Io) -> io::Result<Spec> {
    let disk = container.disk().ok_or(io::ErrorKind::NotFound)?;
    let view = disk.view();
    let dir = view.directory(Path::new(HOME))?;
    Ok(Spec {
        env: Some(environment(container, view)),
        within: Some(Within { namespace: view.namespace().cloned(), dir: Arc::new(dir) }),
        umask: Some(0o022),
        io,
        lead: Lead::Session,
        ..Spec::new(view.program(Path::new(program))).args(args.iter().copied())
    })
}

/// Starts the shell of a terminal: `/bin/sh` before the others were looked for (section 4.4); or tmux, with a session of
/// its own.
pub(super) fn start(world: &World, container: &Container, is_first: bool, tmux: bool) -> io::Result<Child> {
    let login = container.shells().login.filter(|_| !is_first).and_then(program);
    let shell = login.unwrap_or_else(|| "/bin/sh".to_owned());
    let spec = match program("tmux").filter(|_| tmux) {
        None => spec(container, &shell, &["-l"], Io::terminal(SIZE))?,
        Some(tmux) => {
            let session = format!("split-{}", uuid());
            let mut spec = spec(container, &tmux, &["new-session", "-A", "-s", &session], Io::terminal(SIZE))?;
            let disk = container.disk().ok_or(io::ErrorKind::NotFound)?;
            let own = [("SHELL", shell), ("TMUX_TMPDIR", disk.view().outside("/tmp"))];
            spec.env.get_or_insert_default().extend(own.map(|(name, value)| (name.into(), value.into())));
            spec
        }
    };
    let child = world.processes.spawn(&spec);
    let child = child.map_err(|error| error.error)?;
    container.add(child.running.clone());
    Ok(child)
}

/// Runs a program in `container` to its end: its output, and its status.
pub(super) async fn run(
    world: &World,
    container: &Container,
    program: &str,
    args: &[&str],
) -> io::Result<(Vec<u8>, u8)> {
    let mut io = Io::PIPES;
    io.stdin = crate::host::process::Stream::Null;
    io.stderr = crate::host::process::Stream::Null;
    let child = world.processes.spawn(&spec(container, program, args, io)?).map_err(|error| error.error)?;
    container.add(child.running.clone());
    let mut all = Vec::new();
    if let Some(mut output) = child.stdout {
        while let Some(bytes) = output.read(64 * 1024).await? {
            all.extend_from_slice(&bytes);
        }
    }
    Ok((all, child.running.wait().await.status()))
}

/// Reads what nobody wants, so that whoever writes it goes on: what becomes of a shell whose socket was lost.
pub(super) async fn drain(mut output: Output) {
    while let Ok(Some(_)) = output.read(64 * 1024).await {}
}
