//! Runs that outlive their command.

use super::{exec, stderr, stdout};
use crate::support::playground::Playground;
use crate::support::running::Running;

/// Starts a program and leaves it; returns the id of the run.
fn detached(playground: &Playground, flags: &[&str], script: &str) -> String {
    let words = [&["--detach"], flags, &["--", "sh", "-c", script]].concat();
    stdout(&exec(playground, &words).code(0)).trim_end().to_owned()
}

/// Non-blocking `start()`, `returncode`, `read_output` and `wait()` of the seed: collected after the session is gone.
#[test]
fn start_returncode_and_read_output() {
    let box_ = Playground::sandbox(&[]);
    let id = detached(
        &box_,
        &["--keep-awake", "0", "--env", "V=secret value"],
        "echo out; echo err >&2; echo \"$V\"; exit 7",
    );
    assert!(id.contains('@'), "{id}");
    exec(&box_, &["--wait", &id]).code(7);
    assert_eq!(stdout(&exec(&box_, &["--logs", &id]).code(0)), "out\nerr\nsecret value\n");
    // It has ended, so its process number alone is enough, and killing it is done already.
    let short = id.split('@').next().unwrap();
    exec(&box_, &["--wait", short]).code(7);
    exec(&box_, &["--kill", &id]).code(0);
    let row = stdout(&exec(&box_, &["--sessions", "-o", "json"]).code(0));
    let rows: serde_json::Value = serde_json::from_str(&row).unwrap();
    assert_eq!(
        (&rows[0]["id"], &rows[0]["state"], &rows[0]["exit_code"]),
        (&id.as_str().into(), &"exited".into(), &7.into())
    );
    assert!(rows[0]["command"].as_str().unwrap().starts_with("sh -c echo out"), "{row}");
}

#[test]
fn a_detached_run_is_listed_waited_for_and_killed() {
    let box_ = Playground::sandbox(&[]);
    let id = detached(&box_, &["--keep-awake", "0"], "echo on; while [ ! -e go ]; do sleep 0.1; done; exit 4");
    let row = stdout(&exec(&box_, &["--sessions", "-o", "json"]).code(0));
    let rows: serde_json::Value = serde_json::from_str(&row).unwrap();
    assert_eq!((&rows[0]["id"], &rows[0]["state"]), (&id.as_str().into(), &"running".into()), "{row}");
    assert_eq!(rows.as_array().unwrap().len(), 1, "{row}");
    let refused = exec(&box_, &["--attach", &id]).code(125);
    assert!(stderr(&refused).contains("--logs"), "{}", stderr(&refused));
    let mut command = box_.esker_process();
    let waiting = Running::start(command.args(["exec", "--wait", &id]));
    exec(&box_, &["--", "touch", "go"]).code(0);
    assert_eq!(waiting.end().status.code(), Some(4));

    let id = detached(&box_, &["--keep-awake", "0"], "sleep 1000");
    exec(&box_, &["--kill", &id]).code(0);
    exec(&box_, &["--wait", &id]).code(143);
}

#[test]
fn a_run_that_does_not_exist_is_not_found() {
    let box_ = Playground::sandbox(&[]);
    for words in [["--wait", "4711"], ["--logs", "4711@1"], ["--kill", "4711"], ["--attach", "4711"]] {
        let assert = exec(&box_, &words).code(125);
        assert!(stderr(&assert).contains("no run 4711"), "{}", stderr(&assert));
    }
}

/// The state of the sandbox, as the list has it: asking so wakes nothing.
fn state(playground: &Playground) -> String {
    let answer = playground.esker().args(["api", "GET", "/v1/sprites", "--target", "sprites"]).assert().code(0);
    let list: serde_json::Value = serde_json::from_str(&stdout(&answer)).unwrap();
    list["sprites"][0]["status"].as_str().unwrap().to_owned()
}

