//! Limits, signals, and what is left behind: nothing.

use super::{Pi, is_left, stderr};
use crate::support::error_of;
use crate::support::process::Running;
use rustix::process::Signal;

#[test]
fn a_budget_ends_the_run() {
    let Some(pi) = Pi::start() else { return };
    let (result, code) = pi.result(&["FOREVER", "--max-turns", "2"]);
    assert_eq!((code, &result["status"], &result["turns"]), (Some(14), &"limit".into(), &2.into()), "{result}");
    let (result, code) = pi.result(&["FOREVER", "--max-tokens", "300"]);
    assert_eq!((code, &result["status"]), (Some(14), &"limit".into()), "{result}");
    let (result, code) = pi.result(&["FOREVER", "--max-cost", "0.0003"]);
    assert_eq!((code, &result["status"]), (Some(14), &"limit".into()), "{result}");
    let (_, code) = pi.result(&["say hello", "--max-turns", "1"]);
    assert_eq!(code, Some(0), "the last turn may use the limit up");
}

#[test]
fn a_model_that_says_nothing_is_not_waited_for() {
    let Some(pi) = Pi::start() else { return };
    let output = pi.run(&["STALL", "--idle-timeout", "1s", "-o", "json"]);
    assert_eq!(output.status.code(), Some(9), "{}", stderr(&output));
    assert!(error_of(&output)["message"].as_str().unwrap().contains("--idle-timeout"));
}

#[test]
fn an_interrupt_stops_the_agent_and_what_it_started() {
    let Some(pi) = Pi::start() else { return };
    let mut running = Running::start(pi.process(&Pi::run_args(&["SLEEP", "-o", "jsonl"])));
    drop(running.0.stdin.take());
    while !running.line().contains("agent.tool_start") {}
    assert!(is_left("sleep 987") || !is_left("sleep 987"), "it may not have started yet");
    running.signal(Signal::INT);
    let mut last = String::new();
    loop {
        let line = running.line();
        if line.is_empty() {
            break;
        }
        last = line;
    }
    assert!(last.contains("\"status\":\"interrupted\""), "{last}");
    let (code, _) = running.end();
    assert_eq!(code, 130);
    assert!(!is_left("sleep 987"));
}

#[test]
fn text_that_streams_is_cut_off_by_an_interrupt() {
    let Some(pi) = Pi::start() else { return };
    let mut running = Running::start(pi.process(&Pi::run_args(&["SLOW", "-o", "jsonl"])));
    drop(running.0.stdin.take());
    while !running.line().contains("agent.message_delta") {}
    running.signal(Signal::TERM);
    let mut last = String::new();
    loop {
        let line = running.line();
        if line.is_empty() {
            break;
        }
        last = line;
    }
    assert!(last.contains("\"status\":\"interrupted\"") && last.contains("tick"), "{last}");
    assert_eq!(running.end().0, 143);
}
