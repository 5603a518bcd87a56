//! `vm resource` and the nouns on top of it.

use super::{json_of, lab, stderr, stdout, world};
use crate::support::error_of;
use crate::support::fake::Reply;
use crate::support::verge::{Verge, document};
use serde_json::json;

#[test]
fn tables_are_listed_without_asking_anybody() {
    let lab = lab();
    let tables = json_of(&lab.run(&["vm", "resource", "list", "--target", "vergeos", "-o", "json"]));
    let tables = tables.as_array().unwrap();
    assert!(tables.len() > 140, "{}", tables.len());
    let rules = tables.iter().find(|table| table["table"] == "vnet_rules").unwrap();
    assert_eq!((&rules["noun"], &rules["parent"]), (&json!("rule"), &json!("vnets")));
    assert!(lab.fake.asked().is_empty());
}

#[test]
fn rows_are_listed_in_every_format_and_by_noun() {
    let lab = lab();
    let shown = stdout(&lab.run(&["vm", "network", "list", "--target", "vergeos"]));
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("KEY  NAME") && lines[0].contains("CIDR"), "{shown}");
    assert!(lines[2].starts_with("2    Internal"), "{shown}");
    let rows = json_of(&lab.run(&["vm", "resource", "vnets", "list", "--target", "vergeos", "-o", "json"]));
    assert_eq!(
        (&rows[1]["key"], &rows[1]["name"], &rows[1]["fields"]["type"]),
        (&json!("2"), &json!("Internal"), &json!("internal"))
    );
    let picked =
        stdout(&lab.run(&["vm", "network", "list", "--target", "vergeos", "-o", "csv", "--fields", "name,type"]));
    assert_eq!(picked, "name,type\nCore,core\nInternal,internal\nrenamed,dmz\n");
    let empty = lab.run(&["vm", "drive", "list", "--target", "vergeos", "-o", "json"]);
    assert_eq!((stdout(&empty).as_str(), stderr(&empty).contains("no rows")), ("[]\n", true));
}

#[test]
fn a_filter_is_rewritten_checked_and_kept_apart_from_ours() {
    let lab = lab();
    let list = |filter: &str| lab.run(&["vm", "list", "vergeos", "--filter", filter, "-o", "name"]);
    assert_eq!(stdout(&list("status eq 'running' and ram gt 1024")), "vergeos/web\n");
    let filter = "is_snapshot eq false and (machine#status#status eq 'running' and ram gt 1024)";
    assert_eq!(lab.filters("vms"), [filter]);
    let output = list("name like 'w%'");
    assert_eq!((output.status.code(), stderr(&output).contains("`ct`")), (Some(2), true), "{output:?}");
    assert_eq!(lab.fake.asked().len(), 1);
}

#[test]
fn names_hit_exactly_the_row_that_was_named_or_nothing() {
    let lab = lab();
    let show = |args: &[&str]| {
        lab.run(&[&["vm", "resource", "vms", "show", "--target", "vergeos", "-o", "json"], args].concat())
    };
    assert_eq!(json_of(&show(&["o'br{i}en\\"]))["key"], "3");
    assert_eq!(lab.filters("vms")[0], "name eq 'o\\'br\\{i}en\\\\' and is_snapshot eq false");
    // One is called like the key of another.
    let output = show(&["2"]);
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let error = error_of(&output);
    assert!(error["hint"].as_str().unwrap().contains("--by-key"), "{error}");
    assert_eq!(json_of(&show(&["2", "--by-key"]))["name"], "db");
    assert_eq!(json_of(&show(&["2", "--by-name"]))["key"], "4");
    let output = show(&["wbe"]);
    assert_eq!((output.status.code(), error_of(&output)["hint"].as_str()), (Some(6), Some("did you mean `web`?")));
}

