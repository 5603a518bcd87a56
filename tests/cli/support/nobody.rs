//! esker as a user without any rights, where the tests run as root.

use super::process::copy_of_program;
use rustix::process::geteuid;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// The user without rights, by number: its name differs between systems.
pub(crate) const NOBODY: u32 = 65534;

/// esker as nobody with a home of its own, which lives as long as the returned directory; `None` unless the tests run
/// as root.
pub(crate) fn esker_as_nobody() -> Option<(TempDir, Command)> {
    if !geteuid().is_root() {
        return None;
    }
    // The build directory may be closed to other users.
    let dir = tempfile::Builder::new().prefix("esk").tempdir_in("/tmp").expect("a temporary directory");
    std::os::unix::fs::chown(dir.path(), Some(NOBODY), Some(NOBODY)).expect("a directory of nobody's");
    let program = dir.path().join("esker");
    copy_of_program(env!("CARGO_BIN_EXE_esker").as_ref(), &program);
    let command = nobody(program.as_ref(), dir.path());
    Some((dir, command))
}

/// A program as nobody, at home in this directory.
pub(crate) fn nobody(program: &OsStr, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).env("TZ", "UTC").current_dir("/").uid(NOBODY).gid(NOBODY);
    command
}
