//! `exec` against daemons whose words are cut short, garbled, late or missing: never 0 unless all of it is known.

use crate::support::fake::{Asked, Fake, Reply, Then, binary, refused, sync, text, unknown};
use crate::support::shown::{shown, status};
use serde_json::{Value, json};
use std::process::Output;

const END: &str = r#"{"command":"end"}"#;

/// The change of the program, ended with this exit code (if it has any) and this error.
fn change(code: Option<i64>, error: Option<&str>) -> Reply {
    sync(document(code, error))
}

fn document(code: Option<i64>, error: Option<&str>) -> Value {
    let status = if error.is_some() { "Error" } else { "Done" };
    let mut task = json!({"id": "10", "kind": "exec", "summary": "Execute command \"tool\"", "status": status});
    if let Some(code) = code {
        task["data"] = json!({"exit-code": code});
    }
    let mut change = json!({"id": "9", "kind": "exec", "summary": "Execute command \"tool\"", "status": status,
        "ready": true, "spawn-time": "2020-01-02T03:04:05Z", "tasks": [task]});
    if let Some(error) = error {
        let why = format!("cannot perform the following tasks:\n- Execute command \"tool\" ({error})");
        change["err"] = json!(why);
    }
    change
}

/// A websocket that sends these messages.
fn says(messages: &[Vec<u8>], then: Then) -> Reply {
    Reply::Socket(messages.concat(), then)
}

/// A daemon whose program prints `out`, and `err` on stderr, and ends with 0; except for what `otherwise` answers to
/// the last part of a path.
fn daemon(otherwise: impl Fn(&str, &Asked) -> Option<Reply> + Send + Sync + 'static) -> Fake {
    Fake::start(move |asked| {
        let last = asked.path.rsplit('/').next().unwrap_or_default();
        otherwise(last, asked).unwrap_or_else(|| match last {
            "exec" => {
                let result = json!({"environment": {}, "task-id": "10", "working-dir": "/"});
                let body = json!({"type": "async", "status-code": 202, "change": "9", "result": result});
                Reply::Text(202, body.to_string())
            }
            "stdio" => says(&[binary(b"out\n"), text(END)], Then::Listen),
            "stderr" => says(&[binary(b"err\n"), text(END)], Then::Listen),
            // As a daemon does once the program has ended.
            "control" => says(&[], Then::Drop),
            "wait" => change(Some(0), None),
            _ => unknown(),
        })
    })
}

