//! The harness itself: a daemon starts, answers, survives a restart and leaves nothing behind.

use crate::support::daemon::Daemon;
use crate::support::{http, peers};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn a_daemon_starts_and_answers() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", "services: {one: {override: replace, command: sleep 1000}}")]);
    let info = http::get(&daemon.socket(), "/v1/system-info");
    assert_eq!((info.status, &info.body["status"]), (200, &json!("OK")));
    let services = http::get(&daemon.socket(), "/v1/services");
    assert_eq!(services.body["result"][0]["name"], "one");
}

#[test]
fn one_service_has_a_path_and_nothing_there() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", "services: {one: {override: replace, command: sleep 1000}}")]);
    for answer in [
        http::get(&daemon.socket(), "/v1/services/one"),
        http::post(&daemon.socket(), "/v1/services/one", &json!({"action": "start"})),
    ] {
        assert_eq!((answer.status, &answer.body["result"]["message"]), (400, &json!("not implemented")));
    }
}

#[test]
fn a_restarted_daemon_is_another_process_on_the_same_files() {
    if peers::pebble().is_none() {
        return;
    }
    let mut daemon = Daemon::start(&[("base", "services: {one: {override: replace, command: sleep 1000}}")]);
    let before = daemon.pid();
    daemon.restart();
    assert_ne!(daemon.pid(), before);
    assert_eq!(http::get(&daemon.socket(), "/v1/services").body["result"][0]["name"], "one");
    assert!(daemon.stop().success());
}

#[test]
fn a_dropped_daemon_takes_its_services_with_it() {
    if peers::pebble().is_none() {
        return;
    }
    let layer =
        r#"services: {one: {override: replace, command: sh -c "trap '' TERM; echo $$; while :; do sleep 1; done"}}"#;
    let daemon = Daemon::options().unprivileged().layers(&[("base", layer)]).start();
    let started = http::post(&daemon.socket(), "/v1/services", &json!({"action": "start", "services": ["one"]}));
    let change = started.body["change"].as_str().expect("a change").to_owned();
    http::get(&daemon.socket(), &format!("/v1/changes/{change}/wait"));
    let descendants = daemon.descendants();
    assert!(!descendants.is_empty());
    drop(daemon);
    // They are killed by now, but whoever inherited them may take a while to collect them.
    for pid in descendants {
        let deadline = Instant::now() + Duration::from_mins(1);
        while is_alive(pid) {
            assert!(Instant::now() < deadline, "{pid} is still there");
            std::thread::yield_now();
        }
    }
}

fn is_alive(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with(['Z', 'X'])))
}
