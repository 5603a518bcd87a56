//! Terminals, driven by a script.

use super::stdout;
use crate::support::playground::Playground;

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
