//! Runs that are left: their output and status are files in the container's home.

use super::{exec, images, noise, stdout};
use crate::support::playground::Playground;

#[test]
fn a_detached_run_is_listed_read_and_waited_for() {
    for image in images() {
        let box_ = Playground::container(image, &[]);
        let script = "echo out; echo err >&2; exit 5";
        let id = stdout(&exec(&box_, &["--detach", "--", "sh", "-c", script]).code(0)).trim().to_owned();
        exec(&box_, &["--wait", &id]).code(5);
        assert_eq!(stdout(&exec(&box_, &["--logs", &id]).code(0)), "out\nerr\n", "{image}");
        let runs: serde_json::Value =
            serde_json::from_str(&stdout(&exec(&box_, &["--sessions", "-o", "json"]))).unwrap();
        assert_eq!(
            (&runs[0]["id"], &runs[0]["state"], &runs[0]["exit_code"]),
            (&id.into(), &"exited".into(), &5.into())
        );
        let id = stdout(&exec(&box_, &["--detach", "--", "sleep", "1000"]).code(0)).trim().to_owned();
        exec(&box_, &["--kill", &id]).code(0);
        exec(&box_, &["--wait", &id]).code(143);
        exec(&box_, &["--wait", "nosuchrun"]).code(125);
    }
}

#[test]
fn a_surviving_program_gets_its_stdin_and_is_joined_again() {
    let box_ = Playground::container("debian-12", &[]);
    let data = noise(600_000, 13);
    let assert = box_.esker().args(["exec", "--survive", "--", "cat"]).write_stdin(data.clone()).assert().code(0);
    assert!(assert.get_output().stdout == data);
    let id = stdout(&exec(&box_, &["--detach", "--", "sh", "-c", "echo one; sleep 0.3; echo two; exit 3"]).code(0));
    let assert = exec(&box_, &["--attach", id.trim()]).code(3);
    assert_eq!(stdout(&assert), "one\ntwo\n");
    exec(&box_, &["--survive", "--timeout", "400ms", "--", "sleep", "100"]).code(124);
    exec(&box_, &["--survive", "--", "no-such-program"]).code(127);
}
