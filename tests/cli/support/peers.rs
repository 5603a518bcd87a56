//! Where the real parts are that `tests/peers/install` installed. A test whose part is missing says so and passes,
//! unless `ESKER_REQUIRE_PEERS=1`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The Pebble daemon, which is its CLI too.
pub(crate) fn pebble() -> Option<PathBuf> {
    find("pebble", "ESKER_TEST_PEBBLE", "bin/pebble")
}

/// A Python that has `ops.pebble`.
pub(crate) fn python() -> Option<PathBuf> {
    find("ops", "ESKER_TEST_PYTHON", "venv/bin/python")
}

/// The program that drives the official Python SDK of Sprites.
pub(crate) fn sprites_py() -> Option<Command> {
    let mut command = Command::new(find("sprites-py", "ESKER_TEST_SPRITES_PY", "sprites-py/bin/python")?);
    command.arg(source("sprites-py/driver.py"));
    Some(command)
}

/// The same for JavaScript. It is run by its link beside the SDK, which is found from there.
pub(crate) fn sprites_js() -> Option<Command> {
    let node = find("sprites-js", "ESKER_TEST_SPRITES_JS", "sprites-js/bin/node")?;
    let driver = node.ancestors().nth(2).expect("it is in bin").join("driver.mjs");
    let mut command = Command::new(node);
    command.arg("--preserve-symlinks-main").arg(driver);
    Some(command)
}

/// The same for Go.
pub(crate) fn sprites_go() -> Option<Command> {
    find("sprites-go", "ESKER_TEST_SPRITES_GO", "bin/sprites-go").map(Command::new)
}

/// The program that drives the official Python SDK of VergeOS.
pub(crate) fn verge_py() -> Option<Command> {
    let mut command = Command::new(find("verge-py", "ESKER_TEST_VERGE_PY", "verge-py/bin/python")?);
    command.arg(source("verge-py/driver.py"));
    Some(command)
}

/// The program that runs commands of the official CLI of VergeOS, which is installed beside it.
pub(crate) fn verge_rows() -> Option<Command> {
    let mut command = Command::new(find("verge-py", "ESKER_TEST_VERGE_PY", "verge-py/bin/python")?);
    command.arg(source("verge-py/vrg.py"));
    Some(command)
}

/// A Python that has what the client of Rexec stands on, with that client.
pub(crate) fn rexec_py() -> Option<Command> {
    let mut command = Command::new(find("rexec-py", "ESKER_TEST_REXEC_PY", "rexec-py/bin/python")?);
    command.arg(source("rexec-py/driver.py"));
    Some(command)
}

/// The same with a machine that registers itself there.
pub(crate) fn rexec_agent() -> Option<Command> {
    let mut command = Command::new(find("rexec-py", "ESKER_TEST_REXEC_PY", "rexec-py/bin/python")?);
    command.arg(source("rexec-py/agent.py"));
    Some(command)
}

/// The program that drives the official Python SDK of the Model Context Protocol.
pub(crate) fn mcp_py() -> Option<Command> {
    let mut command = Command::new(find("mcp-py", "ESKER_TEST_MCP_PY", "mcp-py/bin/python")?);
    command.arg(source("mcp-py/driver.py"));
    Some(command)
}

/// A file that is not installed.
fn source(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(relative)
}

/// The coding agent pi, of the generation that Node 20 runs.
pub(crate) fn pi() -> Option<PathBuf> {
    find("pi", "ESKER_TEST_PI", "pi/bin/pi")
}

/// The newest one that can be installed.
pub(crate) fn pi_new() -> Option<PathBuf> {
    find("pi-new", "ESKER_TEST_PI_NEW", "pi-new/bin/pi")
}

/// The coding agent omp, where somebody has it: it is too large to be installed for this.
pub(crate) fn omp() -> Option<PathBuf> {
    let path = std::env::var_os("ESKER_TEST_OMP")?;
    (!path.is_empty()).then(|| path.into())
}

/// The path in `variable` (empty: known to be missing), or else the one that the install script uses.
fn find(name: &str, variable: &str, relative: &str) -> Option<PathBuf> {
    let path = match std::env::var_os(variable) {
        Some(path) if path.is_empty() => None,
        Some(path) => Some(PathBuf::from(path)),
        None => Some(target().join("peers").join(relative)),
    };
    let found = path.filter(|path| path.is_file());
    if found.is_none() {
        let required = std::env::var_os("ESKER_REQUIRE_PEERS").is_some_and(|value| value == "1");
        assert!(!required, "peer {name} is missing and ESKER_REQUIRE_PEERS=1; see tests/peers/install");
        #[allow(clippy::print_stdout, reason = "shown by `cargo test -- --show-output`")]
        {
            println!("skipped: peer {name} is not installed");
        }
    }
    found
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from)
}
