//! `esker playground` beside a test: simulators without anything in them.

use super::esker_process;
use super::process::line;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::process::{Child, Stdio};

/// Running simulators; dropping it ends them.
pub(crate) struct Playground {
    process: Child,
    variables: BTreeMap<String, String>,
}

impl Playground {
    /// Starts these, such as `sprites`, and waits until it has told each of these variables.
    pub(crate) fn start(only: &str, variables: &[&str]) -> Self {
        Self::start_with(only, &[], variables)
    }

    /// The same with these faults, see `esker playground --help`.
    pub(crate) fn start_with(only: &str, faults: &[&str], variables: &[&str]) -> Self {
        let faults: Vec<String> = faults.iter().map(|fault| format!("--fault={fault}")).collect();
        let mut args = vec!["--only", only, "--no-seed-demo"];
        args.extend(faults.iter().map(String::as_str));
        Self::run(&args, variables)
    }

    /// The simulator of VergeOS, with what it has to show.
    pub(crate) fn vergeos() -> Self {
        Self::run(&["--only", "vergeos"], &["VERGE_HOST", "VERGE_USERNAME", "VERGE_PASSWORD", "VERGE_CA_FILE"])
    }

    fn run(args: &[&str], variables: &[&str]) -> Self {
        let mut command = esker_process();
        command.args(["playground", "--print-env"]).args(args);
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut told = BTreeMap::new();
        let stdout = process.stdout.as_mut().expect("a pipe");
        while !variables.iter().all(|name| told.contains_key(*name)) {
            let line = line(stdout);
            assert!(!line.is_empty(), "no such line from the playground; there were {told:?}");
            if let Some((name, value)) = line.trim_start_matches("export ").split_once('=') {
                told.insert(name.to_owned(), value.trim_matches(['\'', '"']).to_owned());
            }
        }
        Self { process, variables: told }
    }

    /// The simulator of Sprites.
    pub(crate) fn sprites() -> Self {
        Self::start("sprites", &["SPRITES_ENDPOINT", "SPRITES_TOKEN"])
    }

    /// The simulator of Sprites with one sandbox, `sprites/box`, that is the default target, and these faults.
    pub(crate) fn sandbox(faults: &[&str]) -> Self {
        let mut playground = Self::start_with("sprites", faults, &["SPRITES_ENDPOINT", "SPRITES_TOKEN"]);
        let create = ["api", "POST", "/v1/sprites", "--target", "sprites", "--body", "-"];
        playground.esker().args(create).write_stdin(r#"{"name":"box"}"#).assert().success();
        playground.variables.insert("ESKER_TARGET".to_owned(), "sprites/box".to_owned());
        playground
    }

    /// The simulator of Rexec with one container of this image, `rexec/box`, that is the default target, and these
    /// faults.
    pub(crate) fn container(image: &str, faults: &[&str]) -> Self {
        let mut playground = Self::rexec(faults);
        playground.esker().args(["vm", "create", "rexec/box", "--image", image, "-q"]).assert().success();
        playground.variables.insert("ESKER_TARGET".to_owned(), "rexec/box".to_owned());
        playground
    }

    /// The simulator of Rexec with these faults.
    pub(crate) fn rexec(faults: &[&str]) -> Self {
        Self::start_with("rexec", faults, &["REXEC_URL", "REXEC_TOKEN"])
    }

    /// What it told to put into the environment.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// esker, pointed at it by the environment.
    pub(crate) fn esker(&self) -> assert_cmd::Command {
        assert_cmd::Command::from_std(self.esker_process())
    }

    /// The same, for tests that need the process while it runs.
    pub(crate) fn esker_process(&self) -> std::process::Command {
        let mut command = esker_process();
        command.envs(&self.variables);
        command
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let _ = self.process.wait();
    }
}
