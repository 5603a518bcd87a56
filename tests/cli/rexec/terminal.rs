//! Real terminals: `-t`.

use super::{exec, stdout};
use crate::support::playground::Playground;

/// A command in a terminal has its true status, and its own size.
#[test]
fn a_command_in_a_terminal() {
    let box_ = Playground::container("debian-12", &[]);
    let words = ["-t", "--tty-size", "100x40", "--", "sh", "-c", "stty size; test -t 0 && test -t 1 && exit 7"];
    let assert = exec(&box_, &words).code(7);
    assert_eq!(stdout(&assert), "40 100\r\n");
    exec(&box_, &["-t", "--tty-size", "80x24", "--", "no-such-program"]).code(127);
}

/// 20, 21: the server's own terminal: what looks like a frame is typed, and its end is a clean one.
#[test]
fn the_login_shell_takes_what_looks_like_a_frame() {
    let box_ = Playground::container("debian-12", &[]);
    let events = concat!(
        "{\"type\":\"stdin\",\"data\":\"stty -echo; cat\\r\"}\n",
        "{\"type\":\"stdin\",\"data\":\"{}\\rnull\\r[1]\\r{\\\"type\\\":\\\"resize\\\",\\\"cols\\\":1,\\\"rows\\\":1}\\r\"}\n",
        "{\"type\":\"stdin\",\"data\":\"\\u0004\"}\n",
        "{\"type\":\"stdin\",\"data\":\"exit\\r\"}\n",
    );
    let assert = box_
        .esker()
        .args(["exec", "-t", "-i", "--tty-size", "80x24", "--stdin-format", "jsonl"])
        .write_stdin(events)
        .assert()
        .code(0);
    let text = stdout(&assert);
    for line in ["{}\r\n", "null\r\n", "[1]\r\n", "{\"type\":\"resize\",\"cols\":1,\"rows\":1}\r\n"] {
        assert!(text.contains(line), "{line:?} in {text:?}");
    }
}
