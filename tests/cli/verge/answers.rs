//! Answers that are not what they should be, and keys, names and values that are hard to read: what becomes of them.

use super::{json_of, lab, stderr, stdout, world};
use crate::support::fake::Reply;
use crate::support::verge::{Verge, document, vm};
use serde_json::{Value, json};

/// A system that answers the reading of networks so.
fn answering(reply: Reply) -> Verge {
    Verge::bent(world(), move |asked, _| (asked.method == "GET").then(|| reply.clone()))
}

fn raw(head: &str, body: &[u8]) -> Reply {
    Reply::Raw([head.as_bytes(), b"\r\n", body].concat())
}

const LIST: [&str; 5] = ["vm", "network", "list", "--target", "vergeos"];

#[test]
fn an_answer_that_cannot_be_read_is_an_error_that_says_so() {
    let html = "<html><body>Bad Gateway</body></html>".to_owned();
    for (reply, code) in [
        (Reply::Text(500, html.clone()), 1),
        (Reply::Text(502, html.clone()), 1),
        (Reply::Text(200, html), 1),
        (Reply::Text(200, "[{\"$key\": 1".to_owned()), 1),
        (Reply::Text(403, r#"{"err":"Permission denied"}"#.to_owned()), 5),
        (Reply::Text(400, r#"{"error":"no such action"}"#.to_owned()), 8),
        (Reply::Text(422, r#"{"err":true,"message":"Invalid argument"}"#.to_owned()), 8),
    ] {
        let lab = answering(reply.clone());
        let output = lab.run(&LIST);
        assert_ne!(output.status.code(), Some(0), "{reply:?}");
        assert_eq!(stdout_of(&output), "", "{reply:?}");
        if code != 1 {
            assert_eq!(output.status.code(), Some(code), "{reply:?}: {}", stderr(&output));
        }
        let said = stderr(&output);
        assert!(said.starts_with("error: cannot list vnets on `vergeos`"), "{reply:?}: {said}");
    }
    // Whatever the words of the server are called, they are told.
    for (body, words) in [(r#"{"error":"no such action"}"#, "no such action"), (r#"{"message":"later"}"#, "later")] {
        let said = stderr(&answering(Reply::Text(400, body.to_owned())).run(&LIST));
        assert!(said.contains(words), "{said}");
    }
}

fn stdout_of(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_answer_in_another_form_is_read_all_the_same() {
    let row = r#"[{"$key":1,"name":"only"}]"#;
    let marked = [b"\xef\xbb\xbf".as_slice(), row.as_bytes()].concat();
    let chunked = format!("4\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", &row[..4], row.len() - 4, &row[4..]);
    for reply in [
        Reply::Text(200, row.to_owned()),
        // One object where a list was asked for.
        Reply::Text(200, r#"{"$key":1,"name":"only"}"#.to_owned()),
        raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n", &marked),
        raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n", chunked.as_bytes()),
    ] {
        let output = answering(reply.clone()).run(&[&LIST[..], &["-o", "name"]].concat());
        assert_eq!(stdout(&output), "1\n", "{reply:?}");
    }
    // Nothing, and null, are no rows.
    for body in ["", "null", "[]"] {
        let output = answering(Reply::Text(200, body.to_owned())).run(&[&LIST[..], &["-o", "json"]].concat());
        assert_eq!(stdout(&output), "[]\n", "{body}");
    }
}

#[test]
fn a_change_is_done_whatever_its_answer_is_made_of() {
    for (status, body) in [(200, ""), (201, "{}"), (204, ""), (200, "null"), (200, r#"{"response":{}}"#)] {
        let lab =
            Verge::bent(world(), move |asked, _| (asked.method == "PUT").then(|| Reply::Text(status, body.to_owned())));
        let output = lab.run(&["vm", "user", "disable", "admin", "--target", "vergeos"]);
        assert!(output.status.success(), "{status} {body}: {output:?}");
    }
}

#[test]
fn the_key_of_what_was_made_may_stand_in_its_place() {
    let lab = Verge::bent(world(), |asked, tables| {
        if asked.method != "POST" {
            return None;
        }
        tables.get_mut("users").unwrap().push(json!({"$key": 7, "name": "ci"}));
        Some(document(201, &json!({"location": "/v4/users/7", "dbpath": "users/7"})))
    });
    let output = lab.run(&["vm", "user", "create", "ci", "--target", "vergeos", "-o", "json"]);
    assert_eq!(json_of(&output)["key"], "7");
    // Made, but nobody knows what: that is no success, and it says that it is there.
    let lab = Verge::bent(world(), |asked, _| (asked.method == "POST").then(|| document(201, &json!({}))));
    let output = lab.run(&["vm", "user", "create", "ci", "--target", "vergeos"]);
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(lab.changes().len(), 1);
}

#[test]
fn keys_keep_all_their_digits() {
    let mut world = world();
    world["vnets"] = json!([
        {"$key": "4", "name": "text"},
        {"$key": 4_294_967_301_u64, "name": "long"},
        {"$key": 9_007_199_254_740_993_u64, "name": "longer"},
    ]);
    let lab = Verge::start(world);
    let rows = json_of(&lab.run(&[&LIST[..], &["-o", "json"]].concat()));
    let keys: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["4", "4294967301", "9007199254740993"]);
    let output = lab.run(&["vm", "network", "update", "longer", "--set", "mtu=1500", "--target", "vergeos"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lab.changes(), [r#"PUT vnets/9007199254740993 {"mtu":1500}"#]);
}

#[test]
fn what_is_null_or_missing_is_shown_as_nothing() {
    let mut bare = vm(9, "bare", "stopped");
    for (name, value) in bare.as_object_mut().unwrap() {
        if !["$key", "name", "machine", "is_snapshot"].contains(&name.as_str()) {
            *value = Value::Null;
        }
    }
    let mut world = world();
    world["vms"] = json!([bare, {"$key": 10, "name": "barer", "is_snapshot": false}]);
    world["machine_nics"] = json!([{"$key": 1, "name": "eth0", "machine": 109, "vnet": null}]);
    let lab = Verge::start(world);
    let listed = stdout(&lab.run(&["vm", "list", "vergeos", "-o", "name"]));
    assert_eq!(listed, "vergeos/bare\nvergeos/barer\n");
    for args in [
        &["vm", "list", "vergeos", "-o", "json"][..],
        &["vm", "list", "vergeos", "-o", "wide"],
        &["vm", "show", "vergeos/bare"],
        &["vm", "show", "vergeos/bare", "-o", "json"],
        &["vm", "nic", "list", "--target", "vergeos/bare"],
    ] {
        assert!(lab.run(args).status.success(), "{args:?}");
    }
}

#[test]
fn a_credential_that_ends_in_the_middle_is_not_tried_again() {
    let vms: Vec<_> = (1..=1500).map(|key| vm(key, &format!("vm-{key}"), "stopped")).collect();
    let lab = Verge::bent(json!({ "vms": vms }), |asked, _| {
        (asked.nth == 1).then(|| document(401, &json!({"err": "Login required"})))
    });
    let output = lab.run(&["vm", "list", "vergeos"]);
    assert_eq!((output.status.code(), lab.fake.asked().len()), (Some(4), 2), "{output:?}");
}

#[test]
fn a_part_that_may_not_be_read_does_not_hide_the_others() {
    let lab = Verge::bent(world(), |asked, _| {
        asked.path.ends_with("/alarms").then(|| document(403, &json!({"err": "Permission denied"})))
    });
    let output = lab.run(&["doctor", "--target", "vergeos", "-o", "json"]);
    let checks: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str| checks.as_array().unwrap().iter().find(|check| check["check"] == name).cloned().unwrap();
    assert!(of("alarms").to_string().contains("Permission denied"), "{checks}");
    assert_eq!(of("networks")["status"], "pass", "{checks}");
}

#[test]
fn a_list_that_moves_while_it_is_read_has_every_row_once() {
    for count in [0_u64, 1, 999, 1000, 1001] {
        let vms: Vec<_> = (1..=count).map(|key| vm(key, &format!("vm-{key}"), "stopped")).collect();
        let lab = Verge::start(json!({ "vms": vms }));
        let args = ["vm", "resource", "vms", "list", "--target", "vergeos", "-o", "name"];
        assert_eq!(stdout(&lab.run(&args)).lines().count() as u64, count);
    }
    // A row that was on the first page stands on the second, since one was put in before it.
    let vms: Vec<_> = (1..=1001).map(|key| vm(key, &format!("vm-{key}"), "stopped")).collect();
    let lab = Verge::bent(json!({ "vms": vms }), |asked, tables| {
        if asked.nth == 1 {
            tables.get_mut("vms").unwrap().insert(0, vm(5000, "new", "stopped"));
        }
        None
    });
    let rows = stdout(&lab.run(&["vm", "resource", "vms", "list", "--target", "vergeos", "-o", "name"]));
    let mut names: Vec<&str> = rows.lines().collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((all, names.len()), (1001, 1001));
}

#[test]
fn a_burst_that_is_refused_is_waited_out_by_what_only_reads() {
    let lab = Verge::bent(world(), |asked, _| (asked.nth < 2).then(|| Reply::Text(429, String::new())));
    assert!(lab.run(&LIST).status.success());
    assert_eq!(lab.fake.asked().len(), 3);
    let lab = Verge::bent(world(), |asked, _| (asked.method == "POST").then(|| Reply::Text(429, String::new())));
    assert!(!lab.run(&["vm", "user", "create", "x", "--target", "vergeos"]).status.success());
    assert_eq!(lab.changes().len(), 1);
}

#[test]
fn a_filter_with_an_open_end_is_refused_here() {
    let lab = lab();
    for filter in ["name eq 'x", "(name eq 'x'", "name eq 'x')", "name in ('a')", "name like 'a'"] {
        let output = lab.run(&[&LIST[..], &["--filter", filter]].concat());
        assert_eq!(output.status.code(), Some(2), "{filter}: {}", stderr(&output));
    }
    assert!(lab.fake.asked().is_empty());
}

#[test]
fn only_a_simulation_ends_well_with_a_refusal() {
    let mut world = world();
    let key = "a".repeat(40);
    world["vm_recipes"] = json!([{"$key": key, "id": key, "name": "small"}]);
    let lab = Verge::bent(world, |asked, _| {
        let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        let text = if body["simulate"] == true { "Simulation complete" } else { "Operation not permitted" };
        (asked.method == "POST").then(|| document(405, &json!({"err": text, "response": {"answers": {}}})))
    });
    let deploy = |args: &[&str]| {
        lab.run(&[&["vm", "recipe", "deploy", "small", "--target", "vergeos", "--set", "name=x"], args].concat())
    };
    assert!(deploy(&["--set", "simulate=true"]).status.success());
    let output = deploy(&[]);
    assert!(!output.status.success() && stderr(&output).contains("Operation not permitted"), "{output:?}");
}

#[test]
fn power_states_that_are_not_left_are_told() {
    for (status, verb, code) in [("starting", "start", 9), ("stopping", "stop", 9)] {
        let mut world = world();
        world["vms"] = json!([vm(1, "web", status)]);
        let lab = Verge::start(world);
        let output = lab.run(&["vm", verb, "vergeos/web", "--timeout", "400ms"]);
        assert_eq!(output.status.code(), Some(code), "{status}: {output:?}");
        let output = lab.run(&["vm", "stop", "vergeos/web", "--now", "--no-wait"]);
        assert!(output.status.success(), "{status}: {output:?}");
        assert!(lab.changes().last().unwrap().contains(r#""action":"kill""#), "{:?}", lab.changes());
    }
    // One that goes wrong on its way is a failure, and not waited for.
    let lab = Verge::bent(world(), |asked, tables| {
        if asked.path == "/api/v4/vm_actions" {
            tables.get_mut("vms").unwrap()[1]["status"] = json!("error");
        }
        None
    });
    let output = lab.run(&["vm", "start", "vergeos/db", "--timeout", "30s"]);
    assert!(![Some(0), Some(9)].contains(&output.status.code()), "{output:?}");
    // A machine that sleeps is woken.
    let mut world = world();
    world["vms"] = json!([vm(1, "web", "hibernated")]);
    let lab = Verge::start(world);
    assert!(lab.run(&["vm", "start", "vergeos/web", "--no-wait"]).status.success());
    assert_eq!(lab.changes(), [r#"POST vm_actions {"vm":1,"action":"poweron"}"#]);
}

#[test]
fn what_cannot_be_plugged_in_is_taken_back() {
    let running = || {
        let mut world = world();
        world["vms"][0]["allow_hotplug"] = json!(true);
        world
    };
    let lab = Verge::start(running());
    let create = |lab: &Verge, args: &[&str]| {
        lab.run(
            &[&["vm", "drive", "create", "data", "--target", "vergeos/web", "--set", "disksize=1GiB"], args].concat(),
        )
    };
    assert!(create(&lab, &[]).status.success());
    assert_eq!(lab.changes()[1..], [r#"POST vm_actions {"vm":1,"action":"hotplugdrive","params":{"device":1}}"#]);
    // Others wait for the next start.
    let output = create(&lab, &["--set", "interface=ide"]);
    assert!(output.status.success() && stderr(&output).contains("once it was restarted"), "{output:?}");
    assert_eq!(lab.changes().len(), 3);
    let lab = Verge::bent(running(), |asked, _| {
        asked.path.ends_with("/vm_actions").then(|| document(422, &json!({"err": "cannot be hot-plugged"})))
    });
    let output = create(&lab, &[]);
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    assert!(stderr(&output).contains("made and deleted again"), "{output:?}");
    assert_eq!(
        (lab.rows("machine_drives").len(), lab.changes().last().unwrap().as_str()),
        (0, "DELETE machine_drives/1")
    );
    // What is in use is plugged out before it goes.
    let mut world = running();
    world["machine_nics"] = json!([{"$key": 3, "name": "eth0", "machine": 101, "status": "up"}]);
    let lab = Verge::start(world);
    assert!(lab.run(&["vm", "nic", "delete", "eth0", "--target", "vergeos/web", "--yes"]).status.success());
    assert_eq!(
        lab.changes(),
        [
            r#"POST vm_actions {"vm":1,"action":"hotplugnic","params":{"device":3,"unplug":true}}"#,
            "DELETE machine_nics/3"
        ]
    );
}

#[test]
fn sizes_are_taken_whole_or_not_at_all() {
    let lab = lab();
    let update = |text: &str| lab.run(&["vm", "update", "vergeos/db", "--set", text]);
    for (text, sent) in [("ram=2000", 2048), ("ram=255", 256), ("ram=1GiB", 1024), ("ram=1.5GiB", 1536)] {
        assert!(update(text).status.success(), "{text}");
        assert_eq!(*lab.changes().last().unwrap(), format!(r#"PUT vms/2 {{"ram":{sent}}}"#), "{text}");
    }
    let before = lab.changes().len();
    for text in ["ram=lots", "ram=99999999999999999999", "cpu_cores=two", "cpu_cores=1.5.0"] {
        assert_eq!(update(text).status.code(), Some(2), "{text}");
    }
    assert_eq!(lab.changes().len(), before);
    let drive = |size: &str| {
        lab.run(&["vm", "drive", "create", "--of", "db", "--target", "vergeos", "--set", &format!("disksize={size}")])
    };
    for (size, bytes) in
        [("512MB", 512_000_000_u64), ("512MiB", 536_870_912), ("1.5TB", 1_500_000_000_000), ("0.5GiB", 536_870_912)]
    {
        assert!(drive(size).status.success(), "{size}");
        assert!(
            lab.changes().last().unwrap().contains(&format!(r#""disksize":{bytes},"#)),
            "{size}: {:?}",
            lab.changes()
        );
    }
    for size in ["99999999999TiB", "-1GiB", "1GiBB"] {
        assert_eq!(drive(size).status.code(), Some(2), "{size}");
    }
}

#[test]
fn a_machine_is_stopped_before_it_goes_where_that_is_wanted() {
    let lab = Verge::bent(world(), |asked, tables| {
        if asked.path.ends_with("/vm_actions") {
            tables.get_mut("vms").unwrap()[0]["status"] = json!("stopped");
        }
        None
    });
    let output = lab.run(&["vm", "delete", "vergeos/web", "--force", "--confirm", "vergeos/web"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lab.changes(), [r#"POST vm_actions {"vm":1,"action":"kill"}"#, "DELETE vms/1"]);
}
