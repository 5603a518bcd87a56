//! Machines end to end: the binary against the simulator, whose sandboxes run real programs.

use super::{json, lines, stderr, stdout};
use crate::support::playground::Playground;
use crate::support::process::Running;
use serde_json::{Value, json};
use std::process::Output;

fn run(playground: &Playground, args: &[&str]) -> Output {
    playground.esker().args(args).output().expect("esker runs")
}

#[test]
fn the_life_of_a_sandbox() {
    let playground = Playground::sprites();
    let run = |args: &[&str]| run(&playground, args);
    let made =
        json(&run(&["vm", "create", "sprites/dev", "--label", "ci", "--env", "GREETING=hello you", "-o", "json"]));
    assert_eq!((&made["target"], &made["labels"]), (&json!("sprites/dev"), &json!(["ci"])));
    assert_eq!(stdout(&run(&["exec", "sprites/dev", "--", "printenv", "GREETING"])), "hello you\n");
    assert_eq!(run(&["vm", "create", "sprites/dev"]).status.code(), Some(7));
    assert_eq!(run(&["vm", "create", "sprites/Not_A_Name"]).status.code(), Some(8));
    // A program makes it run, and a restart keeps its files.
    assert!(run(&["exec", "sprites/dev", "--", "sh", "-c", "echo kept >~/file"]).status.success());
    assert!(run(&["vm", "wait", "sprites/dev", "--for", "running"]).status.success());
    assert!(run(&["vm", "restart", "sprites/dev"]).status.success());
    assert_eq!(stdout(&run(&["exec", "sprites/dev", "--", "sh", "-c", "cat ~/file"])), "kept\n");
    assert!(run(&["vm", "upgrade", "sprites/dev"]).status.success());
    assert!(run(&["vm", "health", "sprites/dev"]).status.success());
    let url = json(&run(&["vm", "url", "sprites/dev", "--access", "public", "-o", "json"]));
    assert_eq!(url["access"], "public");
    assert_eq!(run(&["vm", "url", "sprites/dev", "--access", "nobody"]).status.code(), Some(8));
    let updated = json(&run(&["vm", "update", "sprites/dev", "--label", "a", "--label", "b", "-o", "json"]));
    assert_eq!(updated["labels"], json!(["a", "b"]));
    let updated = json(&run(&["vm", "update", "sprites/dev", "--clear-labels", "-o", "json"]));
    assert_eq!(updated["labels"], json!([]));
    assert!(run(&["vm", "delete", "sprites/dev", "--confirm", "sprites/dev"]).status.success());
    assert_eq!(run(&["vm", "show", "sprites/dev"]).status.code(), Some(6));
    assert!(run(&["vm", "wait", "sprites/dev", "--for", "deleted"]).status.success());
}

#[test]
fn more_than_a_page_is_made_listed_and_deleted() {
    let playground = Playground::sprites();
    let names: Vec<String> = (0..60).map(|number| format!("sprites/s-{number:02}")).collect();
    let create: Vec<&str> =
        ["vm", "create", "--no-wait", "-q"].into_iter().chain(names.iter().map(String::as_str)).collect();
    assert_eq!(lines(&run(&playground, &create)), names);
    assert_eq!(lines(&run(&playground, &["vm", "list", "-o", "name"])), names);
    assert_eq!(lines(&run(&playground, &["vm", "list", "sprites/s-1*", "-o", "name"])), names[10..20]);
    let deleted = run(&playground, &["vm", "rm", "sprites/s-?[0-7]", "--confirm-count", "48"]);
    assert!(deleted.status.success(), "{deleted:?}");
    assert_eq!(lines(&run(&playground, &["vm", "list", "-o", "name"])).len(), 12);
}

#[test]
fn a_watch_tells_what_becomes_of_them() {
    let playground = Playground::sprites();
    let mut command = playground.esker_process();
    command.args(["vm", "list", "--watch=200ms", "-o", "jsonl"]);
    let mut running = Running::start(command);
    assert!(run(&playground, &["vm", "create", "sprites/a", "--no-wait"]).status.success());
    // Until it is gone, whatever states it goes through.
    let mut change = || -> (String, String) {
        let event: Value = serde_json::from_str(&running.line()).unwrap();
        (event["change"].as_str().unwrap().to_owned(), event["target"].as_str().unwrap().to_owned())
    };
    let first = change();
    assert!(["added", "present"].contains(&first.0.as_str()) && first.1 == "sprites/a", "{first:?}");
    assert!(run(&playground, &["vm", "rm", "sprites/a", "--confirm", "sprites/a"]).status.success());
    while change().0 != "deleted" {}
}

#[test]
fn faults_of_the_simulator_are_told_as_what_they_are() {
    let code = |fault: &str, args: &[&str]| {
        let playground = Playground::start_with("sprites", &[fault], &["SPRITES_ENDPOINT", "SPRITES_TOKEN"]);
        let output = run(&playground, args);
        (output.status.code(), stderr(&output))
    };
    let create = ["vm", "create", "sprites/x"];
    for fault in ["create-limited", "create-limited-bare"] {
        let (code, said) = code(fault, &create);
        assert_eq!(code, Some(13), "{said}");
        assert!(said.contains("try again in 5s"), "{said}");
    }
    let (status, said) = code("too-many-running", &create);
    assert_eq!(status, Some(8), "{said}");
    assert_eq!(code("no-token", &["vm", "list"]).0, Some(0));
}

#[test]
fn doctor_runs_programs_and_finds_lost_bytes() {
    let findings = |faults: &[&str]| -> Vec<(String, String)> {
        let playground = Playground::sandbox(faults);
        let output = run(&playground, &["doctor", "--target", "sprites/box", "-o", "json"]);
        let rows: Vec<Value> =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let ours = rows.iter().filter(|row| row["target"] == "sprites/box");
        ours.map(|row| (text(row, "check"), text(row, "status"))).collect()
    };
    let is = |found: &[(String, String)], check: &str, status: &str| {
        assert!(found.contains(&(check.to_owned(), status.to_owned())), "{check} {status}: {found:?}");
    };
    let found = findings(&[]);
    for check in ["organization", "sandbox", "health", "exec", "stdin", "bulk", "latency"] {
        is(&found, check, "pass");
    }
    // It fails on what does not exist, as the service does.
    is(&found, "unknown", "warn");
    is(&findings(&["truncate"]), "bulk", "fail");
    is(&findings(&["no-exit"]), "exec", "fail");
}
