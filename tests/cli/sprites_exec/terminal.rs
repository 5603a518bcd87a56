//! Terminals, driven by a script.

use super::{exec, stdout};
use crate::support::playground::Playground;
use crate::support::process::Running;
use crate::support::terminal::Pty;
use rustix::process::Signal;

/// `tty=True`, `initial_window_size=(cols, rows)` and `resize_terminal(cols, rows)` of the seed.
#[test]
fn tty_initial_window_size_and_resize_terminal() {
    let box_ = Playground::sandbox(&[]);
    let script = "stty size; read x; stty size; tty -s && echo tty; exit 6";
    let events = concat!(r#"{"type":"resize","cols":120,"rows":41}"#, "\n", r#"{"type":"stdin","data":"\r"}"#, "\n");
    let words = ["exec", "-t", "--tty-size", "100x30", "--stdin-format", "jsonl", "--", "sh", "-c", script];
    let assert = box_.esker().args(words).write_stdin(events).assert().code(6);
    let text = stdout(&assert);
    assert!(text.contains("41 120\r\n") && text.ends_with("tty\r\n"), "{text:?}");
}

/// `send_control_message(dict)` of the seed: raw, so the wire's own resize works.
#[test]
fn send_control_message() {
    let box_ = Playground::sandbox(&[]);
    let events = concat!(
        r#"{"type":"control","message":{"type":"resize","cols":90,"rows":33}}"#,
        "\n",
        r#"{"type":"stdin","data":"\r"}"#,
        "\n"
    );
    let words = ["exec", "-t", "--tty-size", "80x24", "--stdin-format", "jsonl", "--", "sh", "-c", "read x; stty size"];
    let assert = box_.esker().args(words).write_stdin(events).assert().code(0);
    assert!(stdout(&assert).ends_with("33 90\r\n"), "{:?}", stdout(&assert));
}

/// Variables reach a program in a terminal without being shown there; 27: a sequence that would open a browser is output.
#[test]
fn a_terminal_has_its_variables_and_passes_sequences_on() {
    let box_ = Playground::sandbox(&[]);
    let script = r#"printf '\033]9999;browser-open;http://x;80\007'; printf '%s %s' "$KEY" "$TERM""#;
    let words = ["exec", "-t", "--tty-size", "80x24", "-I", "--env", "KEY=hunter2", "--env", "TERM=vt52", "--"];
    let assert = box_.esker().args(words).args(["sh", "-c", script]).assert().code(0);
    assert_eq!(stdout(&assert), "\x1b]9999;browser-open;http://x;80\x07hunter2 vt52");
}

/// 26: a paste of a megabyte.
#[test]
fn a_long_paste_arrives() {
    let box_ = Playground::sandbox(&[]);
    let line = serde_json::json!({"type": "stdin", "data": format!("{}\r", "p".repeat(1000)).repeat(1000)});
    let script = "stty -echo; head -n 1000 | wc -c";
    let words = ["exec", "-t", "--tty-size", "80x24", "--stdin-format", "jsonl", "--", "sh", "-c", script];
    let assert = box_.esker().args(words).write_stdin(format!("{line}\n")).assert().code(0);
    assert!(stdout(&assert).trim_end().ends_with("1001000"), "{:?}", stdout(&assert));
}

/// A shell in a real terminal, and in the sandbox; its prompt is shown.
fn shell(playground: &Playground) -> (Pty, Running) {
    shell_with(playground, &[])
}

/// The same with more flags.
fn shell_with(playground: &Playground, flags: &[&str]) -> (Pty, Running) {
    let mut pty = Pty::new(100, 30);
    let mut command = playground.esker_process();
    command.args(["exec", "-t", "--env", "PS1=ready> "]).args(flags).args(["--", "sh"]);
    let running = pty.start(command);
    pty.until("ready> ");
    (pty, running)
}

/// 24: the keys that mean something to a terminal are the program's, and ctrl-] leaves it where it can be joined again.
#[test]
fn keys_are_the_programs_but_those_that_leave_it() {
    let box_ = Playground::sandbox(&[]);
    let (mut pty, running) = shell(&box_);
    assert!(!pty.is_cooked());
    for (key, signal) in [("\x03", "INT"), ("\x1c", "QUIT")] {
        // The shell's own words are not taken for what the program says.
        pty.send(&format!(
            "sh -c 'trap \"echo g''ot {signal}; exit\" {signal}; echo u''p; while :; do sleep 0.05; done'\r"
        ));
        pty.until("\r\nup\r\n");
        pty.send(key);
        pty.until(&format!("got {signal}"));
        pty.until("ready> ");
    }
    pty.send("sh -c 'echo u''p; exec sleep 1000'\r");
    pty.until("\r\nup\r\n");
    pty.send("\x1a");
    pty.until("Stopped");
    pty.until("ready> ");
    pty.send("\x1d");
    assert_eq!(running.end().0, 0);
    assert!(pty.is_cooked());
    let id = stdout(&exec(&box_, &["--sessions", "-o", "name"]).code(0)).trim_end().to_owned();
    let mut command = box_.esker_process();
    command.args(["exec", "--attach", &id]);
    let mut pty = Pty::new(100, 30);
    let joined = pty.start(command);
    // A shell wants to be told twice as long as a job is stopped.
    pty.send("exit 4\rexit 4\r");
    assert_eq!(joined.end().0, 4);
}

/// 23: whatever ends us, the terminal here is as it was.
#[test]
fn the_terminal_is_restored_after_signals_and_a_lost_network() {
    let box_ = Playground::sandbox(&[]);
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let (pty, running) = shell(&box_);
        assert!(!pty.is_cooked());
        running.signal(signal);
        assert_eq!(running.end().0, status);
        assert!(pty.is_cooked());
    }
    // Gone for good: it is looked for as long as there is time.
    let (pty, running) = shell_with(&box_, &["--timeout", "3s"]);
    drop(box_);
    assert_eq!(running.end().0, 124);
    assert!(pty.is_cooked());
}
