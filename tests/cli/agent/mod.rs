//! `agent` against the real pi, which talks to a model server of ours.

mod limits;
mod questions;
mod run;
mod sessions;
mod surroundings;

use crate::support::model::Model;
use crate::support::{esker_process, home, peers};
use assert_cmd::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

/// What the key is: it must turn up nowhere but at the model.
const KEY: &str = "sk-fake-7f3a9c";

/// The real pi, set up in the home of this test.
struct Pi {
    model: Model,
    binary: PathBuf,
    config: PathBuf,
    work: PathBuf,
}

impl Pi {
    /// `None` where it is not installed.
    fn start() -> Option<Self> {
        let binary = peers::pi()?;
        let model = Model::start();
        let (agent, work) = (home().join("agent"), home().join("work"));
        std::fs::create_dir_all(&agent).unwrap();
        std::fs::create_dir_all(&work).unwrap();
        std::fs::write(agent.join("models.json"), model.models_json()).unwrap();
        // Its own retries are quick, and those of the library below it are off: they would hide a failure.
        let settings = r#"{"retry":{"baseDelayMs":20,"maxRetries":3,"provider":{"maxRetries":0}}}"#;
        std::fs::write(agent.join("settings.json"), settings).unwrap();
        let config = home().join("esker.yaml");
        let text = format!(
            "endpoints:\n  pi: {{provider: pi, binary: {}, agent_dir: {}, key_env: FAKE_API_KEY}}\n",
            binary.display(),
            agent.display()
        );
        std::fs::write(&config, text).unwrap();
        Some(Self { model, binary, config, work })
    }

    /// `esker agent …` in the directory that it works in.
    fn process(&self, words: &[&str]) -> std::process::Command {
        let mut command = esker_process();
        command.env("FAKE_API_KEY", KEY).current_dir(&self.work).arg("--config").arg(&self.config).arg("agent");
        command.args(words);
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
