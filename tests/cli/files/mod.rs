//! `files` against a real daemon. It runs on this machine, so both ends of a copy can be looked at directly.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod copy;
mod edit;
mod faults;
mod list;
mod names;
mod owners;
mod remove;
mod strangers;
mod wire;

use crate::support::daemon::Daemon;
use crate::support::esker;
use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;

/// A daemon, and a directory with room for both ends: `far` is what it is asked for, `near` is where esker runs.
struct Bench {
    daemon: Daemon,
    dir: TempDir,
}

impl Bench {
    /// `None` where the daemon is not installed.
    fn new() -> Option<Self> {
        crate::support::peers::pebble()?;
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in ["far", "near"] {
            fs::create_dir(dir.path().join(name)).expect("a directory");
        }
        Some(Self { daemon: Daemon::start(&[]), dir })
    }

    fn far(&self, name: &str) -> PathBuf {
        self.dir.path().join("far").join(name)
    }

    fn near(&self, name: &str) -> PathBuf {
        self.dir.path().join("near").join(name)
    }

    /// `:/…/far/NAME`
    fn there(&self, name: &str) -> String {
        format!(":{}", self.far(name).display())
    }

    /// `esker files ARGS`, run in `near`.
    fn files(&self, args: &[&str]) -> Command {
        let mut command = esker();
        command.env("PEBBLE", self.daemon.dir()).current_dir(self.near("")).arg("files").args(args);
        command
    }

    /// What [`Bench::files`] printed, and how it ended.
    fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&mut self.files(args))
    }

    /// The same in the background.
    fn spawn(&self, args: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_esker"));
        command.env_clear().env("PEBBLE", self.daemon.dir()).env("HOME", self.dir.path()).env("NO_COLOR", "1");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(self.near(""));
        command.arg("files").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

impl Ended {
    fn of(command: &mut Command) -> Self {
        let output = command.output().expect("esker runs");
        Self {
            code: output.status.code(),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    #[track_caller]
    fn fails(self, code: i32, says: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.contains(says), "`{says}` is not in:\n{}", self.err);
        self
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.out).expect("JSON")
    }
}

/// Every entry below `dir`: its path relative to it, its mode, and its content or `/` for a directory.
fn tree(dir: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = Vec::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).expect("a directory") {
            let path = entry.expect("an entry").path();
            let metadata = path.symlink_metadata().expect("an entry");
            let content = if metadata.is_dir() {
                waiting.push(path.clone());
                b"/".to_vec()
            } else {
                fs::read(&path).expect("a file")
            };
            let relative = path.strip_prefix(dir).expect("below it").to_owned();
            found.push((relative, metadata.permissions().mode() & 0o7777, content));
        }
    }
    found.sort();
    found
}

/// The names in `dir`, sorted.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
