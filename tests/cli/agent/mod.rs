//! `agent` against pi in two generations and omp: each test is run with the played ones, and with the real ones where
//! they are installed. All of them talk to a model server of ours.

mod lasting;
mod limits;
mod process;
mod questions;
mod run;
mod scenarios;
mod sessions;
mod surroundings;
mod there;

use crate::support::model::Model;
use crate::support::process::Running;
use crate::support::{esker_process, home, peers};
use assert_cmd::Command;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What the key is: it must turn up nowhere but at the model.
const KEY: &str = "sk-fake-7f3a9c";

/// The tests of a file, each with every agent that there is.
macro_rules! with_every_agent {
    ($($test:ident),* $(,)?) => {
        with_every_agent!(@ played_old, Some(Pi::played("0.73.1")); $($test),*);
        with_every_agent!(@ played_new, Some(Pi::played("0.87.1")); $($test),*);
        with_every_agent!(@ played_omp, Some(Pi::played("omp/18.2.3")); $($test),*);
        with_every_agent!(@ real_old, Pi::real("0.74.2"); $($test),*);
        with_every_agent!(@ real_new, Pi::real("0.87.1"); $($test),*);
        with_every_agent!(@ real_omp, Pi::real("omp/18.2.3"); $($test),*);
    };
    (@ $module:ident, $pi:expr; $($test:ident),*) => {
        mod $module {
            use crate::agent::Pi;
            $(#[test] fn $test() {
                if let Some(pi) = $pi {
                    super::$test(&pi);
                }
            })*
        }
    };
}
use with_every_agent;

/// An agent, set up in the home of this test.
struct Pi {
    /// The endpoint, which is also what the agent is called.
    name: &'static str,
    model: Model,
    binary: PathBuf,
    config: PathBuf,
    work: PathBuf,
    /// What of the command line it knows.
    is_new: bool,
}

impl Pi {
    /// The real one; `None` where it is not installed.
    fn real(build: &str) -> Option<Self> {
        let binary = match build {
            "0.74.2" => peers::pi(),
            "0.87.1" => peers::pi_new(),
            _ => peers::omp(),
        };
        Some(Self::start(binary?, build))
    }

    /// One that is played by the binary under test.
    fn played(build: &str) -> Self {
        let binary = home().join("bin/pi");
        let esker = env!("CARGO_BIN_EXE_esker");
        program(&binary, &format!("#!/bin/sh\nexec {esker} simulate-pi --build {build} -- \"$@\"\n"));
        Self::start(binary, build)
    }

    fn start(binary: PathBuf, build: &str) -> Self {
        let model = Model::start();
        let (agent, work) = (home().join("agent"), home().join("work"));
        std::fs::create_dir_all(&agent).unwrap();
        std::fs::create_dir_all(&work).unwrap();
        let (name, is_new) = (if build.starts_with("omp") { "omp" } else { "pi" }, build == "0.87.1");
        std::fs::write(
            agent.join("models.json"),
            model.models_json(if is_new { "$FAKE_API_KEY" } else { "FAKE_API_KEY" }),
        )
        .unwrap();
        // Its own retries are quick, and those of the library below it are off: they would hide a failure.
        let settings = r#"{"retry":{"baseDelayMs":20,"maxRetries":3,"provider":{"maxRetries":0}}}"#;
        std::fs::write(agent.join("settings.json"), settings).unwrap();
        let config = home().join("esker.yaml");
        let text = format!(
            "endpoints:\n  {name}: {{provider: {name}, binary: {}, agent_dir: {}, key_env: FAKE_API_KEY}}\n",
            binary.display(),
            agent.display()
        );
        std::fs::write(&config, text).unwrap();
        Self { name, model, binary, config, work, is_new }
    }

    /// `esker agent …` in the directory that it works in.
    fn process(&self, words: &[&str]) -> std::process::Command {
        let mut command = esker_process();
        command.env("FAKE_API_KEY", KEY).current_dir(&self.work).arg("--config").arg(&self.config);
        command.args(["agent", "--target", self.name]).args(words);
        command
    }

    /// The arguments of a run with the model of the test.
    fn run_args<'a>(words: &[&'a str]) -> Vec<&'a str> {
        [&["run", "--provider", "fake", "--model", "fake-1"], words].concat()
    }

    fn agent(&self, words: &[&str]) -> Output {
        Command::from_std(self.process(words)).output().unwrap()
    }

    fn run(&self, words: &[&str]) -> Output {
        self.agent(&Self::run_args(words))
    }

    /// The result of a run that was asked for as JSON.
    fn result(&self, words: &[&str]) -> (Value, Option<i32>) {
        let output = self.run(&[words, &["-o", "json"]].concat());
        let result = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (result, output.status.code())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }
}

/// A program, written by another process: a file that is open for writing somewhere cannot be run.
fn program(path: &Path, script: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let written =
        std::process::Command::new("sh").args(["-c", "printf %s \"$1\" >\"$2\"", "sh", script]).arg(path).status();
    assert!(written.unwrap().success());
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The events of a run as JSON lines.
fn lines(output: &Output) -> Vec<Value> {
    stdout(output).split_terminator('\n').map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// Whether a process with this in its command line is left.
fn is_left(words: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let line = |path: &Path| std::fs::read(path.join("cmdline")).unwrap_or_default();
    processes.map(|path| String::from_utf8_lossy(&line(&path)).replace('\0', " ")).any(|line| line.trim() == words)
}

/// A command line that no other test has.
fn unique_sleep() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("sleep {}{:03}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Waits for something that shows nowhere else.
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_there() {
        assert!(Instant::now() < deadline, "{what} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Reads up to a line with this in it.
fn until(running: &mut Running, wanted: &str) -> String {
    let mut seen = Vec::new();
    loop {
        let line = running.line();
        if line.contains(wanted) {
            return line;
        }
        assert!(!line.is_empty(), "no {wanted:?} in {seen:#?}");
        seen.push(line);
    }
}

/// Reads to the end, and returns the last line.
fn last_line(running: &mut Running) -> String {
    let mut last = String::new();
    loop {
        match running.line() {
            line if line.is_empty() => return last,
            line => last = line,
        }
    }
}
