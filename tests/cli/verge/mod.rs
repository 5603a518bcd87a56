//! `vergeos` against a system that a test can bend, faults included.

mod answers;
mod files;
mod machines;
mod names;
mod resource;
mod simulated;
mod snapshots;

use crate::support::verge::{Verge, vm};
use serde_json::{Value, json};
use std::process::Output;

/// A system with a little of everything.
fn lab() -> Verge {
    Verge::start(world())
}

fn world() -> Value {
    json!({
        "system": [{"$key": 1, "cloud_name": "lab", "yb_version": "26.1.8"}],
        "vms": [vm(1, "web", "running"), vm(2, "db", "stopped"), vm(3, "o'br{i}en\\", "stopped"), vm(4, "2", "stopped")],
        "vnets": [
            {"$key": 1, "name": "Core", "type": "core", "status": "running"},
            {"$key": 2, "name": "Internal", "type": "internal", "status": "running", "reads": "running", "need_fw_apply": true},
            {"$key": 3, "name": "renamed", "type": "dmz", "status": "running"},
        ],
        "machine_nics": [], "machine_drives": [], "tags": [{"$key": 9, "name": "production"}], "tag_members": [],
        "nodes": [{"$key": 1, "name": "node1"}, {"$key": 2, "name": "node2"}],
        "clusters": [{"$key": 1, "name": "c1"}],
        "files": [{"$key": 5, "name": "debian.iso", "filesize": 10, "type": "iso"}],
        "users": [{"$key": 1, "name": "admin", "type": "normal", "enabled": true}],
    })
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).expect("JSON")
}
