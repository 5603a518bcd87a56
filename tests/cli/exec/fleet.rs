//! One program at several targets.

use super::{daemon, stderr, stdout};
use crate::support::daemon::Daemon;
use crate::support::{esker, home};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Three daemons and as many names for them as asked for: `n00`, `n01`, … in turns.
fn fleet(names: usize) -> Option<[Daemon; 3]> {
    let daemons = [daemon()?, daemon()?, daemon()?];
    let mut config = "endpoints:\n".to_owned();
    for name in 0..names {
        let socket = daemons[name % 3].socket();
        writeln!(config, "  n{name:02}: {{provider: pebble, socket: {}}}", socket.display()).unwrap();
    }
    let dir = home().join("config/esker");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("config.yaml"), config).unwrap();
    Some(daemons)
}

#[test]
fn lines_carry_their_target_in_the_order_of_the_targets() {
    let Some(_fleet) = fleet(3) else { return };
    let run = esker().args(["exec", "n01", "n00", "--", "sh", "-c", "echo out; printf part; echo err >&2"]).assert();
    let run = run.code(0);
    assert_eq!(stdout(&run), "n01 | out\nn01 | part\nn00 | out\nn00 | part\n");
    assert_eq!(stderr(&run), "n01 | err\nn00 | err\n");
}

#[test]
fn the_status_is_the_common_one_or_says_what_differs() {
    let Some(fleet) = fleet(3) else { return };
    let own = fleet[0].dir().display().to_string();
    let status = |script: &str| esker().args(["exec", "n*", "--", "sh", "-c", script]).assert();
    status("exit 0").code(0);
    status("exit 3").code(3);
    // The daemon's own directory is in the environment that it passes on.
    status(&format!("[ \"$PEBBLE\" = {own} ] && exit 3; exit 0")).code(123);
    let run = esker().args(["exec", "n*", "--", "surely-not-there"]).assert().code(127);
    assert!(stderr(&run).contains("n02: no executable `surely-not-there`"), "{}", stderr(&run));
}

#[test]
fn a_target_that_cannot_be_reached_hides_no_other() {
    let Some(mut fleet) = fleet(3) else { return };
    fleet[1].kill();
    let run = esker().args(["exec", "n00", "n01", "n02", "--", "echo", "hi"]).assert().code(125);
    assert_eq!(stdout(&run), "n00 | hi\nn02 | hi\n");
    assert!(stderr(&run).contains("cannot run `echo` on `n01`"), "{}", stderr(&run));
}

#[test]
fn stdin_is_off_unless_it_is_copied_to_all() {
    let Some(_fleet) = fleet(3) else { return };
    let with = |flags: &[&str]| {
        let mut command = esker();
        command.arg("exec").args(flags).args(["n00", "n01", "n02", "--", "cat"]).write_stdin("in\n").assert().code(0)
    };
    assert_eq!(stdout(&with(&[])), "");
    assert_eq!(stdout(&with(&["-i"])), "n00 | in\nn01 | in\nn02 | in\n");
    assert_eq!(stdout(&with(&["-i", "--jobs", "1"])), "n00 | in\nn01 | in\nn02 | in\n");
}

#[test]
fn a_failure_kills_the_others_where_that_is_asked_for() {
    let Some(fleet) = fleet(3) else { return };
    let own = fleet[1].dir().display().to_string();
    let script = format!("[ \"$PEBBLE\" = {own} ] && exit 3; exec sleep 1000");
    let run = esker().args(["exec", "--fail-fast", "n*", "-o", "json", "--", "sh", "-c", &script]).assert().code(3);
    let all: serde_json::Value = serde_json::from_str(&stdout(&run)).unwrap();
    let codes: Vec<_> = all.as_array().unwrap().iter().map(|one| one["exit_code"].as_i64()).collect();
    assert_eq!(codes, [None, Some(3), None]);
    for daemon in &fleet {
        assert_eq!(daemon.descendants(), Vec::<i32>::new());
    }
}

#[test]
fn a_terminal_needs_one_target() {
    let Some(_fleet) = fleet(2) else { return };
    let run = esker().args(["exec", "-t", "--tty-size", "80x24", "n00", "n01", "--", "true"]).assert().code(125);
    assert!(stderr(&run).contains("-t needs exactly one target"), "{}", stderr(&run));
}

#[test]
fn a_hundred_programs_at_once_all_tell_their_own() {
    let Some(_fleet) = fleet(100) else { return };
    let script = "echo $$; cat; echo $$ >&2; exit 0";
    let run = esker()
        .args(["exec", "n*", "--jobs", "100", "-i", "-o", "jsonl", "--", "sh", "-c", script])
        .write_stdin("to all\n")
        .assert()
        .code(0);
    let mut said: BTreeMap<String, [String; 2]> = BTreeMap::new();
    let mut results = 0;
    for line in stdout(&run).lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let streams = said.entry(event["target"].as_str().unwrap().to_owned()).or_default();
        match event["type"].as_str().unwrap() {
            "stdout" => streams[0].push_str(event["data"].as_str().unwrap()),
            "stderr" => streams[1].push_str(event["data"].as_str().unwrap()),
            _ => results += usize::from(event["exit_code"] == 0),
        }
    }
    assert_eq!((said.len(), results), (100, 100));
    for (target, [out, err]) in &said {
        assert_eq!(*out, format!("{err}to all\n"), "{target}");
    }
}

#[test]
fn a_target_brings_its_own_directory_and_variables() {
    let Some(_fleet) = fleet(2) else { return };
    let path = home().join("config/esker/config.yaml");
    let mut config = std::fs::read_to_string(&path).unwrap();
    config.push_str("targets:\n  app: {address: n00, workdir: /usr, env: {A: target, B: target}}\n");
    std::fs::write(&path, config).unwrap();
    let words = ["exec", "app", "--env", "B=flag", "--", "sh", "-c", "echo $A $B; pwd"];
    assert_eq!(stdout(&esker().args(words).assert().code(0)), "target flag\n/usr\n");
}
