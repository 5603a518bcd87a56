//! `vm list --watch`: the state stream where there is one, looking again where there is none.

use crate::support::fake::{Asked, Reply};
use crate::support::process::Running;
use crate::support::sprites::{Api, document, sandbox};
use serde_json::{Value, json};

const NDJSON: &str = "application/x-ndjson";

fn is_stream(asked: &Asked) -> bool {
    asked.accept.as_deref() == Some(NDJSON)
}

/// A stream that stays open after these lines: its announced length never comes.
fn stream(lines: &[Value]) -> Reply {
    let body: String = lines.iter().flat_map(|line| [line.to_string(), "\n".to_owned()]).collect();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {NDJSON}\r\nTransfer-Encoding: chunked\r\n\r\n");
    Reply::Open(format!("{head}{:x}\r\n{body}\r\n", body.len()).into_bytes())
}

fn event(running: &mut Running) -> (String, String, String) {
    let line = running.line();
    assert!(line.starts_with(r#"{"type":"change","#), "{line}");
    let event: Value = serde_json::from_str(&line).unwrap();
    let text = |key: &str| event[key].as_str().unwrap().to_owned();
    (text("change"), text("target"), text("status"))
}

fn is(change: &str, target: &str, status: &str) -> (String, String, String) {
    (change.to_owned(), target.to_owned(), status.to_owned())
}

#[test]
fn a_state_stream_is_told_line_by_line() {
    let lines = [
        json!({"type": "heartbeat", "org": {"name": "acme"}}),
        json!({"name": "b", "status": "running", "last_running_at": "2026-03-01T00:00:00Z", "org": {}}),
        json!({"name": "b", "status": "running", "last_running_at": "2026-03-01T00:00:00Z"}),
        json!({"name": "new", "status": "running"}),
    ];
    let there = [sandbox("a", "running", &[]), sandbox("b", "cold", &["x"])];
    let api = Api::bent(&there, move |asked| match asked.path.as_str() {
        "/v1/sprites" if is_stream(asked) => Some(stream(&lines)),
        "/v1/sprites/new" => Some(document(200, &sandbox("new", "running", &[]))),
        _ => None,
    });
    let mut command = api.esker_process();
    command.args(["vm", "list", "--watch", "-o", "jsonl"]);
    let mut running = Running::start(command);
    assert_eq!(event(&mut running), is("present", "sprites/a", "running"));
    assert_eq!(event(&mut running), is("present", "sprites/b", "cold"));
    assert_eq!(event(&mut running), is("changed", "sprites/b", "running"));
    assert_eq!(event(&mut running), is("added", "sprites/new", "running"));
}

#[test]
fn a_lost_stream_is_opened_again_and_what_happened_meanwhile_is_found() {
    let there = [sandbox("a", "running", &[]), sandbox("b", "cold", &[])];
    let api = Api::bent(&there, |asked| {
        let is_list = asked.path == "/v1/sprites" && !is_stream(asked);
        if is_list && asked.nth > 1 {
            let page = json!({"sprites": [sandbox("b", "warm", &[])], "has_more": false});
            return Some(document(200, &page));
        }
        is_stream(asked).then(|| {
            if asked.nth > 0 {
                return stream(&[json!({"type": "heartbeat"})]);
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {NDJSON}\r\n\r\n");
            Reply::Raw(head.into_bytes())
        })
    });
    let mut command = api.esker_process();
    command.args(["vm", "list", "--watch", "-o", "json"]);
    let mut running = Running::start(command);
    assert_eq!(event(&mut running), is("present", "sprites/a", "running"));
    assert_eq!(event(&mut running), is("present", "sprites/b", "cold"));
    assert_eq!(event(&mut running), is("changed", "sprites/b", "warm"));
    assert_eq!(event(&mut running), is("deleted", "sprites/a", "running"));
    assert!(running.error_line().starts_with("reconnected"));
}

#[test]
fn without_a_stream_it_looks_again() {
    let api = Api::start(&[sandbox("a", "cold", &[])]);
    let mut command = api.esker_process();
    command.args(["vm", "list", "--watch=100ms", "--status", "running", "-o", "jsonl"]);
    let mut running = Running::start(command);
    // One that is not meant is told of once it is, and once it no longer is.
    api.put(sandbox("b", "running", &[]));
    let first = event(&mut running);
    assert!(
        first == is("added", "sprites/b", "running") || first == is("present", "sprites/b", "running"),
        "{first:?}"
    );
    api.put(sandbox("b", "warm", &[]));
    assert_eq!(event(&mut running), is("changed", "sprites/b", "warm"));
    api.put(sandbox("a", "running", &[]));
    assert_eq!(event(&mut running), is("changed", "sprites/a", "running"));
}

#[test]
fn for_people_who_are_not_at_a_terminal_a_change_is_a_line() {
    let api = Api::start(&[sandbox("a", "cold", &[])]);
    let mut command = api.esker_process();
    command.args(["vm", "list", "--watch"]);
    let line = Running::start(command).line();
    assert!(line.ends_with("Z present sprites/a cold"), "{line}");
    assert_eq!(api.run(&["vm", "list", "--watch", "-o", "csv"]).status.code(), Some(2));
}

#[test]
fn a_watch_ends_when_nobody_can_be_watched() {
    let refused = json!({"error": "authentication failed"});
    let api = Api::bent(&[], move |_| Some(document(401, &refused)));
    assert_eq!(api.run(&["vm", "list", "--watch"]).status.code(), Some(4));
    let api = Api::start(&[]);
    assert_eq!(api.run(&["vm", "list", "--watch", "--timeout", "300ms"]).status.code(), Some(9));
}
