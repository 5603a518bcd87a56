//! The scenarios of the transcripts, live: what was recorded once (and is replayed through the driver in its own tests)
//! happens here again.

use super::lasting::{show, start};
use super::{Pi, lines, stderr, stdout, wait_for, with_every_agent};
use crate::support::process::Running;
use crate::support::{error_of, home};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

with_every_agent!(
    thinking_is_apart_from_the_answer,
    only_a_newline_ends_a_line,
    a_file_is_written,
    two_tools_are_called_at_once,
    a_tool_that_is_not_there_fails_and_the_run_goes_on,
    retries_come_to_an_end,
    an_abort_leaves_what_is_queued,
    an_abort_closes_the_question_that_it_waits_for,
    what_is_queued_is_told_in_the_same_run,
    questions_of_every_kind_are_answered,
    every_command_of_the_protocol_is_passed_on,
    one_that_is_killed_is_lost_and_said_to_be,
    what_the_program_does_not_know_keeps_it_from_starting,
);

/// `think`.
fn thinking_is_apart_from_the_answer(pi: &Pi) {
    let lines = lines(&pi.run(&["THINK first", "-o", "jsonl"]));
    let text = |channel: &str| {
        let of = lines.iter().filter(|line| line["type"] == "agent.message_delta" && line["channel"] == channel);
        of.map(|line| line["text"].as_str().unwrap()).collect::<String>()
    };
    assert_eq!((text("thinking").as_str(), text("assistant").as_str()), ("Let me see.", "Hello from the fake model."));
    let message = lines.iter().find(|line| line["type"] == "agent.message").unwrap();
    assert_eq!((&message["thinking"], &message["text"]), (&"Let me see.".into(), &"Hello from the fake model.".into()));
}

/// `u2028`.
fn only_a_newline_ends_a_line(pi: &Pi) {
    let (result, code) = pi.result(&["U2028\u{2028}and \u{85} too"]);
    assert_eq!((code, &result["text"]), (Some(0), &"a\u{2028}b\u{2029}c\u{85}d\r\ne".into()));
    let asked = pi.model.asked();
    let told = crate::support::model::text(asked[0].body["messages"].as_array().unwrap().last().unwrap());
    assert!(told.starts_with("U2028\u{2028}and \u{85} too"), "{told:?}");
}

/// `toolwrite`.
fn a_file_is_written(pi: &Pi) {
    let (result, code) = pi.result(&["WRITE it"]);
    assert_eq!((code, &result["tool_calls"]["failed"]), (Some(0), &0.into()), "{result}");
    assert_eq!(std::fs::read_to_string(pi.file("new.txt")).unwrap(), "written\n");
}

/// `tooltwo`.
fn two_tools_are_called_at_once(pi: &Pi) {
    let output = pi.run(&["TWO of them", "-o", "jsonl"]);
    let lines = lines(&output);
    let ended: Vec<_> = lines.iter().filter(|line| line["type"] == "agent.tool_end").collect();
    assert_eq!(ended.len(), 2, "{}", stderr(&output));
    assert!(ended.iter().any(|end| end["is_error"] == true && end["result"].as_str().unwrap().contains("code 3")));
    assert!(ended.iter().any(|end| end["is_error"] == false && end["result"].as_str().unwrap().contains("first")));
    assert_eq!(lines.last().unwrap()["tool_calls"], serde_json::json!({"count": 2, "failed": 1}));
}

/// `toolbad`.
fn a_tool_that_is_not_there_fails_and_the_run_goes_on(pi: &Pi) {
    let (result, code) = pi.result(&["BADTOOL"]);
    assert_eq!((code, &result["text"]), (Some(0), &"Tool finished.".into()), "{result}");
    assert_eq!(result["tool_calls"]["failed"], 1, "{result}");
}

/// `err500`.
fn retries_come_to_an_end(pi: &Pi) {
    let output = pi.run(&["HTTP500", "-o", "json"]);
    let error = error_of(&output);
    assert_eq!((output.status.code(), &error["kind"]), (Some(1), &"failure".into()), "{error}");
    assert!(error["causes"][0].as_str().unwrap().contains("fake internal error"), "{error}");
    assert!(pi.model.asked().len() > 1, "it was tried again");
}

