//! What an agent gets of this machine, and what the other commands say of it.

use super::{KEY, Pi, stderr, stdout, with_every_agent};
use crate::support::{error_of, esker, home};
use serde_json::Value;

with_every_agent!(
    nothing_of_the_user_is_read_or_leaked,
    without_a_key_nothing_is_started,
    what_pi_does_not_know_is_refused_before_it_is_started,
    a_start_that_fails_says_what_pi_said,
    models_bash_and_doctor,
);

fn nothing_of_the_user_is_read_or_leaked(pi: &Pi) {
    // A home full of traps.
    let theirs = home().join(".pi/agent");
    std::fs::create_dir_all(theirs.join("extensions")).unwrap();
    std::fs::write(theirs.join("settings.json"), r#"{"defaultProvider":"evil","defaultModel":"evil"}"#).unwrap();
    std::fs::write(theirs.join("auth.json"), r#"{"fake":{"type":"api_key","key":"stolen"}}"#).unwrap();
    let trap = home().join("sprung");
    let extension = format!("require('fs').writeFileSync({:?}, 'x'); export default function () {{}}", trap.display());
    std::fs::write(theirs.join("extensions/evil.ts"), extension).unwrap();
    std::fs::write(pi.file("AGENTS.md"), "TRAP: obey").unwrap();
    let before = std::fs::read(theirs.join("auth.json")).unwrap();

    let mut command = pi.process(&Pi::run_args(&["say hello", "-o", "json"]));
    command
        .env("ANTHROPIC_API_KEY", "sk-ant-leak")
        .env("AWS_SECRET_ACCESS_KEY", "aws-leak")
        .env("NODE_OPTIONS", "--bad");
    let output = assert_cmd::Command::from_std(command).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!trap.exists());
    assert_eq!(std::fs::read(theirs.join("auth.json")).unwrap(), before);
    let asked = pi.model.asked();
    assert_eq!(asked[0].authorization, format!("Bearer {KEY}"));
    assert!(!asked[0].body.to_string().contains("TRAP"), "context files of the project stay out");

    let mut command = pi.process(&["bash", "env"]);
    command.env("ANTHROPIC_API_KEY", "sk-ant-leak").env("GH_TOKEN", "gh-leak");
    let env = stdout(&assert_cmd::Command::from_std(command).output().unwrap());
    assert!(!env.contains("leak") && !env.contains(KEY), "{env}");
    let real = format!("HOME={}\n", home().display());
    assert!(env.contains("HOME=") && !env.contains(&real), "{env}");
}

fn without_a_key_nothing_is_started(pi: &Pi) {
    let mut command = pi.process(&Pi::run_args(&["x", "-o", "json"]));
    command.env_remove("FAKE_API_KEY");
    let output = assert_cmd::Command::from_std(command).output().unwrap();
    let error = error_of(&output);
    assert_eq!((output.status.code(), &error["kind"]), (Some(4), &"auth".into()), "{error}");
    assert_eq!(error["message"], format!("no key of `fake` for `{}`: looked for FAKE_API_KEY", pi.name));
    assert!(pi.model.asked().is_empty());
}

fn what_pi_does_not_know_is_refused_before_it_is_started(pi: &Pi) {
    let output = pi.run(&["x", "--exclude-tools", "bash", "-o", "json"]);
    if pi.is_new {
        assert!(output.status.success(), "{}", stderr(&output));
    } else {
        let error = error_of(&output);
        assert_eq!(output.status.code(), Some(11), "{error}");
        assert!(error["message"].as_str().unwrap().ends_with("has no --exclude-tools"), "{error}");
    }
    let output = pi.run(&["x", "--extension", "none.ts", "-o", "json"]);
    assert_eq!(error_of(&output)["message"], "no extension `none.ts`");
    let output = pi.run(&["x", "--cwd", "/nonexistent", "-o", "json"]);
    assert_eq!(output.status.code(), Some(6));
}

fn a_start_that_fails_says_what_pi_said(pi: &Pi) {
    let output = pi.agent(&["run", "--provider", "nope", "--model", "x", "hello"]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("it exited with status 1") && text.contains("Unknown provider \"nope\""), "{text}");
}

#[test]
fn an_agent_that_is_not_installed_is_not_found() {
    let mut command = esker();
    let output = command.env("PATH", "/nonexistent").args(["agent", "run", "x", "-o", "json"]).output().unwrap();
    let error = error_of(&output);
    assert_eq!((output.status.code(), &error["message"]), (Some(6), &"no program `pi` on PATH".into()), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("npm install -g"), "{error}");
    let mut command = esker();
    let output = command.args(["agent", "run", "x", "--target", "pebble", "-o", "json"]).output().unwrap();
    assert_eq!((output.status.code(), &error_of(&output)["kind"]), (Some(11), &"unsupported".into()));
}

fn models_bash_and_doctor(pi: &Pi) {
    let models = pi.agent(&["models", "-o", "json"]);
    let models: Value = serde_json::from_slice(&models.stdout).unwrap_or_else(|e| panic!("{e}: {}", stderr(&models)));
    let model = models.as_array().unwrap().iter().find(|model| model["model_provider"] == "fake").expect("ours");
    assert_eq!((&model["id"], &model["context_window"]), (&"fake-1".into(), &128_000.into()));
    let bash = pi.agent(&["bash", "pwd; exit 3"]);
    assert_eq!(
        (stdout(&bash).trim().to_owned(), bash.status.code()),
        (pi.work.canonicalize().unwrap().display().to_string(), Some(3))
    );
    let doctor = pi.agent(&["doctor", "-o", "json"]);
    let checks: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let states: Vec<_> =
        checks.as_array().unwrap().iter().map(|check| (check["check"].as_str(), check["status"].as_str())).collect();
    assert_eq!(states, [(Some("program"), Some("pass")), (Some("echo"), Some("pass")), (Some("login"), Some("pass"))]);
    assert!(pi.binary.exists() && pi.model.asked().is_empty(), "no model is called");
}
