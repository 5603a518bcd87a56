//! `mcp`, spoken to by the official Python SDK.

use crate::support::peers;
use crate::support::playground::Playground;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// What the server said: its tools, then the answer to each call.
fn talk(world: &Playground, mut driver: Command, args: &[&str], calls: &[Value]) -> Vec<Value> {
    let esker = world.esker_process();
    driver.envs(esker.get_envs().filter_map(|(name, value)| Some((name, value?))));
    driver.arg(env!("CARGO_BIN_EXE_esker")).arg("mcp").args(args);
    let mut child = driver.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the SDK starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    for call in calls {
        writeln!(stdin, "{call}").expect("it reads");
    }
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

fn call(tool: &str, arguments: Value) -> Value {
    json!({"tool": tool, "arguments": arguments})
}

#[test]
fn an_agent_that_may_only_read_reads_and_changes_nothing() {
    let Some(driver) = peers::mcp_py() else { return };
    let world = Playground::sandbox(&[]);
    let said = talk(
        &world,
        driver,
        &[],
        &[
            call("vm", json!({"verb": "list", "arguments": ["sprites"]})),
            call("files", json!({"verb": "list", "arguments": ["/home/sprite"], "target": "sprites/box"})),
            call("files", json!({"verb": "rm", "arguments": ["/home/sprite"], "target": "sprites/box"})),
            call("exec", json!({"command": ["true"], "target": "sprites/box"})),
            call("svc", json!({"verb": "help", "arguments": ["list"]})),
            call("svc", json!({"verb": "show", "arguments": ["nope"], "target": "sprites/box"})),
        ],
    );
    let [about, list, files, rm, exec, help, show] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(about["server"], "esker");
    assert_eq!(about["tools"]["files"], json!(["list", "show", "cat", "help"]));
    assert!(about["tools"].get("exec").is_none() && about["read_only"]["svc"] == true, "{about}");
    assert_eq!((&list["failed"], &list["data"]["items"][0]["target"]), (&json!(false), &json!("sprites/box")));
    assert_eq!(files["failed"], false, "{files}");
    assert!(rm["failed"] == true && rm["text"].as_str().unwrap().contains("--allow 'files rm'"), "{rm}");
    assert!(exec["failed"] == true && exec["text"].as_str().unwrap().contains("--allow exec"), "{exec}");
    assert!(help["text"].as_str().unwrap().contains("esker svc list"), "{help}");
    assert!(show["failed"] == true && show["text"].as_str().unwrap().contains("not_found"), "{show}");
}

#[test]
fn an_agent_that_is_handed_a_sandbox_works_there_and_nowhere_else() {
    let Some(driver) = peers::mcp_py() else { return };
    let world = Playground::sandbox(&[]);
    world.esker().args(["vm", "create", "sprites/other", "-q"]).assert().success();
    let said = talk(
        &world,
        driver,
        &["--target", "sprites/box", "--allow", "exec", "--allow", "files cp"],
        &[
            call("exec", json!({"command": ["sh", "-c", "cat; echo $A; exit 3"], "stdin": "in ", "env": {"A": "1 2"}})),
            call("files", json!({"verb": "cp", "arguments": ["-", ":/home/sprite/note"], "stdin": "kept"})),
            call("files", json!({"verb": "cat", "arguments": ["/home/sprite/note"]})),
            call("files", json!({"verb": "cp", "arguments": ["/etc/hostname", ":/home/sprite/x"]})),
            call("exec", json!({"command": ["true"], "target": "sprites/other"})),
            call("vm", json!({"verb": "list", "arguments": ["--all"]})),
            call("vm", json!({"verb": "show", "arguments": ["sprites/other"]})),
        ],
    );
    let [about, exec, copy, cat, host, other, all, named] = said.as_slice() else { panic!("{said:?}") };
    assert!(about["tools"].get("agent").is_none(), "{about}");
    assert_eq!((&exec["data"]["stdout"], &exec["data"]["exit_code"]), (&json!("in 1 2\n"), &json!(3)), "{exec}");
    assert!(copy["failed"] == false && cat["text"] == "kept", "{copy} {cat}");
    for refused in [host, other, all, named] {
        assert_eq!(refused["failed"], true, "{refused}");
    }
}