/// `abort`, `abortqueue`.
fn an_abort_leaves_what_is_queued(pi: &Pi) {
    let _session = start(pi, &["SLOW"]);
    wait_for("its work", || show(pi)["state"] == "working");
    wait_for("the model", || !pi.model.asked().is_empty());
    let queued = pi.agent(&["send", "fix", "--follow-up", "RECALL", "--no-wait"]);
    assert!(queued.status.success(), "{}", stderr(&queued));
    assert!(pi.agent(&["abort", "fix"]).status.success());
    wait_for("the end", || show(pi)["state"] == "idle");
    let state: Value = serde_json::from_slice(&pi.agent(&["rpc", "fix", r#"{"type":"get_state"}"#]).stdout).unwrap();
    assert_eq!(state["isStreaming"], false);
    assert!(pi.agent(&["abort", "fix"]).status.success(), "once more, when there is nothing to abort");
}

/// `abortdialog`: it would hang for ever if the question stayed open.
fn an_abort_closes_the_question_that_it_waits_for(pi: &Pi) {
    std::fs::create_dir_all(pi.file("build")).unwrap();
    let _session = start(pi, &["REMOVE it", "--approve", "ask"]);
    wait_for("the question", || show(pi)["state"] == "waiting");
    assert!(pi.agent(&["abort", "fix"]).status.success());
    wait_for("the end", || show(pi)["state"] == "idle");
    assert!(pi.file("build").exists());
}

/// `queue`.
fn what_is_queued_is_told_in_the_same_run(pi: &Pi) {
    let _session = start(pi, &["PAUSE"]);
    wait_for("its work", || show(pi)["tools"].as_array().is_some_and(|tools| !tools.is_empty()));
    if pi.name == "pi" {
        // omp accepts it first, and refuses it under the same id then.
        let refused = pi.agent(&["send", "fix", "x", "-o", "json"]);
        assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    }
    assert!(pi.agent(&["send", "fix", "--steer", "left", "--no-wait"]).status.success());
    assert!(pi.agent(&["send", "fix", "--follow-up", "RECALL", "--no-wait"]).status.success());
    std::fs::write(pi.file("go"), "").unwrap();
    wait_for("the end", || show(pi)["state"] == "idle");
    let logs = stdout(&pi.agent(&["logs", "fix", "-o", "jsonl"]));
    assert_eq!(logs.matches("\"type\":\"agent.start\"").count(), 1, "{logs}");
    assert_eq!(logs.matches("\"type\":\"agent.end\"").count(), 1, "{logs}");
    assert!(logs.contains("I remember 3 prompts, first \\\"PAUSE\\\"."), "{logs}");
}

/// `ui`: an extension whose command asks in every way there is.
fn questions_of_every_kind_are_answered(pi: &Pi) {
    let dialogs = r#"[{"method":"select","title":"Pick","options":["Keep blocking","Notify and continue"]},
        {"method":"confirm","title":"Sure?","message":"really"},{"method":"input","title":"Name"},
        {"method":"editor","title":"Text","prefill":"draft"}]"#
        .replace('\n', "");
    let extension = format!(
        r#"
//@ {{"command":"ask","dialogs":{dialogs}}}
export default function (pi) {{
  pi.registerCommand("ask", {{ description: "asks", handler: async (args, ctx) => {{
    await ctx.ui.select("Pick", ["Keep blocking", "Notify and continue"]);
    await ctx.ui.confirm("Sure?", "really");
    await ctx.ui.input("Name");
    await ctx.ui.editor("Text", "draft");
  }} }});
}}
"#
    );
    std::fs::write(pi.file("ask.ts"), extension).unwrap();
    let _session = start(pi, &["--extension", "ask.ts"]);
    let mut sending = Running::start(pi.process(&["send", "fix", "/ask", "--no-wait"]));
    drop(sending.0.stdin.take());
    for (method, answer) in
        [("select", "Notify and continue"), ("confirm", "no"), ("input", "a name"), ("editor", "text\nof two lines")]
    {
        wait_for(method, || show(pi)["questions"][0]["method"] == method);
        let id = show(pi)["questions"][0]["request_id"].as_str().unwrap().to_owned();
        if method == "select" {
            assert_eq!(pi.agent(&["answer", "fix", &id, "perhaps"]).status.code(), Some(2));
        }
        let answered = pi.agent(&["answer", "fix", &id, answer]);
        assert!(answered.status.success(), "{method}: {}", stderr(&answered));
    }
    assert_eq!(sending.wait().0, 0, "a command without a run has an end too");
    wait_for("its end", || show(pi)["state"] == "idle");
    assert!(pi.model.asked().is_empty());
}

/// `state`, and of `bad` what can be said at all.
fn every_command_of_the_protocol_is_passed_on(pi: &Pi) {
    let _session = start(pi, &[]);
    let rpc = |json: &str| pi.agent(&["rpc", "fix", json, "-o", "json"]);
    let said = |json: &str| -> Value {
        let output = rpc(json);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{json}: {error}: {}", stderr(&output)))
    };
    assert!(said(r#"{"type":"get_session_stats"}"#)["tokens"].is_object());
    assert!(said(r#"{"type":"get_messages"}"#)["messages"].is_array());
    for accepted in [
        r#"{"type":"set_thinking_level","level":"off"}"#,
        r#"{"type":"set_auto_compaction","enabled":false}"#,
        r#"{"type":"set_auto_retry","enabled":false}"#,
        r#"{"type":"set_steering_mode","mode":"all"}"#,
        r#"{"type":"set_follow_up_mode","mode":"one-at-a-time"}"#,
        r#"{"type":"set_session_name","name":"named"}"#,
        r#"{"type":"abort_bash"}"#,
        r#"{"type":"abort_retry"}"#,
        r#"{"type":"new_session"}"#,
    ] {
        let output = rpc(accepted);
        assert!(output.status.success(), "{accepted}: {}", stderr(&output));
    }
    assert_eq!(said(r#"{"type":"bash","command":"echo out; exit 3"}"#)["exitCode"], 3);
    let unknown = rpc(r#"{"type":"nope"}"#);
    assert_eq!(unknown.status.code(), Some(1), "{}", stderr(&unknown));
    for scalar in ["null", "12", "\"x\"", "[]", "{not json"] {
        assert_eq!(rpc(scalar).status.code(), Some(2), "{scalar}");
    }
    assert_eq!(show(pi)["state"], "idle", "a bare null would have ended it");
}

/// `sigterm`.
fn one_that_is_killed_is_lost_and_said_to_be(pi: &Pi) {
    let mut running = Running::start(pi.process(&Pi::run_args(&["SLOW", "-o", "jsonl"])));
    drop(running.0.stdin.take());
    super::until(&mut running, "agent.message_delta");
    let home = home().display().to_string();
    let processes = || std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let is_it = |path: &std::path::Path| {
        let environment = std::fs::read(path.join("environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment);
        environment.contains("PI_TELEMETRY=0") && environment.contains(&format!("PI_CODING_AGENT_DIR={home}"))
    };
    for path in processes().filter(|path| is_it(path)) {
        let pid = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM);
    }
    let last = super::last_line(&mut running);
    assert!(last.contains("\"status\":\"error\""), "{last}");
    let (code, stderr) = running.end();
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("status 143") || stderr.contains("signal 15"), "{stderr}");
}

/// `start-unknownflag`, `start-sessid`.
fn what_the_program_does_not_know_keeps_it_from_starting(pi: &Pi) {
    let config = std::fs::read_to_string(&pi.config).unwrap().replace("key_env:", "args: [--no-such-flag], key_env:");
    let odd = home().join("odd.yaml");
    std::fs::write(&odd, config).unwrap();
    let mut command = pi.process(&Pi::run_args(&["hello", "-o", "json"]));
    command.env("ESKER_CONFIG", &odd);
    let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let mut again = std::process::Command::new(command.get_program());
    for (name, value) in command.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        again.env(name, value);
    }
    let words = words.iter().map(|word| if *word == *pi.config.as_os_str() { odd.as_os_str() } else { word });
    again.args(words).current_dir(&pi.work);
    let output = assert_cmd::Command::from_std(again).output().unwrap();
    let error = error_of(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error["causes"].to_string().contains("no-such-flag"), "{error}");
}
