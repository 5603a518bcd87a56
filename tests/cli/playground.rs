//! The playground's frame: what runs in it, what it leads to, and that nothing of it stays.

use crate::support::process::{Running, gone};
use crate::support::running;
use crate::support::shown::shown;
use crate::support::terminal::Pty;
use crate::support::{error_of, esker_process, home};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The playground, with its temporary files in a directory of this test.
fn playground(args: &[&str]) -> Command {
    let mut command = esker_process();
    let tmp = home().join("tmp");
    std::fs::create_dir_all(&tmp).unwrap();
    command.env("TMPDIR", tmp).arg("playground").args(args);
    command
}

fn run(args: &[&str]) -> Output {
    playground(args).output().unwrap()
}

/// `script` for a shell in the playground.
fn sh(script: &str) -> Output {
    run(&["--", "sh", "-c", script])
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What is left in the directory for temporary files.
fn left() -> Vec<PathBuf> {
    std::fs::read_dir(home().join("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// A script that starts a sleeper in a session of its own, and says who is who: the sleeper, the script's parent
/// (which runs the playground), the script, and the directory.
const SLEEPER: &str = "env -i setsid sleep 1000 <&- >&- 2>&- & echo $! $PPID $$; echo ${XDG_CONFIG_HOME%/*}";

/// The numbers and the directory that [`SLEEPER`] told.
fn told(mut line: impl FnMut() -> String) -> (i32, i32, i32, PathBuf) {
    let numbers: Vec<i32> = line().split(' ').map(|number| number.parse().unwrap()).collect();
    let dir = PathBuf::from(line());
    assert!(dir.starts_with(home().join("tmp")) && dir.exists(), "{}", dir.display());
    (numbers[0], numbers[1], numbers[2], dir)
}

#[test]
fn the_status_is_that_of_the_command() {
    assert_eq!(sh("exit 0").status.code(), Some(0));
    assert_eq!(sh("exit 7").status.code(), Some(7));
    assert_eq!(sh("kill -9 $$").status.code(), Some(137));
    let absent = run(&["--", "no-such-program"]);
    assert_eq!(shown(&absent), "--- stderr\nerror: no program `no-such-program`\n[exit status: 127]\n");
    std::fs::write(home().join("text"), "text").unwrap();
    let text = run(&["--", "./text"]);
    assert_eq!(text.status.code(), Some(126), "{text:?}");
    assert!(left().is_empty());
}

#[test]
fn bytes_and_streams_are_the_commands() {
    let output = playground(&["--", "sh", "-c", "cat; echo err >&2"]);
    let output = assert_cmd::Command::from_std(output).write_stdin(b"\xff\x00in".to_vec()).output().unwrap();
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"\xff\x00in"[..], &b"err\n"[..]));
}

#[test]
fn inside_nothing_leads_to_the_users_own_config() {
    let config = home().join("config/esker");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.yaml"), "endpoints: {mine: {provider: pebble, socket: /x}}\n").unwrap();
    let script = "echo $HOME; echo ${ESKER_TARGET-unset}; readlink $(command -v esker); esker endpoint list -o name; \
                  stat -c %a ${XDG_CONFIG_HOME%/*}";
    let mut command = playground(&["--", "sh", "-c", script]);
    let output = command.env("ESKER_TARGET", "mine").output().unwrap();
    let inside = stdout(&output);
    let lines: Vec<&str> = inside.lines().collect();
    assert_eq!(lines[..2], [home().to_str().unwrap(), "unset"], "{output:?}");
    assert_eq!(
        Path::new(lines[2]).canonicalize().unwrap(),
        Path::new(env!("CARGO_BIN_EXE_esker")).canonicalize().unwrap()
    );
    assert!(!inside.contains("mine"), "{inside}");
    assert_eq!(lines.last(), Some(&"700"));
    // A broken config of the user's does not matter either.
    std::fs::write(config.join("config.yaml"), "{").unwrap();
    assert_eq!(sh("exit 3").status.code(), Some(3));
}

#[test]
fn without_a_command_there_is_a_shell_that_begins_with_a_greeting() {
    let mut command = playground(&[]);
    command.env("SHELL", "/bin/sh");
    let output = assert_cmd::Command::from_std(command).write_stdin("echo in a shell; exit 4\n").output().unwrap();
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("in a shell\n", Some(4)));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.starts_with("This is a playground. Nothing in it is real,"), "{stderr}");
    let quiet = playground(&["-q"]).env("SHELL", "/bin/true").output().unwrap();
    assert_eq!(shown(&quiet), "[exit status: 0]\n");
}

#[test]
fn the_variables_are_printed_for_a_shell_and_as_a_document() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut command = playground(&["--print-env"]);
        command.env("PATH", "/it's/here:/usr/bin:/bin");
        let mut running = running::Running::start(&mut command);
        running.notes("these are simulators");
        running.signal(signal);
        let output = running.end();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let script = stdout(&output);
        assert!(script.lines().all(|line| line.starts_with("export ") || line.starts_with("unset ")), "{script}");
        let script = format!("{script}\nprintf '%s\\n' \"$PATH\" \"${{ESKER_TARGET-unset}}\"");
        let read = Command::new("/bin/sh").args(["-c", &script]).env("ESKER_TARGET", "x").output().unwrap();
        assert!(stdout(&read).ends_with("/bin:/it's/here:/usr/bin:/bin\nunset\n"), "{read:?}");
        assert!(left().is_empty());
    }
    let mut running = running::Running::start(&mut playground(&["--print-env", "-o", "json"]));
    running.notes("these are simulators");
    running.signal(Signal::INT);
    let document: BTreeMap<String, Option<String>> = serde_json::from_slice(&running.end().stdout).unwrap();
    assert_eq!(document["ESKER_TARGET"], None);
    assert!(document["XDG_STATE_HOME"].as_ref().unwrap().ends_with("/state"));
}

