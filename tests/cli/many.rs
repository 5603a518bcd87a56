//! Hundreds of targets at once.

use crate::support::daemon::Daemon;
use crate::support::playground::Playground;
use crate::support::{error_of, esker, home, peers};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// So many targets.
const MANY: usize = 500;

#[test]
fn five_hundred_daemons_are_asked_and_each_answer_is_named() {
    if peers::pebble().is_none() {
        return;
    }
    let layer = "services:\n  web: {override: replace, command: sleep 1000}\n";
    let daemons = [(); 3].map(|()| Daemon::start(&[("base", layer)]));
    let mut config = "endpoints:\n".to_owned();
    for number in 0..MANY {
        let socket = daemons[number % 3].socket();
        writeln!(config, "  n{number:03}: {{provider: pebble, socket: {}}}", socket.display()).unwrap();
    }
    let path = home().join("many.yaml");
    std::fs::write(&path, config).unwrap();
    let path = path.display().to_string();
    for which in [&["--all"][..], &["--target", "n*"]] {
        let output = esker().args(["svc", "list", "-o", "json", "--config", &path]).args(which).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let targets: Vec<&str> = rows.iter().map(|row| row["target"].as_str().unwrap()).collect();
        assert_eq!((targets.len(), targets.first(), targets.last()), (MANY, Some(&"n000"), Some(&"n499")));
        assert!(targets.is_sorted());
    }
    let run =
        esker().args(["exec", "n*", "--config", &path, "--jobs", "64", "-o", "jsonl", "--", "true"]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let ended = String::from_utf8_lossy(&run.stdout).lines().filter(|line| line.contains(r#""type":"result""#)).count();
    assert_eq!(ended, MANY);
}

#[test]
fn five_hundred_sandboxes_are_one_inventory_and_one_fan_out() {
    let world = Playground::sprites();
    let names: Vec<String> = (0..MANY).map(|number| format!("sprites/s{number:03}")).collect();
    world.esker().args(["vm", "create", "-q"]).args(&names).assert().success();
    let output = world.esker().args(["vm", "list", "-o", "json"]).output().unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let found: BTreeSet<&str> = rows.iter().map(|row| row["target"].as_str().unwrap()).collect();
    assert_eq!(found, names.iter().map(String::as_str).collect());
    let output =
        world.esker().args(["files", "list", "/home", "--target", "sprites/*", "-o", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let found: BTreeSet<&str> = rows.iter().map(|row| row["target"].as_str().unwrap()).collect();
    assert_eq!(found.len(), MANY);
}

#[test]
fn an_endpoint_that_never_answers_holds_up_no_inventory() {
    let world = Playground::start_with(
        "sprites,rexec",
        &["rexec:stall=0"],
        &["SPRITES_ENDPOINT", "SPRITES_TOKEN", "REXEC_URL", "REXEC_TOKEN"],
    );
    world.esker().args(["vm", "create", "sprites/box", "-q"]).assert().success();
    let output = world.esker().args(["vm", "list", "-o", "json", "--timeout", "2s"]).output().unwrap();
    assert_eq!(output.status.code(), Some(12), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((rows.len(), &rows[0]["target"]), (1, &"sprites/box".into()));
    let error = error_of(&output);
    assert_eq!((&error["kind"], &error["exit_code"]), (&"partial".into(), &12.into()));
    assert!(error["message"].as_str().unwrap().contains('1'), "{error}");
}
