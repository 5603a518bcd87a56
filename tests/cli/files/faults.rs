//! Copies that fail half-way: what is there stays as it was.

use super::{Bench, Ended, names};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

/// So much that no copy of it ends before it is disturbed; it takes no room on the disk.
const ENDLESS: u64 = 1 << 40;

fn endless(path: &Path) {
    File::create(path).unwrap().set_len(ENDLESS).unwrap();
}

/// Waits until a file in `dir` is growing that is called as `is` wants it.
fn growing(dir: &Path, is: impl Fn(&str) -> bool) -> PathBuf {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let found = fs::read_dir(dir).unwrap().flatten().find(|entry| {
            is(&entry.file_name().to_string_lossy()) && entry.metadata().is_ok_and(|metadata| metadata.len() > 0)
        });
        if let Some(found) = found {
            return found.path();
        }
        assert!(Instant::now() < deadline, "nothing happens in {}", dir.display());
        std::thread::yield_now();
    }
}

fn is_part(name: &str) -> bool {
    name.strip_prefix(".esker-").is_some_and(|rest| rest.ends_with("part"))
}

/// A pull that is under way over a file that exists.
fn pulling(bench: &Bench) -> Child {
    endless(&bench.far("big"));
    fs::write(bench.near("precious"), "old").unwrap();
    let child = bench.spawn(&["cp", &bench.there("big"), "precious"]).spawn().unwrap();
    growing(&bench.near(""), is_part);
    child
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_failed_pull_leaves_the_old_file() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.near("precious"), "old").unwrap();
    fs::create_dir(bench.far("dir")).unwrap();
    symlink("nowhere", bench.far("dangling")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(bench.far("fifo")).status().unwrap().success());
    for (name, code, says) in [
        ("missing", 6, "no such file or directory"),
        ("dangling", 6, "no such file or directory"),
        ("dir", 2, "is a directory"),
        ("fifo", 8, "can only read a regular file"),
    ] {
        bench.run(&["cp", &bench.there(name), "precious"]).fails(code, says);
    }
    assert_eq!(fs::read_to_string(bench.near("precious")).unwrap(), "old");
    assert_eq!(names(&bench.near("")), ["precious"]);
}

#[test]
fn a_daemon_that_dies_during_a_pull_harms_nothing() {
    let Some(mut bench) = Bench::new() else { return };
    let child = pulling(&bench);
    bench.daemon.kill();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
    assert!(said(&output).contains("lost the connection"), "{}", said(&output));
    assert_eq!(fs::read_to_string(bench.near("precious")).unwrap(), "old");
    assert_eq!(names(&bench.near("")), ["precious"]);

    bench.daemon.restart();
    fs::write(bench.far("big"), "new").unwrap();
    bench.run(&["cp", &bench.there("big"), "precious"]).ok();
    assert_eq!(fs::read_to_string(bench.near("precious")).unwrap(), "new");
}

#[test]
fn a_kill_during_a_pull_leaves_the_old_file_and_a_hidden_part() {
    let Some(bench) = Bench::new() else { return };
    let mut child = pulling(&bench);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read_to_string(bench.near("precious")).unwrap(), "old");
    let names = names(&bench.near(""));
    assert!(names.len() == 2 && is_part(&names[0]), "{names:?}");
}

#[test]
fn an_interrupt_cleans_up_and_ends_by_the_signal() {
    let Some(bench) = Bench::new() else { return };
    for (number, ending) in [(2, Signal::INT), (15, Signal::TERM)] {
        let child = pulling(&bench);
        signal(&child, ending);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.signal(), Some(number), "{}", said(&output));
        assert!(said(&output).contains("interrupted: not everything was copied"), "{}", said(&output));
        assert_eq!(fs::read_to_string(bench.near("precious")).unwrap(), "old");
        assert_eq!(names(&bench.near("")), ["precious"]);
    }
}

