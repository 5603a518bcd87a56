//! The official Python SDK of VergeOS, unmodified, against the simulator: every public method of every class that it has
//! is called, every property of every object that comes back is read, and what it sees is what the reference says. The
//! program that drives it is in `tests/peers/verge-py`.

use crate::support::peers;
use crate::support::playground::Playground;
use serde_json::{Value, json};
use std::time::Duration;

/// For all steps; the SDK waits for seconds where it polls.
const PATIENCE: Duration = Duration::from_mins(5);

/// What the steps must say that say more than that nothing failed.
fn expected() -> Vec<(&'static str, Value)> {
    let alive = "PING 10.20.0.9 56(84) bytes of data.\n64 bytes from 10.20.0.9: icmp_seq=1 ttl=64 time=0.412 ms\n";
    let complete = "complete";
    vec![
        ("connection", json!({"version": "26.1.8", "cloud": "playground", "refused": "Login required"})),
        // Pages of two hold all rows, each once.
        ("base", json!(["web01", "build01"])),
        // `o'brien`, `a{x}b` and `back\slash` are found by their names and not by those of others.
        (
            "filters",
            json!({
                "found": [true, true, true, true, true],
                "patterns": [2, 3, 3, 2, 1, 5],
                "states": ["running"],
                "said": "Invalid argument",
            }),
        ),
        ("vms", json!({"said": "Virtual Machine must be stopped to delete", "tags": ["production"]})),
        ("vm.snapshots", json!({"said": "This name is already in use", "restored": "Accounting", "made": true})),
        // Contents are in no projection.
        ("vm.cloudinit", json!(["a: b\n", "a: b\n"])),
        // What is only tried is answered with 405.
        ("recipes", json!(["answers", "cloudinit_files", "logs"])),
        ("tenants", json!("Tenant must be powered off to delete")),
        // A tenant's own address is this system's.
        ("tenant.connect", json!(["playground", "playground"])),
        ("networks", json!("Network must be powered off to delete")),
        ("network.queries", json!([alive, complete, complete, complete, complete, complete, complete, complete])),
        (
            "nodes",
            json!({
                "drivers": 1, "pci_devices": 2, "usb_devices": 1, "sriov_nics": 1, "gpus": 1, "vgpu_devices": 1,
                "host_gpu_devices": 1, "nics": 1,
            }),
        ),
        ("node.queries", json!([complete])),
        ("files", json!({"same": true, "said": "File is in use by drive 'installer'"})),
        ("nas", json!({"said": "Volume must be disabled to delete", "entries": ["reports", "README.txt"]})),
        // A user without a permission, by an API key.
        ("users", json!("Permission denied")),
        ("tasks", json!(3)),
        ("system", json!({"changed": ["session_timeout"], "payload": "8a3a", "vms": true})),
    ]
}

#[test]
fn the_python_sdk_makes_every_call_that_it_has() {
    let Some(mut command) = peers::verge_py() else { return };
    let playground = Playground::vergeos();
    command
        .arg("coverage")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", crate::support::home())
        .envs(playground.variables())
        .env("REQUESTS_CA_BUNDLE", &playground.variables()["VERGE_CA_FILE"]);
    let mut command = assert_cmd::Command::from_std(command);
    let output = command.timeout(PATIENCE).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let lines = stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    let mut lines: Vec<Value> = lines.collect();
    let coverage = lines.pop().expect("the coverage comes last");
    let mut wrong: Vec<String> =
        lines.iter().filter(|line| line["ok"] != true).map(|line| format!("it failed: {line}")).collect();
    for (step, value) in expected() {
        match lines.iter().find(|line| line["step"] == step) {
            None => wrong.push(format!("{step}: it was not run")),
            Some(line) if line["ok"] == true && line["value"] != value => {
                wrong.push(format!("{step}: wanted {value}\n       was {}", line["value"]));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}\n{stderr}", wrong.join("\n"));
    assert!(coverage["methods"].as_u64().expect("a number") > 1000, "{coverage}");
    assert_eq!(coverage["never"], json!([]), "methods that no step calls with success");
}
