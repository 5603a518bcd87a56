//! Limits, signals, and what is left behind: nothing.

use super::{Pi, is_left, last_line, stderr, unique_sleep, until, wait_for, with_every_agent};
use crate::support::error_of;
use crate::support::process::Running;
use rustix::process::Signal;

with_every_agent!(
    a_budget_ends_the_run,
    a_model_that_says_nothing_is_not_waited_for,
    an_interrupt_stops_the_agent_and_what_it_started,
    text_that_streams_is_cut_off_by_an_interrupt,
    a_tool_does_not_outlive_who_drives_its_agent,
);

fn a_budget_ends_the_run(pi: &Pi) {
    let (result, code) = pi.result(&["FOREVER", "--max-turns", "2"]);
    assert_eq!((code, &result["status"]), (Some(14), &"limit".into()), "{result}");
    // A quick agent is in its next turn, or the one after that, before it hears of it; what it used is told.
    assert!((2..50).contains(&result["turns"].as_u64().unwrap()), "{result}");
    let (result, code) = pi.result(&["FOREVER", "--max-tokens", "300"]);
    assert_eq!((code, &result["status"]), (Some(14), &"limit".into()), "{result}");
    let (result, code) = pi.result(&["FOREVER", "--max-cost", "0.0003"]);
    assert_eq!((code, &result["status"]), (Some(14), &"limit".into()), "{result}");
    let (_, code) = pi.result(&["say hello", "--max-turns", "1"]);
    assert_eq!(code, Some(0), "the last turn may use the limit up");
}

fn a_model_that_says_nothing_is_not_waited_for(pi: &Pi) {
    let output = pi.run(&["STALL", "--idle-timeout", "1s", "-o", "json"]);
    assert_eq!(output.status.code(), Some(9), "{}", stderr(&output));
    assert!(error_of(&output)["message"].as_str().unwrap().contains("--idle-timeout"));
}

fn an_interrupt_stops_the_agent_and_what_it_started(pi: &Pi) {
    let sleep = unique_sleep();
    let mut running = Running::start(pi.process(&Pi::run_args(&[&sleep.to_uppercase(), "-o", "jsonl"])));
    drop(running.0.stdin.take());
    until(&mut running, "\"output\":\"up");
    wait_for("the tool", || is_left(&sleep));
    running.signal(Signal::INT);
    let last = last_line(&mut running);
    assert!(last.contains("\"status\":\"interrupted\""), "{last}");
    let (code, _) = running.end();
    assert_eq!(code, 130);
    assert!(!is_left(&sleep));
}

fn text_that_streams_is_cut_off_by_an_interrupt(pi: &Pi) {
    let mut running = Running::start(pi.process(&Pi::run_args(&["SLOW", "-o", "jsonl"])));
    drop(running.0.stdin.take());
    until(&mut running, "agent.message_delta");
    running.signal(Signal::TERM);
    let last = last_line(&mut running);
    assert!(last.contains("\"status\":\"interrupted\"") && last.contains("tick"), "{last}");
    assert_eq!(running.end().0, 143);
}

fn a_tool_does_not_outlive_who_drives_its_agent(pi: &Pi) {
    let sleep = unique_sleep();
    let mut running = Running::start(pi.process(&Pi::run_args(&[&sleep.to_uppercase(), "-o", "jsonl"])));
    drop(running.0.stdin.take());
    wait_for("the tool", || is_left(&sleep));
    running.signal(Signal::KILL);
    running.wait();
    wait_for("the end of the tool", || !is_left(&sleep));
}
