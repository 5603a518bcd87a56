//! An agent in another machine: over Pebble, Sprites and Rexec, with the expectations of one that runs here.

use super::{KEY, is_left, program, unique_sleep, wait_for};
use crate::support::daemon::Daemon;
use crate::support::model::Model;
use crate::support::playground::Playground;
use crate::support::process::{Running, copy_of_program};
use crate::support::{error_of, esker_process, home, peers};
use assert_cmd::Command;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A machine that an agent is to run in.
struct There {
    model: Model,
    /// What points esker at it.
    variables: BTreeMap<String, String>,
    place: &'static str,
    /// The agent's program, as it is called there.
    binary: String,
    /// The directory that it works in, there.
    work: String,
}

impl There {
    /// The Pebble daemon, which sees the files of this machine.
    fn pebble(daemon: &Daemon, binary: Option<PathBuf>, key: &str) -> Self {
        let work = home().join("work there");
        std::fs::create_dir_all(&work).unwrap();
        let binary = binary.unwrap_or_else(|| {
            let binary = home().join("there/pi");
            program(&binary, &format!("#!/bin/sh\nexec {} simulate-pi -- \"$@\"\n", env!("CARGO_BIN_EXE_esker")));
            binary
        });
        let variables = BTreeMap::from([("PEBBLE".to_owned(), daemon.dir().display().to_string())]);
        let work = work.display().to_string();
        let there =
            Self { model: Model::start(), variables, place: "pebble", binary: binary.display().to_string(), work };
        there.configured(key)
    }

    /// A machine of the playground, which sees its own files: the played agent is put there.
    fn simulated(playground: &Playground, place: &'static str) -> Self {
        let there = Self {
            model: Model::start(),
            variables: playground.variables().clone(),
            place,
            binary: String::new(),
            work: String::new(),
        };
        let home = there.sh("cd && mkdir -p work && : >work/here && pwd");
        let (binary, work) = (format!("{home}/pi"), format!("{home}/work"));
        let disk = disk(playground, "work/here");
        copy_of_program(Path::new(env!("CARGO_BIN_EXE_esker")), &disk.join("esker"));
        program(&disk.join("pi"), "#!/bin/sh\nexec \"$(dirname \"$0\")/esker\" simulate-pi -- \"$@\"\n");
        Self { binary, work, ..there }.configured("$FAKE_API_KEY")
    }

    /// Its private configuration there knows the model of the test.
    fn configured(self, key: &str) -> Self {
        let folder =
            "${XDG_STATE_HOME:-$HOME/.local/state}/esker/agents/pi/$(pwd | cksum | tr ' ' - | sed 's/-$//')/agent";
        let settings = r#"{"retry":{"baseDelayMs":20,"maxRetries":3,"provider":{"maxRetries":0}}}"#;
        let script = format!(
            "cd '{}' && mkdir -p \"{folder}\" && cd \"{folder}\" && echo '{}' >models.json && echo '{settings}' >settings.json",
            self.work,
            self.model.models_json(key)
        );
        self.sh(&script);
        self
    }

    fn command(&self) -> std::process::Command {
        let mut command = esker_process();
        command.envs(&self.variables).env_remove("ESKER_TARGET");
        command
    }

    /// What a script says that runs there.
    fn sh(&self, script: &str) -> String {
        let mut command = self.command();
        command.args(["exec", self.place, "--", "sh", "-c", script]);
        let output = Command::from_std(command).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn file(&self, name: &str) -> String {
        self.sh(&format!("cat '{}/{name}' 2>/dev/null || echo none", self.work))
    }

    fn process(&self, words: &[&str]) -> std::process::Command {
        let config = home().join("there.yaml");
        let text = format!("endpoints:\n  pi: {{provider: pi, binary: {}, key_env: FAKE_API_KEY}}\n", self.binary);
        std::fs::write(&config, text).unwrap();
        let mut command = self.command();
        command.arg("--config").arg(config).args(["--target", "pi", "agent"]).args(words);
        command.env("FAKE_API_KEY", KEY).env("ANTHROPIC_API_KEY", "sk-ant-leak").env("OPENAI_API_KEY", "sk-leak");
        command
    }

    fn agent(&self, words: &[&str]) -> Output {
        Command::from_std(self.process(words)).output().unwrap()
    }

    fn run_args<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let fixed = ["run", "--in", self.place, "--cwd", &self.work, "--provider", "fake", "--model", "fake-1"];
        [&fixed, words].concat()
    }

