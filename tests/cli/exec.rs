//! `exec` against a real daemon: streams, exit codes, runs, terminals, several targets.

mod fleet;
mod life;
mod runs;
mod status;
mod streams;
mod terminal;
mod wire;

use crate::support::daemon::Daemon;
use crate::support::{esker, esker_process, peers};
use assert_cmd::assert::Assert;
use std::process::Command;

/// A daemon, or nothing where there is no Pebble to start.
fn daemon() -> Option<Daemon> {
    peers::pebble().map(|_| Daemon::start(&[]))
}

/// `esker exec` with these words, at this daemon, with nothing on stdin.
fn exec(daemon: &Daemon, words: &[&str]) -> Assert {
    esker().env("PEBBLE", daemon.dir()).arg("exec").args(words).assert()
}

/// The same, to be attended by hand.
fn by_hand(daemon: &Daemon, words: &[&str]) -> Command {
    let mut command = esker_process();
    command.env("PEBBLE", daemon.dir()).arg("exec").args(words);
    command
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).expect("stdout is text")
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).expect("stderr is text")
}
