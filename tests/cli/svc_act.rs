//! What changes services: results in words and as objects, for one and for several, done, left running and failed.

use crate::support::daemon::Daemon;
use crate::support::shown::{assert_shown, shown, status};
use crate::support::{endpoints, error_of, esker, esker_on, peers};
use serde_json::{Value, json};
use std::process::Output;

const LAYER: &str = "
services:
  web: {override: replace, command: sleep 1000, startup: enabled, requires: [db], after: [db]}
  db: {override: replace, command: sleep 1000}
  quick: {override: replace, command: sh -c 'echo oops; exit 3', backoff-delay: 1h}
";

fn run(daemon: &Daemon, args: &[&str]) -> Output {
    esker_on(daemon).arg("svc").args(args).output().expect("it runs")
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", shown(output)))
}

#[test]
fn each_action_says_what_became_of_each_service() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", LAYER)]);
    let mut text = String::new();
    for args in [
        &["start", "web"][..],
        &["start", "web"],
        &["restart", "web"],
        &["replan"],
        &["autostart"],
        &["signal", "cont", "web", "quick"],
        &["stop", "db"],
        &["stop", "db"],
        &["start", "quick"],
    ] {
        text.push_str(&format!("$ svc {}\n{}", args.join(" "), shown(&run(&daemon, args))));
    }
    assert_shown!(text, @r#"
    $ svc start web
    --- stderr
    started `web` on `pebble`
    started `db` on `pebble`
    [exit status: 0]
    $ svc start web
    --- stderr
    nothing to start, already active: `web` on `pebble`
    nothing to start, already active: `db` on `pebble`
    [exit status: 0]
    $ svc restart web
    --- stderr
    restarted `web` on `pebble`
    nothing to restart, already active: `db` on `pebble`
    [exit status: 0]
    $ svc replan
    --- stderr
    nothing to replan, already active: `db` on `pebble`
    nothing to replan, already active: `web` on `pebble`
    [exit status: 0]
    $ svc autostart
    --- stderr
    nothing to autostart, already active: `db` on `pebble`
    nothing to autostart, already active: `web` on `pebble`
    [exit status: 0]
    $ svc signal cont web quick
    --- stderr
    sent SIGCONT to `web` on `pebble`
    error: cannot send SIGCONT to `quick` on `pebble`: service is not running
    error: 1 of 2 services failed
    [exit status: 12]
    $ svc stop db
    --- stderr
    stopped `db` on `pebble`
    stopped `web` on `pebble`
    [exit status: 0]
    $ svc stop db
    --- stderr
    nothing to stop, already inactive: `db` on `pebble`
    nothing to stop, already inactive: `web` on `pebble`
    [exit status: 0]
    $ svc start quick
    --- stderr
    error: cannot start `quick` on `pebble`: exited quickly with code 3 (pebble keeps retrying)
    cause: oops
    hint: see `esker svc logs quick -n 50`, or stop it with `esker svc stop quick`
    [exit status: 1]
    "#);
}

#[test]
fn programs_get_one_object_per_service_with_the_operation() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", LAYER)]);
    let rows = json_of(&run(&daemon, &["start", "web", "-o", "json"]));
    let summary: Vec<_> = rows
        .as_array()
        .expect("an array")
        .iter()
        .map(|row| (&row["name"], &row["changed"], &row["state"], &row["operation_id"]))
        .collect();
    let (yes, active, one) = (json!(true), json!("active"), json!("1"));
    assert_eq!(summary, [(&json!("web"), &yes, &active, &one), (&json!("db"), &yes, &active, &one)]);
    let again = json_of(&run(&daemon, &["start", "web", "-o", "json"]));
    assert_eq!((&again[0]["changed"], &again[0]["operation_id"]), (&json!(false), &json!("2")));
}

#[test]
fn one_of_several_that_fails_is_partial() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", LAYER)]);
    let output = run(&daemon, &["start", "db", "quick", "-o", "json"]);
    let error = error_of(&output);
    assert_eq!((status(&output).as_str(), &error["kind"]), ("12", &json!("partial")));
    assert_eq!((&error["items"][0]["kind"], &error["items"][0]["operation_id"]), (&json!("failure"), &json!("1")));
    assert_eq!(json_of(&output)[0]["name"], "db", "what succeeded is on stdout");
    // A misspelt name changes nothing, and says what was probably meant.
    assert_shown!(shown(&run(&daemon, &["stop", "db", "wbe"])), @r#"
    --- stderr
    error: no service `wbe` on `pebble`
    cause: pebble: cannot stop services: service "wbe" does not exist
    hint: did you mean `web`? see `esker svc list --target pebble`
    [exit status: 6]
    "#);
}

#[test]
fn what_is_not_waited_for_leaves_its_id() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", LAYER)]);
    assert_shown!(shown(&run(&daemon, &["start", "db", "--no-wait"])), @r#"
    1
    [exit status: 0]
    "#);
    assert_shown!(shown(&run(&daemon, &["change", "wait", "1"])), @r#"
    --- stderr
    change 1 on `pebble` is Done
    [exit status: 0]
    "#);
    assert_shown!(shown(&run(&daemon, &["stop", "db", "--no-wait", "-o", "json"])), @r#"
    {
      "provider": "pebble",
      "target": "pebble",
      "operation_id": "2"
    }
    [exit status: 0]
    "#);
}

#[test]
fn a_change_on_several_daemons_is_reported_for_each() {
    if peers::pebble().is_none() {
        return;
    }
    let daemons = [Daemon::start(&[("base", LAYER)]), Daemon::start(&[("base", LAYER)])];
    let config =
        endpoints(&[("a", daemons[0].socket()), ("b", daemons[1].socket()), ("gone", "/nonexistent/socket".into())]);
    let run = |args: &[&str]| esker().args(&config).arg("svc").args(args).output().expect("it runs");
    let output = run(&["start", "db", "--target", "a", "--target", "b", "-o", "json"]);
    let rows = json_of(&output);
    assert_eq!((&rows[0]["target"], &rows[1]["target"]), (&json!("a"), &json!("b")), "{}", shown(&output));
    assert_shown!(shown(&run(&["stop", "db", "--target", "*"])), @r#"
    --- stderr
    stopped `db` on `a`
    nothing to stop, already inactive: `web` on `a`
    stopped `db` on `b`
    nothing to stop, already inactive: `web` on `b`
    error: cannot stop `db` on `gone`: no socket at `/nonexistent/socket`
    hint: is the daemon running there? the path comes from [DIR]/endpoints.yaml:4, or name another with --target unix:/PATH
    error: 1 of 5 services failed
    [exit status: 12]
    "#);
}
