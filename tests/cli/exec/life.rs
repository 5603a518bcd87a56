//! What happens to a program when something else ends: a signal, the daemon, esker itself.

use super::{by_hand, daemon, exec, stderr};
use crate::support::process::{Running, gone, runs};
use rustix::process::Signal;

#[test]
fn signals_are_passed_on() {
    let Some(daemon) = daemon() else { return };
    let signals = [
        ("INT", Signal::INT),
        ("TERM", Signal::TERM),
        ("HUP", Signal::HUP),
        ("QUIT", Signal::QUIT),
        ("USR1", Signal::USR1),
        ("USR2", Signal::USR2),
    ];
    for (name, signal) in signals {
        let script = format!("trap 'echo got {name}; exit 9' {name}; echo ready; while :; do sleep 0.01; done");
        let mut running = Running::start(by_hand(&daemon, &["--", "sh", "-c", &script]));
        assert_eq!(running.line(), "ready");
        running.signal(signal);
        assert_eq!(running.line(), format!("got {name}"));
        assert_eq!(running.end(), (9, String::new()), "{name}");
    }
}

#[test]
fn a_program_that_dies_of_a_signal_tells_its_status() {
    let Some(daemon) = daemon() else { return };
    let mut running = Running::start(by_hand(&daemon, &["--", "sh", "-c", "echo ready; exec sleep 1000"]));
    assert_eq!(running.line(), "ready");
    running.signal(Signal::TERM);
    assert_eq!(running.end(), (143, String::new()));
}

#[test]
fn a_second_interrupt_kills_the_program_and_ends_by_the_signal() {
    let Some(daemon) = daemon() else { return };
    let script = "trap 'echo ignored' INT; echo $$; while :; do sleep 0.01; done";
    let mut running = Running::start(by_hand(&daemon, &["--", "sh", "-c", script]));
    let pid = running.line().parse().unwrap();
    running.signal(Signal::INT);
    assert_eq!(running.line(), "ignored");
    running.signal(Signal::INT);
    assert_eq!(running.end(), (130, "error: `sh` was killed by a second Ctrl-C\n".to_owned()));
    assert!(gone(pid));
}

#[test]
fn a_killed_esker_takes_its_program_with_it() {
    let Some(daemon) = daemon() else { return };
    let mut running = Running::start(by_hand(&daemon, &["--", "sh", "-c", "echo $$; exec sleep 1000"]));
    let pid = running.line().parse().unwrap();
    running.signal(Signal::KILL);
    assert_eq!(running.end().0, 137);
    assert!(gone(pid));
}

#[test]
fn a_daemon_that_dies_is_125_and_names_the_change() {
    let Some(mut daemon) = daemon() else { return };
    let mut running = Running::start(by_hand(&daemon, &["--", "sh", "-c", "echo ready; exec sleep 1000"]));
    assert_eq!(running.line(), "ready");
    daemon.kill();
    let (status, said) = running.end();
    assert_eq!(status, 125);
    assert!(said.starts_with("error: lost `sh` on `pebble` before its exit status arrived (change 1)\n"), "{said}");
    assert!(said.contains("nobody knows whether it was done"), "{said}");
}

#[test]
fn a_background_process_that_holds_the_output_is_told_of_and_waited_for() {
    let Some(daemon) = daemon() else { return };
    let pipe = daemon.dir().join("pipe");
    let script = format!("mkfifo {0}; (read x < {0}; echo late) & echo early; exit 4", pipe.display());
    let mut running = Running::start(by_hand(&daemon, &["--", "sh", "-c", &script]));
    assert_eq!(running.line(), "early");
    let told = running.error_line();
    assert!(told.starts_with("esker: warning: `sh` has ended, but a process that it left"), "{told}");
    std::fs::write(&pipe, "go\n").unwrap();
    assert_eq!(running.line(), "late");
    assert_eq!(running.end(), (4, String::new()));
}

#[test]
fn a_background_process_that_holds_the_output_does_not_outwait_the_timeout() {
    let Some(daemon) = daemon() else { return };
    let run = exec(&daemon, &["--timeout", "500ms", "--", "sh", "-c", "sleep 1000 & echo $!"]).code(124);
    let pid = String::from_utf8_lossy(&run.get_output().stdout).trim().parse().unwrap();
    assert!(stderr(&run).contains("something that it started still runs over there"), "{}", stderr(&run));
    assert!(runs(pid), "it was said to run");
}
