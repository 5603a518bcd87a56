//! What is rare: terminals in tmux, a second factor, creation as a stream, output that nobody takes, very much of it.

use super::{exec, has, noise, stderr, stdout};
use crate::support::playground::Playground;
use crate::support::terminal::Pty;
use std::io::Read;
use std::process::{Command, Stdio};

/// 18: a terminal in tmux is taken from it: true bytes both ways, a true status.
#[test]
fn tmux_is_left_behind() {
    if !has("tmux") {
        return;
    }
    for image in ["debian-12", "alpine"] {
        let box_ = Playground::container(image, &["tmux"]);
        // It is truly there, whoever looks.
        let mut pty = Pty::new(100, 30);
        let mut command = box_.esker_process();
        command.args(["exec", "-t"]);
        let running = pty.start(command);
        pty.until("[split-");
        pty.send("\x1d");
        running.end();
        let data = noise(20_000, 19);
        let mut command = box_.esker();
        let script = "cat; [ -z \"$TMUX\" ] || echo in tmux; echo e >&2; exit 6";
        let assert = command.args(["exec", "--", "sh", "-c", script]).write_stdin(data.clone()).assert().code(6);
        assert!(assert.get_output().stdout == data, "{image}");
        assert_eq!(stderr(&assert), "e\n");
    }
}

/// 27: a locked terminal asks for a code each time, and takes only the right one.
#[test]
fn a_second_factor_is_asked_for() {
    let box_ = Playground::container("debian-12", &["mfa"]);
    for (code, status) in [("123456", 3), ("000000", 125)] {
        let mut pty = Pty::new(100, 30);
        let mut command = box_.esker_process();
        command.args(["exec", "--", "sh", "-c", "exit 3"]);
        let running = pty.start(command);
        pty.until("MFA code for `rexec/box`");
        pty.send(&format!("{code}\r"));
        assert_eq!(running.end().0, status, "{code}");
    }
}

/// 33: the stream of a creation goes through `esker api` as it is: padded, and with failures in a success.
#[test]
fn creation_as_a_stream_is_shown_as_it_is() {
    for (faults, end) in [(&[][..], "\"container\""), (&["create-fails"], "\"error\"")] {
        let playground = Playground::rexec(faults);
        let body = r#"{"image":"alpine","name":"a","shell":{"enhanced":false}}"#;
        let args = ["api", "POST", "/api/containers/stream", "--target", "rexec", "--body", "-"];
        let said = stdout(&playground.esker().args(args).write_stdin(body).assert().success());
        assert!(said.starts_with(": stream connected\n\n: padding "), "{said}");
        let last = said.trim_end().lines().last().unwrap();
        assert!(last.starts_with("data: ") && last.contains(end) && last.contains("\"complete\":true"), "{last}");
    }
}

/// 24: whoever does not read here holds nothing back over there, and loses nothing.
#[test]
fn output_that_nobody_takes_waits_here() {
    let box_ = Playground::container("debian-12", &[]);
    let script = "head -c 20000000 /dev/zero | tr '\\0' '\\377'; : >written; exit 4";
    let mut command = box_.esker_process();
    command.args(["exec", "--", "sh", "-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // All of it is written before any is taken.
    exec(&box_, &["--", "sh", "-c", "until [ -e written ]; do sleep 0.05; done"]).code(0);
    let mut all = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut all).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(4));
    assert!(all.len() == 20_000_000 && all.iter().all(|byte| *byte == 0xff));
}

/// 14: 100 MiB out, on every shell that holds nothing of it.
#[test]
fn very_much_output_is_whole() {
    let box_ = Playground::container("debian-12", &[]);
    let mut command = box_.esker_process();
    // Numbers: whatever is lost or comes twice shows.
    let script = "seq 100000000 | head -c 104857600; exit 5";
    command.args(["exec", "--", "sh", "-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let sum = Command::new("cksum").stdin(child.stdout.take().unwrap()).output().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
    let expected = Command::new("sh").args(["-c", "seq 100000000 | head -c 104857600 | cksum"]).output().unwrap();
    assert_eq!(sum.stdout, expected.stdout);
}

/// 11: downloads are asked for as they are: the server's gzip and its lengths do not agree.
#[test]
fn a_download_asks_for_no_gzip() {
    let box_ = Playground::container("debian-12", &[]);
    exec(&box_, &["--", "sh", "-c", "head -c 9000000 /dev/zero >large"]).code(0);
    let assert = box_.esker().args(["files", "cat", ":/home/user/large", "-vvv"]).assert().success();
    assert_eq!(assert.get_output().stdout.len(), 9_000_000);
    let download = stderr(&assert);
    let download = download.lines().find(|line| line.contains("> GET") && line.contains("/files?path=")).unwrap();
    assert!(download.contains("accept-encoding: identity"), "{download}");
}

/// Times hold while a lost connection is looked for, and what cannot be had here is said.
#[test]
fn times_and_refusals_of_exec() {
    let playground = Playground::container("debian-12", &[]);
    for flag in [&["--user", "app"][..], &["--verify"]] {
        let assert = exec(&playground, &[flag, &["--", "true"]].concat()).code(125);
        assert!(stderr(&assert).contains(&format!("does not support `{}`", flag[0])), "{}", stderr(&assert));
    }
    let box_ = Playground::container("debian-12", &[]);
    let mut command = box_.esker_process();
    command.args(["exec", "--survive", "--timeout", "3s", "--", "sh", "-c", "echo begun; sleep 100"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    drop(box_);
    assert_eq!(child.wait().unwrap().code(), Some(124));
    let box_ = Playground::container("debian-12", &[]);
    let mut pty = Pty::new(100, 30);
    let mut command = box_.esker_process();
    command.args(["exec", "-t", "--timeout", "3s"]);
    let running = pty.start(command);
    pty.until("leaves it");
    drop(box_);
    assert_eq!(running.end().0, 124);
}
