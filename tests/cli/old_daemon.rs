//! Daemons older and newer than ours, and daemons that misbehave: shown as far as they go, never a panic.

use crate::support::error_of;
use crate::support::fake::{Asked, Fake, Reply, accepted, refused, sync, unknown};
use crate::support::shown::{assert_shown, shown, status};
use serde_json::{Value, json};
use std::process::Output;

/// A daemon of long ago: services, changes and checks, and little else.
fn old() -> Fake {
    Fake::start(|asked: &Asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/v1/system-info") => sync(json!({"version": "v0.9.0", "boot-id": "b"})),
        ("GET", "/v1/services") => sync(json!([{"name": "web", "startup": "enabled", "current": "active"}])),
        ("POST", "/v1/services") => accepted("3"),
        // No long poll: it is looked at again and again, and done at the third look.
        ("GET", "/v1/changes/3") => sync(change("3", asked.nth >= 2)),
        ("GET", "/v1/checks") => sync(json!([{"name": "db", "status": "up", "threshold": 3}])),
        ("POST", "/v1/checks") => sync(json!({"changed": null})),
        _ => unknown(),
    })
}

fn change(id: &str, ready: bool) -> Value {
    let status = if ready { "Done" } else { "Doing" };
    json!({"id": id, "kind": "start", "summary": "Start service \"web\"", "status": status, "ready": ready,
        "spawn-time": "2020-01-02T03:04:05Z",
        "tasks": [{"id": "9", "kind": "start", "summary": "Start service \"web\"", "status": status,
            "progress": {"label": "", "done": 0, "total": 1}, "spawn-time": "2020-01-02T03:04:05Z"}]})
}

fn run(daemon: &Fake, args: &[&str]) -> Output {
    daemon.esker().args(args).output().expect("it runs")
}

#[test]
fn without_a_long_poll_the_change_is_polled() {
    let daemon = old();
    let output = run(&daemon, &["svc", "start", "web", "-o", "json"]);
    let rows: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((status(&output).as_str(), &rows["operation_id"]), ("0", &json!("3")), "{}", shown(&output));
    assert_eq!(
        (daemon.count("/v1/changes/3/wait"), daemon.count("/v1/changes/3")),
        (1, 3),
        "asked for once, then polled"
    );
}

#[test]
fn what_an_old_daemon_does_not_say_is_unknown() {
    let daemon = old();
    let output = run(&daemon, &["svc", "check", "list", "-o", "json"]);
    let rows: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&rows[0]["successes"], &rows[0]["startup"], &rows[0]["level"]),
        (&json!(null), &json!(null), &json!(null))
    );
    assert_shown!(shown(&run(&daemon, &["svc", "check", "stop", "db"])), @r#"
    --- stderr
    nothing to do, already stopped: check `db` on `pebble`
    [exit status: 0]
    "#);
    // Not even that there is a feed of changes: following logs goes on by the clock; without logs it is unsupported.
    let logs = run(&daemon, &["svc", "logs", "-f"]);
    assert_eq!(status(&logs), "11", "{}", shown(&logs));
}

