//! An agent in another machine: over Pebble and over Sprites, with the expectations of one that runs here.

use super::KEY;
use crate::support::daemon::Daemon;
use crate::support::model::Model;
use crate::support::playground::Playground;
use crate::support::{error_of, esker_process_on, home};
use assert_cmd::Command;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A program, written by another process: a file that is open for writing somewhere cannot be run.
fn program(path: &Path, script: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let written =
        std::process::Command::new("sh").args(["-c", "printf %s \"$1\" >\"$2\"", "sh", script]).arg(path).status();
    assert!(written.unwrap().success());
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The agent that is played, whose model is the one of the test.
fn played(model: &Model) -> String {
    let (esker, url) = (env!("CARGO_BIN_EXE_esker"), model.url());
    format!("#!/bin/sh\nexec {esker} simulate-pi --model-url {url} -- \"$@\"\n")
}

struct There {
    model: Model,
    binary: PathBuf,
    work: PathBuf,
    commands: Box<dyn Fn() -> std::process::Command>,
    place: &'static str,
}

impl There {
    fn new(place: &'static str, commands: impl Fn() -> std::process::Command + 'static) -> Self {
        let model = Model::start();
        let (binary, work) = (home().join("there/pi"), home().join("work"));
        program(&binary, &played(&model));
        std::fs::create_dir_all(&work).unwrap();
        Self { model, binary, work, commands: Box::new(commands), place }
    }

    fn agent(&self, words: &[&str]) -> Output {
        let config = home().join("there.yaml");
        std::fs::write(&config, format!("endpoints:\n  pi: {{provider: pi, binary: {}}}\n", self.binary.display()))
            .unwrap();
        let mut command = (self.commands)();
        command.arg("--config").arg(config).args(["--target", "pi", "agent"]).args(words);
        command.env("ANTHROPIC_API_KEY", KEY).env("OPENAI_API_KEY", "sk-other-leak");
        Command::from_std(command).output().unwrap()
    }

    fn run(&self, words: &[&str]) -> Output {
        let work = self.work.display().to_string();
        self.agent(
            &[&["run", "--in", self.place, "--cwd", &work, "--provider", "anthropic", "-o", "json"], words].concat(),
        )
    }

    fn result(&self, words: &[&str]) -> (Value, Option<i32>) {
        let output = self.run(words);
        let result = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (result, output.status.code())
    }

    /// What holds wherever it runs.
    fn holds(&self) {
        std::fs::write(self.work.join("file.txt"), "old line\n").unwrap();
        let (result, code) = self.result(&["EDIT it", "--approve", "auto"]);
        assert_eq!((code, &result["text"]), (Some(0), &"Tool finished.".into()), "{result}");
        assert_eq!(std::fs::read_to_string(self.work.join("file.txt")).unwrap(), "new line\n");
        assert_eq!(self.model.asked()[0].authorization, format!("Bearer {KEY}"));
        let (again, _) = self.result(&["--continue", "RECALL"]);
        assert_eq!(again["text"], "I remember 2 prompts, first \"EDIT it\".", "{again}");
        // Nothing of ours goes along but the one key, and that on no command line.
        let (env, _) = self.result(&["BASH env; cat /proc/$PPID/cmdline | tr '\\0' ' '"]);
        let said = self.model.asked();
        let told = said.last().unwrap().body["messages"].as_array().unwrap().last().unwrap()["content"].to_string();
        assert!(told.contains("simulate-pi") && !told.contains("leak"), "{told} {env}");
        assert!(!told.split("simulate-pi").last().unwrap().contains(KEY), "{told}");
        // A policy holds there too.
        std::fs::create_dir_all(self.work.join("build")).unwrap();
        let (result, code) = self.result(&["REMOVE it", "--approve", "deny"]);
        assert_eq!((code, &result["denied"][0]["tool"]), (Some(5), &"bash".into()), "{result}");
        assert!(self.work.join("build").exists());
        let (result, code) = self.result(&["HTTP401"]);
        assert_eq!((code, &result["status"]), (Some(4), &"error".into()), "{result}");
    }
}

#[test]
fn an_agent_runs_in_pebble() {
    let daemon = Daemon::start(&[]);
    let dir = daemon.dir().to_owned();
    let there = There::new("pebble", move || {
        let mut command = crate::support::esker_process();
        command.env("PEBBLE", &dir);
        command
    });
    there.holds();
    drop(daemon);
}

#[test]
fn an_agent_runs_in_a_sandbox() {
    let playground = Playground::sandbox(&[]);
    let variables = playground.variables().clone();
    let there = There::new("sprites/box", move || {
        let mut command = crate::support::esker_process();
        command.envs(&variables).env_remove("ESKER_TARGET");
        command
    });
    there.holds();
}

#[test]
fn a_target_without_the_agent_says_so() {
    let daemon = Daemon::start(&[]);
    let config = home().join("there.yaml");
    std::fs::write(&config, "endpoints:\n  pi: {provider: pi, binary: pi-of-the-test}\n").unwrap();
    let run = |words: &[&str]| {
        let mut command = esker_process_on(&daemon);
        command.arg("--config").arg(&config).args(["--target", "pi", "agent", "run", "--in", "pebble", "hello"]);
        command.args(["-o", "json", "--provider", "anthropic"]).args(words).env("ANTHROPIC_API_KEY", KEY);
        Command::from_std(command).output().unwrap()
    };
    let output = run(&[]);
    let error = error_of(&output);
    assert_eq!((output.status.code(), &error["kind"]), (Some(6), &"not_found".into()), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--install"), "{error}");
    let here = Command::from_std({
        let mut command = esker_process_on(&daemon);
        command.args(["agent", "run", "x", "--target", "pi", "--in", "omp", "-o", "json"]);
        command
    })
    .output()
    .unwrap();
    assert_eq!((here.status.code(), &error_of(&here)["kind"]), (Some(11), &"unsupported".into()));
}
