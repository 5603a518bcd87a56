//! `--compat` prints what Pebble's own client prints, byte for byte; and both share one state file.

use crate::support::daemon::Daemon;
use crate::support::shown::{shown, status};
use crate::support::{esker_on, home, peers};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const LAYER: &str = r#"
services:
  web: {override: replace, command: sleep 1000, startup: enabled}
  "wéb <&> \"quoted\"": {override: replace, command: sleep 1000}
  idle: {override: replace, command: sleep 1000}
  quick: {override: replace, command: "sh -c 'echo \"<why> & \\\"how\\\" é\"; exit 3'", backoff-delay: 1h}
  noisy: {override: replace, command: "sh -c 'printf \"<a> & \\\"b\\\" \\t é \\342\\200\\250 \\033[31m \\377 end\\n\"; echo; printf partial; sleep 1000'"}
checks:
  bad: {override: replace, level: ready, period: 2s, threshold: 2, exec: {command: "sh -c 'echo \"<why> & é\"; exit 2'"}}
  good: {override: replace, level: alive, period: 1h, exec: {command: 'true'}}
  "off <&>": {override: replace, startup: disabled, exec: {command: 'true'}}
"#;

/// Pebble's own client, with the state file that [`esker_on`] uses.
fn pebble(daemon: &Daemon, args: &[&str]) -> Output {
    let mut command = Command::new(peers::pebble().expect("the caller has checked"));
    command.env_clear().env("PEBBLE", daemon.dir()).env("HOME", home()).env("TZ", "UTC");
    command.env("XDG_CONFIG_HOME", home().join("config")).args(args).output().expect("it runs")
}

fn esker(daemon: &Daemon, args: &[&str]) -> Output {
    esker_on(daemon).args(args).output().expect("it runs")
}

/// Compares the two while the daemon's state stands still: between two equal answers of Pebble's client.
fn same(daemon: &Daemon, theirs: &[&str], ours: &[&str]) {
    let theirs = [theirs, &["--format", "json"]].concat();
    let ours = [ours, &["--compat"]].concat();
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let before = pebble(daemon, &theirs);
        let answer = esker(daemon, &ours);
        let after = pebble(daemon, &theirs);
        assert!(before.status.success(), "{theirs:?}: {}", shown(&before));
        if before.stdout == after.stdout {
            assert!(!before.stdout.is_empty(), "{theirs:?} prints something");
            let text = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(text(&answer), text(&before), "{ours:?}: {}", shown(&answer));
            assert_eq!(answer.stdout, before.stdout, "{ours:?}");
            return;
        }
        assert!(Instant::now() < deadline, "{theirs:?} never stands still");
    }
}

#[test]
fn documents_equal_those_of_the_own_client() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", LAYER)]);
    let special = "wéb <&> \"quoted\"";
    for name in ["web", special, "quick", "noisy"] {
        esker(&daemon, &["svc", "start", name]);
    }
    same(&daemon, &["services"], &["svc", "list"]);
    same(&daemon, &["services", "web", special], &["svc", "list", "web", special]);
    same(&daemon, &["checks"], &["svc", "check", "list"]);
    same(&daemon, &["checks", "--level", "ready"], &["svc", "check", "list", "--level", "ready"]);
    same(&daemon, &["checks", "off <&>", "good"], &["svc", "check", "list", "off <&>", "good"]);
    for check in ["bad", "good", "off <&>"] {
        same(&daemon, &["check", check], &["svc", "check", "show", check]);
    }
    same(&daemon, &["health"], &["svc", "health"]);
    same(&daemon, &["health", "--level", "alive"], &["svc", "health", "--level", "alive"]);
    same(&daemon, &["changes"], &["svc", "change", "list"]);
    same(&daemon, &["changes", special], &["svc", "change", "list", special]);
    let changes: Value =
        serde_json::from_slice(&pebble(&daemon, &["changes", "--format", "json"]).stdout).expect("JSON");
    for change in changes["changes"].as_array().expect("an array") {
        let id = change["id"].as_str().expect("text");
        same(&daemon, &["tasks", id], &["svc", "change", "show", id]);
    }
    same(&daemon, &["tasks", "--last", "start"], &["svc", "change", "show", "--last", "start"]);
    same(&daemon, &["logs", "-n", "all"], &["svc", "logs", "-n", "all"]);
    same(&daemon, &["logs", "noisy", "-n", "1"], &["svc", "logs", "noisy", "-n", "1"]);
}

#[test]
fn notices_and_identities_equal_those_of_the_own_client() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", "services: {one: {override: replace, command: sleep 1000}}")]);
    for (key, data) in [("example.com/a", "k=<v> & \"é\""), ("example.com/b", "plain=1"), ("example.com/b", "plain=2")]
    {
        let noted = esker(&daemon, &["svc", "notice", "notify", key, data, "--repeat-after", "1h30m"]);
        assert!(noted.status.success(), "{}", shown(&noted));
    }
    esker(&daemon, &["svc", "start", "one"]);
    let document =
        "identities: {bob: {access: read, local: {user-id: 1001}}, al: {access: admin, local: {user-id: 7}}}";
    let added = esker_on(&daemon).args(["svc", "identity", "add", "--from", "-"]).write_stdin(document).output();
    assert!(added.expect("it runs").status.success());
    same(&daemon, &["notices"], &["svc", "notice", "list"]);
    same(&daemon, &["notices", "--type", "custom"], &["svc", "notice", "list", "--type", "custom"]);
    same(&daemon, &["notices", "--key", "example.com/b"], &["svc", "notice", "list", "--key", "example.com/b"]);
    same(&daemon, &["notice", "1"], &["svc", "notice", "show", "1"]);
    same(&daemon, &["notice", "custom", "example.com/b"], &["svc", "notice", "show", "custom", "example.com/b"]);
    same(&daemon, &["warnings"], &["svc", "warning", "list"]);
    same(&daemon, &["warnings", "--all"], &["svc", "warning", "list", "--acknowledged"]);
    same(&daemon, &["identities"], &["svc", "identity", "list"]);
    same(&daemon, &["identity", "bob"], &["svc", "identity", "show", "bob"]);
}

