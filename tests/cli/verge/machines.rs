//! Virtual machines: power, copies, tags, and what is in them.

use super::{json_of, lab, stderr, stdout, world};
use crate::support::verge::{Verge, document, vm};
use serde_json::{Value, json};

/// A system whose machines come up and go down as they are told, after a look or two.
fn obedient() -> Verge {
    Verge::bent(world(), |asked, tables| {
        if asked.path != "/api/v4/vm_actions" {
            return None;
        }
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let rows = tables.get_mut("vms").unwrap();
        if body["action"] == "clone" {
            rows.push(vm(50, body["params"]["name"].as_str().unwrap(), "stopped"));
            return Some(document(200, &json!({"response": {"vmkey": "50", "machinekey": "150"}})));
        }
        let row = rows.iter_mut().find(|row| row["$key"] == body["vm"]).unwrap();
        match body["action"].as_str().unwrap() {
            "poweron" | "reset" => {
                row["status"] = json!("running");
                row["started"] = json!(row["started"].as_u64().unwrap() + 1);
            }
            "poweroff" | "kill" => row["status"] = json!("stopped"),
            "hibernate" => row["status"] = json!("hibernated"),
            "migrate" => row["node"] = json!(2),
            other => panic!("{other}"),
        }
        None
    })
}

#[test]
fn machines_are_listed_and_shown() {
    let lab = lab();
    let listed = stdout(&lab.run(&["vm", "list", "vergeos"]));
    assert!(listed.lines().any(|line| line.starts_with("vergeos/web") && line.contains("running")), "{listed}");
    let shown = json_of(&lab.run(&["vm", "show", "vergeos/web", "-o", "json"]));
    assert_eq!(
        (&shown["key"], &shown["status"], &shown["memory_bytes"]),
        (&json!("1"), &json!("running"), &json!(2_147_483_648_u64))
    );
    assert_eq!((&shown["region"], &shown["cpus"]), (&json!("c1"), &json!(2.0)));
    let health = lab.run(&["vm", "health", "vergeos/db"]);
    assert_eq!(health.status.code(), Some(1));
    assert_eq!(lab.run(&["vm", "show", "vergeos/nope"]).status.code(), Some(6));
}

