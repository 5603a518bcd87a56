//! Registered agents: machines whose terminals the server passes on, and which are used as containers are.

use super::noise;
use crate::support::peers::rexec_agent;
use crate::support::playground::Playground;
use crate::support::running::Running;
use serde_json::Value;

/// 8, 32: listed, found by name, used, offline once it is gone, and deleted.
#[test]
fn an_agent_is_used_as_a_container_is() {
    let Some(mut agent) = rexec_agent() else { return };
    let playground = Playground::rexec(&[]);
    let esker = |args: &[&str]| playground.esker().args(args).output().unwrap();
    let register = ["api", "POST", "/api/agents/register", "--target", "rexec", "--body", "-"];
    let registered = playground.esker().args(register).write_stdin(r#"{"name":"laptop"}"#).output().unwrap();
    let registered: Value = serde_json::from_slice(&registered.stdout).unwrap();
    let home = tempfile::tempdir().unwrap();
    agent.args([registered["id"].as_str().unwrap(), registered["token"].as_str().unwrap()]);
    let mut agent = Running::start(agent.envs(playground.variables()).env("HOME", home.path()));
    agent.says("connected");
    let listed: Value = serde_json::from_slice(&esker(&["vm", "list", "rexec", "-o", "json"]).stdout).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["status"]), (&"laptop".into(), &"running".into()), "{listed}");
    let data = noise(30_000, 17);
    let script = "cat; echo err >&2; exit 9";
    let mut command = playground.esker();
    command.args(["exec", "rexec/laptop", "--", "sh", "-c", script]).write_stdin(data.clone());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(9), "{output:?}");
    assert!(output.stdout == data && output.stderr == b"err\n");
    // Its files are those that its programs see: there is no other way to them.
    let file = home.path().join("file");
    playground
        .esker()
        .args(["files", "cp", "-", &format!("rexec/laptop:{}", file.display())])
        .write_stdin(data.clone())
        .assert()
        .success();
    assert!(std::fs::read(&file).unwrap() == data);
    drop(agent);
    assert!(esker(&["vm", "wait", "rexec/laptop", "--for", "offline", "--timeout", "30s"]).status.success());
    let output = esker(&["exec", "rexec/laptop", "--", "true"]);
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    assert!(esker(&["vm", "delete", "rexec/laptop", "--confirm", "rexec/laptop"]).status.success());
    assert_eq!(esker(&["vm", "list", "rexec", "-o", "json"]).stdout, b"[]\n");
}
