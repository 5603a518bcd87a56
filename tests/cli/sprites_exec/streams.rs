//! Arguments, variables, stdin, both outputs, the exit code.

use super::{exec, stderr, stdout};
use crate::support::error_of;
use crate::support::playground::Playground;
use std::io::Read;
use std::process::Stdio;

/// `exec(["list","form"])` of the seed: arguments as they are; 11: codes.
#[test]
fn exec_list_form() {
    let box_ = Playground::sandbox(&[]);
    let assert = exec(&box_, &["--", "printf", "<%s>", "a b", "c+d&e=%\n", "", "ü", "$HOME", "-n"]).code(0);
    assert_eq!(stdout(&assert), "<a b><c+d&e=%\n><><ü><$HOME><-n>");
    for code in [0, 1, 126, 127, 137, 255] {
        exec(&box_, &["--", "sh", "-c", &format!("exit {code}")]).code(code);
    }
    exec(&box_, &["--", "sh", "-c", "kill -9 $$"]).code(137);
}

/// `exec("one string, perhaps with pipes")` of the seed: a shell, if one is asked for.
#[test]
fn exec_string_form() {
    let box_ = Playground::sandbox(&[]);
    let assert = exec(&box_, &["--", "sh", "-c", "echo out | tr a-z A-Z; echo err >&2; exit 3"]).code(3);
    assert_eq!((stdout(&assert), stderr(&assert)), ("OUT\n".to_owned(), "err\n".to_owned()));
}

/// `run(stdin=bytes)` and `send_stdin_eof` of the seed; 1: bytes that look like stream ids; 2: an empty stdin.
#[test]
fn run_stdin_bytes() {
    let box_ = Playground::sandbox(&[]);
    for bytes in [&b"\x04\x00\xff\x01\x03\x04"[..], b"", b"\x00"] {
        let assert = box_.esker().args(["exec", "--", "cat"]).write_stdin(bytes).assert().code(0);
        assert_eq!(assert.get_output().stdout, bytes);
    }
}

/// 6: megabytes both ways at once, unchanged; 7: no UTF-8 anywhere.
#[test]
fn much_goes_both_ways_unchanged() {
    let box_ = Playground::sandbox(&[]);
    let bytes: Vec<u8> = (0u32..3_000_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let assert = box_.esker().args(["exec", "--verify", "--", "cat"]).write_stdin(bytes.clone()).assert().code(0);
    assert!(assert.get_output().stdout == bytes);
}

/// 4: the program ends before its stdin does; 5: it closes stdin and runs on.
#[test]
fn a_program_need_not_read_its_stdin() {
    let box_ = Playground::sandbox(&[]);
    let much = vec![b'x'; 8 << 20];
    let assert = box_.esker().args(["exec", "--", "head", "-c", "2"]).write_stdin(much.clone()).assert().code(0);
    assert_eq!((stdout(&assert).as_str(), stderr(&assert).as_str()), ("xx", ""));
    let script = "exec <&-; echo on; exit 5";
    let assert = box_.esker().args(["exec", "--", "sh", "-c", script]).write_stdin(much).assert().code(5);
    assert_eq!(stdout(&assert), "on\n");
}

/// `env={…}` of the seed; 84: values of any kind. They are added to what is there.
#[test]
fn env() {
    let box_ = Playground::sandbox(&[]);
    let value = "a=b\n+c&d%20'\"$x";
    let script = "printf '%s|%s|%s' \"$V\" \"${HOME:+home}\" \"$PATH\"";
    let assert = exec(&box_, &["--env", &format!("V={value}"), "--", "sh", "-c", script]).code(0);
    let text = stdout(&assert);
    assert!(text.starts_with(&format!("{value}|home|/")), "{text}");
    let assert = box_
        .esker()
        .args(["exec", "--env", "V=1", "--", "sh", "-c", "cat; echo $V"])
        .write_stdin("mine\n")
        .assert()
        .code(0);
    assert_eq!(stdout(&assert), "mine\n1\n");
}

/// A secret is neither in the trace, which shows URLs, nor in the list of sessions.
#[test]
fn a_variable_is_in_no_url() {
    let box_ = Playground::sandbox(&[]);
    let assert = exec(&box_, &["-vvv", "--env", "KEY=hunter2", "--", "sh", "-c", "echo ${#KEY}"]).code(0);
    assert_eq!(stdout(&assert), "7\n");
    assert!(!stderr(&assert).contains("hunter2"), "{}", stderr(&assert));
}

/// `cwd=…` of the seed.
#[test]
fn cwd() {
    let box_ = Playground::sandbox(&[]);
    assert_eq!(stdout(&exec(&box_, &["--", "pwd"]).code(0)).trim_end().rsplit('/').next(), Some("sprite"));
    exec(&box_, &["--", "mkdir", "-p", "a b/c"]).code(0);
    let assert = exec(&box_, &["-w", "a b/c", "--", "sh", "-c", "basename \"$PWD\""]).code(0);
    assert_eq!(stdout(&assert), "c\n");
    let assert = exec(&box_, &["-w", "/nowhere", "--", "true"]).code(125);
    assert!(stderr(&assert).contains("nowhere"), "{}", stderr(&assert));
}

/// 85: more than any URL holds.
#[test]
fn a_long_command_line_arrives() {
    let box_ = Playground::sandbox(&[]);
    let long = "y".repeat(100_000);
    let assert = exec(&box_, &["--", "sh", "-c", "printf %s \"$1\" | wc -c", "sh", &long]).code(0);
    assert_eq!(stdout(&assert).trim(), "100000");
}

#[test]
fn what_is_missing_or_no_program_is_told_apart() {
    let box_ = Playground::sandbox(&[]);
    let missing = exec(&box_, &["--", "no-such-program"]).code(127);
    assert!(stderr(&missing).contains("no-such-program"), "{}", stderr(&missing));
    exec(&box_, &["--", "/etc/passwd"]).code(126);
}

/// Blocking `run(timeout=…)` of the seed; 82: the program is ended over there.
#[test]
fn run_timeout() {
    let box_ = Playground::sandbox(&[]);
    let assert = exec(&box_, &["--timeout", "300ms", "--", "sh", "-c", "echo begun; sleep 1000"]).code(124);
    assert_eq!(stdout(&assert), "begun\n");
    let sessions = exec(&box_, &["--sessions", "-o", "json"]).code(0);
    assert_eq!(stdout(&sessions), "[]\n");
}

/// 8: each stream in its order; NDJSON of callbacks `on_stdout`, `on_stderr`, `on_exit` of the seed.
#[test]
fn callbacks() {
    let box_ = Playground::sandbox(&[]);
    let script = "for i in 1 2 3; do echo o$i; echo e$i >&2; done; exit 4";
    let assert = exec(&box_, &["-o", "jsonl", "--", "sh", "-c", script]).code(4);
    let events: Vec<serde_json::Value> =
        stdout(&assert).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| {
        let all = events.iter().filter(|event| event["type"] == kind);
        all.map(|event| event["data"].as_str().unwrap()).collect::<String>()
    };
    assert_eq!((of("stdout"), of("stderr")), ("o1\no2\no3\n".into(), "e1\ne2\ne3\n".into()));
    let result = events.last().unwrap();
    assert_eq!((&result["type"], &result["exit_code"]), (&"result".into(), &4.into()));
    assert!(result["operation_id"].as_str().unwrap().contains('@'), "{result}");
}

/// 78: the reader of our stdout goes away, and the program is not left behind.
#[test]
fn a_closed_stdout_ends_the_program() {
    let box_ = Playground::sandbox(&[]);
    let script = format!(
        "'{}' exec -- sh -c 'while echo y; do :; done' | head -n 1; '{0}' exec --sessions -o name",
        env!("CARGO_BIN_EXE_esker")
    );
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).envs(box_.variables()).env("HOME", crate::support::home());
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "y\n", "{output:?}");
}

