//! Names that a shell, a path or a filter could take for something else, and refusals of the system as it is.

use super::simulated::Lab;
use super::{json_of, stderr, stdout};
use serde_json::json;

/// A command that is about the system as a whole.
fn at_home<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--target", "vergeos"]].concat()
}

/// What somebody might call a machine.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "'",
        "o'brien",
        "\\",
        "a\\'b",
        "{",
        "}",
        "{x}",
        "a{x}b",
        "%",
        "100%25",
        "+",
        "a+b",
        "a&b=c",
        "#",
        "a#b",
        "?",
        "*",
        "a*",
        "ümläut 机器",
        " lead",
        "trail ",
        "123",
        "null",
        "true",
        "name eq 'x' or 1 eq 1",
    ]
    .map(str::to_owned)
    .into();
    names.push("n".repeat(128));
    names
}

#[test]
fn a_name_hits_exactly_the_machine_that_was_named_or_nothing() {
    let lab = Lab::start();
    let table = |verb: &'static str| ["vm", "resource", "vms", verb, "--target", "vergeos", "-o", "json"];
    let mut keys = Vec::new();
    for name in names() {
        let made = json_of(&lab.ok(&[&table("create")[..], &["--", &name]].concat()));
        assert_eq!(made["name"], json!(name));
        keys.push(made["key"].clone());
    }
    for (name, key) in names().iter().zip(&keys) {
        let shown = json_of(&lab.ok(&[&table("show")[..], &["--by-name", "--", name]].concat()));
        assert_eq!((&shown["key"], &shown["name"]), (key, &json!(name)));
    }
    // Each is deleted by its name, and no other with it.
    for (deleted, name) in names().iter().enumerate() {
        lab.ok(&[&table("delete")[..], &["--by-name", "--confirm", name, "--", name]].concat());
        let rows = json_of(&lab.ok(&table("list")));
        assert_eq!(rows.as_array().unwrap().len(), keys.len() - deleted - 1, "after {name}");
    }
    for (name, code) in [("n".repeat(129), 8), (String::new(), 8)] {
        let output = lab.run(&[&table("create")[..], &["--", &name]].concat());
        assert_eq!(output.status.code(), Some(code), "{name}: {output:?}");
    }
}

#[test]
fn what_the_system_refuses_is_told_in_its_words() {
    let lab = Lab::start();
    lab.ok(&["vm", "create", "vergeos/web", "--disk", "2GiB"]);
    lab.ok(&["vm", "start", "vergeos/web"]);
    lab.ok(&at_home(&["vm", "network", "create", "lab", "--set", "type=internal", "--set", "network=10.1.0.0/24"]));
    lab.ok(&at_home(&["vm", "network", "start", "lab"]));
    for (args, code, words) in [
        (&["vm", "create", "vergeos/web"][..], 7, "already in use"),
        (&["vm", "delete", "vergeos/web", "--confirm", "vergeos/web"], 7, "must be stopped"),
        (&["vm", "network", "delete", "lab", "--yes", "--target", "vergeos"], 7, "powered off"),
        (&["vm", "update", "vergeos/web", "--set", "cpu_cores=1025"], 8, "cpu_cores"),
        (
            &["vm", "drive", "create", "--set", "disksize=1GiB", "--set", "media=vinyl", "--target", "vergeos/web"],
            8,
            "media",
        ),
    ] {
        let output = lab.run(args);
        assert_eq!((output.status.code(), stderr(&output).contains(words)), (Some(code), true), "{args:?}: {output:?}");
    }
    // A snapshot needs a name of its own, and a machine that runs is not gone back with.
    let checkpoint = |args: &[&str]| lab.run(&[&["checkpoint"], args, &["--target", "vergeos/web"]].concat());
    assert!(checkpoint(&["create", "--comment", "before", "--expires", "1d"]).status.success());
    assert_eq!(checkpoint(&["create", "--comment", "before", "--expires", "1d"]).status.code(), Some(7));
    let output = checkpoint(&["restore", "before", "--confirm", "vergeos/web"]);
    assert_eq!((output.status.code(), stderr(&output).contains("stop it first")), (Some(7), true), "{output:?}");
    // A disk grows, and does not shrink.
    lab.ok(&["vm", "stop", "vergeos/web", "--now"]);
    let drives = json_of(&lab.ok(&["vm", "drive", "list", "--target", "vergeos/web", "-o", "json"]));
    let key = drives[0]["key"].as_str().unwrap().to_owned();
    let resize = |size: &str| {
        let size = format!("disksize={size}");
        lab.run(&["vm", "drive", "update", &key, "--by-key", "--set", &size, "--target", "vergeos/web"]).status.code()
    };
    assert_eq!((resize("3GiB"), resize("1GiB")), (Some(0), Some(8)));
}