#[test]
fn what_the_command_line_has_wrong_is_said_before_anything_starts() {
    for args in [&["--only", "nonesuch"][..], &["--only", ","], &["--fault", "nonesuch", "--", "true"]] {
        let output = run(&[&["-o", "json"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
    let error = error_of(&run(&["-o", "json", "--fault", "nonesuch"]));
    assert_eq!(error["message"], "invalid fault `nonesuch`: there is no `nonesuch`");
    assert!(error["hint"].as_str().unwrap().starts_with("there are delay, cut, reset, stall, garbage, 401,"));
    assert!(left().is_empty());
}

#[test]
fn a_named_directory_stays_and_must_be_empty() {
    let dir = home().join("kept");
    let named = dir.to_str().unwrap();
    assert_eq!(run(&["--dir", named, "--", "true"]).status.code(), Some(0));
    assert!(dir.join("config").is_dir());
    let again = run(&["--dir", named, "--", "true"]);
    assert_eq!(again.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"), "{again:?}");
    assert_eq!(run(&["--dir", named, "--print-env"]).status.code(), Some(7));
}

#[test]
fn what_the_command_leaves_running_ends_with_the_playground() {
    let output = sh(&format!("{SLEEPER}; exit 6"));
    assert_eq!(output.status.code(), Some(6));
    let text = stdout(&output);
    let mut lines = text.lines();
    let numbers: Vec<i32> = lines.next().unwrap().split(' ').map(|number| number.parse().unwrap()).collect();
    assert!(numbers.into_iter().all(gone));
    assert!(left().is_empty());
}

#[test]
fn nothing_stays_when_the_playground_is_killed() {
    // Whichever of its two processes it is, and both halves of the user's process group.
    for kill_ward in [false, true] {
        let script = format!("{SLEEPER}; exec sleep 1000");
        let mut playground = Running::start(playground(&["--", "sh", "-c", &script]));
        let (sleeper, ward, command, dir) = told(|| playground.line());
        if kill_ward {
            rustix::process::kill_process(rustix::process::Pid::from_raw(ward).unwrap(), Signal::KILL).unwrap();
            let (status, stderr) = playground.wait();
            assert_eq!((status, stderr.as_str()), (125, "error: the playground was ended by SIGKILL\n"));
        } else {
            playground.signal(Signal::KILL);
            assert_eq!(playground.wait().0, 137);
        }
        assert!(gone(command) && gone(sleeper) && gone(ward));
        assert!(!dir.exists(), "{dir:?} is left");
    }
}

#[test]
fn a_signal_to_the_playground_reaches_the_command() {
    let script = "trap 'echo term; exit 9' TERM; trap 'echo int' INT; echo ready; while :; do sleep 0.05; done";
    let mut playground = Running::start(playground(&["--", "sh", "-c", script]));
    assert_eq!(playground.line(), "ready");
    playground.signal(Signal::INT);
    assert_eq!(playground.line(), "int");
    playground.signal(Signal::TERM);
    assert_eq!(playground.line(), "term");
    assert_eq!(playground.end(), (9, String::new()));
}

/// The playground on a terminal that is its controlling one.
fn on_terminal(pty: &Pty, args: &[&str]) -> Running {
    let inner = playground(args);
    let mut command = Command::new("setsid");
    command.arg("-c").arg(inner.get_program()).args(inner.get_args()).env_clear().current_dir(home());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "vt100");
    pty.start(command)
}

#[test]
fn a_key_on_the_terminal_is_the_commands_once() {
    let mut pty = Pty::new(80, 24);
    let script = "trap 'echo int; n=$((n+1))' INT; echo ready; until read x && [ -n \"$x\" ]; do :; done; echo \"read $x after $n\"; exit 5";
    let running = on_terminal(&pty, &["--", "sh", "-c", script]);
    pty.until("ready\r\n");
    pty.send("\x03");
    pty.until("int\r\n");
    pty.send("it\r");
    pty.until("read it after 1\r\n");
    assert_eq!(running.end().0, 5);
}

#[test]
fn a_shell_on_a_terminal_has_job_control() {
    let mut pty = Pty::new(80, 24);
    let inner = on_terminal(&pty, &["--", "env", "PS1=in> ", "sh", "-i"]);
    pty.until("in> ");
    pty.send("sh -c 'echo now; exec sleep 1000'\r");
    // Only once it is in the foreground does the key reach it: the shell answers no key.
    pty.until("\r\nnow\r\n");
    pty.send("\x1a");
    pty.until("in> ");
    pty.send("jobs\r");
    pty.until("Stopped");
    // The first one may only be told that there are stopped jobs.
    pty.send("kill -9 %1\rexit 8\rexit 8\r");
    assert_eq!(inner.end().0, 8);
}
