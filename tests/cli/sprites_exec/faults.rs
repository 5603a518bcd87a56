//! Servers that misbehave.

use super::{exec, stderr, stdout};
use crate::support::error_of;
use crate::support::playground::Playground;

const SCRIPT: &[&str] = &["--", "sh", "-c", "echo out; echo err >&2; exit 7"];

fn runs_well_with(faults: &[&str]) {
    let box_ = Playground::sandbox(faults);
    let assert = exec(&box_, SCRIPT).code(7);
    assert_eq!((stdout(&assert).as_str(), stderr(&assert).as_str()), ("out\n", "err\n"), "{faults:?}");
}

/// 13, 14, 15: each form of the exit is enough.
#[test]
fn either_form_of_the_exit_is_enough() {
    runs_well_with(&["no-binary-exit"]);
    runs_well_with(&["no-text-exit"]);
}

/// 19: the server keeps its socket for an hour, and nobody waits for that; 20: it drops it without a close.
#[test]
fn nobody_waits_for_the_server_to_hang_up() {
    runs_well_with(&["linger=1h"]);
    runs_well_with(&["drop-after-exit"]);
}

/// 31, and what later servers may say.
#[test]
fn what_is_odd_or_unknown_is_borne() {
    runs_well_with(&["integer-id", "unknown-text", "unknown-stream", "late-info"]);
}

/// 39: before the upgrade nothing has begun, so it is asked again.
#[test]
fn a_sandbox_that_wakes_up_is_waited_for() {
    let box_ = Playground::sandbox(&["503:first=2:path=*/exec"]);
    let assert = exec(&box_, SCRIPT).code(7);
    assert_eq!(stdout(&assert), "out\n");
}

/// 16: closed politely, without an exit: never success, never a second run.
#[test]
fn a_close_without_an_exit_is_125_and_the_program_ran_once() {
    let box_ = Playground::sandbox(&["no-exit:first=1:path=*/exec"]);
    let assert = exec(&box_, &["-o", "json", "--", "sh", "-c", "echo x >>count"]).code(125);
    let error = error_of(assert.get_output());
    assert_eq!((&error["kind"], &error["exit_code"]), (&"unreachable".into(), &125.into()), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--attach "), "{error}");
    assert!(error["operation_id"].as_str().unwrap().contains('@'), "{error}");
    assert_eq!(stdout(&exec(&box_, &["--", "cat", "count"]).code(0)), "x\n");
}

/// 36: a server without signals in the socket.
#[test]
fn signals_reach_a_program_in_the_old_way_too() {
    for faults in [&[][..], &["no-signals"]] {
        let box_ = Playground::sandbox(faults);
        let mut command = box_.esker_process();
        command.args([
            "exec",
            "--",
            "sh",
            "-c",
            "trap 'echo hup; exit 3' HUP; echo ready; while :; do sleep 0.1; done",
        ]);
        let mut running = crate::support::running::Running::start(&mut command);
        running.says("ready");
        running.signal(rustix::process::Signal::HUP);
        running.says("hup");
        assert_eq!(running.end().status.code(), Some(3), "{faults:?}");
    }
}

/// 79: the first Ctrl-C is the program's; the second ends it, and nothing is left.
#[test]
fn two_interrupts_end_the_program_over_there() {
    let box_ = Playground::sandbox(&[]);
    let mut command = box_.esker_process();
    command.args(["exec", "--", "sh", "-c", "trap 'echo not yet' INT; echo ready; while :; do sleep 0.1; done"]);
    let mut running = crate::support::running::Running::start(&mut command);
    running.says("ready");
    running.signal(rustix::process::Signal::INT);
    running.says("not yet");
    running.signal(rustix::process::Signal::INT);
    let output = running.end();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(2), "{output:?}");
    assert_eq!(stdout(&exec(&box_, &["--sessions", "-o", "name"]).code(0)), "");
}

/// 76: a server that wants pings and pongs has them while the program says nothing.
#[test]
fn a_silent_program_is_kept_alive() {
    let box_ = Playground::sandbox(&["require-pong=200ms"]);
    exec(&box_, &["--", "sleep", "1"]).code(0);
}

/// The exceptions of the seed: `ExecutionError`, `TimeoutError`, `ConnectionError`, `AuthenticationError`, `SpritesError`.
#[test]
fn exceptions() {
    let box_ = Playground::sandbox(&["no-exit:path=*/exec:first=1"]);
    let kind = |assert: assert_cmd::assert::Assert| error_of(assert.get_output())["kind"].as_str().unwrap().to_owned();
    let json = |words: &[&str]| exec(&box_, &[&["-o", "json"], words].concat());
    assert_eq!(kind(json(&["--", "true"]).code(125)), "unreachable");
    assert_eq!(kind(json(&["--timeout", "200ms", "--", "sleep", "1000"]).code(124)), "timeout");
    let failed: serde_json::Value =
        serde_json::from_str(&stdout(&json(&["--", "sh", "-c", "exit 3"]).code(3))).unwrap();
    assert_eq!(failed["exit_code"], 3);
    assert_eq!(kind(json(&["--wait", "4711"]).code(125)), "not_found");
    let words = ["exec", "-o", "json", "--", "true"];
    let refused = box_.esker().env("SPRITES_TOKEN", "wrong").args(words).assert().code(125);
    assert_eq!(kind(refused), "auth");
}
