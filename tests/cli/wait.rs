//! `wait`, and `--watch` of lists, over several systems.

use crate::support::playground::Playground;
use crate::support::running::Running;
use crate::support::shown::status;
use serde_json::Value;
use std::process::Output;

/// A daemon with its services, and sandboxes.
fn world() -> Playground {
    let world = Playground::start("pebble,sprites", &["PEBBLE", "SPRITES_ENDPOINT", "SPRITES_TOKEN"]);
    ok(&world, &["vm", "create", "sprites/box", "-q"]);
    let layer = "services:\n  web: {override: replace, command: sleep 1000}\n  bad: {override: replace, command: 'false', on-failure: ignore}\n";
    let mut add = world.esker();
    add.args(["svc", "layer", "add", "base", "-", "--target", "pebble"]).write_stdin(layer).assert().success();
    world
}

fn run(world: &Playground, args: &[&str]) -> Output {
    world.esker().args(args).output().expect("esker runs")
}

#[track_caller]
fn ok(world: &Playground, args: &[&str]) {
    let output = run(world, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn fails(world: &Playground, args: &[&str], code: &str, says: &str) {
    let output = run(world, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(status(&output), code, "{args:?}: {said}");
    assert!(said.contains(says), "{said}");
}

#[test]
fn conditions_of_several_kinds_are_waited_for_together() {
    let world = world();
    let mut command = world.esker_process();
    let file = crate::support::home().join("flag");
    let present = format!("--for=file:{}=present", file.display());
    command.args(["wait", "pebble", "--for", "svc:web=active", &present, "--timeout", "1m"]);
    let waiting = Running::start(&mut command);
    ok(&world, &["svc", "start", "web", "--target", "pebble"]);
    fails(&world, &["wait", "pebble", "--for", "svc:web=active", &present, "--timeout", "300ms"], "9", "there is no `");
    std::fs::write(&file, "").unwrap();
    let output = waiting.end();
    assert_eq!((status(&output).as_str(), output.stdout.len()), ("0", 0), "{output:?}");

    ok(&world, &["wait", "sprites/box", "--for", "vm=usable", "--for", "file:/home/sprite=present"]);
    ok(&world, &["wait", "sprites/*", "--for", "file:/nowhere=absent"]);
    fails(
        &world,
        &["wait", "sprites/box", "--for", "file:/home=absent", "--timeout", "250ms"],
        "9",
        "directory `/home`",
    );
    fails(&world, &["wait", "sprites/gone", "--for", "vm=running"], "6", "gone");
    ok(&world, &["wait", "sprites/gone", "--for", "vm=deleted"]);
}

#[test]
fn what_can_no_longer_hold_is_not_waited_for() {
    let world = world();
    fails(&world, &["wait", "pebble", "--for", "svc:wbe=active"], "6", "did you mean `web`");
    fails(&world, &["wait", "pebble", "--for", "change:99999=done"], "6", "99999");
    let output = run(&world, &["svc", "start", "bad", "--target", "pebble", "-o", "json"]);
    assert!(!output.status.success());
    let changes = run(&world, &["svc", "change", "list", "--target", "pebble", "-o", "json"]);
    let changes: Value = serde_json::from_slice(&changes.stdout).unwrap();
    let failed = changes.as_array().unwrap().iter().find(|change| change["status"] == "Error").unwrap();
    let id = failed["id"].as_str().unwrap();
    fails(&world, &["wait", "pebble", "--for", &format!("change:{id}=done")], "7", "failed");
    ok(&world, &["wait", "pebble", "--for", &format!("change:{id}=ready")]);
}

#[test]
fn conditions_that_do_not_fit_are_refused_before_anything_is_asked() {
    let world = world();
    fails(&world, &["wait", "pebble", "--for", "vm=running"], "11", "vm");
    fails(&world, &["wait", "sprites/box", "--for", "check:x=up"], "11", "svc.check");
    fails(&world, &["wait", "pebble", "--for", "web"], "2", "svc:web=active");
    fails(&world, &["wait", "pebble", "--for", "agent:fix=idle"], "2", "take no target");
    fails(&world, &["wait", "--for", "agent:fix=idle"], "6", "no session `fix`");
}

fn event(running: &mut Running, change: &str) -> Value {
    let line = running.says(&format!(r#""change":"{change}""#));
    assert!(line.starts_with(r#"{"type":"change","change":""#), "{line}");
    serde_json::from_str(&line).unwrap()
}

#[test]
fn a_list_tells_what_changes() {
    let world = world();
    let mut command = world.esker_process();
    command.args(["svc", "list", "--target", "pebble", "--watch=50ms", "-o", "jsonl"]);
    let mut watching = Running::start(&mut command);
    assert_eq!(event(&mut watching, "present")["name"], "bad");
    assert_eq!(event(&mut watching, "present")["name"], "web");
    ok(&world, &["svc", "start", "web", "--target", "pebble"]);
    let changed = event(&mut watching, "changed");
    assert_eq!((&changed["name"], &changed["target"]), (&"web".into(), &"pebble".into()));

    // Where the list is of files, and printed for people.
    let mut command = world.esker_process();
    command.args(["files", "list", "sprites/box:/home/sprite", "--watch=50ms"]);
    let mut files = Running::start(&mut command);
    let mut put = world.esker();
    put.args(["files", "cp", "-", "sprites/box:/home/sprite/note", "-q"]).write_stdin("hi").assert().success();
    let line = files.says(" added ");
    assert!(line.contains("sprites/box") && line.contains("note"), "{line}");
    ok(&world, &["files", "rm", "sprites/box:/home/sprite/note", "-q"]);
    files.says(" deleted ");
}

#[test]
fn what_cannot_be_listed_is_not_watched() {
    let world = world();
    fails(&world, &["svc", "list", "--target", "nobody", "--watch"], "6", "no target `nobody`");
    fails(&world, &["svc", "list", "--target", "sprites/gone", "--watch"], "6", "not found");
    fails(&world, &["svc", "list", "--target", "pebble", "--watch", "-o", "csv"], "2", "neither csv nor names");
}
