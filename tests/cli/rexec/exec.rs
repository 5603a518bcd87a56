//! Programs: true bytes both ways and a true status, whatever shells there are.

use super::{exec, images, noise, stderr, stdout};
use crate::support::playground::Playground;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

/// 14, 17, 18: every byte in and out, statuses and signals, on every shell.
#[test]
fn bytes_and_statuses_are_true_on_every_shell() {
    for image in images() {
        let box_ = Playground::container(image, &[]);
        let all: Vec<u8> = (0..=255).collect();
        let mut data = [&all[..], b"\x1e\x1e no newline at the end", &all].concat();
        data.extend(noise(20_000, 7));
        for bytes in [&b"a\0b\xff"[..], &data, b""] {
            let assert = box_.esker().args(["exec", "--", "cat"]).write_stdin(bytes).assert().code(0);
            assert!(assert.get_output().stdout == bytes, "{image}: {} bytes", bytes.len());
        }
        let script = "printf 'h\\303\\251\\377\\n'; echo oops >&2; exit 3";
        let assert = exec(&box_, &["--", "sh", "-c", script]).code(3);
        assert_eq!((&*assert.get_output().stdout, &*stderr(&assert)), (&b"h\xc3\xa9\xff\n"[..], "oops\n"), "{image}");
        for code in [0, 1, 126, 127, 130, 255] {
            exec(&box_, &["--", "sh", "-c", &format!("exit {code}")]).code(code);
        }
        exec(&box_, &["--", "sh", "-c", "kill -9 $$"]).code(137);
        let missing = exec(&box_, &["--", "no-such-program"]).code(127);
        assert!(stderr(&missing).contains("no-such-program"), "{}", stderr(&missing));
        exec(&box_, &["--", "/etc/passwd"]).code(126);
        // Whatever the program does to what started it: an error, never a status that is not its own.
        exec(&box_, &["--", "sh", "-c", "kill -9 $PPID; sleep 1"]).code(125);
        // And nothing of all that is in anybody's history.
        assert_eq!(stdout(&exec(&box_, &["--", "sh", "-c", "ls -A"]).code(0)), "", "{image}");
    }
}

/// 19: words of any bytes, variables, a directory.
#[test]
fn words_variables_and_directories_arrive() {
    for image in images() {
        let box_ = Playground::container(image, &[]);
        let assert = exec(&box_, &["--", "printf", "<%s>", "a b", "'\"$x`!\\", "", "ü\n", "-n", "%s"]).code(0);
        assert_eq!(stdout(&assert), "<a b><'\"$x`!\\><><ü\n><-n><%s>", "{image}");
        let value = "a=b\n+c&d%20'\"$x";
        let assert = exec(&box_, &["--env", &format!("V={value}"), "--env", "X.Y=1", "--", "env"]).code(0);
        assert!(stdout(&assert).contains(&format!("V={value}\n")) && stdout(&assert).contains("X.Y=1\n"), "{image}");
        assert!(!stdout(&assert).contains("esk_"), "no variable of ours is seen: {}", stdout(&assert));
        exec(&box_, &["--", "mkdir", "-p", "a b/-c"]).code(0);
        assert_eq!(stdout(&exec(&box_, &["-w", "a b/-c", "--", "pwd"]).code(0)), "/home/user/a b/-c\n");
        let assert = exec(&box_, &["-w", "/nowhere", "--", "true"]).code(125);
        assert!(stderr(&assert).contains("directory"), "{}", stderr(&assert));
        let long = "y".repeat(100_000);
        let assert = exec(&box_, &["--", "sh", "-c", "printf %s \"$1\" | wc -c", "sh", &long]).code(0);
        assert_eq!(stdout(&assert).trim(), "100000");
    }
}

/// 14: much of it, both ways, and the two outputs apart.
#[test]
fn bulk_is_whole() {
    let box_ = Playground::container("debian-12", &[]);
    let data = noise(3_000_000, 3);
    let assert = box_.esker().args(["exec", "--", "cat"]).write_stdin(data.clone()).assert().code(0);
    assert!(assert.get_output().stdout == data);
    let script = "head -c 20000000 /dev/zero | tr '\\0' x; for i in 1 2 3; do echo e$i >&2; done; exit 9";
    let assert = exec(&box_, &["--", "sh", "-c", script]).code(9);
    assert_eq!(assert.get_output().stdout.len(), 20_000_000);
    assert_eq!(stderr(&assert), "e1\ne2\ne3\n");
}

/// 19: a program that reads some of its stdin, or none, or closes it.
#[test]
fn a_program_need_not_read_its_stdin() {
    for image in images() {
        let box_ = Playground::container(image, &[]);
        let much = noise(400_000, 5);
        let run =
            |script: &str| box_.esker().args(["exec", "--", "sh", "-c", script]).write_stdin(much.clone()).assert();
        assert_eq!(stdout(&run("head -c 0; exit 5").code(5)), "", "{image}");
        assert_eq!(stdout(&run("exec <&-; echo on; exit 6").code(6)), "on\n");
        assert_eq!(stdout(&run("echo deaf; exit 7").code(7)), "deaf\n");
    }
}