/// A sandbox is frozen soon after its last activity, and a detached run is none. The heartbeat keeps it awake for as
/// long as the run lasts, and no longer.
#[test]
fn a_detached_run_keeps_its_sandbox_awake_and_one_without_is_frozen() {
    let box_ = Playground::sandbox(&[]);
    let has_socket = exec(&box_, &["--", "test", "-S", "/.sprite/api.sock"]).get_output().status.success();
    if !has_socket {
        // Without namespaces a simulated sandbox cannot have a path of its own for it, and that is said before it runs.
        let refused = exec(&box_, &["--detach", "--", "true"]).code(125);
        assert!(stderr(&refused).contains("--keep-awake 0"), "{}", stderr(&refused));
        return;
    }
    for (flags, lives) in [(&[][..], true), (&["--keep-awake", "0"][..], false)] {
        let box_ = Playground::sandbox(&["freeze=1s"]);
        // Arms the fault.
        exec(&box_, &["--", "true"]).code(0);
        let id = detached(&box_, flags, "sleep 4; date +%s%N");
        while state(&box_) == "running" {
            std::thread::yield_now();
        }
        let frozen_at = jiff::Timestamp::now();
        // Asking thaws it.
        exec(&box_, &["--wait", &id]).code(0);
        let log = stdout(&exec(&box_, &["--logs", &id]).code(0));
        let ended = jiff::Timestamp::from_nanosecond(log.trim().parse().unwrap()).unwrap();
        assert_eq!(ended <= frozen_at, lives, "{flags:?}: ended at {ended}, frozen at {frozen_at}");
    }
}

/// A program that outlives its lost connection is joined again, and its exit is told.
#[test]
fn a_surviving_program_is_joined_again() {
    let box_ = Playground::sandbox(&[]);
    let mut command = box_.esker_process();
    let script = "while [ ! -e go ]; do echo tick; sleep 0.1; done; echo later; exit 9";
    command.args(["exec", "--survive", "--", "sh", "-c", script]);
    let mut first = Running::start(&mut command);
    first.says("tick");
    first.signal(rustix::process::Signal::KILL);
    first.end();
    let id = stdout(&exec(&box_, &["--sessions", "-o", "name"]).code(0)).trim_end().to_owned();
    let mut command = box_.esker_process();
    let mut joined = Running::start(command.args(["exec", "--attach", &id]));
    joined.says("tick");
    exec(&box_, &["--", "touch", "go"]).code(0);
    let output = joined.end();
    assert_eq!(output.status.code(), Some(9), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("later\n"), "{output:?}");
}

/// 32: two look at one program, and one that leaves takes nothing from the other.
#[test]
fn of_two_that_look_on_one_may_leave() {
    let box_ = Playground::sandbox(&[]);
    let mut command = box_.esker_process();
    let script = "while [ ! -e go ]; do echo tick; sleep 0.05; done; echo later; exit 9";
    command.args(["exec", "--survive", "--", "sh", "-c", script]);
    let mut first = Running::start(&mut command);
    first.says("tick");
    let id = stdout(&exec(&box_, &["--sessions", "-o", "name"]).code(0)).trim_end().to_owned();
    let mut joined: Vec<_> = (0..2)
        .map(|_| {
            let mut command = box_.esker_process();
            let mut joined = Running::start(command.args(["exec", "--attach", &id]));
            joined.says("tick");
            joined
        })
        .collect();
    let leaver = joined.remove(0);
    leaver.signal(rustix::process::Signal::KILL);
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&leaver.end().status), Some(9));
    joined[0].says("tick");
    exec(&box_, &["--", "touch", "go"]).code(0);
    for watcher in [first, joined.remove(0)] {
        let output = watcher.end();
        assert_eq!(output.status.code(), Some(9), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).ends_with("later\n"), "{output:?}");
    }
}

/// 35: what does not end by the signal that asks it to is killed.
#[test]
fn who_does_not_listen_is_killed() {
    let box_ = Playground::sandbox(&[]);
    let mut command = box_.esker_process();
    let script = "trap 'echo no' TERM; echo up; while :; do sleep 0.05; done";
    command.args(["exec", "--survive", "--", "sh", "-c", script]);
    let mut running = Running::start(&mut command);
    running.says("up");
    let id = stdout(&exec(&box_, &["--sessions", "-o", "name"]).code(0)).trim_end().to_owned();
    exec(&box_, &["--kill", &id, "--timeout", "500ms"]).code(0);
    let output = running.end();
    assert_eq!(output.status.code(), Some(137), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("no\n"), "{output:?}");
}
