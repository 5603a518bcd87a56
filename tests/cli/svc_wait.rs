//! `svc wait`, `check wait`, `change wait` and `notice wait`: met, expired, impossible and unknown (ux 6.2).

use crate::support::daemon::Daemon;
use crate::support::running::Running;
use crate::support::shown::{assert_shown, shown, status};
use crate::support::{esker, esker_on, esker_process_on, http, peers};
use serde_json::{Value, json};
use std::process::Output;

const LAYER: &str = "
services:
  web: {override: replace, command: sleep 1000}
  once: {override: replace, command: sh -c 'sleep 1.2; exit 1', on-failure: ignore}
  quick: {override: replace, command: sh -c 'exit 3', on-failure: ignore}
checks:
  good: {override: replace, level: alive, period: 1h, exec: {command: 'true'}}
  bad: {override: replace, level: ready, period: 20ms, threshold: 2, exec: {command: 'false'}}
  off: {override: replace, startup: disabled, exec: {command: 'true'}}
";

fn run(daemon: &Daemon, args: &[&str]) -> Output {
    esker_on(daemon).arg("svc").args(args).output().expect("it runs")
}

/// The exit code, with all that was said for when it is another one.
fn code(daemon: &Daemon, args: &[&str]) -> (String, String) {
    let output = run(daemon, args);
    (status(&output), shown(&output))
}

fn daemon() -> Option<Daemon> {
    peers::pebble()?;
    Some(Daemon::start(&[("base", LAYER)]))
}

