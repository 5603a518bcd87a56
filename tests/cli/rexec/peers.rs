//! Strangers against the simulator: a small client in Python, written from the page of the system's SDK (httpx and
//! websockets), which knows nothing of esker. Server mode is evidence for esker; sdk mode shows that the simulator does
//! for that page what its authors had in mind.

use crate::support::peers::rexec_py;
use crate::support::playground::Playground;

/// Runs the client's checks in this mode; it exits with 0 if all of them hold, and says which does not.
fn client(mode: &str) {
    let Some(mut client) = rexec_py() else { return };
    let faults: &[&str] = if mode == "sdk" { &["sdk"] } else { &[] };
    let playground = Playground::rexec(faults);
    let output = client.arg(mode).envs(playground.variables()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{mode}: {said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.lines().last().is_some_and(|line| line == "ok"), "{said}");
}

#[test]
fn a_client_in_python_in_server_mode() {
    client("server");
}

#[test]
fn a_client_in_python_in_sdk_mode() {
    client("sdk");
}
