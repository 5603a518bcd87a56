//! Runs that outlive their command, by their change.

use super::{daemon, exec, stderr, stdout};

#[test]
fn a_detached_run_is_waited_for_and_read_by_its_id() {
    let Some(daemon) = daemon() else { return };
    let pipe = daemon.dir().join("pipe");
    let script = format!("mkfifo {0}; echo out; echo err >&2; umask; read x < {0}; exit 7", pipe.display());
    let run = exec(&daemon, &["--detach", "--", "sh", "-c", &script]).code(0).stderr("");
    let id = stdout(&run).trim().to_owned();
    let sessions = stdout(&exec(&daemon, &["--sessions", "-o", "json"]).code(0));
    let sessions: serde_json::Value = serde_json::from_str(&sessions).unwrap();
    assert_eq!((&sessions[0]["id"], &sessions[0]["state"]), (&id.as_str().into(), &"running".into()));
    std::fs::write(&pipe, "go\n").unwrap();
    exec(&daemon, &["--wait", &id]).code(7).stdout("").stderr("");
    let log = stdout(&exec(&daemon, &["--logs", &id]).code(0));
    assert_eq!(log.lines().take(2).collect::<Vec<_>>(), ["out", "err"]);
    assert_ne!(log.lines().nth(2), Some("0077"), "the program has its own umask");
    let again: serde_json::Value =
        serde_json::from_str(&stdout(&exec(&daemon, &["--wait", &id, "-o", "json"]).code(7))).unwrap();
    assert_eq!((&again["exit_code"], &again["operation_id"]), (&7.into(), &id.as_str().into()));
}

#[test]
fn a_detached_run_that_is_killed_says_so() {
    let Some(daemon) = daemon() else { return };
    let id = |words: &[&str]| stdout(&exec(&daemon, words).code(0)).trim().to_owned();
    let polite = id(&["--detach", "--", "sleep", "1000"]);
    let run = exec(&daemon, &["--kill", &polite]).code(0).stdout("");
    assert_eq!(stderr(&run), format!("esker: run {polite} on `pebble` has ended\n"));
    exec(&daemon, &["--wait", &polite]).code(143);
    let other = id(&["--detach", "--", "sleep", "1000"]);
    exec(&daemon, &["--kill", &other, "--signal", "KILL"]).code(0);
    exec(&daemon, &["--wait", &other]).code(137);
    exec(&daemon, &["--kill", &other]).code(0);
}

#[test]
fn waiting_has_its_own_limit_and_leaves_the_run_alone() {
    let Some(daemon) = daemon() else { return };
    let id = stdout(&exec(&daemon, &["--detach", "--", "sleep", "1000"]).code(0)).trim().to_owned();
    let run = exec(&daemon, &["--wait", &id, "--timeout", "100ms"]).code(124);
    assert!(stderr(&run).contains(&format!("cannot wait for run {id}")), "{}", stderr(&run));
    exec(&daemon, &["--kill", &id]).code(0);
}

#[test]
fn a_timeout_reaches_a_detached_run() {
    let Some(daemon) = daemon() else { return };
    let id = stdout(&exec(&daemon, &["--detach", "--timeout", "100ms", "--", "sleep", "1000"]).code(0));
    exec(&daemon, &["--wait", id.trim()]).code(124);
}

#[test]
fn a_detached_program_that_does_not_exist_is_known_by_its_status() {
    let Some(daemon) = daemon() else { return };
    let id = stdout(&exec(&daemon, &["--detach", "--", "surely-not-there"]).code(0));
    exec(&daemon, &["--wait", id.trim()]).code(127);
}

#[test]
fn what_is_no_run_is_refused() {
    let Some(daemon) = daemon() else { return };
    assert!(stderr(&exec(&daemon, &["--wait", "99"]).code(125)).contains("cannot find change"));
    exec(&daemon, &["--", "true"]).code(0);
    let run = exec(&daemon, &["--logs", "1"]).code(125).stdout("");
    assert!(stderr(&run).contains("no log of run 1"), "{}", stderr(&run));
}