#[test]
fn a_service_that_gets_there_in_time() {
    let Some(daemon) = daemon() else { return };
    let waiting =
        Running::start(esker_process_on(&daemon).args(["svc", "wait", "web", "--for", "active", "--timeout", "1m"]));
    assert!(run(&daemon, &["start", "web"]).status.success());
    let output = waiting.end();
    assert_eq!((status(&output).as_str(), output.stdout.len()), ("0", 0), "{}", shown(&output));
    assert_shown!(shown(&run(&daemon, &["wait", "web", "once", "--for", "active", "--timeout", "300ms"])), @r#"
    --- stderr
    error: `svc wait web once --for active` gave up after 300ms: service `once` is `inactive`
    [exit status: 9]
    "#);
}

#[test]
fn a_service_that_will_not_get_there_is_not_waited_for() {
    let Some(daemon) = daemon() else { return };
    assert!(run(&daemon, &["start", "once"]).status.success());
    // It ends by itself and stays down: no clock is sat out.
    let output = run(&daemon, &["wait", "once", "--for", "error", "--timeout", "1m"]);
    assert_eq!(status(&output), "0", "{}", shown(&output));
    assert_shown!(shown(&run(&daemon, &["wait", "once", "--for", "active", "--timeout", "1h"])), @r#"
    --- stderr
    error: `svc wait once --for active` can no longer be met on `pebble`: service `once` is `error` and is not started again by itself
    [exit status: 7]
    "#);
}

#[test]
fn what_does_not_exist_is_not_waited_for() {
    let Some(daemon) = daemon() else { return };
    assert_shown!(shown(&run(&daemon, &["wait", "wbe", "--for", "active", "--timeout", "1h"])), @r#"
    --- stderr
    error: no service `wbe` on `pebble`
    hint: did you mean `web`? see `esker svc list --target pebble`
    [exit status: 6]
    "#);
    assert_shown!(shown(&run(&daemon, &["check", "wait", "god", "--timeout", "1h"])), @r#"
    --- stderr
    error: no check `god` on `pebble`
    hint: did you mean `good`?
    [exit status: 6]
    "#);
    assert_shown!(shown(&run(&daemon, &["change", "wait", "99", "--timeout", "1h"])), @r#"
    --- stderr
    error: cannot show change 99 on `pebble`: cannot find change with id "99"
    hint: `esker svc change list` shows all
    [exit status: 6]
    "#);
    assert_shown!(shown(&run(&daemon, &["change", "wait", "../1"])), @r#"
    --- stderr
    error: `../1` is not the id of a change
    hint: ids are in the first column of `esker svc change list`
    [exit status: 2]
    "#);
    assert_shown!(shown(&run(&daemon, &["change", "wait", "--last", "start"])), @r#"
    --- stderr
    error: no change of kind `start` on `pebble`
    hint: `--last 'start?'` accepts that there is none
    [exit status: 6]
    "#);
    let gone = esker().env("PEBBLE", "/nonexistent").args(["svc", "wait", "web", "--for", "active"]).output();
    assert_eq!(status(&gone.expect("it runs")), "10");
}

#[test]
fn a_condition_that_means_nothing_is_a_usage_error() {
    let Some(daemon) = daemon() else { return };
    for args in [
        &["wait", "--for", "active"][..],
        &["wait", "web", "--for", "healthy"],
        &["wait", "web"],
        &["wait", "web", "--for", "actve"],
        &["check", "wait", "good", "--for", "sideways"],
    ] {
        let (code, said) = code(&daemon, args);
        assert_eq!(code, "2", "{args:?}: {said}");
    }
}

#[test]
fn checks_and_health() {
    let Some(daemon) = daemon() else { return };
    for (args, expected) in [
        (&["check", "wait", "good"][..], "0"),
        (&["check", "wait", "bad", "--for", "down", "--timeout", "1m"], "0"),
        (&["check", "wait", "off", "--for", "inactive"], "0"),
        (&["check", "wait", "bad", "--timeout", "300ms"], "9"),
        (&["check", "wait", "off", "--timeout", "1h"], "7"),
        (&["wait", "--for", "unhealthy", "--timeout", "1m"], "0"),
        (&["wait", "--for", "healthy", "--level", "alive"], "0"),
        (&["wait", "--for", "healthy", "--timeout", "300ms"], "9"),
        (&["health"], "1"),
        (&["health", "-o", "json"], "1"),
        (&["health", "--compat"], "1"),
        (&["health", "--level", "alive"], "0"),
    ] {
        let (code, said) = code(&daemon, args);
        assert_eq!(code, expected, "{args:?}: {said}");
    }
}

#[test]
fn changes() {
    let Some(daemon) = daemon() else { return };
    assert!(run(&daemon, &["start", "web"]).status.success());
    assert!(!run(&daemon, &["start", "quick"]).status.success());
    assert_shown!(shown(&run(&daemon, &["change", "wait", "--last", "start"])), @r#"
    --- stderr
    error: change 5 on `pebble` failed: Start service "quick"
    cause: pebble: cannot perform the following tasks:
      - Start service "quick" (service start attempt: exited quickly with code 3, will ignore)
    [exit status: 1]
    "#);
    let last = run(&daemon, &["change", "show", "--last", "start", "-o", "json"]);
    let last: Value = serde_json::from_slice(&last.stdout).expect("JSON");
    assert_eq!((&last["status"], &last["ready"]), (&json!("Error"), &json!(true)));
    for (args, expected) in [
        (&["change", "wait", "--last", "stop?"][..], "0"),
        (&["change", "wait", "--last", "stop"], "6"),
        // What recovers a check is a change that does not end before the check passes.
        (&["check", "wait", "bad", "--for", "down", "--timeout", "1m"], "0"),
        (&["change", "wait", "--last", "recover-check", "--timeout", "300ms"], "9"),
        (&["change", "abort", "--last", "start"], "7"),
    ] {
        let (code, said) = code(&daemon, args);
        assert_eq!(code, expected, "{args:?}: {said}");
    }
}

#[test]
fn notices() {
    let Some(daemon) = daemon() else { return };
    assert!(run(&daemon, &["notice", "notify", "example.com/before"]).status.success());
    let (code, said) = code(&daemon, &["notice", "wait", "--type", "custom", "--timeout", "300ms"]);
    assert_eq!(code, "9", "what was there before is not the next one: {said}");
    let unread = run(&daemon, &["notice", "wait", "--type", "custom", "--unread", "--timeout", "1m", "-o", "json"]);
    let unread: Value = serde_json::from_slice(&unread.stdout).expect("JSON");
    assert_eq!(unread["key"], "example.com/before");

    let args = ["svc", "notice", "wait", "--key", "example.com/next", "-o", "json", "--timeout", "1m"];
    let waiting = Running::start(esker_process_on(&daemon).args(args));
    // Whether it waits already cannot be seen from outside; every notice that comes is one more chance.
    let mut waiting = Some(waiting);
    std::thread::scope(|scope| {
        let (sender, ended) = std::sync::mpsc::channel();
        let waiting = waiting.take().expect("it was put there");
        scope.spawn(move || sender.send(waiting.end()));
        let output = loop {
            let body = json!({"action": "add", "type": "custom", "key": "example.com/next", "data": {"n": "1"}});
            assert_eq!(http::post(&daemon.socket(), "/v1/notices", &body).status, 200);
            if let Ok(output) = ended.recv_timeout(std::time::Duration::from_millis(20)) {
                break output;
            }
        };
        let notice: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", shown(&output)));
        assert_eq!((status(&output).as_str(), &notice["data"]["n"]), ("0", &json!("1")));
    });
}
