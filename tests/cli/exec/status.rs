//! The exit codes of U3.2.

use super::{daemon, exec, stderr};
use crate::support::esker;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn the_programs_own_status_is_passed_on() {
    let Some(daemon) = daemon() else { return };
    exec(&daemon, &["--", "true"]).code(0).stdout("").stderr("");
    for status in [1, 3, 124, 125, 127, 255] {
        let run = exec(&daemon, &["--", "sh", "-c", &format!("exit {status}")]);
        run.code(status).stdout("").stderr("");
    }
}

#[test]
fn a_program_that_a_signal_killed_has_128_and_its_number() {
    let Some(daemon) = daemon() else { return };
    exec(&daemon, &["--", "sh", "-c", "kill -KILL $$"]).code(137).stderr("");
    exec(&daemon, &["--", "sh", "-c", "kill -TERM $$"]).code(143).stderr("");
}

#[test]
fn what_is_not_there_is_127_and_what_cannot_run_126() {
    let Some(daemon) = daemon() else { return };
    for missing in ["surely-not-there", "/surely/not/there"] {
        let run = exec(&daemon, &["--", missing]).code(127).stdout("");
        assert_eq!(stderr(&run), format!("error: no executable `{missing}`\n"));
    }
    let run = exec(&daemon, &["--", "/etc"]).code(126);
    assert_eq!(stderr(&run), "error: `/etc` is a directory\n");
    let run = exec(&daemon, &["--", "/etc/passwd"]).code(126);
    assert_eq!(stderr(&run), "error: `/etc/passwd` is not executable\n");
}

#[test]
fn a_file_that_only_looks_like_a_program_is_126_and_one_without_its_interpreter_127() {
    let Some(daemon) = daemon() else { return };
    for (name, content, status) in [("garbage", "no program", 126), ("orphan", "#!/surely/not/there\n", 127)] {
        let path = daemon.dir().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        exec(&daemon, &["--", path.to_str().unwrap()]).code(status).stdout("");
    }
}

#[test]
fn what_the_daemon_refuses_is_125_and_nothing_has_run() {
    let Some(daemon) = daemon() else { return };
    let cases: [(&[&str], &str); 3] = [
        (&["-w", "/surely/not/there"], "does not exist"),
        (&["--context", "nothing"], "context service \"nothing\" not found"),
        (&["-u", "surely-nobody"], "unknown user"),
    ];
    for (flags, why) in cases {
        let run = exec(&daemon, &[flags, &["--", "true"]].concat()).code(125).stdout("");
        let said = stderr(&run);
        assert!(said.contains(why) && !said.contains("nobody knows"), "{said}");
    }
}

#[test]
fn a_program_that_outlives_its_time_is_124_and_what_it_wrote_is_there() {
    let Some(daemon) = daemon() else { return };
    let run = exec(&daemon, &["--timeout", "300ms", "--", "sh", "-c", "echo begun; exec sleep 1000"]);
    let run = run.code(124).stdout("begun\n");
    assert_eq!(stderr(&run), "error: `sh` timed out after 300ms (--timeout)\n");
}

#[test]
fn our_own_failures_are_125_usage_included() {
    let home = crate::support::home();
    let at = |words: &[&str]| esker().env("PEBBLE", home.join("nowhere")).arg("exec").args(words).assert();
    assert!(stderr(&at(&["--", "true"]).code(125)).contains("cannot run `true`"));
    let cases: [&[&str]; 14] = [
        &[],
        &["--bogus", "--", "true"],
        &["surely-no-target", "--", "true"],
        &["-t", "--", "true"],
        &["--tty-size", "80", "--", "true"],
        &["--env", "=1", "--", "true"],
        &["--env", "SURELY_NOT_SET", "--", "true"],
        &["--wait", "1", "--", "true"],
        &["--attach", "1"],
        &["--wait", "../x"],
        &["--signal", "TERM", "--", "true"],
        &["--detach-keys", "ctrl-x", "-t", "--tty-size", "80x24", "--", "true"],
        &["-o", "csv", "--", "true"],
        &["pebble", "--target", "pebble", "--", "true"],
    ];
    for words in cases {
        let run = at(words).code(125).stdout("");
        assert!(stderr(&run).starts_with("error: "), "{words:?}: {}", stderr(&run));
    }
}

#[test]
fn a_forgotten_separator_is_explained() {
    let run = esker().env("PEBBLE", "/nowhere").args(["exec", "uptime"]).assert().code(125);
    assert!(stderr(&run).contains("no command is given"), "{}", stderr(&run));
}
