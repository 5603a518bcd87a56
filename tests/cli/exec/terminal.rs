//! Programs in a real terminal.

use super::{by_hand, daemon, stdout};
use crate::support::daemon::Daemon;
use crate::support::esker;
use crate::support::process::{Running, gone};
use crate::support::terminal::Pty;
use rustix::process::Signal;

/// A shell in a terminal of 100 columns, with its prompt shown.
fn shell(daemon: &Daemon) -> (Pty, Running) {
    let mut pty = Pty::new(100, 30);
    let mut command = by_hand(daemon, &["--env", "PS1=ready> ", "--", "sh"]);
    command.env("TERM", "vt100");
    let running = pty.start(command);
    pty.until("ready> ");
    (pty, running)
}

#[test]
fn the_terminal_is_the_programs() {
    let Some(daemon) = daemon() else { return };
    let (mut pty, running) = shell(&daemon);
    assert!(!pty.is_cooked());
    pty.send("stty size; echo $TERM; tty >/dev/null && echo a tty\r");
    let shown = pty.until("a tty\r\n");
    assert!(shown.starts_with("stty size;"), "what is typed is echoed once: {shown:?}");
    assert!(shown.contains("\r\n30 100\r\nvt100\r\n"), "{shown:?}");
    pty.send("exit 3\r");
    assert_eq!(running.end().0, 3);
    assert!(pty.is_cooked());
}

#[test]
fn a_new_size_is_passed_on() {
    let Some(daemon) = daemon() else { return };
    let (mut pty, running) = shell(&daemon);
    pty.send("trap 'stty size' WINCH; echo set\r");
    pty.until("\r\nset\r\n");
    pty.resize(132, 50);
    running.signal(Signal::WINCH);
    // A shell that waits for a line runs its trap when the line is there.
    loop {
        pty.send("stty size\r");
        if pty.until("ready> ").contains("50 132") {
            break;
        }
    }
    pty.send("exit\r");
    assert_eq!(running.end().0, 0);
}

#[test]
fn keys_reach_the_program_as_keys() {
    let Some(daemon) = daemon() else { return };
    let (mut pty, running) = shell(&daemon);
    pty.send("sleep 1000; echo status $?\r");
    pty.until("$?\r\n");
    pty.send("\x03");
    pty.until("ready> ");
    pty.send("\x04");
    assert_eq!(running.end().0, 130);
    assert!(pty.is_cooked());
}

#[test]
fn whatever_ends_esker_the_terminal_is_as_before() {
    let Some(daemon) = daemon() else { return };
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let (mut pty, running) = shell(&daemon);
        pty.send("echo pid $$\r");
        pty.until("\r\npid ");
        let pid = pty.until("\r\n").trim().parse().unwrap();
        running.signal(signal);
        assert_eq!(running.end().0, status);
        assert!(pty.is_cooked());
        assert!(gone(pid));
    }
}

#[test]
fn without_a_terminal_one_is_made_of_the_size_that_was_asked_for() {
    let Some(daemon) = daemon() else { return };
    let run = esker()
        .env("PEBBLE", daemon.dir())
        .args(["exec", "-t", "-I", "--tty-size", "90x20", "--", "sh", "-c", "stty size <&1; echo err >&2"])
        .assert()
        .code(0)
        .stderr("");
    assert_eq!(stdout(&run), "20 90\r\nerr\r\n");
}

#[test]
fn a_script_drives_a_terminal() {
    let Some(daemon) = daemon() else { return };
    let script = concat!(
        r#"{"type":"stdin","data":"stty -echo; stty size; read x; stty size; echo $x\r"}"#,
        "\n",
        r#"{"type":"resize","cols":70,"rows":7}"#,
        "\n",
        r#"{"type":"stdin","data_base64":"aGkN"}"#,
        "\n",
        r#"{"type":"stdin","data":"exit 6\r"}"#,
        "\n",
    );
    let run = esker()
        .env("PEBBLE", daemon.dir())
        .args(["exec", "-t", "--tty-size", "90x20", "--stdin-format", "jsonl", "--", "sh"])
        .write_stdin(script)
        .assert()
        .code(6);
    assert!(stdout(&run).contains("7 70\r\nhi\r\n"), "{}", stdout(&run));
}

#[test]
fn a_script_drives_a_pipe_and_a_bad_line_ends_it() {
    let Some(daemon) = daemon() else { return };
    let driven = |script: &str| {
        let mut command = esker();
        command.env("PEBBLE", daemon.dir()).args(["exec", "--stdin-format", "jsonl", "--", "cat"]);
        command.write_stdin(script.to_owned()).assert()
    };
    driven("{\"type\":\"stdin\",\"data\":\"hi\"}\n{\"type\":\"eof\"}\n").code(0).stdout("hi");
    driven("{\"type\":\"signal\",\"signal\":\"TERM\"}\n").code(143);
    let run = driven("{\"type\":\"stdin\",\"data\":\"hi\"}\nnonsense\n").code(125);
    assert!(super::stderr(&run).contains("line 2 of stdin is no event"), "{}", super::stderr(&run));
}

#[test]
fn the_daemon_survives_terminals_that_go_away_in_full_flow() {
    let Some(daemon) = daemon() else { return };
    for _ in 0..10 {
        let mut pty = Pty::new(80, 24);
        let running = pty.start(by_hand(&daemon, &["--", "yes"]));
        pty.until("y\r\ny\r\n");
        running.signal(Signal::TERM);
        // Nobody reads on: what was on its way must not keep it from ending.
        assert_eq!(running.end().0, 143);
    }
    super::exec(&daemon, &["--", "true"]).code(0);
}