#[test]
fn a_verified_output_is_whole_or_an_error() {
    let whole = Playground::sandbox(&[]);
    let words = ["--verify", "-o", "json", "--", "sh", "-c", "head -c 5000 /dev/zero; echo e >&2; exit 3"];
    exec(&whole, &words).code(3);
    let truncated = Playground::sandbox(&["truncate=1000"]);
    let silent = ["--", "sh", "-c", "head -c 5000 /dev/zero"];
    let assert = exec(&truncated, &[&["--verify", "-o", "json"][..], &silent].concat()).code(125);
    let error = error_of(assert.get_output());
    assert_eq!(error["causes"][0], "1000 of 5000 bytes of stdout arrived", "{error}");
    assert_eq!(exec(&truncated, &silent).code(0).get_output().stdout.len(), 1000, "nobody else would tell");
}

/// 21: something that the program left behind holds its output open: its exit is told all the same, and soon.
#[test]
fn a_grandchild_that_holds_the_output_keeps_nobody() {
    let playground = Playground::sandbox(&[]);
    let assert = exec(&playground, &["--timeout", "50s", "--", "sh", "-c", "sleep 1000 & echo out; exit 5"]).code(5);
    assert_eq!(stdout(&assert), "out\n");
}

/// 80: whoever reads our output may take a pause, and nothing is lost or held in memory.
#[test]
fn a_reader_that_pauses_gets_everything() {
    let playground = Playground::sandbox(&[]);
    let mut command = playground.esker_process();
    command.args(["exec", "--", "sh", "-c", "head -c 50000000 /dev/zero; echo done >&2; exit 6"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    // The last of it waits in pipes and sockets while this reader does nothing.
    let mut first = vec![0; 47 << 20];
    out.read_exact(&mut first).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    let mut rest = Vec::new();
    out.read_to_end(&mut rest).unwrap();
    assert_eq!(first.len() + rest.len(), 50_000_000);
    assert_eq!(child.wait().unwrap().code(), Some(6));
    assert!(kib < 100_000, "{kib} KiB");
}
