//! What the tests of this crate share. Helpers only: nothing here is a test.
#![allow(dead_code, reason = "not every helper has a user at every moment")]

pub(crate) mod daemon;
pub(crate) mod http;
pub(crate) mod peers;
pub(crate) mod process;
pub(crate) mod pty;

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
    assert_cmd::Command::from_std(plain())
}

/// The same, to be started and attended by hand.
pub(crate) fn plain() -> std::process::Command {
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
