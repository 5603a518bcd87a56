//! What is played, beside the recordings of the real programs: the same lines in the same order, with the same keys.

use super::server::Server;
use super::{Agent, Arguments, Dialect, Surroundings, Wire};
use crate::host::process::Processes;
use crate::transport::server::{Listener, serve};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

const KEY: &str = "sk-test";

/// What the program says when it is told these commands, each once everything before it is done with.
async fn played(dialect: Dialect, args: &[&str], commands: &[Value]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let listener = Listener::tcp(0).await.unwrap();
    let url = format!("http://127.0.0.1:{}/v1", listener.port().unwrap());
    let serving = tokio::spawn(serve(listener, Arc::new(Server { key: KEY.to_owned() })));
    let said = Arc::new(Mutex::new(Vec::new()));
    let (heard, (told, mut news)) = (Arc::clone(&said), mpsc::unbounded_channel());
    let wire = Wire::new(dialect, move |line| {
        let line: Value = serde_json::from_slice(line).unwrap();
        heard.lock().unwrap().push(line.clone());
        let _ = told.send(line);
    });
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let around = Surroundings {
        cwd: folder.path().to_owned(),
        agent_dir: folder.path().join("agent"),
        model_url: Some(url),
        var: |name| (name == "ANTHROPIC_API_KEY").then(|| KEY.to_owned()),
    };
    let args = Arguments::parse(dialect, &args).unwrap();
    let (agent, _) = Agent::start(wire, args, around, Processes::default()).unwrap();
    let (lines, receiver) = mpsc::channel(16);
    let serving_it = tokio::spawn(agent.serve(receiver));
    for command in commands {
        lines.send(command.to_string().into_bytes()).await.unwrap();
        let last = match (command["type"].as_str().unwrap(), dialect) {
            ("prompt", Dialect::New) => "agent_settled",
            ("prompt", _) => "agent_end",
            _ => "response",
        };
        while news.recv().await.unwrap()["type"] != last {}
    }
    drop(lines);
    assert_eq!(serving_it.await.unwrap().status, 0);

    serving.abort();
    Arc::into_inner(said).map(|said| said.into_inner().unwrap()).expect("nobody else has it any more")
}

/// What the real one said.
fn recorded(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/agent/transcripts").join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(path).unwrap();
    let records = text.split('\n').filter_map(|line| serde_json::from_str::<Value>(line).ok());
    // omp tells of much that has nothing to do with the work.
    let is_noise = |line: &Value| {
        ["extension_ui_request", "advisor_cost_changed"].contains(&line["type"].as_str().unwrap_or_default())
    };
    records
        .filter(|record| record["dir"] == "out")
        .map(|record| record["msg"].clone())
        .filter(|m| !is_noise(m))
        .collect()
}

/// The types of lines in their order, each run of one type once.
fn types(lines: &[Value]) -> Vec<&str> {
    let mut types: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    types.dedup();
    types
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect()
}

#[tokio::test]
async fn a_run_with_a_tool_has_the_lines_of_the_real_one() {
    for (dialect, name) in
        [(Dialect::Old, "pi-0.73.1-tool"), (Dialect::New, "pi-0.87.1-tool"), (Dialect::Omp, "omp-18.2.3-tool")]
    {
        let prompt = json!({ "id": "p1", "type": "prompt", "message": "run echo hello-from-bash; echo err-line 1>&2" });
        let (ours, theirs) = (played(dialect, &["--mode", "rpc"], &[prompt]).await, recorded(name));
        // Which command is answered first is another matter.
        let without_answers = |lines: &[Value]| -> Vec<Value> {
            lines.iter().filter(|line| line["type"] != "response").cloned().collect()
        };
        let (ours, theirs) = (without_answers(&ours), without_answers(&theirs));
        assert_eq!(types(&ours), types(&theirs), "{name}");
        let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for line in &theirs {
            known.entry(line["type"].as_str().unwrap()).or_default().extend(keys(line));
        }
        for line in &ours {
            let kind = line["type"].as_str().unwrap();
            assert!(keys(line).is_subset(&known[kind]), "{name}: {kind}: {:?} of {:?}", keys(line), known[kind]);
        }
        let last = |lines: &[Value]| {
            let end = lines.iter().rfind(|line| line["type"] == "message_end").unwrap();
            (end["message"]["role"].clone(), end["message"]["stopReason"].clone())
        };
        assert_eq!(last(&ours), last(&theirs), "{name}");
        let result = |lines: &[Value]| {
            let end = lines.iter().find(|line| line["type"] == "tool_execution_end").unwrap();
            (end["toolName"].clone(), end["isError"].clone())
        };
        assert_eq!(result(&ours), result(&theirs), "{name}");
    }
}

#[tokio::test]
async fn answers_to_commands_have_the_keys_of_the_real_ones() {
    for (dialect, name) in [(Dialect::Old, "pi-0.73.1-state"), (Dialect::New, "pi-0.87.1-state")] {
        let kinds =
            ["get_state", "get_session_stats", "get_messages", "get_available_models", "set_auto_retry", "nope"];
        let commands: Vec<_> =
            kinds.iter().map(|kind| json!({ "id": *kind, "type": *kind, "enabled": true })).collect();
        let theirs = recorded(name);
        for ours in played(dialect, &[], &commands).await {
            let kind = ours["command"].clone();
            let Some(theirs) = theirs.iter().find(|line| line["type"] == "response" && line["command"] == kind) else {
                assert_eq!(
                    (kind, &ours["success"], ours.get("id").is_some()),
                    ("nope".into(), &false.into(), dialect == Dialect::New)
                );
                continue;
            };
            assert_eq!(keys(&ours), keys(theirs), "{name}: {kind}");
            let extra: Vec<_> = keys(&ours["data"]).difference(&keys(&theirs["data"])).cloned().collect();
            assert_eq!(extra, Vec::<String>::new(), "{name}: {kind}");
        }
    }
}

#[test]
fn what_one_build_takes_kills_another() {
    let parse = |dialect, words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Arguments::parse(dialect, &words).map(|_| ()).map_err(|refusal| (refusal.text, refusal.status))
    };
    let unknown = |flag: &str| Err((format!("Error: Unknown option: {flag}"), 1));
    assert_eq!(parse(Dialect::Old, &["--approval-mode", "yolo"]), unknown("--approval-mode"));
    assert_eq!(parse(Dialect::Old, &["--exclude-tools", "bash"]), unknown("--exclude-tools"));
    assert_eq!(parse(Dialect::New, &["--exclude-tools", "bash", "--no-approve"]), Ok(()));
    assert_eq!(parse(Dialect::Omp, &["--no-themes"]), Err(("Error: unknown flag: --no-themes".to_owned(), 2)));
    assert_eq!(parse(Dialect::Omp, &["--mode", "rpc-ui", "--approval-mode", "always-ask"]), Ok(()));
    assert!(parse(Dialect::New, &["--mode", "rpc-ui"]).is_err());
}

#[tokio::test]
async fn a_key_that_is_not_the_model_s_is_refused_as_the_real_ones_say_it() {
    assert_eq!(Dialect::Old.failure(401, &json!({ "error": { "message": "no" } })), "401 no");
    assert_eq!(Dialect::New.failure(401, &json!({ "error": { "message": "no" } })), "401: {\"message\":\"no\"}");
}