fn run(daemon: &Fake, flags: &[&str]) -> Output {
    daemon.esker().arg("exec").args(flags).args(["--", "tool"]).output().expect("it runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs the tool, and checks the exit status and what is said of it.
fn ends(daemon: &Fake, code: &str, words: &str) -> Output {
    let output = run(daemon, &[]);
    assert_eq!(status(&output), code, "{}", shown(&output));
    assert!(stderr(&output).contains(words), "{words:?}: {}", shown(&output));
    output
}

#[test]
fn a_control_connection_that_ends_first_is_no_failure() {
    for control in [
        || says(&[], Then::Drop),
        || says(&[vec![0x88, 2, 3, 0xe8]], Then::Drop),
        || says(&[text("what is this?"), binary(b"\0")], Then::Listen),
        || refused(500, "exec 10: the program has ended"),
        || Reply::Text(200, String::new()),
    ] {
        let daemon = daemon(move |last, _| (last == "control").then(control));
        let output = ends(&daemon, "0", "err\n");
        assert_eq!((output.stdout.as_slice(), stderr(&output).as_str()), (&b"out\n"[..], "err\n"));
    }
}

#[test]
fn words_of_later_versions_and_nonsense_are_passed_over() {
    let daemon = daemon(|last, _| {
        let noise = ["{\"command\":\"pause\"}", "no JSON", "{}", "[]", "", "{\"command\":1}", "{\"end\":true}"];
        let mut messages: Vec<Vec<u8>> = noise.into_iter().map(text).collect();
        // The end may be spelled otherwise.
        messages.extend([binary(b"a"), binary(b""), binary(b"b\n"), text("{ \"command\" : \"end\", \"x\": 1 }")]);
        (last == "stdio").then(|| says(&messages, Then::Listen))
    });
    assert_eq!(ends(&daemon, "0", "err\n").stdout, b"ab\n");
}

#[test]
fn where_the_streams_are_refused_the_change_says_why() {
    let refusals: [fn() -> Reply; 4] = [
        || Reply::Text(200, String::new()),
        || refused(404, "cannot find task \"10\""),
        || refused(500, "stdio websocket already connected"),
        || refused(503, "busy"),
    ];
    let verdicts: [(Option<i64>, Option<&str>, &str, &str); 7] = [
        (None, Some("exec 10: timeout waiting for websocket connections: context deadline exceeded"), "125", "timeout"),
        (Some(-1), Some("fork/exec /bin/tool: exec format error"), "126", "exec format error"),
        (Some(-1), Some("fork/exec /bin/tool: permission denied"), "126", "permission denied"),
        (Some(-1), Some("fork/exec /bin/tool: no such file or directory"), "127", "interpreter"),
        (Some(-1), Some("timed out after 500ms: context deadline exceeded"), "124", "timed out"),
        // It ran and ended well, but nobody saw its output.
        (Some(0), None, "125", "its output was taken by somebody else"),
        (None, None, "125", "the daemon has no exit status for it"),
    ];
    for refusal in refusals {
        for (code, error, exit, words) in verdicts {
            for refused_one in ["stdio", "stderr"] {
                let daemon = daemon(move |last, _| match last {
                    "wait" => Some(change(code, error)),
                    last => (last == refused_one).then(refusal),
                });
                let output = ends(&daemon, exit, words);
                assert_eq!(output.stdout, b"", "{}", shown(&output));
            }
        }
    }
}

#[test]
fn a_stream_that_is_never_opened_is_not_waited_for_forever() {
    let daemon = daemon(|last, _| match last {
        "stderr" => Some(Reply::Stall),
        "wait" => Some(change(None, Some("exec 10: timeout waiting for websocket connections"))),
        _ => None,
    });
    ends(&daemon, "125", "timeout waiting for websocket connections");
}

#[test]
fn output_that_breaks_off_is_never_a_success() {
    // Without the end, in the middle of a frame, by a close, and after nothing at all.
    let breaks: [fn() -> Reply; 5] = [
        || says(&[binary(b"out\n")], Then::Drop),
        || says(&[binary(b"out\n"), vec![0x82, 100, b'x']], Then::Drop),
        || says(&[binary(b"out\n"), vec![0x88, 2, 3, 0xe8]], Then::Drop),
        || says(&[binary(b"out\n"), vec![0x88, 0]], Then::Listen),
        || says(&[], Then::Drop),
    ];
    for broken in breaks {
        for name in ["stdio", "stderr"] {
            for is_known in [true, false] {
                let daemon = daemon(move |last, _| match last {
                    // Where the daemon is gone, so is the change.
                    "wait" if !is_known => Some(Reply::Hangup),
                    last => (last == name).then(broken),
                });
                let output = ends(&daemon, "125", "lost `tool`");
                assert!(stderr(&output).contains("esker svc change show 9"), "{}", shown(&output));
            }
        }
    }
}

#[test]
fn what_is_no_websocket_is_a_failure() {
    for noise in [&b"garbage that is no frame"[..], &[0xff; 64], &[0x81, 2, 0xff, 0xff], &[0x82, 0xff]] {
        let daemon = daemon(move |last, _| (last == "stdio").then(|| says(&[noise.to_vec()], Then::Drop)));
        ends(&daemon, "125", "");
    }
    // A switch of protocols without the key is none.
    let switched = "HTTP/1.1 101 -\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n";
    let daemon = daemon(move |last, _| (last == "stdio").then(|| Reply::Raw(switched.into())));
    ends(&daemon, "125", "does not answer as a websocket server");
}

#[test]
fn an_end_without_an_exit_code_is_unknown() {
    // As after a restart of the daemon: done, and no word of how.
    ends(&daemon(|last, _| (last == "wait").then(|| change(None, None))), "125", "cannot tell how `tool` ended");
    for code in [-1, 256, 1 << 40] {
        let daemon = daemon(move |last, _| (last == "wait").then(|| change(Some(code), None)));
        ends(&daemon, "125", "cannot tell how `tool` ended");
    }
    let daemon = daemon(|last, _| {
        let mut other = document(Some(0), None);
        other["tasks"][0]["kind"] = json!("start");
        (last == "wait").then(|| sync(other))
    });
    ends(&daemon, "125", "cannot tell how `tool` ended");
}

#[test]
fn what_the_change_says_of_a_failure_is_said() {
    let daemon = daemon(|last, _| (last == "wait").then(|| change(Some(-1), Some("something else broke"))));
    let output = ends(&daemon, "125", "something else broke");
    assert_eq!(output.stdout, b"out\n", "what it wrote is there");
}

#[test]
fn a_wait_that_fails_is_a_failure() {
    for answer in [
        || refused(500, "internal error"),
        || refused(504, "a proxy lost patience"),
        || refused(404, "cannot find change with id \"9\""),
        || Reply::Text(200, "<html>".to_owned()),
        || Reply::Hangup,
        || Reply::Garbage,
    ] {
        ends(&daemon(move |last, _| (last == "wait").then(answer)), "125", "error: ");
    }
}

#[test]
fn a_connection_lost_while_waiting_is_made_again() {
    let daemon = daemon(|last, asked| (last == "wait" && asked.nth == 0).then_some(Reply::Hangup));
    ends(&daemon, "0", "err\n");
    assert_eq!(daemon.count("/v1/exec"), 1, "nothing is started twice");
}

#[test]
fn without_a_long_poll_the_change_is_polled() {
    let daemon = daemon(|last, asked| match last {
        "wait" => Some(unknown()),
        "9" if asked.nth < 2 => {
            let mut change = document(None, None);
            (change["ready"], change["status"]) = (json!(false), json!("Doing"));
            Some(sync(change))
        }
        "9" => Some(change(Some(3), None)),
        _ => None,
    });
    ends(&daemon, "3", "err\n");
    assert_eq!(daemon.count("/v1/changes/9"), 3);
}

#[test]
fn a_daemon_that_says_nothing_after_the_start_can_be_bounded() {
    // The streams open and nothing comes of them.
    let daemon = daemon(|last, _| match last {
        "stdio" | "stderr" | "control" => Some(says(&[], Then::Listen)),
        "wait" => Some(Reply::Stall),
        _ => None,
    });
    let output = run(&daemon, &["--timeout", "100ms"]);
    assert_eq!(status(&output), "124", "{}", shown(&output));
    assert!(stderr(&output).contains("it may still run over there"), "{}", shown(&output));
}

#[test]
fn a_daemon_that_opens_no_streams_is_left() {
    let silent = |last: &str, _: &Asked| (last != "exec").then_some(Reply::Stall);
    let output = run(&daemon(silent), &["--timeout", "1h"]);
    assert_eq!(status(&output), "125", "{}", shown(&output));
    assert!(stderr(&output).contains("the daemon does not open its streams"), "{}", shown(&output));
}

#[test]
fn a_daemon_that_does_not_answer_the_start_is_unreachable() {
    for answer in [|| Reply::Hangup, || Reply::Garbage, || Reply::Cut("{".to_owned())] {
        let daemon = daemon(move |last, _| (last == "exec").then(answer));
        ends(&daemon, "125", "nobody knows whether it was done");
        assert_eq!(daemon.count("/v1/exec"), 1, "nothing is started twice");
    }
}

#[test]
fn an_end_that_does_not_arrive_is_told() {
    let daemon = daemon(|last, _| (last == "stdio").then(|| says(&[binary(b"out\n")], Then::Listen)));
    let output = ends(&daemon, "125", "the end of the output of `tool` did not arrive");
    assert_eq!(output.stdout, b"out\n");
}
