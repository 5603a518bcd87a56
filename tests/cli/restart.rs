//! What happens to waiting and following while the daemon goes away and comes back, or a signal comes.

use crate::support::daemon::Daemon;
use crate::support::running::Running;
use crate::support::shown::{shown, status};
use crate::support::{error_of, esker_on, esker_process_on, http, peers};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::process::Output;
use std::time::{Duration, Instant};

/// Stopping it takes as long as the test does.
const STUBBORN: &str = "
services:
  stubborn: {override: replace, command: sh -c 'trap \"\" TERM; echo up; while :; do sleep 1; done', kill-delay: 1h}
";

fn esker(daemon: &Daemon, args: &[&str]) -> Output {
    esker_on(daemon).args(args).output().expect("it runs")
}

fn ok(daemon: &Daemon, args: &[&str]) -> Output {
    let output = esker(daemon, args);
    assert!(output.status.success(), "{args:?}: {}", shown(&output));
    output
}

/// Waits until the daemon works on a change of this kind; returns the change.
fn under_way(daemon: &Daemon, kind: &str) -> Value {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let changes = http::get(&daemon.socket(), "/v1/changes?select=all").body["result"].clone();
        let found =
            changes.as_array().and_then(|changes| changes.iter().find(|change| change["kind"] == kind).cloned());
        if let Some(change) = found {
            return change;
        }
        assert!(Instant::now() < deadline, "no change of kind {kind}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn id_of(change: &Value) -> String {
    change["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_wait_survives_a_restart_of_a_daemon_that_keeps_its_state() {
    if peers::pebble().is_none() {
        return;
    }
    let mut daemon = Daemon::options().persist().layers(&[("base", STUBBORN)]).start();
    ok(&daemon, &["svc", "start", "stubborn"]);
    let stop = Running::start(esker_process_on(&daemon).args(["svc", "stop", "stubborn"]));
    let id = id_of(&under_way(&daemon, "stop"));
    let mut wait = Running::start(esker_process_on(&daemon).args(["svc", "change", "wait", &id, "-o", "json", "-vvv"]));
    wait.notes("/wait?timeout=");
    daemon.kill();
    wait.notes("lost the connection");
    daemon.restart();
    // The new daemon has no such process: it takes up the change and has nothing to stop.
    let outputs = [wait.end(), stop.end()];
    let truth = http::get(&daemon.socket(), &format!("/v1/changes/{id}")).body["result"].clone();
    assert_eq!((&truth["ready"], &truth["status"]), (&json!(true), &json!("Done")));
    for output in &outputs {
        assert_eq!(status(output), "0", "{}", shown(output));
        assert!(String::from_utf8_lossy(&output.stderr).contains("lost the connection"), "{}", shown(output));
    }
    let waited: Value = serde_json::from_slice(&outputs[0].stdout).expect("JSON");
    assert_eq!((&waited["id"], &waited["status"]), (&json!(id), &json!("Done")));
}

#[test]
fn a_wait_for_a_change_that_the_daemon_forgot_is_no_success() {
    if peers::pebble().is_none() {
        return;
    }
    let mut daemon = Daemon::start(&[("base", STUBBORN)]);
    ok(&daemon, &["svc", "start", "stubborn"]);
    let mut stop = Running::start(esker_process_on(&daemon).args(["svc", "stop", "stubborn", "-o", "json"]));
    let id = id_of(&under_way(&daemon, "stop"));
    daemon.kill();
    stop.notes("lost the connection");
    daemon.restart();
    let output = stop.end();
    let error = error_of(&output);
    assert_eq!((status(&output).as_str(), &error["operation_id"]), ("10", &json!(id)), "{}", shown(&output));
    assert!(error["message"].as_str().is_some_and(|message| message.contains("no longer knows it")), "{error}");
    assert!(error["causes"].to_string().contains("nobody knows whether it was done"), "{error}");
}

#[test]
fn interrupting_or_expiring_stops_the_waiting_and_not_the_change() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", STUBBORN)]);
    ok(&daemon, &["svc", "start", "stubborn"]);
    let stop = Running::start(esker_process_on(&daemon).args(["svc", "stop", "stubborn"]));
    let id = id_of(&under_way(&daemon, "stop"));
    let waited = http::get(&daemon.socket(), &format!("/v1/changes/{id}/wait?timeout=300ms"));
    assert_eq!(waited.status, 504, "it takes its time");
    stop.signal(Signal::INT);
    let output = stop.end();
    assert_eq!(status(&output), format!("signal {}", Signal::INT.as_raw()), "{}", shown(&output));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("esker svc change wait {id}")) && said.contains("it goes on"), "{said}");
    assert!(!said.contains("internal") && output.stdout.is_empty(), "{}", shown(&output));

    let expired = esker(&daemon, &["svc", "change", "wait", &id, "--timeout", "200ms", "-o", "json"]);
    assert_eq!(
        (status(&expired).as_str(), &error_of(&expired)["operation_id"]),
        ("9", &json!(id)),
        "{}",
        shown(&expired)
    );
    let change = http::get(&daemon.socket(), &format!("/v1/changes/{id}")).body["result"].clone();
    assert_eq!((&change["ready"], &change["status"]), (&json!(false), &json!("Doing")), "it was let go on");
}

