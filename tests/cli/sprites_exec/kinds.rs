//! Servers that are old, slow or odd in one way each: the kinds of `--fault` that no other test has.

use super::{exec, stderr, stdout};
use crate::support::playground::Playground;
use crate::support::running::Running;
use std::io::Read;
use std::process::Stdio;

/// 33: whoever starts a program may be killed, and another joins it: at an old server by the old way, and where what it
/// said comes before its name.
#[test]
fn a_program_is_joined_by_another() {
    for fault in ["old-attach", "replay-first"] {
        let box_ = Playground::sandbox(&["survive=1m", fault]);
        let script = "echo up; until [ -e go ]; do sleep 0.05; done; exit 4";
        let mut running = Running::start(box_.esker_process().args(["exec", "--", "sh", "-c", script]));
        running.says("up");
        running.signal(rustix::process::Signal::KILL);
        running.end();
        let id = stdout(&exec(&box_, &["--sessions", "-o", "name"]).code(0)).trim_end().to_owned();
        let mut joined = Running::start(box_.esker_process().args(["exec", "--attach", &id]));
        joined.says("up");
        exec(&box_, &["--", "touch", "go"]).code(0);
        assert_eq!(joined.end().status.code(), Some(4), "{fault}");
        // And nobody joins what is gone.
        exec(&box_, &["--attach", &id]).code(125);
    }
}

/// 4: a server that reads nothing of a program's stdin holds back neither its output nor its exit.
#[test]
fn stdin_that_nobody_reads_holds_nothing_back() {
    let box_ = Playground::sandbox(&["stop-reading:path=*/exec"]);
    let mut command = box_.esker();
    let assert = command.args(["exec", "--", "sh", "-c", "echo out; exit 3"]).write_stdin(vec![b'x'; 3_000_000]);
    assert_eq!(stdout(&assert.assert().code(3)), "out\n");
}

/// 76: a server that wants pings has them, however long a program is silent.
#[test]
fn a_server_that_wants_pings_has_them() {
    let box_ = Playground::sandbox(&["require-ping=17s"]);
    exec(&box_, &["--", "sleep", "18"]).code(0);
}

/// 80: a server that drops who does not read drops nobody here.
#[test]
fn whoever_does_not_read_here_is_not_dropped_there() {
    let box_ = Playground::sandbox(&["drop-stalled=8s"]);
    let mut command = box_.esker_process();
    let script = "head -c 20000000 /dev/zero; : >written; exit 4";
    command.args(["exec", "--", "sh", "-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    exec(&box_, &["--", "sh", "-c", "until [ -e written ]; do sleep 0.05; done; sleep 9"]).code(0);
    let mut all = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut all).unwrap();
    assert_eq!((child.wait().unwrap().code(), all.len()), (Some(4), 20_000_000));
}

/// 38: errors as text are told in their words.
#[test]
fn errors_as_text_are_told() {
    let box_ = Playground::sandbox(&["plain-errors"]);
    let assert = box_.esker().args(["files", "cat", ":/no/such/file"]).assert().code(6);
    assert!(stderr(&assert).contains("/no/such/file"), "{}", stderr(&assert));
    let assert = box_.esker().args(["vm", "create", "sprites/box", "-q"]).assert().code(7);
    assert!(stderr(&assert).contains("already exists"), "{}", stderr(&assert));
}

/// 48, 49: lines of NDJSON however they are cut; and a stream that ends before it says that it is complete, which is a
/// failure.
#[test]
fn streams_of_lines_may_be_odd_but_not_cut() {
    let box_ = Playground::sandbox(&["odd-lines"]);
    let assert = box_.esker().args(["checkpoint", "create", "-o", "name"]).assert().success();
    assert!(stdout(&assert).starts_with('v'), "{}", stdout(&assert));
    let box_ = Playground::sandbox(&["no-complete"]);
    let assert = box_.esker().args(["checkpoint", "create"]).assert().code(1);
    assert!(stderr(&assert).contains("ended before it was complete"), "{}", stderr(&assert));
}

/// 83: a name with an address of each family, of which only one answers.
#[test]
fn the_other_family_of_addresses_is_tried() {
    let box_ = Playground::sandbox(&[]);
    let url = box_.variables()["SPRITES_ENDPOINT"].replace("127.0.0.1", "localhost");
    box_.esker().env("SPRITES_ENDPOINT", url).args(["exec", "--", "true"]).assert().code(0);
}
