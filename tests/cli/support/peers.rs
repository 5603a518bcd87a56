//! Where the real parts are that `tests/peers/install` installed. A test whose part is missing says so and passes,
//! unless `ESKER_REQUIRE_PEERS=1`.

use std::path::{Path, PathBuf};

/// The Pebble daemon, which is its CLI too.
pub(crate) fn pebble() -> Option<PathBuf> {
    find("pebble", "ESKER_TEST_PEBBLE", "bin/pebble")
}

/// A Python that has `ops.pebble`.
pub(crate) fn python() -> Option<PathBuf> {
    find("ops", "ESKER_TEST_PYTHON", "venv/bin/python")
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