/// A dialogue: each line is answered before the next is said, whatever pieces the server makes of it.
#[test]
fn a_dialogue_of_a_thousand_turns() {
    for (image, turns) in images().into_iter().zip([1000, 100, 100, 100]) {
        let box_ = Playground::container(image, &["split=5", "busy"]);
        let mut command = box_.esker_process();
        let mut child =
            command.args(["exec", "--", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        for turn in 0..turns {
            let said = format!("{{\"turn\":{turn},\"text\":\"ü '\\\\ %s\"}}\n");
            stdin.write_all(said.as_bytes()).unwrap();
            let mut heard = String::new();
            answers.read_line(&mut heard).unwrap();
            assert_eq!(heard, said, "{image}");
        }
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
}

/// 14, 16: random bytes through random pieces of frames, on every shell: the truth each time.
#[test]
fn random_bytes_through_random_pieces() {
    for image in images() {
        for split in ["split=1", "split=17", "split=1000"] {
            let box_ = Playground::container(image, &[split, "busy"]);
            for seed in 1..6_u64 {
                let data = noise((seed * 977) as usize, seed);
                let code = seed as i32 * 7;
                let script = format!("cat; cat >&2 <<'X'\nerr {seed}\nX\nexit {code}");
                let assert = box_
                    .esker()
                    .args(["exec", "--", "sh", "-c", &script])
                    .write_stdin(data.clone())
                    .assert()
                    .code(code);
                let len = assert.get_output().stdout.len();
                assert!(assert.get_output().stdout == data, "{image} {split} {seed}: {len} of {}", data.len());
                assert_eq!(stderr(&assert), format!("err {seed}\n"));
            }
        }
    }
}

/// 17: what a program leaves behind does not hold its status back, and is not ended.
#[test]
fn a_child_left_behind_holds_nothing_back() {
    let box_ = Playground::container("debian-12", &[]);
    let assert = exec(&box_, &["--", "sh", "-c", "sleep 100 & echo left; exit 4"]).code(4);
    assert_eq!(stdout(&assert), "left\n");
    assert!(stderr(&assert).contains("left behind"), "{}", stderr(&assert));
}

/// A time that is up, and signals: the program is ended over there.
#[test]
fn times_and_signals_end_programs() {
    for image in images() {
        let box_ = Playground::container(image, &[]);
        let assert = exec(&box_, &["--timeout", "500ms", "--", "sh", "-c", "echo begun; sleep 1000"]).code(124);
        assert_eq!(stdout(&assert), "begun\n", "{image}");
        for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("USR1", 42)] {
            let script = "trap 'exit 42' USR1; echo ready; while :; do sleep 0.1; done";
            let mut child = box_
                .esker_process()
                .args(["exec", "--stdin-format", "jsonl", "-i", "--", "sh", "-c", script])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut out = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            let mut stdin = child.stdin.take().unwrap();
            writeln!(stdin, "{{\"type\":\"signal\",\"signal\":\"{signal}\"}}").unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(code), "{image} {signal}");
        }
        let ps = exec(&box_, &["--", "sh", "-c", "ls -d /tmp/.esker-* 2>/dev/null | wc -l"]).code(0);
        // That of the command itself.
        assert_eq!(stdout(&ps).trim(), "1", "{image}: nothing of ours is left");
    }
}

/// 18: without base64, stty or setsid there are other ways.
#[test]
fn programs_may_be_missing() {
    for fault in ["no-base64", "no-stty", "no-setsid"] {
        let box_ = Playground::container("debian-12", &[fault]);
        let program = fault.trim_start_matches("no-");
        if stdout(&exec(&box_, &["--", "sh", "-c", &format!("command -v {program} || echo none")])).trim() != "none" {
            // Without a view of its own the container has what the machine has.
            continue;
        }
        let data = noise(10_000, 11);
        let assert = box_
            .esker()
            .args(["exec", "--", "sh", "-c", "cat; echo e >&2; exit 3"])
            .write_stdin(data.clone())
            .assert()
            .code(3);
        assert!(assert.get_output().stdout == data, "{fault}");
        assert_eq!(stderr(&assert), "e\n");
    }
}

/// 37: a token and the values of variables are in no trace and no address.
#[test]
fn secrets_are_nowhere() {
    let box_ = Playground::container("debian-12", &[]);
    let assert = exec(&box_, &["-vvv", "--env", "KEY=hunter2", "--", "sh", "-c", "echo ${#KEY}"]).code(0);
    assert_eq!(stdout(&assert), "7\n");
    let token = &box_.variables()["REXEC_TOKEN"];
    assert!(!stderr(&assert).contains("hunter2") && !stderr(&assert).contains(token), "{}", stderr(&assert));
}