#[test]
fn a_deadline_cleans_up_too() {
    let Some(bench) = Bench::new() else { return };
    endless(&bench.far("big"));
    fs::write(bench.near("precious"), "old").unwrap();
    bench.run(&["cp", &bench.there("big"), "precious", "--timeout", "300ms"]).fails(9, "(--timeout)");
    assert_eq!(fs::read_to_string(bench.near("precious")).unwrap(), "old");
    assert_eq!(names(&bench.near("")), ["precious"]);
}

#[test]
fn a_full_disk_harms_nothing() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.far("big"), vec![7; 1 << 20]).unwrap();
    fs::write(bench.far("small"), "s").unwrap();
    fs::write(bench.near("precious"), "old").unwrap();
    bench.run(&["cp", &bench.there("big"), "/dev/full"]).fails(1, "no space left on device");

    // A limit on the size of files fails writes just so, and needs neither root nor a disk.
    let limited = |args: &[&str]| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_esker"), "files"]);
        command.args(args).env_clear().env("PEBBLE", bench.daemon.dir()).env("HOME", bench.near(""));
        command.current_dir(bench.near("")).output().unwrap()
    };
    let output = limited(&["cp", &bench.there("big"), "precious"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("cannot write") && said(&output).contains("file too large"), "{}", said(&output));
    // One that fails stops no other.
    let output = limited(&["cp", &bench.there("big"), &bench.there("small"), "."]);
    assert_eq!(output.status.code(), Some(12), "{}", said(&output));
    assert_eq!(fs::read_to_string(bench.near("precious")).unwrap(), "old");
    assert_eq!(names(&bench.near("")), ["precious", "small"]);
}

#[test]
fn a_daemon_that_dies_during_a_push_harms_nothing() {
    let Some(mut bench) = Bench::new() else { return };
    fs::write(bench.far("precious"), "old").unwrap();
    let mut child = bench.spawn(&["cp", "-", &bench.there("precious")]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&vec![7; 1 << 20]).unwrap();
    growing(&bench.far(""), |name| name.ends_with('~'));
    bench.daemon.kill();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
    assert_eq!(fs::read_to_string(bench.far("precious")).unwrap(), "old");
}

#[test]
fn a_source_that_fails_commits_nothing() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.far("precious"), "old").unwrap();
    let mut child = bench.spawn(&["cp", "-", &bench.there("precious")]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(&vec![7; 1 << 20]).unwrap();
    growing(&bench.far(""), |name| name.ends_with('~'));
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(2), "{}", said(&output));
    assert_eq!(fs::read_to_string(bench.far("precious")).unwrap(), "old");
}

#[test]
fn a_stalled_daemon_can_be_left() {
    let Some(bench) = Bench::new() else { return };
    let child = pulling(&bench);
    bench.daemon.signal(Signal::STOP);
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    bench.daemon.signal(Signal::CONT);
    assert_eq!(output.status.signal(), Some(2), "{}", said(&output));
    assert_eq!(names(&bench.near("")), ["precious"]);
}

#[test]
fn content_that_is_cut_off_is_no_success() {
    let Some(mut bench) = Bench::new() else { return };
    endless(&bench.far("big"));
    let mut child = bench.spawn(&["cat", &bench.there("big")]).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 4096]).unwrap();
    bench.daemon.kill();
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let Some(bench) = Bench::new() else { return };
    endless(&bench.far("big"));
    let mut child = bench.spawn(&["cat", &bench.there("big"), &bench.there("big")]).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 4096]).unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()));
}

#[test]
fn without_a_daemon_nothing_is_touched() {
    let Some(mut bench) = Bench::new() else { return };
    fs::write(bench.near("precious"), "old").unwrap();
    bench.daemon.stop();
    bench.run(&["cp", &bench.there("big"), "precious"]).fails(10, "no socket");
    bench.run(&["cp", "precious", &bench.there("x")]).fails(10, "no socket");
    Ended::of(&mut bench.files(&["ls", "/"])).fails(10, "no socket");
    assert_eq!(names(&bench.near("")), ["precious"]);
}
