//! The program that is installed here: where it is, and which build.

use super::PiAgent;
use super::version::{Build, Flavour, Remembered};
use crate::error::{Error, Result};
use crate::provider::exec::{Event, Exec, ExecSpec, Exit};
use bytes::Bytes;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long `--version` may take.
const PROBE: Duration = Duration::from_secs(30);

impl PiAgent {
    /// The file of the program.
    pub(super) fn program(&self) -> Result<PathBuf> {
        let name = self.settings.binary.clone().unwrap_or_else(|| PathBuf::from(self.flavour.name()));
        let missing = |why: String| {
            let package = match self.flavour {
                Flavour::Pi => "npm install -g @earendil-works/pi-coding-agent",
                Flavour::Omp => "npm install -g @oh-my-pi/pi-coding-agent",
            };
            Error::not_found(why)
                .hint(format!("install it (`{package}`), or set `binary` of endpoint `{}`", self.settings.endpoint))
        };
        if name.components().count() > 1 {
            let path = std::path::absolute(&name).unwrap_or(name);
            return if path.is_file() { Ok(path) } else { Err(missing(format!("no program `{}`", path.display()))) };
        }
        let path = self.vars.get("PATH").unwrap_or_default();
        let mut candidates = std::env::split_paths(&path).map(|dir| dir.join(&name));
        let is_program =
            |path: &PathBuf| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
        candidates.find(is_program).ok_or_else(|| missing(format!("no program `{}` on PATH", name.display())))
    }

    /// Which program it is. Asked once for each state of its file.
    pub(super) async fn detect(&self, program: &Path, host: &dyn Exec) -> Result<Build> {
        let memory = self.settings.state.as_ref().map(|state| state.join("agents/versions"));
        let real = program.canonicalize().unwrap_or_else(|_| program.to_owned());
        let stat = real.metadata().ok().map(|file| {
            let modified = i128::from(file.mtime()) * 1_000_000_000 + i128::from(file.mtime_nsec());
            (real.display().to_string(), modified, file.len())
        });
        let cache = memory.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        if let Some((path, modified, size)) = &stat
            && let Some(build) = Remembered::find(&cache, path, *modified, *size)
        {
            return Ok(build);
        }
        let said = self.version(program, host).await?;
        let Some(build) = Build::parse(&said) else {
            let first = said.lines().next().unwrap_or_default();
            return Err(Error::failure(format!("`{}` is neither pi nor omp", program.display()))
                .cause(format!("`--version` says `{first}`")));
        };
        if let (Some(memory), Some((path, modified, size))) = (memory, stat) {
            let line = Remembered { path, modified, size, said: build.word() };
            // A cache: without it, it is asked again.
            let _ = memory.parent().map(std::fs::create_dir_all);
            let _ = std::fs::write(memory, line.add(&cache));
        }
        Ok(build)
    }

    /// What `--version` prints.
    async fn version(&self, program: &Path, host: &dyn Exec) -> Result<String> {
        let name = program.display();
        // A home that does not exist: nothing of the user's is read for this.
        let env = [("PATH", self.vars.get("PATH").unwrap_or_default()), ("HOME", "/nonexistent".into())];
        let env = env.map(|(name, value)| (name.to_owned(), Bytes::copy_from_slice(value.as_bytes()))).to_vec();
        let mut process = host
            .start(ExecSpec {
                env,
                timeout: Some(PROBE),
                ..ExecSpec::new(vec![bytes(program), Bytes::from_static(b"--version")])
            })
            .await?;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        loop {
            match process.next().await? {
                Event::Stdout(bytes) => out.extend_from_slice(&bytes),
                Event::Stderr(bytes) => err.extend_from_slice(&bytes),
                Event::Note(_) => {}
                Event::Exit(Exit::Code(0)) => {
                    // Some print it on stderr if their stdin is no terminal (0.74.2).
                    err.extend_from_slice(b"\n");
                    err.extend_from_slice(&out);
                    return Ok(String::from_utf8_lossy(&err).trim().to_owned());
                }
                Event::Exit(exit) => {
                    let error = match exit {
                        Exit::NotFound(why) => Error::not_found(format!("cannot start `{name}`: {why}")),
                        Exit::NotRunnable(why) => Error::failure(format!("cannot start `{name}`: {why}")),
                        Exit::TimedOut(_) => {
                            Error::timeout(format!("`{name} --version` took longer than {}s", PROBE.as_secs()))
                        }
                        exit => Error::failure(format!("`{name} --version` failed with status {}", exit.code())),
                    };
                    let last = String::from_utf8_lossy(&err);
                    let last = last.lines().rev().find(|line| !line.trim().is_empty());
                    return Err(last.into_iter().fold(error, |error, line| error.cause(line.trim())));
                }
            }
        }
    }
}

/// A path as a word of a command line.
pub(super) fn bytes(path: &Path) -> Bytes {
    Bytes::copy_from_slice(path.as_os_str().as_bytes())
}
