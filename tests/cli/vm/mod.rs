//! `vm`: sandboxes against an API that a test can bend, faults included.

mod change;
mod credentials;
mod faults;
mod list;
mod place;
mod simulated;
mod watch;

use crate::support::sprites::{Api, sandbox};
use serde_json::Value;
use std::process::Output;

/// An account with a few sandboxes.
fn account() -> Api {
    Api::start(&[
        sandbox("web-1", "running", &["ci", "team=a"]),
        sandbox("web-2", "warm", &["ci"]),
        sandbox("dev", "cold", &[]),
        sandbox("web-3", "cold", &["team=a"]),
        sandbox("api", "running", &["ci"]),
    ])
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).expect("JSON")
}

fn lines(output: &Output) -> Vec<String> {
    stdout(output).lines().map(str::to_owned).collect()
}
