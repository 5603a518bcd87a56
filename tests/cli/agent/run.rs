//! A prompt and its answer, in every format.

use super::{KEY, Pi, lines, stderr, stdout, with_every_agent};
use crate::support::error_of;
use assert_cmd::Command;

with_every_agent!(
    a_prompt_is_answered_and_piped_the_answer_is_alone,
    the_result_is_one_object,
    events_come_as_lines_whose_type_is_first,
    stdin_is_the_prompt_or_its_context,
    an_answer_keeps_to_its_schema_or_is_asked_for_again,
    a_refused_key_is_a_failed_login,
    a_retry_is_waited_for,
);

fn a_prompt_is_answered_and_piped_the_answer_is_alone(pi: &Pi) {
    let output = pi.run(&["say hello"]);
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), ("Hello from the fake model.\n", ""));
    assert!(output.status.success());
    assert_eq!(pi.model.asked()[0].authorization, format!("Bearer {KEY}"));
}

fn the_result_is_one_object(pi: &Pi) {
    let (result, code) = pi.result(&["say hello"]);
    assert_eq!(code, Some(0));
    assert_eq!(result["status"], "completed");
    assert_eq!(result["text"], "Hello from the fake model.");
    assert_eq!(
        (&result["provider"], &result["target"], &result["agent"]),
        (&pi.name.into(), &pi.name.into(), &pi.name.into())
    );
    assert_eq!((&result["model"], &result["model_provider"]), (&"fake-1".into(), &"fake".into()));
    assert_eq!(result["turns"], 1);
    assert_eq!(result["usage"]["input_tokens"], 100);
    assert_eq!(result["usage"]["cache_read_tokens"], 20);
    assert!(result["usage"]["cost_usd"].as_f64().unwrap() > 0.0);
    assert!(result["session_id"].is_string() && result["session_file"].is_string());
    assert_eq!(result["exit_code"], 0);
}

fn events_come_as_lines_whose_type_is_first(pi: &Pi) {
    std::fs::write(pi.file("file.txt"), "one\nold line\n").unwrap();
    let output = pi.run(&["EDIT it", "-o", "jsonl"]);
    assert!(output.status.success(), "{}", stderr(&output));
    for line in stdout(&output).lines() {
        assert!(line.starts_with("{\"type\":\""), "{line}");
    }
    let lines = lines(&output);
    let types: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    let work: Vec<_> = types.iter().filter(|kind| **kind != "agent.event").collect();
    assert_eq!((*work[0], *types.last().unwrap()), ("agent.start", "result"));
    for wanted in
        ["agent.message_delta", "agent.message", "agent.tool_start", "agent.tool_end", "agent.usage", "agent.end"]
    {
        assert!(types.contains(&wanted), "{wanted} in {types:?}");
    }
    let numbers: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "{numbers:?}");
    assert!(lines.iter().all(|line| line["provider"] == pi.name && line["target"] == pi.name));
    let start = lines.iter().find(|line| line["type"] == "agent.start").unwrap();
    assert_eq!(start["model"], "fake/fake-1");
    assert_eq!(lines.last().unwrap()["text"], "Tool finished.");
    assert_eq!(std::fs::read_to_string(pi.file("file.txt")).unwrap(), "one\nnew line\n");
}

fn stdin_is_the_prompt_or_its_context(pi: &Pi) {
    let piped = |words: &[&str], text: &str| {
        Command::from_std(pi.process(&Pi::run_args(words))).write_stdin(text.to_owned()).output().unwrap()
    };
    let told = || {
        let asked = pi.model.asked();
        crate::support::model::text(asked.last().unwrap().body["messages"].as_array().unwrap().last().unwrap())
    };
    assert!(piped(&[], "from stdin").status.success());
    assert_eq!(told(), "from stdin");
    assert!(piped(&["review this"], "the diff\n").status.success());
    assert_eq!(told(), "review this\n\n<stdin>\nthe diff\n</stdin>");
    let empty = piped(&["-o", "json"], " \n");
    assert_eq!((empty.status.code(), &error_of(&empty)["kind"]), (Some(2), &"usage".into()));
}

fn an_answer_keeps_to_its_schema_or_is_asked_for_again(pi: &Pi) {
    let schema = pi.file("schema.json");
    std::fs::write(&schema, r#"{"type":"object","required":["answer"],"properties":{"answer":{"type":"integer"}}}"#)
        .unwrap();
    let (result, code) = pi.result(&["what is it", "--schema", "schema.json"]);
    assert_eq!((code, &result["value"]["answer"]), (Some(0), &42.into()), "{result}");
    assert_eq!(result["turns"], 2);
    std::fs::write(&schema, r#"{"type":"array"}"#).unwrap();
    let (result, code) = pi.result(&["what is it", "--schema", "schema.json"]);
    assert_eq!((code, &result["status"], &result["turns"]), (Some(8), &"invalid".into(), &3.into()), "{result}");
}

fn a_refused_key_is_a_failed_login(pi: &Pi) {
    let output = pi.run(&["HTTP401", "-o", "json"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let error = error_of(&output);
    assert_eq!((&error["kind"], &error["target"]), (&"auth".into(), &pi.name.into()));
    assert!(error["causes"][0].as_str().unwrap().contains("401"), "{error}");
    assert!(!format!("{output:?}").contains(KEY));
}

fn a_retry_is_waited_for(pi: &Pi) {
    let output = pi.run(&["FLAKY", "-o", "jsonl"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let lines = lines(&output);
    let count = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert_eq!((count("agent.start"), count("agent.end"), count("result")), (1, 1, 1));
    assert_eq!(count("agent.error"), 2);
    assert_eq!(lines.last().unwrap()["text"], "Hello from the fake model.");
}