#[test]
fn a_daemon_that_is_not_there_yet_is_waited_for() {
    if peers::pebble().is_none() {
        return;
    }
    let mut daemon = Daemon::start(&[]);
    daemon.stop();
    let gone = esker(&daemon, &["svc", "info", "--wait-for-daemon", "100ms"]);
    assert_eq!(status(&gone), "10", "{}", shown(&gone));
    let waiting =
        Running::start(esker_process_on(&daemon).args(["svc", "info", "-o", "json", "--wait-for-daemon", "1m"]));
    daemon.restart();
    let output = waiting.end();
    let info: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", shown(&output)));
    assert_eq!((status(&output).as_str(), info["version"].is_string()), ("0", true));
}

const TALKERS: &str = "
services:
  first: {override: replace, command: sh -c 'echo first-$$; exec sleep 1000'}
  later: {override: replace, command: sh -c 'echo later-$$; exec sleep 1000'}
";

/// The messages of a follow, all different: what comes once in the logs is shown once.
fn messages(output: &Output) -> Vec<String> {
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let all: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["message"].as_str().expect("text").to_owned())
        .collect();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "nothing twice: {all:?}");
    all
}

fn follow(daemon: &Daemon, args: &[&str]) -> Running {
    Running::start(esker_process_on(daemon).args(["svc", "logs", "-f", "-n", "all", "-o", "jsonl"]).args(args))
}

#[test]
fn following_goes_on_over_a_restart_of_the_daemon() {
    if peers::pebble().is_none() {
        return;
    }
    let mut daemon = Daemon::start(&[("base", TALKERS)]);
    ok(&daemon, &["svc", "start", "first"]);
    let mut following = follow(&daemon, &[]);
    following.says("first-");
    daemon.restart();
    following.notes("lost the connection");
    following.notes("reconnected");
    ok(&daemon, &["svc", "start", "first"]);
    following.says("first-");
    // A second time, killed: its socket is left behind.
    daemon.kill();
    following.notes("lost the connection");
    daemon.restart();
    ok(&daemon, &["svc", "start", "first"]);
    following.says("first-");
    following.signal(Signal::INT);
    let output = following.end();
    assert_eq!(messages(&output).len(), 3, "{}", shown(&output));
    assert_eq!(status(&output), format!("signal {}", Signal::INT.as_raw()));
}

#[test]
fn following_picks_up_what_starts_later() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", TALKERS)]);
    ok(&daemon, &["svc", "start", "first"]);
    let mut following = follow(&daemon, &[]);
    following.says("first-");
    ok(&daemon, &["svc", "start", "later"]);
    following.says("later-");
    let layer = "services: {added: {override: replace, command: sh -c 'echo added-$$; exec sleep 1000'}}";
    let added = esker_on(&daemon).args(["svc", "layer", "add", "more", "-"]).write_stdin(layer).output();
    assert!(added.expect("it runs").status.success());
    ok(&daemon, &["svc", "start", "added"]);
    following.says("added-");
    ok(&daemon, &["svc", "restart", "first"]);
    following.says("first-");
    following.signal(Signal::TERM);
    let output = following.end();
    assert_eq!(messages(&output).len(), 4, "{}", shown(&output));
    assert_eq!(output.stderr.len(), 0, "{}", shown(&output));
}

#[test]
fn following_by_name_shows_no_other_service() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", TALKERS)]);
    let mut following = follow(&daemon, &["later"]);
    ok(&daemon, &["svc", "start", "first"]);
    ok(&daemon, &["svc", "start", "later"]);
    following.says("later-");
    following.signal(Signal::TERM);
    let output = following.end();
    assert_eq!(messages(&output).len(), 1, "{}", shown(&output));
}

#[test]
fn lines_of_any_length_and_kind_arrive() {
    if peers::pebble().is_none() {
        return;
    }
    let layer = r#"
services:
  long: {override: replace, command: "sh -c 'head -c 60000 /dev/zero | tr \"\\\\0\" x; echo; exec sleep 1000'"}
  huge: {override: replace, command: "sh -c 'head -c 204800 /dev/zero | tr \"\\\\0\" y; echo; sleep 0.2; echo after; exec sleep 1000'"}
  quotes: {override: replace, command: "sh -c 'head -c 3000 /dev/zero | tr \"\\\\0\" \"\\\"\"; echo; exec sleep 1000'"}
  bytes: {override: replace, command: "sh -c 'printf \"a\\\\377\\\\000b\\\\n\"; exec sleep 1000'"}
"#;
    let daemon = Daemon::start(&[("base", layer)]);
    for service in ["long", "huge", "quotes", "bytes"] {
        ok(&daemon, &["svc", "start", service]);
    }
    let text = |service: &str| {
        let output = ok(&daemon, &["svc", "logs", service, "-n", "all", "-o", "json"]);
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        rows.iter().map(|row| row["message"].as_str().expect("text")).collect::<String>()
    };
    assert_eq!(text("long"), "x".repeat(60000), "the daemon cuts it into entries, and none is lost");
    assert_eq!(text("quotes"), "\"".repeat(3000), "more than the own client can read");
    assert_eq!(text("bytes"), "a\u{fffd}\0b");
    // More than the daemon keeps of a service: it gives none of that line, and goes on with the next.
    assert!(text("huge").ends_with("after"));
}