#[test]
fn power_states_are_reached_and_what_is_there_already_is_success() {
    let lab = obedient();
    for (args, action) in [
        (&["start", "vergeos/db"][..], Some(r#"{"vm":2,"action":"poweron"}"#)),
        (&["start", "vergeos/db"], None),
        (&["stop", "vergeos/db"], Some(r#"{"vm":2,"action":"poweroff"}"#)),
        (&["stop", "vergeos/db", "--now"], None),
        (&["stop", "vergeos/web", "--now"], Some(r#"{"vm":1,"action":"kill"}"#)),
        (&["restart", "vergeos/web"], Some(r#"{"vm":1,"action":"poweron"}"#)),
        (&["restart", "vergeos/web"], Some(r#"{"vm":1,"action":"reset","params":{"graceful":true}}"#)),
        (&["reset", "vergeos/web"], Some(r#"{"vm":1,"action":"reset"}"#)),
        (&["hibernate", "vergeos/web"], Some(r#"{"vm":1,"action":"hibernate"}"#)),
    ] {
        let before = lab.changes().len();
        let output = lab.run(&[&["vm"], args].concat());
        assert!(output.status.success(), "{args:?}: {output:?}");
        let wanted = action.map(|body| format!("POST vm_actions {body}"));
        assert_eq!(lab.changes().get(before), wanted.as_ref(), "{args:?}");
    }
    assert_eq!(lab.run(&["vm", "reset", "vergeos/db"]).status.code(), Some(7));
}

#[test]
fn a_guest_that_ignores_its_button_loses_its_plug() {
    let lab = Verge::bent(world(), |asked, tables| {
        if asked.path == "/api/v4/vm_actions" && asked.body.contains("kill") {
            tables.get_mut("vms").unwrap()[0]["status"] = json!("stopped");
        }
        None
    });
    let output = lab.run(&["vm", "stop", "vergeos/web", "--force-after", "300ms"]);
    assert!(output.status.success(), "{output:?}");
    assert!(stderr(&output).contains("pulling the plug"), "{output:?}");
    assert_eq!(lab.changes().len(), 2);
    // Without, it is waited for as long as somebody likes to.
    let lab = super::lab();
    let output = lab.run(&["vm", "stop", "vergeos/web", "--timeout", "300ms"]);
    assert_eq!(output.status.code(), Some(9), "{output:?}");
    let output = lab.run(&["vm", "stop", "vergeos/web", "--no-wait"]);
    assert_eq!(stdout(&output), "vergeos/web\n");
}

#[test]
fn copies_moves_and_tags() {
    let lab = obedient();
    let copy =
        json_of(&lab.run(&["vm", "clone", "vergeos/db", "--name", "db2", "--set", "preserve_macs=yes", "-o", "json"]));
    assert_eq!((&copy["name"], &copy["key"]), (&json!("db2"), &json!("50")));
    let body = r#"POST vm_actions {"vm":2,"action":"clone","params":{"name":"db2","preserve_macs":true}}"#;
    assert_eq!(lab.changes(), [body]);
    assert_eq!(
        lab.run(&["vm", "clone", "vergeos/db", "--name", "x", "--set", "presrve_macs=1"]).status.code(),
        Some(2)
    );
    assert!(lab.run(&["vm", "migrate", "vergeos/web", "--to", "node2"]).status.success());
    assert_eq!(lab.changes()[1], r#"POST vm_actions {"vm":1,"action":"migrate","params":{"preferred_node":2}}"#);
    assert_eq!(lab.run(&["vm", "migrate", "vergeos/db"]).status.code(), Some(7));
    assert!(lab.run(&["vm", "tag", "vergeos/web", "--tag", "production"]).status.success());
    assert_eq!(lab.changes()[2], r#"POST tag_members {"tag":9,"member":"vms/1"}"#);
    assert!(lab.run(&["vm", "tag", "vergeos/web", "--tag", "production"]).status.success());
    assert_eq!(lab.changes().len(), 3);
    assert!(lab.run(&["vm", "untag", "vergeos/web", "--tag", "production"]).status.success());
    assert_eq!(lab.rows("tag_members").len(), 0);
}

#[test]
fn machines_are_made_with_their_disk_or_not_at_all() {
    let lab = lab();
    let made = lab.run(&[
        "vm",
        "create",
        "vergeos/new",
        "--cpus",
        "4",
        "--memory",
        "1000MiB",
        "--disk",
        "20GiB",
        "--region",
        "c1",
        "--set",
        "os_family=linux",
    ]);
    assert!(made.status.success(), "{made:?}");
    assert_eq!(
        lab.changes(),
        [
            r#"POST vms {"name":"new","cpu_cores":4,"ram":1024,"cluster":1,"os_family":"linux"}"#,
            r#"POST machine_drives {"media":"disk","disksize":21474836480,"machine":105}"#
        ]
    );
    let refused = Verge::bent(world(), |asked, _| {
        let is_drive = asked.method == "POST" && asked.path == "/api/v4/machine_drives";
        is_drive.then(|| document(422, &json!({"err": "Validation error"})))
    });
    let output = refused.run(&["vm", "create", "vergeos/new", "--disk", "1GiB"]);
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    assert_eq!(refused.changes().last().unwrap(), "DELETE vms/5");
    assert_eq!(lab.run(&["vm", "create", "vergeos/x", "--set", "rma=1"]).status.code(), Some(2));
    assert_eq!(lab.run(&["vm", "delete", "vergeos/db", "--yes"]).status.code(), Some(2));
    assert!(lab.run(&["vm", "delete", "vergeos/db", "--confirm", "vergeos/db"]).status.success());
}

#[test]
fn the_console_is_where_it_is() {
    let mut world = world();
    world["vms"][0]["console"] = json!("vnc");
    world["vms"][0]["host"] = json!("10.0.0.5");
    world["vms"][0]["port"] = json!(5901);
    let lab = Verge::start(world);
    assert_eq!(stdout(&lab.run(&["vm", "console", "vergeos/web"])), "vnc://10.0.0.5:5901\n");
    assert_eq!(lab.run(&["vm", "console", "vergeos/db"]).status.code(), Some(6));
}