    fn result(&self, words: &[&str]) -> (Value, Option<i32>) {
        let output = self.agent(&self.run_args(&[words, &["-o", "json"]].concat()));
        let result = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (result, output.status.code())
    }

    /// What the agent told the model last.
    fn told(&self) -> String {
        let asked = self.model.asked();
        crate::support::model::text(asked.last().unwrap().body["messages"].as_array().unwrap().last().unwrap())
    }

    /// What holds wherever it runs.
    fn holds(&self) {
        self.sh(&format!("cd '{}' && echo 'old line' >file.txt && mkdir build", self.work));
        let (result, code) = self.result(&["EDIT it", "--approve", "auto"]);
        assert_eq!((code, &result["text"]), (Some(0), &"Tool finished.".into()), "{result}");
        assert_eq!((self.file("file.txt").as_str(), &result["cwd"]), ("new line", &self.work.clone().into()));
        assert_eq!(self.model.asked()[0].authorization, format!("Bearer {KEY}"));
        let (again, _) = self.result(&["--continue", "RECALL"]);
        assert_eq!(again["text"], "I remember 2 prompts, first \"EDIT it\".", "{again}");
        // Nothing of ours goes along but the one key, and that on no command line.
        let (head, tail) = KEY.split_at(5);
        let look = format!("printf %s%s {head} {tail} | grep -l -f - /proc/[0-9]*/cmdline 2>/dev/null | wc -l");
        self.result(&[&format!("BASH env; echo \"on $({look}) command lines\"")]);
        let told = self.told();
        assert!(told.contains("PI_TELEMETRY=0") && told.contains(&format!("FAKE_API_KEY={KEY}")), "{told}");
        assert!(told.contains("on 0 command lines") && !told.contains("leak"), "{told}");
        // A policy holds there too.
        let (result, code) = self.result(&["REMOVE it", "--approve", "deny"]);
        assert_eq!((code, &result["denied"][0]["tool"]), (Some(5), &"bash".into()), "{result}");
        assert_eq!(self.sh(&format!("ls -d '{}/build'", self.work)), format!("{}/build", self.work));
        let (result, code) = self.result(&["HTTP401"]);
        assert_eq!((code, &result["status"]), (Some(4), &"error".into()), "{result}");
        let sleep = unique_sleep();
        let mut running = Running::start(self.process(&self.run_args(&[&sleep.to_uppercase(), "-o", "jsonl"])));
        drop(running.0.stdin.take());
        wait_for("the tool", || is_left(&sleep));
        running.signal(Signal::INT);
        let last = super::last_line(&mut running);
        assert!(last.contains("\"status\":\"interrupted\""), "{last}");
        assert_eq!(running.end().0, 130);
        wait_for("the end of the tool", || !is_left(&sleep));
    }
}

/// The directory on this machine that holds this file of a machine of the playground.
fn disk(playground: &Playground, file: &str) -> PathBuf {
    let path = &playground.variables()["PATH"];
    let mut folders = vec![Path::new(path.split(':').next().unwrap()).parent().unwrap().to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.join(file).is_file() {
            return folder;
        }
        let below = std::fs::read_dir(folder).into_iter().flatten().flatten();
        folders
            .extend(below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()));
    }
    panic!("no {file} in the playground");
}

#[test]
fn an_agent_runs_in_pebble() {
    let daemon = Daemon::start(&[]);
    There::pebble(&daemon, None, "$FAKE_API_KEY").holds();
}

