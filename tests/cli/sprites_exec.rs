//! `exec` in a simulated sandbox: the edge cases of the sprites reference, section 9, by their numbers, and the seed's
//! features of section 4.3, by their names.

mod faults;
mod fresh;
mod kinds;
mod runs;
mod streams;
mod terminal;

use crate::support::playground::Playground;
use assert_cmd::assert::Assert;

/// `esker exec` with these words in the sandbox, with nothing on stdin.
fn exec(playground: &Playground, words: &[&str]) -> Assert {
    playground.esker().arg("exec").args(words).assert()
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}
