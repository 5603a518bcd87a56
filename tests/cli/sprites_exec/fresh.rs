//! `exec --new`: machines that are made for one program.

use super::{exec, stderr, stdout};
use crate::support::home;
use crate::support::playground::Playground;
use crate::support::process::Running;
use rustix::process::Signal;
use std::fs;

/// The machines that there are, by name.
fn machines(playground: &Playground) -> String {
    let listed = playground.esker().args(["vm", "list", "sprites", "-o", "name"]).assert().success();
    stdout(&listed)
}

fn account() -> Playground {
    Playground::sprites()
}

#[test]
fn the_program_gets_a_machine_of_its_own_and_its_status_is_ours() {
    let account = account();
    let words = ["exec", "--new", "sprites", "--rm", "--", "sh", "-c", "cat; exit 3"];
    let run = account.esker().args(words).write_stdin("in").assert().code(3);
    assert_eq!(stdout(&run), "in");
    assert!(stderr(&run).contains("deleted sandbox `sprites/esker-"), "{}", stderr(&run));
    assert_eq!(machines(&account), "");
}

#[test]
fn what_is_in_a_directory_is_there_before_the_program() {
    let account = account();
    let dir = home().join("tree");
    fs::create_dir_all(dir.join("sub")).unwrap();
    fs::write(dir.join("a"), "1").unwrap();
    fs::write(dir.join("sub/b"), "2").unwrap();
    let dir = dir.to_str().unwrap();
    let find = ["--", "sh", "-c", "pwd; find . -type f | sort"];
    for (flags, place) in [(&[][..], "/home/sprite"), (&["-w", "/srv/x"], "/srv/x")] {
        let run = exec(&account, &[&["--new", "sprites", "--rm", "--copy", dir], flags, &find].concat()).code(0);
        assert_eq!(stdout(&run), format!("{place}\n./a\n./sub/b\n"));
    }
    assert_eq!(machines(&account), "");
}

#[test]
fn it_is_deleted_after_every_end() {
    let account = account();
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut command = account.esker_process();
        // A shell that waits for a child which has not begun yet takes no notice of an interrupt: so there is no child.
        command.args(["exec", "--new", "sprites", "--rm", "--", "sh", "-c", "echo ready; exec sleep 1000"]);
        let mut running = Running::start(command);
        assert_eq!(running.line(), "ready");
        running.signal(signal);
        assert_eq!(running.end().0, status);
        assert_eq!(machines(&account), "");
    }
    let run = exec(&account, &["--new", "sprites", "--rm", "--ttl", "2s", "--", "sleep", "1000"]).code(124);
    assert!(stderr(&run).contains("lived its 2s (--ttl)"), "{}", stderr(&run));
    exec(&account, &["--new", "sprites", "--rm", "--", "surely-not-a-program"]).code(127);
    assert_eq!(machines(&account), "");
}

#[test]
fn what_cannot_be_deleted_is_named() {
    let account = Playground::start_with("sprites", &["500:method=DELETE"], &["SPRITES_ENDPOINT", "SPRITES_TOKEN"]);
    let run = exec(&account, &["--new", "sprites", "--rm", "--", "true"]).code(125);
    let said = stderr(&run);
    assert!(said.contains("cannot delete sandbox `sprites/esker-") && said.contains("esker vm delete"), "{said}");
    assert!(said.contains("ended with exit code 0"), "{said}");
    assert_eq!(machines(&account).lines().count(), 1);
}

#[test]
fn without_rm_it_stays() {
    let account = account();
    let run = exec(&account, &["--new", "sprites", "--", "true"]).code(0);
    let left = machines(&account);
    assert!(stderr(&run).contains(&format!("`{}` stays", left.trim_end())), "{left} {}", stderr(&run));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let account = account();
    for words in [
        &["--new", "sprites", "--image", "x", "--", "true"][..],
        &["--new", "sprites", "--from", "v1", "--", "true"],
        &["--new", "sprites", "--user", "root", "--", "true"],
        &["--new", "sprites/dev", "--", "true"],
        &["--new", "nobody", "--", "true"],
        &["--new", "sprites", "--copy", "/surely/not/there", "--", "true"],
        &["--new", "sprites", "--copy", "/", "-w", "relative", "--", "true"],
        &["--new", "sprites", "--rm", "--detach", "--", "true"],
        &["--new", "sprites", "dev", "--", "true"],
        &["--rm", "--", "true"],
        &["--new", "pebble", "--", "true"],
    ] {
        exec(&account, words).code(125).stdout("");
    }
    assert_eq!(machines(&account), "");
}