#[test]
fn rows_are_made_changed_and_deleted() {
    let lab = lab();
    let run = |args: &[&str]| lab.run(&[args, &["--target", "vergeos"]].concat());
    let made = json_of(&run(&[
        "vm",
        "user",
        "create",
        "ci",
        "--set",
        "email=ci@example.com",
        "--set",
        "enabled=yes",
        "-o",
        "json",
    ]));
    assert_eq!((&made["action"], &made["key"], &made["name"]), (&json!("create"), &json!("2"), &json!("ci")));
    assert_eq!(lab.changes(), [r#"POST users {"name":"ci","email":"ci@example.com","enabled":true}"#]);
    let output = run(&["vm", "user", "disable", "ci"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lab.changes()[1], r#"PUT users/2 {"enabled":false}"#);
    let output = run(&["vm", "user", "delete", "ci"]);
    assert_eq!((output.status.code(), lab.rows("users").len()), (Some(2), 2), "{output:?}");
    assert!(run(&["vm", "user", "delete", "ci", "--yes"]).status.success());
    assert_eq!(lab.changes()[2], "DELETE users/2");
}

#[test]
fn unknown_fields_are_refused_before_anything_is_sent() {
    let schema = json!({"name": "users", "fields": [{"name": "nickname", "type": "text"}]});
    let lab =
        Verge::bent(world(), move |asked, _| asked.path.ends_with("/users/$table").then(|| document(200, &schema)));
    let run = |args: &[&str]| lab.run(&[&["vm", "user", "update", "admin", "--target", "vergeos"], args].concat());
    let output = run(&["--set", "emial=x"]);
    assert_eq!(
        (output.status.code(), stderr(&output).contains("did you mean `email`?")),
        (Some(2), true),
        "{output:?}"
    );
    assert!(lab.changes().is_empty());
    // What our data does not know the system may.
    assert!(run(&["--set", "nickname=x"]).status.success());
    assert!(run(&["--set", "emial=x", "--unchecked"]).status.success());
    assert_eq!(lab.changes().len(), 2);
}

#[test]
fn what_the_system_did_not_take_is_warned_about() {
    let lab = Verge::bent(world(), |asked, tables| {
        if asked.method != "PUT" {
            return None;
        }
        let row = tables.get_mut("vnets").unwrap().iter_mut().find(|row| row["$key"] == 2).unwrap();
        row["mtu"] = json!(1500);
        row["description"] = json!("kept");
        Some(Reply::Text(200, String::new()))
    });
    let output = lab.run(&[
        "vm",
        "network",
        "update",
        "Internal",
        "--set",
        "mtu=9000",
        "--set",
        "description=kept",
        "--target",
        "vergeos",
    ]);
    assert!(output.status.success(), "{output:?}");
    let said = stderr(&output);
    assert!(said.contains("warning: `mtu` of network `2` is 1500 and not 9000"), "{said}");
    assert!(!said.contains("description"), "{said}");
}

#[test]
fn networks_of_the_platform_are_spared() {
    let lab = lab();
    let code = |args: &[&str]| lab.run(&[args, &["--target", "vergeos/web"]].concat()).status.code();
    for network in ["Core", "core", "renamed", "1"] {
        assert_ne!(code(&["vm", "nic", "create", "--set", &format!("vnet={network}")]), Some(0), "{network}");
    }
    let on = |args: &[&str]| lab.run(&[args, &["--target", "vergeos"]].concat()).status.code();
    assert_eq!(on(&["vm", "network", "stop", "Core"]), Some(2));
    assert_eq!(on(&["vm", "network", "update", "renamed", "--set", "mtu=1500"]), Some(2));
    assert_eq!(on(&["vm", "network", "delete", "Core", "--yes"]), Some(2));
    assert!(lab.changes().is_empty(), "{:?}", lab.changes());
    assert_eq!(code(&["vm", "nic", "create", "--set", "vnet=Internal"]), Some(0));
}

#[test]
fn parts_of_a_machine_bear_the_key_of_its_machine() {
    let lab = lab();
    let run = |args: &[&str]| lab.run(args);
    let output = run(&["vm", "nic", "create", "eth1", "--target", "vergeos/web", "--set", "vnet=Internal"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lab.changes(), [r#"POST machine_nics {"name":"eth1","vnet":2,"machine":101}"#]);
    let output = run(&["vm", "drive", "create", "--of", "db", "--set", "disksize=20GiB", "--target", "vergeos"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lab.changes()[1], r#"POST machine_drives {"disksize":21474836480,"machine":102}"#);
    let output = run(&["vm", "nic", "list", "--target", "vergeos/web", "-o", "json"]);
    assert_eq!(json_of(&output).as_array().unwrap().len(), 1);
    assert_eq!(lab.filters("machine_nics").last().unwrap(), "machine eq 101");
    // By hand it would be another's.
    assert_eq!(run(&["vm", "drive", "create", "--set", "machine=1", "--target", "vergeos"]).status.code(), Some(2));
    assert_eq!(run(&["vm", "drive", "create", "--set", "disksize=1GiB", "--target", "vergeos"]).status.code(), Some(2));
}

#[test]
fn actions_are_sent_and_waited_for() {
    let lab = Verge::bent(world(), |asked, tables| {
        if asked.path == "/api/v4/vnet_actions" {
            let row = tables.get_mut("vnets").unwrap().iter_mut().find(|row| row["$key"] == 2).unwrap();
            row["reads"] = json!("stopped");
            row["status"] = json!("stopped");
        }
        None
    });
    let output = lab.run(&["vm", "network", "stop", "Internal", "--target", "vergeos", "-o", "json"]);
    assert_eq!(json_of(&output)["fields"]["status"], "stopped");
    let output = lab.run(&["vm", "network", "apply-rules", "Internal", "--target", "vergeos"]);
    assert_eq!(stderr(&output), "apply-rules: network `Internal` of `vergeos`\n");
    assert!(lab.run(&["vm", "network", "apply-dns", "Internal", "--target", "vergeos"]).status.success());
    assert_eq!(
        lab.changes(),
        [
            r#"POST vnet_actions {"action":"poweroff","vnet":2}"#,
            r#"POST vnet_actions {"action":"refresh","vnet":2}"#,
            "PUT vnets/2/applydns"
        ]
    );
    let output = lab.run(&["vm", "resource", "vnets", "aply-rules", "Internal", "--target", "vergeos"]);
    assert_eq!((output.status.code(), stderr(&output).contains("`apply-rules`")), (Some(2), true));
}

#[test]
fn a_credential_is_tried_once_and_a_change_is_sent_once() {
    let lab = lab();
    let mut command = lab.esker();
    let output = command.env("VERGE_TOKEN", "wrong").args(["vm", "list", "vergeos", "-o", "json"]).output().unwrap();
    assert_eq!((output.status.code(), lab.fake.asked().len()), (Some(4), 1), "{output:?}");
    assert!(!stderr(&output).contains("wrong"));
    for reply in [Reply::Hangup, Reply::Text(503, String::new()), Reply::Text(500, r#"{"err":"boom"}"#.to_owned())] {
        let lab = Verge::bent(world(), move |asked, _| (asked.method == "POST").then(|| reply.clone()));
        let output = lab.run(&["vm", "user", "create", "x", "--target", "vergeos", "-o", "json"]);
        assert!(!output.status.success());
        assert_eq!(lab.changes().len(), 1, "{output:?}");
        assert!(error_of(&output)["hint"].as_str().is_some_and(|hint| hint.contains("it may be there")), "{output:?}");
    }
    // What is only read is asked again.
    let lab = Verge::bent(world(), |asked, _| (asked.nth == 0).then_some(Reply::Hangup));
    assert!(lab.run(&["vm", "list", "vergeos"]).status.success());
    assert_eq!(lab.fake.asked().len(), 2);
}

#[test]
fn all_pages_are_read() {
    let vms: Vec<_> = (1..=2500).map(|key| crate::support::verge::vm(key, &format!("vm-{key}"), "stopped")).collect();
    let lab = Verge::start(json!({ "vms": vms }));
    let rows = json_of(&lab.run(&["vm", "list", "vergeos", "-o", "json"]));
    assert_eq!((rows.as_array().unwrap().len(), lab.fake.asked().len()), (2500, 3));
    let rows =
        json_of(&lab.run(&["vm", "resource", "vms", "list", "--limit", "7", "--target", "vergeos", "-o", "json"]));
    assert_eq!(rows.as_array().unwrap().len(), 7);
}
