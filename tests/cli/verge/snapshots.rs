//! Snapshots: those of a machine and those of the system.

use super::{json_of, stderr, stdout, world};
use crate::support::verge::{Verge, document, vm};
use serde_json::{Value, json};

fn with_snapshots() -> Verge {
    let mut world = world();
    let mut hidden = vm(77, "db", "stopped");
    hidden["machine"] = json!(901);
    hidden["is_snapshot"] = json!(true);
    world["vms"].as_array_mut().unwrap().push(hidden);
    world["machine_snapshots"] = json!([
        {"$key": 1, "name": "s1", "machine": 102, "snap_machine": 901, "created": 1_769_904_000, "expires": 0, "created_manually": true},
        {"$key": 2, "name": "auto", "machine": 102, "snap_machine": 902, "created": 1_769_904_001, "created_manually": false},
        {"$key": 3, "name": "s1", "machine": 101, "snap_machine": 903, "created": 1_769_904_002, "created_manually": true},
    ]);
    Verge::bent(world, |asked, tables| {
        let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        if body["action"] == "clone" {
            tables.get_mut("vms").unwrap().push(vm(60, body["params"]["name"].as_str().unwrap(), "stopped"));
            return Some(document(200, &json!({"response": {"vmkey": "60"}})));
        }
        if asked.path == "/api/v4/machine_snapshots" && asked.method == "POST" && body.get("expires").is_none() {
            // What the platform does by itself.
            let mut row = body;
            row["$key"] = json!(9);
            row["created"] = json!(1_769_904_000);
            row["expires"] = json!(1_770_163_200);
            tables.get_mut("machine_snapshots").unwrap().push(row);
            return Some(document(201, &json!({"$key": "9"})));
        }
        None
    })
}

#[test]
fn snapshots_of_a_machine_are_its_own() {
    let lab = with_snapshots();
    let rows = json_of(&lab.run(&["checkpoint", "list", "--target", "vergeos/db", "-o", "json"]));
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["id"], &rows[0]["comment"]), (1, &json!("1"), &json!("s1")));
    let all = json_of(&lab.run(&["checkpoint", "list", "--include-auto", "--target", "vergeos/db", "-o", "json"]));
    assert_eq!(all.as_array().unwrap().len(), 2);
    // The key of another machine's snapshot names none here.
    assert_eq!(lab.run(&["checkpoint", "show", "3", "--target", "vergeos/db"]).status.code(), Some(6));
}

#[test]
fn their_end_is_said() {
    let lab = with_snapshots();
    let output = lab.run(&["checkpoint", "create", "--comment", "before", "--target", "vergeos/db"]);
    assert!(output.status.success(), "{output:?}");
    assert!(
        stderr(&output).contains("will be deleted at 2026-02-04T00:00:00Z, by the system's own default"),
        "{output:?}"
    );
    assert_eq!(lab.changes(), [r#"POST machine_snapshots {"name":"before","machine":102,"created_manually":true}"#]);
    assert!(
        lab.run(&["checkpoint", "create", "--comment", "kept", "--expires", "never", "--target", "vergeos/db"])
            .status
            .success()
    );
    assert!(lab.changes()[1].contains(r#""expires":0,"expires_type":"never""#), "{:?}", lab.changes());
}

#[test]
fn a_restore_in_place_wants_a_stopped_machine_and_its_name() {
    let lab = with_snapshots();
    let restore = |args: &[&str]| lab.run(&[&["checkpoint", "restore"], args].concat());
    assert_eq!(restore(&["1", "--target", "vergeos/db", "--yes"]).status.code(), Some(2));
    let output = restore(&["1", "--target", "vergeos/db", "--confirm", "vergeos/db"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lab.changes(), [r#"POST vm_actions {"vm":77,"action":"restore"}"#]);
    assert_eq!(restore(&["3", "--target", "vergeos/web", "--confirm", "vergeos/web"]).status.code(), Some(6));
    let output = restore(&["s1", "--target", "vergeos/db", "--to", "copy"]);
    assert_eq!(stdout(&output), "");
    assert_eq!(lab.changes()[1], r#"POST vm_actions {"vm":77,"action":"clone","params":{"name":"copy"}}"#);
    assert!(lab.run(&["checkpoint", "delete", "1", "--yes", "--target", "vergeos/db"]).status.success());
    assert_eq!(lab.changes()[2], "DELETE machine_snapshots/1");
}

#[test]
fn the_whole_system_has_snapshots_too() {
    let lab = Verge::bent(world(), |asked, tables| {
        if asked.method == "POST" && asked.path == "/api/v4/cloud_snapshots" {
            tables.insert(
                "cloud_snapshots".to_owned(),
                vec![json!({"$key": 1, "name": "all", "status": "normal", "reads": "normal"})],
            );
            return Some(document(201, &json!({"$key": "1"})));
        }
        None
    });
    let output =
        lab.run(&["checkpoint", "create", "--comment", "all", "--expires", "3d", "--target", "vergeos", "-o", "name"]);
    assert_eq!(stdout(&output), "1\n", "{output:?}");
    assert_eq!(
        lab.run(&["checkpoint", "restore", "1", "--target", "vergeos", "--confirm", "vergeos"]).status.code(),
        Some(2)
    );
}
