//! The official SDKs of Sprites, unmodified, against the simulator: each makes every call that it has, and must see
//! what the reference says. The programs that drive them are in `tests/peers`.

mod expected;

use crate::support::peers;
use crate::support::playground::Playground;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

/// For all steps of one SDK; one that hangs is given up by its driver much sooner.
const PATIENCE: Duration = Duration::from_mins(5);

#[derive(Clone, Copy, Debug)]
enum Sdk {
    Python,
    JavaScript,
    Go,
}

impl Sdk {
    fn driver(self) -> Option<Command> {
        match self {
            Self::Python => peers::sprites_py(),
            Self::JavaScript => peers::sprites_js(),
            Self::Go => peers::sprites_go(),
        }
    }
}

/// A driver with these arguments, and nothing in its environment but where the simulator is.
fn driver(mut command: Command, playground: &Playground, args: &[&str]) -> assert_cmd::Command {
    command
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", crate::support::home())
        .envs(playground.variables());
    let mut command = assert_cmd::Command::from_std(command);
    command.timeout(PATIENCE);
    command
}

/// What a step must say: its value, or its error. The text of an error need only be a part of the real one.
enum Says {
    Value(Value),
    Error(Value),
}

impl Says {
    /// Why this line is not as it must be.
    fn differs_from(&self, line: &Value) -> Option<String> {
        let (wanted, same) = match self {
            Self::Value(value) => (value, line["ok"] == true && line["value"] == *value),
            Self::Error(error) => (error, line["ok"] == false && is_part(error, &line["error"])),
        };
        (!same).then(|| format!("wanted {wanted}\n       was {line}"))
    }
}

/// Whether every key of `wanted` is in `error`, `text` as a part.
fn is_part(wanted: &Value, error: &Value) -> bool {
    let Some(wanted) = wanted.as_object() else { return false };
    wanted.iter().all(|(key, value)| match (key.as_str(), value.as_str(), error[key].as_str()) {
        ("text", Some(part), Some(text)) => text.contains(part),
        _ => error[key] == *value,
    })
}

/// Runs all steps of an SDK and compares them with the table.
fn every_call(sdk: Sdk) {
    let Some(command) = sdk.driver() else { return };
    let playground = Playground::sprites();
    let output = driver(command, &playground, &["steps"]).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    let mut said = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        said.insert(line["step"].as_str().expect("a name").to_owned(), line);
    }
    let wanted = expected::steps(sdk);
    let mut wrong = Vec::new();
    for (step, says) in &wanted {
        match said.get(*step) {
            None => wrong.push(format!("{step}: it was not run")),
            Some(line) => wrong.extend(says.differs_from(line).map(|why| format!("{step}: {why}"))),
        }
    }
    let names: BTreeSet<&str> = wanted.iter().map(|(step, _)| *step).collect();
    wrong.extend(said.keys().filter(|step| !names.contains(step.as_str())).map(|step| format!("{step}: not expected")));
    assert!(wrong.is_empty(), "{} of {} steps:\n{}\n{stderr}", wrong.len(), wanted.len(), wrong.join("\n"));
}

/// Has the SDK make a sprite with a label, a file and a checkpoint, each of this text. False if it is not installed.
fn make(sdk: Sdk, playground: &Playground, sprite: &str, text: &str) -> bool {
    let Some(command) = sdk.driver() else { return false };
    driver(command, playground, &["make", sprite, text]).assert().success();
    true
}

/// What the SDK sees of a sprite that another client made in the same way.
fn look(sdk: Sdk, playground: &Playground, sprite: &str) -> Option<Value> {
    let run = driver(sdk.driver()?, playground, &["look", sprite]).assert().success();
    Some(serde_json::from_slice(&run.get_output().stdout).expect("an object"))
}

/// What [`look`] must find.
fn made(text: &str) -> Value {
    json!({"labels": ["made"], "note": text, "output": text, "checkpoints": [["v1", text]]})
}

#[test]
fn what_one_sdk_makes_the_others_see() {
    const SDKS: [Sdk; 3] = [Sdk::Python, Sdk::JavaScript, Sdk::Go];
    let playground = Playground::sprites();
    for maker in SDKS {
        let name = format!("{maker:?}").to_lowercase();
        let text = format!("by {name}, ü");
        if !make(maker, &playground, &name, &text) {
            continue;
        }
        for seen in SDKS.into_iter().filter_map(|sdk| look(sdk, &playground, &name)) {
            assert_eq!(seen, made(&text));
        }
    }
}

#[test]
fn the_python_sdk_makes_every_call() {
    every_call(Sdk::Python);
}

#[test]
fn the_javascript_sdk_makes_every_call() {
    every_call(Sdk::JavaScript);
}

#[test]
fn the_go_sdk_makes_every_call() {
    every_call(Sdk::Go);
}
