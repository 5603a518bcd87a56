//! Sessions: gone on with, listed, copied, exported.

use super::{Pi, stderr, stdout, with_every_agent};
use crate::support::error_of;
use serde_json::Value;

with_every_agent!(a_session_is_gone_on_with, a_session_that_is_not_there_is_said_to_be_missing,);

fn a_session_is_gone_on_with(pi: &Pi) {
    let (first, _) = pi.result(&["the first prompt"]);
    let (second, code) = pi.result(&["--continue", "RECALL"]);
    assert_eq!(code, Some(0), "{second}");
    assert_eq!(second["session_id"], first["session_id"]);
    assert_eq!(second["text"], "I remember 2 prompts, first \"the first prompt\".");
    assert!(second["messages"].as_u64().unwrap() >= 2);
    assert_eq!(second["usage"]["input_tokens"], 100, "what was used before is not counted again");
    let id = first["session_id"].as_str().unwrap();
    let (third, _) = pi.result(&["--resume", id, "RECALL"]);
    assert_eq!(third["text"], "I remember 3 prompts, first \"the first prompt\".");
    let (fresh, _) = pi.result(&["RECALL"]);
    assert_eq!(fresh["text"], "I remember 1 prompts, first \"RECALL\".");
    let (unkept, _) = pi.result(&["--no-session", "RECALL"]);
    assert!(unkept["session_file"].is_null(), "{unkept}");

    let list: Value = serde_json::from_slice(&pi.agent(&["session", "list", "-o", "json"]).stdout).unwrap();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 2, "{list:?}");
    let session = list.iter().find(|session| session["session_id"] == id).unwrap();
    assert_eq!(
        (&session["title"], &session["messages"]),
        (&"the first prompt".into(), &(6 + u64::from(pi.is_new)).into())
    );
    assert_eq!(session["usage"]["total_tokens"], 3 * 128);
    let shown = pi.agent(&["session", "show", id, "-o", "json"]);
    assert_eq!(serde_json::from_slice::<Value>(&shown.stdout).unwrap()["session_id"], id);
    let exported = stdout(&pi.agent(&["session", "export", id]));
    assert!(exported.lines().next().unwrap().contains("\"type\":\"session\""), "{exported}");
    let page = pi.agent(&["session", "export", id, "--html", "page.html"]);
    assert!(page.status.success(), "{}", stderr(&page));
    assert!(std::fs::read_to_string(pi.file("page.html")).unwrap().contains("<html"));
    let forked = pi.agent(&["session", "fork", id, "-o", "json"]);
    let copy: Value = serde_json::from_slice(&forked.stdout).unwrap_or_else(|e| panic!("{e}: {}", stderr(&forked)));
    assert_ne!(copy["session_id"], id);
    assert_eq!(copy["messages"], 6 + u64::from(pi.is_new), "newer ones keep the system prompt too");
}

fn a_session_that_is_not_there_is_said_to_be_missing(pi: &Pi) {
    let output = pi.run(&["--resume", "ffffffff", "x", "-o", "json"]);
    assert_eq!((output.status.code(), &error_of(&output)["kind"]), (Some(6), &"not_found".into()));
    let output = pi.run(&["--resume", "./none.jsonl", "x", "-o", "json"]);
    assert_eq!(error_of(&output)["message"], "no session `./none.jsonl`");
    let output = pi.agent(&["session", "show", "ffffffff", "-o", "json"]);
    assert_eq!(output.status.code(), Some(6));
}
