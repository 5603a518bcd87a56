//! What the tests of this crate share. Helpers only: nothing here is a test.
#![allow(dead_code, reason = "not every helper has a user at every moment")]

pub(crate) mod daemon;
pub(crate) mod fake;
pub(crate) mod http;
pub(crate) mod model;
pub(crate) mod nobody;
pub(crate) mod peers;
pub(crate) mod playground;
pub(crate) mod process;
pub(crate) mod pty;
pub(crate) mod running;
pub(crate) mod scripted;
pub(crate) mod shown;
pub(crate) mod sprites;
pub(crate) mod terminal;
pub(crate) mod verge;

use std::path::PathBuf;
use tempfile::TempDir;

thread_local! {
    /// One home for each test, which is one thread; gone with it.
    static HOME: TempDir = tempfile::Builder::new().prefix("esk").tempdir().expect("a temporary directory");
}

/// The home directory that [`esker`] runs with in this test.
pub(crate) fn home() -> PathBuf {
    HOME.with(|home| home.path().to_owned())
}

/// The binary in a clean environment: nothing of the caller's but `PATH`, a home of its own, UTC, 100 columns.
pub(crate) fn esker() -> assert_cmd::Command {
    assert_cmd::Command::from_std(esker_process())
}

/// The same, for tests that need the process while it runs.
pub(crate) fn esker_process() -> std::process::Command {
    let home = home();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_esker"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_STATE_HOME", home.join("state"))
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("NO_COLOR", "1")
        .env("TZ", "UTC")
        .env("COLUMNS", "100")
        .current_dir(&home);
    command
}

/// esker, pointed at this daemon by the environment.
pub(crate) fn esker_on(daemon: &daemon::Daemon) -> assert_cmd::Command {
    assert_cmd::Command::from_std(esker_process_on(daemon))
}

/// The same, for tests that need the process while it runs.
pub(crate) fn esker_process_on(daemon: &daemon::Daemon) -> std::process::Command {
    let mut command = esker_process();
    command.env("PEBBLE", daemon.dir());
    command
}

/// A config file of named Pebble endpoints; returns the arguments that make esker use it.
pub(crate) fn endpoints(sockets: &[(&str, PathBuf)]) -> [String; 2] {
    use std::fmt::Write as _;
    let mut text = "endpoints:\n".to_owned();
    for (name, socket) in sockets {
        let _ = writeln!(text, "  {name}: {{provider: pebble, socket: {}}}", socket.display());
    }
    let path = home().join("endpoints.yaml");
    std::fs::write(&path, text).expect("a config file");
    ["--config".to_owned(), path.display().to_string()]
}

/// The last line of stderr as the error object that it must be (ux 4.10).
pub(crate) fn error_of(output: &std::process::Output) -> serde_json::Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = stderr.lines().last().unwrap_or_default();
    let document: serde_json::Value =
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {stderr:?} of {output:?}"));
    document["error"].clone()
}

/// Every key of an error object (ux 4.10).
pub(crate) const ERROR_KEYS: [&str; 14] = [
    "kind",
    "message",
    "hint",
    "causes",
    "provider",
    "target",
    "exit_code",
    "status",
    "provider_kind",
    "provider_message",
    "request_id",
    "operation_id",
    "log",
    "items",
];