#[test]
fn the_real_ones_run_in_pebble() {
    for (binary, key) in [(peers::pi(), "FAKE_API_KEY"), (peers::pi_new(), "$FAKE_API_KEY")] {
        let Some(binary) = binary else { continue };
        let daemon = Daemon::start(&[]);
        There::pebble(&daemon, Some(binary), key).holds();
        std::fs::remove_dir_all(home().join("work there")).unwrap();
    }
}

#[test]
fn an_agent_runs_in_a_sandbox() {
    There::simulated(&Playground::sandbox(&[]), "sprites/box").holds();
}

#[test]
fn an_agent_runs_behind_a_terminal_however_its_output_is_cut() {
    There::simulated(&Playground::container("debian-12", &["split=7", "busy"]), "rexec/box").holds();
}

#[test]
fn a_session_in_a_sandbox_outlives_its_command() {
    let playground = Playground::sandbox(&[]);
    let there = There::simulated(&playground, "sprites/box");
    let start = ["start", "--in", "sprites/box", "--cwd", &there.work, "--provider", "fake", "--model", "fake-1"];
    let started = there.agent(&[&start[..], &["--name", "far", "--checkpoint", "-o", "json"]].concat());
    let live: Value = serde_json::from_slice(&started.stdout).unwrap_or_else(|error| panic!("{error}: {started:?}"));
    assert_eq!((&live["host"], &live["cwd"]), (&"sprites/box".into(), &there.work.clone().into()), "{live}");
    assert!(String::from_utf8_lossy(&started.stderr).contains("created checkpoint `v1` of `sprites/box`"));
    let sent = there.agent(&["send", "far", "say hello"]);
    assert_eq!(String::from_utf8_lossy(&sent.stdout), "Hello from the fake model.\n", "{sent:?}");
    let stopped = there.agent(&["stop", "far"]);
    assert!(stopped.status.success(), "{stopped:?}");
}

#[test]
fn a_target_goes_back_to_its_checkpoint_if_the_run_wants_it() {
    let playground = Playground::sandbox(&[]);
    let there = There::simulated(&playground, "sprites/box");
    there.sh(&format!("echo before >'{}/file.txt'", there.work));
    let write = "BASH echo after > file.txt";
    // Done well, it stays as it is.
    let (result, code) = there.result(&[write, "--checkpoint", "--rollback-on", "failure"]);
    assert_eq!((code, &result["checkpoint"]["restored"]), (Some(0), &false.into()), "{result}");
    assert_eq!((&result["checkpoint"]["id"], &result["checkpoint"]["saved"]), (&"v1".into(), &Value::Null));
    assert_eq!(there.file("file.txt"), "after");
    // What is not asked for does not happen either.
    let (result, code) =
        there.result(&["HTTP401", "--checkpoint", "--rollback-on", "limit", "--rollback-on", "denied"]);
    assert_eq!((code, &result["checkpoint"]["restored"]), (Some(4), &false.into()), "{result}");
    // A limit that is used up after the file was written.
    let limited = ["FOREVER", "--max-turns", "2", "--checkpoint", "--rollback-on", "limit"];
    let (result, code) = there.result(&limited);
    assert_eq!((code, &result["checkpoint"]["restored"]), (Some(14), &true.into()), "{result}");
    assert_eq!((there.file("file.txt").as_str(), there.file("again").as_str()), ("after", "none"));
    let saved = Path::new(result["checkpoint"]["saved"].as_str().unwrap()).to_owned();
    let transcript = std::fs::read_to_string(saved.join("transcript.jsonl")).unwrap();
    assert!(transcript.starts_with("{\"type\":\"agent.") && transcript.contains("agent.tool_end"), "{transcript}");
    assert!(std::fs::read_to_string(saved.join("session.jsonl")).unwrap().contains("\"type\":\"session\""));
    // A failure of any kind, also one of the start.
    let (result, code) = there.result(&["HTTP401", "--checkpoint", "--rollback-on", "failure"]);
    assert_eq!((code, &result["checkpoint"]["restored"]), (Some(4), &true.into()), "{result}");
    let output =
        there.agent(&there.run_args(&["x", "--resume", "ffffffff", "--checkpoint", "--rollback-on", "failure"]));
    assert_eq!(output.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&output.stderr).contains("restored `v"), "{output:?}");
}