#[test]
fn empty_documents_equal_those_of_the_own_client() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[]);
    let pairs = [
        (vec!["services"], vec!["svc", "list"]),
        (vec!["checks"], vec!["svc", "check", "list"]),
        (vec!["changes"], vec!["svc", "change", "list"]),
        (vec!["notices"], vec!["svc", "notice", "list"]),
        (vec!["identities"], vec!["svc", "identity", "list"]),
        (vec!["warnings"], vec!["svc", "warning", "list"]),
    ];
    for (theirs, ours) in pairs {
        same(&daemon, &theirs, &ours);
    }
}

fn state_file() -> PathBuf {
    home().join("config/pebble/cli.json")
}

/// The ids of the notices that are not acknowledged.
fn unread(output: &Output) -> Vec<String> {
    let stdout: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows = stdout.get("notices").unwrap_or(&stdout).as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["id"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn what_one_acknowledges_the_other_does_not_show() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[]);
    let notify = |key: &str| assert!(esker(&daemon, &["svc", "notice", "notify", key]).status.success());
    let both = || {
        let theirs = unread(&pebble(&daemon, &["notices", "--format", "json"]));
        let ours = unread(&esker(&daemon, &["svc", "notice", "list", "-o", "json"]));
        assert_eq!(theirs, ours);
        ours
    };
    notify("example.com/a");
    assert_eq!(both(), ["1"]);
    // Theirs, then ours.
    assert!(pebble(&daemon, &["notices"]).status.success());
    assert!(pebble(&daemon, &["okay"]).status.success());
    assert_eq!(both(), Vec::<String>::new());
    notify("example.com/b");
    assert_eq!(both(), ["2"]);
    assert!(esker(&daemon, &["svc", "notice", "list"]).status.success());
    let acknowledged = esker(&daemon, &["svc", "notice", "ack"]);
    assert!(acknowledged.status.success(), "{}", shown(&acknowledged));
    assert_eq!(both(), Vec::<String>::new());
    // All of them are still there.
    assert_eq!(unread(&esker(&daemon, &["svc", "notice", "list", "--unread", "false", "-o", "json"])), ["1", "2"]);
}

#[test]
fn there_is_nothing_to_acknowledge_before_something_was_listed() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[]);
    assert!(esker(&daemon, &["svc", "notice", "notify", "example.com/a"]).status.success());
    // A script that reads them lists nothing to anybody.
    assert!(esker(&daemon, &["svc", "notice", "list", "-o", "json"]).status.success());
    assert_eq!(status(&esker(&daemon, &["svc", "notice", "ack"])), "7");
    assert!(!state_file().exists());
}

#[test]
fn a_state_file_that_cannot_be_read_fails_nothing_that_does_not_need_it() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", "services: {one: {override: replace, command: sleep 1000}}")]);
    fs::create_dir_all(state_file().parent().expect("a folder")).expect("a folder");
    fs::write(state_file(), "{ not JSON").expect("a file");
    let list = esker(&daemon, &["svc", "list"]);
    assert_eq!((status(&list).as_str(), list.stderr.len()), ("0", 0), "{}", shown(&list));
    assert!(esker(&daemon, &["svc", "notice", "notify", "example.com/a"]).status.success());
    for args in [&["svc", "notice", "list"][..], &["svc", "notice", "list", "-o", "json"]] {
        let output = esker(&daemon, args);
        assert_eq!(status(&output), "0", "{}", shown(&output));
        assert!(String::from_utf8_lossy(&output.stderr).contains("cli.json"), "{}", shown(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("example.com/a"), "{}", shown(&output));
    }
    for command in [&["svc", "warning", "list"][..], &["svc", "warning", "list", "--compat"]] {
        let output = esker(&daemon, command);
        assert_eq!(status(&output), "0", "{}", shown(&output));
        assert!(String::from_utf8_lossy(&output.stderr).contains("cli.json"), "{}", shown(&output));
    }
    assert_eq!(status(&esker(&daemon, &["svc", "notice", "ack"])), "3");
    assert_eq!(fs::read_to_string(state_file()).expect("a file"), "{ not JSON", "it is not overwritten");
}

#[test]
fn a_home_that_cannot_be_written_or_is_unset_fails_nothing() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[]);
    assert!(esker(&daemon, &["svc", "notice", "notify", "example.com/a"]).status.success());
    let file = home().join("file");
    fs::write(&file, "").expect("a file");
    for (variable, value) in [("XDG_CONFIG_HOME", Some(file)), ("XDG_CONFIG_HOME", None)] {
        let mut command = esker_on(&daemon);
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable).env_remove("HOME"),
        };
        let output = command.args(["svc", "notice", "list"]).output().expect("it runs");
        assert_eq!(status(&output), "0", "{}", shown(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("example.com/a"), "{}", shown(&output));
    }
}