#[test]
fn tags_of_one_name_are_told_apart_by_their_category() {
    let lab = Lab::start();
    let here = |args: &[&str]| lab.ok(&[args, &["--target", "vergeos"]].concat());
    lab.ok(&["vm", "create", "vergeos/web"]);
    for category in ["Stage", "Team"] {
        here(&["vm", "resource", "tag_categories", "create", category, "--set", "taggable_vms=true"]);
        here(&["vm", "resource", "tags", "create", "blue", "--of", category]);
    }
    let output = lab.run(&["vm", "tag", "vergeos/web", "--tag", "blue"]);
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    lab.ok(&["vm", "tag", "vergeos/web", "--tag", "Team/blue"]);
    let members = json_of(&here(&["vm", "resource", "tag_members", "list", "-o", "json"]));
    assert_eq!((members.as_array().unwrap().len(), &members[0]["fields"]["tag"]), (1, &json!(2)));
}

#[test]
fn a_machine_begins_as_a_copy() {
    let lab = Lab::start();
    lab.ok(&["vm", "create", "vergeos/web", "--memory", "2GiB", "--disk", "2GiB"]);
    lab.ok(&["checkpoint", "create", "--comment", "clean", "--expires", "1d", "--target", "vergeos/web"]);
    let copy = json_of(&lab.ok(&["vm", "create", "vergeos/two", "--from", "web", "--memory", "4GiB", "-o", "json"]));
    assert_eq!(
        (&copy["memory_bytes"], &copy["extra"]["drives"][0]["disksize"]),
        (&json!(4_u64 << 30), &json!(2_u64 << 30))
    );
    let copy = json_of(&lab.ok(&["vm", "create", "vergeos/three", "--from", "web/clean", "-o", "json"]));
    assert_eq!(copy["memory_bytes"], json!(2_u64 << 30));
    assert_eq!(stdout(&lab.ok(&["vm", "list", "vergeos", "-o", "name"])).lines().count(), 3);
    assert_eq!(lab.run(&["vm", "create", "vergeos/four", "--from", "web/dirty"]).status.code(), Some(6));
    assert_eq!(lab.run(&["vm", "create", "vergeos/four", "--from", "web", "--disk", "1GiB"]).status.code(), Some(2));
}

#[test]
fn rows_and_tables_are_completed() {
    let lab = Lab::start();
    let here = |args: &[&str]| lab.ok(&[args, &["--target", "vergeos"]].concat());
    here(&["vm", "network", "create", "Internal", "--set", "type=internal", "--set", "network=10.1.0.0/24"]);
    let offered = |words: &[&str]| {
        let mut command = lab.esker();
        command.env("COMPLETE", "fish").env("ESKER_TARGET", "vergeos").arg("--").arg("esker").args(words);
        let output = command.output().expect("it answers");
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        lines.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(offered(&["vm", "network", "show", "In"]), ["Internal"]);
    assert_eq!(offered(&["vm", "resource", "vnets", "show", "In"]), ["Internal"]);
    assert_eq!(offered(&["vm", "rule", "list", "--of", "In"]), ["Internal"]);
    assert_eq!(offered(&["vm", "resource", "vnet_ru"]), ["vnet_rules", "vnet_rule_aliases"]);
    assert_eq!(offered(&["vm", "resource", "vnets", "apply-r"]), ["apply-rules"]);
    // The name of what is to be made is nobody's.
    assert_eq!(offered(&["vm", "network", "create", "In"]), [""; 0]);
}
