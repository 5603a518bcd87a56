//! What goes wrong on the way: the truth or an error, never something else.

use super::{exec, noise, stderr, stdout};
use crate::support::error_of;
use crate::support::playground::Playground;

/// 23: a lost connection is no status, and the program is ended if it can be found.
#[test]
fn a_lost_terminal_is_an_error() {
    let box_ = Playground::container("debian-12", &["drop=3000:first=1"]);
    let assert = exec(&box_, &["-o", "json", "--", "sh", "-c", "while echo y; do :; done"]).code(125);
    let error = error_of(assert.get_output());
    assert_eq!(error["kind"], "unreachable", "{error}");
    assert!(error["causes"].to_string().contains("not known"), "{error}");
}

/// A byte that is lost on the way is noticed.
#[test]
fn damage_is_an_error() {
    for at in [900, 2000, 3100] {
        let box_ = Playground::container("debian-12", &[&format!("lose={at}:path=/ws/*")]);
        let assert = exec(&box_, &["--", "sh", "-c", "head -c 30000 /dev/urandom | od -x | head -c 9000; exit 0"]);
        let code = assert.get_output().status.code();
        // A byte of the echo is nobody's loss.
        if code == Some(0) {
            assert_eq!(assert.get_output().stdout.len(), 9000, "lose={at}");
        } else {
            assert_eq!(code, Some(125), "lose={at}: {}", stderr(&assert));
        }
    }
}

/// 23: what survives is read again from where it was, through any number of drops and through damage.
#[test]
fn a_surviving_program_outlives_its_connections() {
    let data = noise(200_000, 9);
    for fault in ["drop=60000", "lose=50000", "restart-required=90000:first=1"] {
        let box_ = Playground::container("debian-12", &[]);
        box_.esker()
            .args(["files", "cp", "-", "rexec/box:/home/user/data"])
            .write_stdin(data.clone())
            .assert()
            .success();
        drop(box_);
        let box_ = Playground::container("debian-12", &[&format!("{fault}:path=/ws/terminal/*")]);
        let script = "i=0; while [ $i -lt 2000 ]; do echo line $i; echo err $i >&2; i=$((i+1)); done; exit 7";
        let assert = exec(&box_, &["--survive", "--", "sh", "-c", script]).code(7);
        let lines = |word: &str| (0..2000).map(|n| format!("{word} {n}\n")).collect::<Vec<_>>().concat();
        assert_eq!(stdout(&assert), lines("line"), "{fault}");
        let errors: String = stderr(&assert).lines().filter(|l| l.starts_with("err")).flat_map(|l| [l, "\n"]).collect();
        assert_eq!(errors, lines("err"), "{fault}");
    }
}

/// 25 to 28: what a server refuses with is told as what it is.
#[test]
fn refusals_are_told() {
    let code = |fault: &str, args: &[&str]| {
        let playground = Playground::rexec(&[fault]);
        let assert = playground.esker().args(args).assert();
        (assert.get_output().status.code(), stderr(&assert))
    };
    let list = ["vm", "list", "rexec"];
    let (status, said) = code("locked", &list);
    assert!(status == Some(4) && said.contains("session_locked"), "{said}");
    let (status, said) = code("limited=90s", &list);
    assert!(status == Some(13) && said.contains("1m30s"), "{said}");
    assert_eq!(code("502", &list).0, Some(13));
    assert_eq!(code("500", &list).0, Some(1));
    assert_eq!(code("garbage", &list).0, Some(1));
    let (status, said) = code("401", &list);
    assert!(status == Some(4) && said.contains("REXEC_TOKEN"), "{said}");
    let locked = Playground::container("debian-12", &["mfa"]);
    let assert = exec(&locked, &["--", "true"]).code(125);
    assert!(stderr(&assert).contains("second factor"), "{}", stderr(&assert));
}