#[test]
fn an_interrupt_takes_a_target_back_too() {
    let playground = Playground::sandbox(&[]);
    let there = There::simulated(&playground, "sprites/box");
    let words = there.run_args(&["SLOW", "-o", "jsonl", "--checkpoint", "--rollback-on", "interrupted"]);
    let mut running = Running::start(there.process(&words));
    drop(running.0.stdin.take());
    super::until(&mut running, "agent.message_delta");
    there.sh(&format!("echo meanwhile >'{}/file.txt'", there.work));
    running.signal(Signal::INT);
    let last: Value = serde_json::from_str(&super::last_line(&mut running)).unwrap();
    assert_eq!((&last["status"], &last["checkpoint"]["restored"]), (&"interrupted".into(), &true.into()), "{last}");
    assert_eq!(running.end().0, 130);
    assert_eq!(there.file("file.txt"), "none");
}

#[test]
fn a_way_back_that_fails_names_the_checkpoint() {
    let playground = Playground::sandbox(&[]);
    let there = There::simulated(&playground, "sprites/box");
    let words = there.run_args(&["SLOW", "-o", "jsonl", "--checkpoint", "--rollback-on", "failure"]);
    let mut running = Running::start(there.process(&words));
    drop(running.0.stdin.take());
    super::until(&mut running, "agent.message_delta");
    // Somebody else deletes it meanwhile.
    let deleted = Command::from_std(there.command())
        .args(["checkpoint", "delete", "v1", "--target", "sprites/box", "--yes"])
        .output()
        .unwrap();
    assert!(deleted.status.success(), "{deleted:?}");
    running.signal(Signal::INT);
    let last: Value = serde_json::from_str(&super::last_line(&mut running)).unwrap();
    assert_eq!((&last["status"], &last["checkpoint"]["restored"]), (&"error".into(), &false.into()), "{last}");
    let (code, stderr) = running.end();
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("checkpoint `v1` of `sprites/box` holds the state before the run"), "{stderr}");
}

#[test]
fn a_target_without_the_agent_says_so_or_is_given_it() {
    let daemon = Daemon::start(&[]);
    let there = There::pebble(&daemon, None, "$FAKE_API_KEY");
    let there = There { binary: "pi-of-the-test".to_owned(), ..there };
    let run = |words: &[&str]| there.agent(&there.run_args(&[&["hello", "-o", "json"], words].concat()));
    let output = run(&[]);
    let error = error_of(&output);
    assert_eq!((output.status.code(), &error["kind"]), (Some(6), &"not_found".into()), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--install"), "{error}");
    assert_eq!((&error["provider"], &error["target"]), (&"pebble".into(), &"pebble".into()));
    let output = run(&["--install=../evil"]);
    assert_eq!((output.status.code(), &error_of(&output)["kind"]), (Some(2), &"usage".into()), "{output:?}");
    let output = run(&["--checkpoint"]);
    assert_eq!((output.status.code(), &error_of(&output)["kind"]), (Some(11), &"unsupported".into()), "{output:?}");
    let nowhere = there.agent(&["run", "x", "--in", "omp", "-o", "json"]);
    assert_eq!((nowhere.status.code(), &error_of(&nowhere)["kind"]), (Some(11), &"unsupported".into()));
    // It sees that it has no key before it looks for the program.
    let mut command = there.process(&there.run_args(&["hello", "-o", "json"]));
    command.env_remove("FAKE_API_KEY");
    let output = Command::from_std(command).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}
