//! Sessions that outlive their command, and what ends them.

use super::{Pi, is_left, stderr, stdout, unique_sleep, until, wait_for, with_every_agent};
use crate::support::process::Running;
use crate::support::{error_of, home};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;

with_every_agent!(
    a_session_outlives_its_command_and_is_talked_to,
    who_comes_late_is_told_everything,
    a_question_waits_for_its_answer,
    a_session_that_is_idle_ends,
    nothing_is_left_when_what_holds_it_is_killed,
);

/// Ends what a test started, however it ends.
pub(super) struct Stopped<'a>(&'a Pi);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.agent(&["stop", "--all", "--grace", "0s"]);
    }
}

pub(super) fn start<'a>(pi: &'a Pi, words: &[&str]) -> Stopped<'a> {
    let guard = Stopped(pi);
    let words = [&["start", "--provider", "fake", "--model", "fake-1", "--name", "fix"], words].concat();
    let output = pi.agent(&words);
    assert_eq!(stdout(&output), "fix\n", "{}", stderr(&output));
    guard
}

pub(super) fn show(pi: &Pi) -> Value {
    let output = pi.agent(&["show", "fix", "-o", "json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)))
}

fn a_session_outlives_its_command_and_is_talked_to(pi: &Pi) {
    let _session = start(pi, &[]);
    let socket = home().join("run/esker");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(&socket.join("fix.sock"))), (0o700, 0o600));
    let output = pi.agent(&["send", "fix", "say hello"]);
    assert_eq!(stdout(&output), "Hello from the fake model.\n", "{}", stderr(&output));
    let output = pi.agent(&["send", "fix", "RECALL", "-o", "json"]);
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["text"], "I remember 2 prompts, first \"say hello\".", "{result}");
    assert_eq!((&result["turns"], &result["usage"]["input_tokens"]), (&1.into(), &100.into()));
    let live = show(pi);
    assert_eq!(
        (&live["state"], &live["turns"], &live["agent"]),
        (&"idle".into(), &2.into(), &pi.name.into()),
        "{live}"
    );
    let usage: Value = serde_json::from_slice(&pi.agent(&["usage", "fix", "-o", "json"]).stdout).unwrap();
    assert_eq!(usage["total_tokens"], 256);
    let list: Value = serde_json::from_slice(&pi.agent(&["list", "-o", "json"]).stdout).unwrap();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["name"]), (1, &"fix".into()));
    let taken = pi.agent(&["start", "--provider", "fake", "--model", "fake-1", "--name", "fix", "-o", "json"]);
    assert_eq!((taken.status.code(), &error_of(&taken)["kind"]), (Some(7), &"conflict".into()));
    let state = pi.agent(&["rpc", "fix", r#"{"type":"get_state"}"#]);
    let state: Value = serde_json::from_slice(&state.stdout).unwrap();
    assert_eq!(state["sessionId"], live["session_id"]);
    let set = pi.agent(&["set", "fix", "--thinking", "off"]);
    assert!(set.status.success(), "{}", stderr(&set));
    let refused = pi.agent(&["set", "fix", "--model", "fake/none", "-o", "json"]);
    assert_eq!(error_of(&refused)["message"], "the agent refused the command");
    let stopped = pi.agent(&["stop", "fix", "-o", "json"]);
    let stopped: Value = serde_json::from_slice(&stopped.stdout).unwrap();
    assert_eq!((&stopped["state"], &stopped["ended"]), (&"ended".into(), &"it was stopped".into()));
    assert_eq!(pi.agent(&["list", "-o", "json"]).stdout, b"[]\n");
    assert!(stdout(&pi.agent(&["logs", "fix"])).contains("Hello from the fake model."));
    let gone = pi.agent(&["send", "fix", "x", "-o", "json"]);
    assert_eq!(error_of(&gone)["kind"], "unreachable");
    // Its file stays, and is gone on with.
    let (again, code) = pi.result(&["--resume", live["session_id"].as_str().unwrap(), "RECALL"]);
    assert_eq!((code, &again["text"]), (Some(0), &"I remember 3 prompts, first \"say hello\".".into()), "{again}");
}

fn who_comes_late_is_told_everything(pi: &Pi) {
    let _session = start(pi, &["say hello"]);
    let output = pi.agent(&["attach", "fix", "--until-idle", "-o", "jsonl"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("agent.start") && text.contains("Hello from the fake model."), "{text}");
    let mut watching = Running::start(pi.process(&["attach", "fix", "--new", "-o", "jsonl"]));
    wait_for("the one who watches", || show(pi)["attached"] == 1);
    assert!(pi.agent(&["send", "fix", "RECALL", "--no-wait"]).status.success());
    until(&mut watching, "I remember 2 prompts");
    watching.signal(Signal::INT);
    assert_eq!(watching.wait().0, 130);
    assert_eq!(show(pi)["turns"], 2, "it goes on");
}

fn a_question_waits_for_its_answer(pi: &Pi) {
    std::fs::create_dir_all(pi.file("build/deep")).unwrap();
    let _session = start(pi, &["REMOVE it", "--approve", "ask"]);
    wait_for("the question", || show(pi)["state"] == "waiting");
    let live = show(pi);
    let question = &live["questions"][0];
    assert_eq!((&question["kind"], &question["tool"]), (&"permission".into(), &"bash".into()), "{live}");
    let id = question["request_id"].as_str().unwrap();
    let odd = pi.agent(&["answer", "fix", id, "perhaps", "-o", "json"]);
    assert_eq!(odd.status.code(), Some(2), "{}", stderr(&odd));
    assert!(pi.file("build").exists());
    assert!(pi.agent(&["answer", "fix", id, "yes"]).status.success());
    wait_for("the end", || show(pi)["state"] == "idle");
    assert!(!pi.file("build").exists());
    let late = pi.agent(&["answer", "fix", id, "yes", "-o", "json"]);
    assert_eq!((late.status.code(), &error_of(&late)["kind"]), (Some(7), &"conflict".into()));
}

fn a_session_that_is_idle_ends(pi: &Pi) {
    let sleep = unique_sleep();
    let _session = start(pi, &["--idle-limit", "300ms", &sleep.to_uppercase()]);
    // A tool that says nothing is not idleness.
    wait_for("the tool", || is_left(&sleep));
    std::thread::sleep(std::time::Duration::from_millis(600));
    assert_eq!(show(pi)["state"], "working");
    assert!(pi.agent(&["abort", "fix"]).status.success());
    wait_for("its end", || show(pi)["state"] == "ended");
    assert_eq!(show(pi)["ended"], "it was idle for 300ms");
    assert!(!is_left(&sleep));
}

fn nothing_is_left_when_what_holds_it_is_killed(pi: &Pi) {
    let sleep = unique_sleep();
    let _session = start(pi, &[&sleep.to_uppercase()]);
    wait_for("the tool", || is_left(&sleep));
    let pid = i32::try_from(show(pi)["pid"].as_i64().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    wait_for("the end of the tool", || !is_left(&sleep));
    wait_for("its state", || show(pi)["state"] == "lost");
    // The name is free again.
    drop(start(pi, &[]));
}