#[test]
fn what_an_old_daemon_does_not_have_is_unsupported_and_its_version_is_named() {
    let daemon = old();
    for args in [
        &["notice", "list"][..],
        &["notice", "notify", "example.com/a"],
        &["notice", "wait"],
        &["identity", "list"],
        &["metrics"],
        &["warning", "list"],
        &["check", "refresh", "db"],
        &["health"],
        &["plan"],
        &["logs"],
    ] {
        let output = run(&daemon, &[&["svc"], args, &["-o", "json"]].concat());
        let error = error_of(&output);
        assert_eq!((status(&output).as_str(), &error["kind"]), ("11", &json!("unsupported")), "{args:?}: {error}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains("v0.9.0")), "{args:?}: {error}");
        assert_eq!(error["status"], 404);
    }
}

#[test]
fn warnings_of_a_daemon_that_keeps_them_itself() {
    let daemon = Fake::start(|asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/v1/warnings") => sync(json!([{"message": "disk full", "first-added": "2020-01-02T03:04:05Z",
            "last-added": "2020-01-02T03:04:05Z", "expire-after": "672h0m0s", "repeat-after": "24h0m0s"}])),
        ("POST", "/v1/warnings") => sync(json!(1)),
        _ => unknown(),
    });
    assert_shown!(shown(&run(&daemon, &["svc", "warning", "list"])), @r#"
    LAST                  WARNING
    [TIME]  disk full
    [exit status: 0]
    "#);
    assert_shown!(shown(&run(&daemon, &["svc", "warning", "ack"])), @r#"
    --- stderr
    acknowledged 1 warning on `pebble`
    [exit status: 0]
    "#);
    assert!(
        daemon.asked().iter().any(|asked| (asked.method.as_str(), asked.path.as_str()) == ("POST", "/v1/warnings"))
    );
}

#[test]
fn what_a_newer_daemon_says_is_shown() {
    let daemon = Fake::start(|asked| match asked.path.as_str() {
        "/v1/services" => sync(json!([{"name": "web", "startup": "on-demand", "current": "scheduled",
            "current-since": "2020-01-02T03:04:05Z", "next-start": "2030-01-01T00:00:00Z"}])),
        "/v1/checks" => {
            sync(json!([{"name": "db", "status": "degraded", "threshold": 3, "successes": 1, "kind": "grpc"}]))
        }
        "/v1/identities" => sync(json!({"bob": {"access": "operator", "oidc": {"issuer": "i"}}})),
        "/v1/notices" => sync(json!([{"id": "1", "type": "reboot", "key": "k", "severity": "high", "occurrences": 1}])),
        "/v1/changes" => sync(json!([{"id": "1", "kind": "migrate", "summary": "Migrate", "status": "Paused",
            "ready": false, "spawn-time": "2020-01-02T03:04:05Z", "by": "bob"}])),
        _ => unknown(),
    });
    let mut text = String::new();
    for list in ["list", "check list", "identity list", "notice list", "change list"] {
        let args: Vec<&str> = ["svc"].into_iter().chain(list.split(' ')).chain(["-o", "jsonl"]).collect();
        text.push_str(&shown(&run(&daemon, &args)));
    }
    assert_shown!(text, @r#"
    {"provider":"pebble","target":"pebble","name":"web","startup":"on-demand","state":"scheduled","since":"[TIME]","last_error":null,"extra":{"next-start":"[TIME]"}}
    [exit status: 0]
    {"provider":"pebble","target":"pebble","name":"db","level":null,"startup":null,"status":"degraded","successes":1,"failures":0,"threshold":3,"change_id":null,"previous_change_id":null,"last_error":null,"extra":{"kind":"grpc"}}
    [exit status: 0]
    {"provider":"pebble","target":"pebble","name":"bob","access":"operator","types":["oidc"],"user_id":null,"extra":{"oidc":{"issuer":"i"}}}
    [exit status: 0]
    {"provider":"pebble","target":"pebble","id":"1","user_id":null,"type":"reboot","key":"k","occurrences":1,"first_occurred_at":null,"last_occurred_at":null,"last_repeated_at":null,"data":{},"repeat_after_seconds":null,"expire_after_seconds":null,"extra":{"severity":"high"}}
    [exit status: 0]
    {"provider":"pebble","target":"pebble","id":"1","kind":"migrate","summary":"Migrate","status":"Paused","ready":false,"error":null,"started_at":"[TIME]","ready_at":null,"tasks":[],"extra":{"by":"bob"}}
    [exit status: 0]
    "#);
    assert_shown!(shown(&run(&daemon, &["svc", "list"])), @r#"
    NAME  STARTUP    STATE      SINCE                 LAST ERROR
    web   on-demand  scheduled  [TIME]  -
    [exit status: 0]
    "#);
}

#[test]
fn a_pending_restart_is_a_warning_said_once() {
    let daemon = Fake::start(|asked| {
        let result =
            if asked.path == "/v1/services" { json!([{"name": "web", "current": "error"}]) } else { json!([]) };
        let body = json!({"type": "sync", "status-code": 200, "result": result,
            "maintenance": {"kind": "daemon-restart", "message": "daemon is restarting"}});
        Reply::Text(200, body.to_string())
    });
    assert_shown!(shown(&run(&daemon, &["svc", "list"])), @r#"
    NAME  STARTUP  STATE  SINCE  LAST ERROR
    web   -        error  -      -
    --- stderr
    warning: `pebble`: daemon is restarting
    [exit status: 0]
    "#);
    assert!(daemon.asked().len() > 1, "it was said more than once over there");
}

#[test]
fn a_wait_that_expires_over_there_goes_on_here() {
    let daemon = Fake::start(|asked| match asked.path.as_str() {
        "/v1/services" if asked.method == "POST" => accepted("3"),
        "/v1/services" => sync(json!([{"name": "web", "current": "active"}])),
        "/v1/changes/3/wait" if asked.nth < 2 => refused(504, "timed out waiting for change after 400ms"),
        "/v1/changes/3/wait" => sync(change("3", true)),
        "/v1/changes/3" => sync(change("3", false)),
        _ => unknown(),
    });
    assert_shown!(shown(&run(&daemon, &["svc", "start", "web"])), @r#"
    --- stderr
    started `web` on `pebble`
    [exit status: 0]
    "#);
    assert_eq!(daemon.count("/v1/changes/3/wait"), 3);
    assert!(daemon.asked().iter().all(|asked| asked.path != "/v1/changes/3/wait" || asked.query.contains("timeout=")));
}

#[test]
fn an_answer_cut_short_is_a_failure_and_no_empty_list() {
    for part in ["", "{\"type\":\"sync\",\"result\":[", "{\"type\":\"sync\",\"result\":[]}"] {
        let daemon = Fake::start(move |_| Reply::Cut(part.to_owned()));
        let output = run(&daemon, &["svc", "list", "-o", "json"]);
        assert_eq!((status(&output).as_str(), output.stdout.len()), ("10", 0), "{part:?}: {}", shown(&output));
    }
}

#[test]
fn another_change_under_the_same_id_is_not_mistaken_for_ours() {
    let daemon = Fake::start(|asked| match asked.path.as_str() {
        "/v1/services" => accepted("3"),
        "/v1/changes/3/wait" if asked.nth == 0 => refused(504, "timed out"),
        "/v1/changes/3/wait" if asked.nth == 1 => Reply::Hangup,
        "/v1/changes/3/wait" => {
            let mut other = change("3", true);
            other["spawn-time"] = json!("2020-02-02T00:00:00Z");
            sync(other)
        }
        "/v1/changes/3" => sync(change("3", false)),
        _ => unknown(),
    });
    let output = run(&daemon, &["svc", "start", "web", "-o", "json"]);
    let error = error_of(&output);
    assert_eq!((status(&output).as_str(), &error["operation_id"]), ("10", &json!("3")), "{}", shown(&output));
    assert!(error["message"].as_str().is_some_and(|message| message.contains("no longer knows it")), "{error}");
}

#[test]
fn a_change_without_tasks_and_an_unready_wait_are_not_success() {
    // A replan with nothing to do is ready and has no tasks.
    let daemon = Fake::start(|asked| match asked.path.as_str() {
        "/v1/services" => accepted("3"),
        "/v1/changes/3/wait" => sync(json!({"id": "3", "kind": "replan", "summary": "Replan - no services",
            "status": "Done", "ready": true, "spawn-time": "2020-01-02T03:04:05Z"})),
        _ => unknown(),
    });
    assert_shown!(shown(&run(&daemon, &["svc", "replan"])), @r#"
    --- stderr
    nothing to replan on `pebble`
    [exit status: 0]
    "#);
    // A change that failed in a task that is about no service is a failure.
    let daemon = Fake::start(|asked| match asked.path.as_str() {
        "/v1/services" if asked.method == "POST" => accepted("3"),
        "/v1/services" => sync(json!([{"name": "web", "current": "active"}])),
        "/v1/changes/3/wait" => sync(json!({"id": "3", "kind": "start", "summary": "Start", "status": "Error",
            "ready": true, "err": "something else broke", "spawn-time": "2020-01-02T03:04:05Z"})),
        _ => unknown(),
    });
    assert_shown!(shown(&run(&daemon, &["svc", "start", "web"])), @r#"
    --- stderr
    error: cannot start services on `pebble`: something else broke
    [exit status: 1]
    "#);
}

#[test]
fn an_async_answer_without_a_change_is_a_failure() {
    let daemon = Fake::start(|_| Reply::Text(202, json!({"type": "async", "status-code": 202}).to_string()));
    let output = run(&daemon, &["svc", "start", "web"]);
    assert_eq!(status(&output), "1", "{}", shown(&output));
}

#[test]
fn a_daemon_that_does_not_answer_is_not_waited_for_longer_than_asked() {
    let daemon = Fake::start(|_| Reply::Stall);
    for (args, is_change) in [
        (&["list"][..], false),
        (&["logs"], false),
        (&["logs", "-f"], false),
        (&["notice", "list", "-f"], false),
        (&["wait", "web", "--for", "active"], false),
        (&["check", "wait", "db"], false),
        (&["start", "web"], true),
        (&["check", "stop", "db"], true),
        (&["notice", "notify", "example.com/a"], true),
        (&["signal", "HUP", "web"], true),
    ] {
        let output = run(&daemon, &[&["svc"], args, &["--timeout", "200ms", "-o", "json"]].concat());
        let error = error_of(&output);
        assert_eq!((status(&output).as_str(), &error["kind"]), ("9", &json!("timeout")), "{args:?}: {error}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains("200ms")), "{args:?}: {error}");
        let is_unknown = error["causes"].to_string().contains("nobody knows whether it was done");
        assert_eq!(is_unknown, is_change, "{args:?}: {error}");
    }
}
