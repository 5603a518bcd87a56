//! What reaches a terminal, a pipe, a closed pipe and a full disk (ux sections 4 and 8).

use crate::support::daemon::Daemon;
use crate::support::fake::{Fake, Reply, sync};
use crate::support::pty::on_terminal;
use crate::support::shown::{shown, status};
use crate::support::{esker_on, esker_process, esker_process_on, peers};
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

const NASTY: &str = "\u{1b}]0;title\u{7}a\u{1b}[2Jb\u{202e}c\rd";

/// A daemon whose names and lines hold what terminals act on.
fn nasty() -> Fake {
    Fake::start(|asked| match asked.path.as_str() {
        "/v1/services" => sync(json!([{"name": NASTY, "startup": "enabled", "current": "active",
            "current-since": "2020-01-02T03:04:05Z"}])),
        "/v1/logs" => {
            let lines = [NASTY, "\u{1b}[31mred\u{1b}[0m\tplain", "\u{1b}[32mgreen"].map(|message| {
                json!({"time": "2020-01-02T03:04:05.678Z", "service": "web", "message": message}).to_string() + "\n"
            });
            Reply::Text(200, lines.concat())
        }
        _ => sync(json!([])),
    })
}

fn terminal(daemon: &Fake, args: &[&str]) -> String {
    let mut command = esker_process();
    let output = on_terminal(100, command.env("PEBBLE_SOCKET", daemon.socket()).env_remove("NO_COLOR").args(args));
    assert!(output.status.success(), "{}", shown(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_terminal_is_not_told_what_to_do_by_a_name() {
    let daemon = nasty();
    for args in [&["svc", "list"][..], &["svc", "list", "-o", "name"], &["svc", "logs"], &["svc", "logs", "web"]] {
        let text = terminal(&daemon, args);
        for evil in ["\u{1b}]0", "\u{7}", "\u{1b}[2J", "\u{202e}"] {
            assert!(!text.contains(evil), "{args:?}: {text:?}");
        }
    }
    assert!(terminal(&daemon, &["svc", "list"]).contains("\\x1b]0;title\\x07a\\x1b[2Jb\\u{202e}c\\rd"));
}

#[test]
fn colours_of_logs_stay_on_a_terminal_and_end_with_the_line() {
    let text = terminal(&nasty(), &["svc", "logs", "web"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1..], ["\u{1b}[31mred\u{1b}[0m\tplain", "\u{1b}[32mgreen\u{1b}[0m"]);
}

#[test]
fn a_pipe_gets_log_lines_as_they_are() {
    let daemon = nasty();
    let output = daemon.esker().args(["svc", "logs", "web"]).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains(NASTY) && text.contains("\u{1b}[31mred"), "{text:?}");
    let list = daemon.esker().args(["svc", "list", "-o", "json"]).output().expect("it runs");
    let rows: serde_json::Value = serde_json::from_slice(&list.stdout).expect("JSON");
    assert_eq!(rows[0]["name"], NASTY, "machine formats carry what was said");
}

/// Runs it with this stdout; returns what it said on stderr and how it ended.
fn into(command: &mut Command, stdout: Stdio) -> Output {
    command
        .stdout(stdout)
        .stderr(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .expect("it starts")
        .wait_with_output()
        .expect("it ends")
}

#[test]
fn a_closed_stdout_is_a_silent_end_and_a_full_disk_is_a_failure() {
    let daemon = nasty();
    for args in
        [&["svc", "list"][..], &["svc", "list", "-o", "json"], &["svc", "logs"], &["svc", "logs", "-o", "jsonl"]]
    {
        let esker = || {
            let mut command = esker_process();
            command.env("PEBBLE_SOCKET", daemon.socket()).args(args);
            command
        };
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = into(&mut esker(), writer.into());
        assert_eq!((status(&output).as_str(), output.stderr.len()), ("0", 0), "{args:?}: {}", shown(&output));
        let full = File::options().write(true).open("/dev/full").expect("a device");
        let output = into(&mut esker(), full.into());
        assert_eq!(status(&output), "1", "{args:?}: {}", shown(&output));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("error:") || args.contains(&"-o"),
            "{}",
            shown(&output)
        );
    }
}

#[test]
fn following_ends_silently_when_its_reader_leaves() {
    if peers::pebble().is_none() {
        return;
    }
    let layer = "services: {noisy: {override: replace, command: sh -c 'while :; do echo line; sleep 0.05; done'}}";
    let daemon = Daemon::start(&[("base", layer)]);
    assert!(esker_on(&daemon).args(["svc", "start", "noisy"]).output().expect("it runs").status.success());
    for format in ["table", "jsonl"] {
        let mut command = esker_process_on(&daemon);
        command.args(["svc", "logs", "-f", "-o", format]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        assert!(line.contains("line"), "{line:?}");
        drop(reader);
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("stderr");
        assert_eq!((child.wait().expect("it ends").code(), said.as_str()), (Some(0), ""));
    }
}

#[test]
fn colours_follow_the_flags_and_variables() {
    let daemon = nasty();
    let on_a_terminal = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = esker_process();
        command.env_remove("NO_COLOR").env("PEBBLE_SOCKET", daemon.socket()).envs(variables.iter().copied());
        let output = on_terminal(100, command.args(["svc", "list"]).args(args));
        String::from_utf8(output.stdout).expect("UTF-8").contains('\u{1b}')
    };
    assert!(on_a_terminal(&[], &[]));
    assert!(!on_a_terminal(&[("NO_COLOR", "1")], &[]));
    assert!(on_a_terminal(&[("NO_COLOR", "")], &[]), "empty means unset");
    assert!(!on_a_terminal(&[], &["--color", "never"]));
    assert!(on_a_terminal(&[("NO_COLOR", "1")], &["--color", "always"]));
    let piped = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = daemon.esker();
        command.env_remove("NO_COLOR").envs(variables.iter().copied()).args(["svc", "list"]).args(args);
        String::from_utf8(command.output().expect("it runs").stdout).expect("UTF-8").contains('\u{1b}')
    };
    assert!(!piped(&[], &[]));
    assert!(piped(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(!piped(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[]));
    assert!(piped(&[], &["--color", "always"]));
}

#[test]
fn times_are_relative_on_a_terminal_unless_asked_otherwise() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", "services: {web: {override: replace, command: sleep 1000}}")]);
    assert!(esker_on(&daemon).args(["svc", "start", "web"]).output().expect("it runs").status.success());
    let since = |args: &[&str]| {
        let mut command = esker_process_on(&daemon);
        let output = on_terminal(100, command.args(["svc", "list", "--fields", "since", "--no-header"]).args(args));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    };
    let relative = since(&[]);
    assert!(relative.contains("ago") || relative.contains("now"), "{relative:?}");
    let absolute = since(&["--abs-time"]);
    assert!(absolute.starts_with("20") && absolute.ends_with('Z'), "{absolute:?}");
}

#[test]
fn a_relayed_event_keeps_its_payload_apart() {
    let notice = json!({"id": "1", "user-id": null, "type": "custom", "key": "example.com/a", "occurrences": 1,
        "last-repeated": "2020-01-02T03:04:05Z"});
    let daemon = Fake::start(move |_| sync(json!([notice])));
    let mut command = esker_process();
    let mut child = command
        .env("PEBBLE_SOCKET", daemon.socket())
        .args(["svc", "notice", "list", "-f", "-o", "jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    child.kill().expect("it can be ended");
    child.wait().expect("it ended");
    assert_eq!(line.matches("\"type\"").count(), 2, "{line}");
    let event: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!((&event["type"], &event["data"]["type"]), (&json!("notice"), &json!("custom")));
    assert_eq!((&event["target"], &event["data"]["key"]), (&json!("pebble"), &json!("example.com/a")));
}
