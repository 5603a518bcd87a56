//! Rexec end to end: the binary against the simulator in its server mode, but where a test says otherwise. Numbers are
//! those of the edge cases of the rexec reference, section 11.

mod agents;
mod exec;
mod faults;
mod files;
mod machines;
mod peers;
mod rare;
mod runs;
mod terminal;
mod truth;

use crate::support::playground::Playground;
use assert_cmd::assert::Assert;
use std::process::Command;

/// Images whose shells differ: what a terminal starts, and what `/bin/sh` is. Only those whose shells this machine has.
fn images() -> Vec<&'static str> {
    let all = [("debian-12", "dash"), ("fedora", "bash"), ("alpine", "busybox"), ("kali", "zsh")];
    all.into_iter().filter(|(_, shell)| has(shell)).map(|(image, _)| image).collect()
}

/// Whether this machine has a program that containers are to have.
fn has(program: &str) -> bool {
    let has = Command::new(program).arg("--help").output().is_ok();
    if !has {
        #[allow(clippy::print_stdout, reason = "shown by `cargo test -- --show-output`")]
        {
            println!("skipped: there is no {program}, which tests/peers/install installs for root");
        }
    }
    has
}

/// `esker exec` with these words in the container, with nothing on stdin.
fn exec(playground: &Playground, words: &[&str]) -> Assert {
    playground.esker().arg("exec").args(words).assert()
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

/// Bytes that look random and are the same each time.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}
