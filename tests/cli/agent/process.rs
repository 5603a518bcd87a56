//! Programs that behave badly (section 8 of the agent's reference, 12 to 22): each is a few lines of shell that answer as
//! pi does, and then do something else.

use super::{is_left, program, unique_sleep, wait_for};
use crate::support::process::Running;
use crate::support::{error_of, esker_process, home};
use assert_cmd::Command;
use rustix::process::Signal;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

/// What every one of them begins with: it says its version, and reads the first question.
const BEGIN: &str = r#"#!/bin/sh
[ "$1" = --version ] && { echo 0.87.1; exit; }
ok() { id=${1#*'"id":"'}; printf '{"id":"%s","type":"response","command":"%s","success":true,"data":%s}\n' "${id%%'"'*}" "$2" "${3:-null}"; }
state='{"model":{"id":"m","provider":"p"},"sessionId":"s1","isStreaming":false}'
text() { printf '{"type":"message_end","message":{"role":"assistant","content":"%s","stopReason":"stop"}}\n' "$1"; }
over() { printf '{"type":"agent_end","willRetry":false}\n{"type":"agent_settled"}\n'; }
"#;

/// Answers the first question and takes the prompt.
const PROMPTED: &str = r#"read -r line; ok "$line" get_state "$state"
read -r line; ok "$line" prompt; echo '{"type":"agent_start"}'
"#;

/// Answers whatever is still asked, to the end of its input.
const SERVE: &str = r#"while read -r line; do case $line in *get_state*) ok "$line" get_state "$state" ;; *) ok "$line" abort ;; esac; done
"#;

fn scripted(parts: &[&str]) -> PathBuf {
    let binary = home().join("bad/pi");
    program(&binary, &[&[BEGIN], parts].concat().concat());
    binary
}

fn command(binary: &Path, words: &[&str]) -> std::process::Command {
    let config = home().join("bad.yaml");
    std::fs::write(&config, format!("endpoints:\n  pi: {{provider: pi, binary: {:?}}}\n", binary.display())).unwrap();
    let mut command = esker_process();
    command.current_dir(home()).env("ANTHROPIC_API_KEY", "k").arg("--config").arg(config);
    command.args(["--target", "pi", "agent", "run", "hello"]).args(words);
    command
}

fn run(binary: &Path, words: &[&str]) -> Output {
    Command::from_std(command(binary, &[&["-o", "json"], words].concat())).output().unwrap()
}

fn ran(parts: &[&str], words: &[&str]) -> Output {
    run(&scripted(parts), words)
}

fn text_of(output: &Output) -> String {
    let result: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    result["text"].as_str().unwrap().to_owned()
}

/// 12.
#[test]
fn what_is_no_program_is_said_to_be_none() {
    let file = home().join("bad/plain");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "no program").unwrap();
    let interpreter = home().join("bad/interpreter");
    program(&interpreter, "#!/nonexistent/node\n");
    for (binary, code, wanted) in [
        (home().join("none"), 6, "no program"),
        (home(), 6, "no program"),
        (file.clone(), 1, "permission denied"),
        (interpreter, 6, "no such file"),
    ] {
        let output = run(&binary, &[]);
        let error = error_of(&output);
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.to_string().contains(wanted), "{}: {error}", binary.display());
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(run(&file, &[]).status.code(), Some(1), "a file that the system cannot execute");
}

/// 13.
#[test]
fn one_that_ends_at_once_is_quoted() {
    let error = error_of(&ran(&["echo 'it is broken' >&2; exit 3\n"], &[]));
    assert!(error["message"].as_str().unwrap().ends_with("it exited with status 3"), "{error}");
    assert_eq!(error["causes"], serde_json::json!(["it is broken"]));
    let output = ran(&["exit 0\n"], &[]);
    assert_eq!(output.status.code(), Some(1), "that it exited with 0 is no success");
    // In the middle of its answer.
    let output = ran(&[PROMPTED, "echo oops >&2; exit 0\n"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(error_of(&output).to_string().contains("exited with status 0"), "{output:?}");
}

/// 14, 48: a limit of time, and a program that does not want to end.
#[test]
fn one_that_will_not_end_is_killed() {
    let sleep = unique_sleep();
    let stubborn = format!("trap '' TERM; {sleep} & while :; do wait; done\n");
    let output = ran(&[PROMPTED, &stubborn], &["--timeout", "1s", "--grace", "200ms"]);
    assert_eq!(output.status.code(), Some(9), "{output:?}");
    assert!(!is_left(&sleep));
}

/// 15: it closes what it writes to, or what it reads from, and lives on.
#[test]
fn one_that_closes_its_streams_is_not_waited_for() {
    let sleep = unique_sleep();
    let closed = format!("exec >&- 2>&-; exec {sleep}\n");
    let output = ran(&[PROMPTED, &closed], &["--idle-timeout", "1s", "--grace", "1s"]);
    assert_eq!(output.status.code(), Some(9), "{output:?}");
    let output = ran(&[PROMPTED, "exec <&-; text done; over; exec sleep 1000\n"], &["--grace", "1s"]);
    assert_eq!((output.status.code(), text_of(&output).as_str()), (Some(0), "done"));
    assert!(!is_left(&sleep));
}

/// 16: stderr is read, however much there is of it and however long its lines are.
#[test]
fn a_flood_of_stderr_does_not_hold_it_up() {
    let flood = "head -c 20000000 /dev/zero | tr '\\0' x >&2; echo >&2; yes 'a line of noise' | head -n 200000 >&2\n";
    let output = ran(&[flood, PROMPTED, flood, "text done; over\n", SERVE], &[]);
    assert_eq!((output.status.code(), text_of(&output).as_str()), (Some(0), "done"));
}

/// 17: what it left keeps its output open.
#[test]
fn what_holds_its_output_open_is_ended_with_it() {
    let sleep = unique_sleep();
    let left = format!("setsid {sleep} & text done; over; exit 0\n");
    let output = ran(&[PROMPTED, &left], &[]);
    assert_eq!((output.status.code(), text_of(&output).as_str()), (Some(0), "done"));
    assert!(!is_left(&sleep));
}

/// 19: whoever drives it is killed, alone or with its whole group.
#[test]
fn nothing_is_left_when_we_are_killed() {
    for whole_group in [false, true] {
        let sleep = unique_sleep();
        // In a session of its own, as a tool of pi is.
        let tool = format!("setsid {sleep} & echo '{{\"type\":\"turn_start\"}}'; wait\n");
        let binary = scripted(&[PROMPTED, &tool]);
        let mut command = command(&binary, &["-o", "jsonl"]);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut running = Running::start(command);
        drop(running.0.stdin.take());
        wait_for("the tool", || is_left(&sleep));
        if whole_group {
            let group = rustix::process::Pid::from_child(&running.0);
            rustix::process::kill_process_group(group, Signal::KILL).unwrap();
        } else {
            running.signal(Signal::KILL);
        }
        running.wait();
        wait_for("the end of the tool", || !is_left(&sleep));
    }
}

/// 21: a prompt that fills the pipe while the other side fills ours.
#[test]
fn full_pipes_do_not_wait_for_each_other() {
    let prompt = home().join("long.txt");
    std::fs::write(&prompt, "x".repeat(3_000_000)).unwrap();
    let pad = "y".repeat(4000);
    let mut flood =
        String::from("read -r line; ok \"$line\" get_state \"$state\"\necho '{\"type\":\"agent_start\"}'\n");
    let _ = writeln!(flood, "yes '{{\"type\":\"noise\",\"pad\":\"{pad}\"}}' | head -n 1000");
    flood.push_str("head -n 1 >/dev/null; text done; over\n");
    let binary = scripted(&[&flood, SERVE]);
    let mut command = command(&binary, &["-o", "json"]);
    command.stdin(std::fs::File::open(prompt).unwrap());
    let output = command.output().unwrap();
    assert_eq!((output.status.code(), text_of(&output).as_str()), (Some(0), "done"), "{:?}", error_of(&output));
}

/// 22: paths that are hard to write.
#[test]
fn odd_paths_are_paths() {
    use std::os::unix::ffi::OsStrExt as _;
    let odd = home().join(std::ffi::OsStr::from_bytes(b"a b\nc\xff"));
    std::fs::create_dir_all(&odd).unwrap();
    let mut command = command(&scripted(&[PROMPTED, "text \"$(pwd | wc -c)\"; over\n", SERVE]), &["-o", "json"]);
    command.arg("--cwd").arg(&odd);
    let output = Command::from_std(command).output().unwrap();
    let bytes = odd.canonicalize().unwrap().as_os_str().len() + 1;
    assert_eq!((output.status.code(), text_of(&output)), (Some(0), bytes.to_string()), "{output:?}");
    // A program by a relative path, from another directory.
    let output = Command::from_std({
        let mut command = self::command(Path::new("bad/pi"), &["-o", "json", "--cwd", "/"]);
        command.current_dir(home());
        command
    })
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// 2: one very long line, and one that is longer than is taken.
#[test]
fn a_line_may_be_long_and_not_endless() {
    let long = "printf '{\"type\":\"message_end\",\"message\":{\"role\":\"assistant\",\"stopReason\":\"stop\",\"content\":\"'; \
        head -c 10485760 /dev/zero | tr '\\0' x; echo '\"}}'; over\n";
    let output = ran(&[PROMPTED, long, SERVE], &[]);
    assert_eq!((output.status.code(), text_of(&output).len()), (Some(0), 10 * 1024 * 1024));
    let endless = "printf '{\"type\":\"'; head -c 80000000 /dev/zero | tr '\\0' x; echo; text done; over\n";
    let output = Command::from_std(command(&scripted(&[PROMPTED, endless, SERVE]), &["-o", "jsonl"])).output().unwrap();
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(lines.contains("a line of 80000009 bytes is longer than is taken"), "{lines}");
}
