//! What changes machines: create, update, delete, restart, upgrade, url; and waiting.

use super::{account, json, lines, stderr, stdout};
use crate::support::error_of;
use crate::support::fake::Reply;
use crate::support::sprites::{Api, document, sandbox};
use serde_json::json;

#[test]
fn create_waits_until_the_machine_can_be_used() {
    let api = Api::bent(&[], |asked| match (asked.path.as_str(), asked.nth) {
        ("/v1/sprites/dev/check", 0) => Some(document(200, &json!({"status": "unhealthy", "reason": "booting"}))),
        ("/v1/sprites/dev/check", 1) => Some(document(503, &json!({"error": "Process not ready"}))),
        _ => None,
    });
    let args =
        ["vm", "create", "sprites/dev", "--label", "ci", "--label", "k=v,w", "--env", "A=b=c", "--access", "public"];
    let made = json(&api.run(&[&args[..], &["--set", "wait_for_capacity=true", "-o", "json"]].concat()));
    assert_eq!(
        (&made["target"], &made["action"], &made["labels"]),
        (&json!("sprites/dev"), &json!("create"), &json!(["ci", "k=v,w"]))
    );
    let sent = json!({"name": "dev", "environment": {"A": "b=c"}, "url_settings": {"auth": "public"},
        "labels": ["ci", "k=v,w"], "wait_for_capacity": true});
    assert_eq!(api.body("POST"), sent);
    let asked = api.asked();
    assert_eq!(asked.iter().filter(|asked| *asked == "POST /v1/sprites").count(), 1);
    assert_eq!(asked.iter().filter(|asked| *asked == "GET /v1/sprites/dev/check").count(), 3);
    // For people a sentence with the address.
    let output = api.run(&["vm", "create", "sprites/web"]);
    assert_eq!(stdout(&output), "");
    assert_eq!(stderr(&output), "created sandbox `sprites/web`: https://web-acme.sprites.app\n");
}

#[test]
fn create_can_be_left_and_several_are_made_at_once() {
    let api = Api::bent(&[], |asked| asked.path.ends_with("/check").then_some(Reply::Stall));
    let output = api.run(&["vm", "create", "sprites/a", "sprites/b", "--no-wait"]);
    assert_eq!(lines(&output), ["sprites/a", "sprites/b"]);
    assert!(api.has("a") && api.has("b"));
    let left = json(&api.run(&["vm", "create", "sprites/c", "--no-wait", "-o", "json"]));
    assert_eq!(left, json!({"provider": "sprites", "target": "sprites/c", "operation_id": null}));
    // Waiting has its limit, and says what goes on.
    let output = api.run(&["vm", "create", "sprites/d", "--timeout", "500ms"]);
    assert_eq!(output.status.code(), Some(9), "{output:?}");
    assert!(stderr(&output).contains("esker vm health sprites/d"), "{output:?}");
}

#[test]
fn create_is_never_sent_twice_and_says_what_may_be() {
    for reply in [Reply::Hangup, Reply::Text(503, "Storage not ready".to_owned()), Reply::Text(500, String::new())] {
        let api = Api::bent(&[], move |asked| (asked.method == "POST").then(|| reply.clone()));
        let output = api.run(&["vm", "create", "sprites/dev", "-o", "json"]);
        assert!(!output.status.success());
        assert_eq!(api.asked(), ["POST /v1/sprites"], "{output:?}");
    }
    let api = Api::bent(&[], |asked| (asked.method == "POST").then_some(Reply::Hangup));
    let error = error_of(&api.run(&["vm", "create", "sprites/dev", "-o", "json"]));
    assert_eq!(error["kind"], "unreachable");
    assert!(error["hint"].as_str().unwrap().contains("it may exist now"), "{error}");
    // One that is there may be from an attempt that was cut off.
    let api = account();
    let output = api.run(&["vm", "create", "sprites/dev"]);
    assert_eq!(output.status.code(), Some(7));
    assert!(stderr(&output).contains("if an earlier attempt was cut off"), "{output:?}");
    // Of several, each is tried.
    let output = api.run(&["vm", "create", "sprites/dev", "sprites/new"]);
    assert_eq!((output.status.code(), api.has("new")), (Some(12), true), "{output:?}");
}

#[test]
fn what_cannot_be_honoured_is_refused_before_anything_is_sent() {
    let api = account();
    let code = |args: &[&str]| api.run(&[&["vm", "create"], args].concat()).status.code();
    assert_eq!(code(&["sprites/x", "--image", "debian"]), Some(11));
    assert_eq!(code(&["sprites/x", "--memory", "2GiB"]), Some(11));
    assert_eq!(code(&["sprites/x", "--region", "fra"]), Some(11));
    assert_eq!(code(&["sprites/x", "--set", "wait_for_capacty=true"]), Some(2));
    assert_eq!(code(&["sprites/x", "--set", "cpus=many"]), Some(2));
    assert_eq!(code(&["sprites/*"]), Some(2));
    assert_eq!(code(&["sprites"]), Some(2));
    assert_eq!(code(&[]), Some(2));
    assert_eq!(api.run(&["vm", "update", "sprites/dev"]).status.code(), Some(2));
    assert_eq!(api.run(&["vm", "wait", "sprites/dev", "--for", "runing"]).status.code(), Some(2));
    assert_eq!(api.asked(), Vec::<String>::new());
}

#[test]
fn what_the_api_drops_and_names_that_break_the_address_are_warned_about() {
    let api = account();
    let long = format!("sprites/{}", "x".repeat(60));
    let output = api.run(&["vm", "create", &long, "--set", "cpus=4"]);
    let said = stderr(&output);
    assert!(said.contains("warning: the API did not take over `cpus`"), "{said}");
    assert!(said.contains("has 65 bytes, and a name in DNS at most 63"), "{said}");
    assert_eq!(api.body("POST")["config"], json!({"cpus": 4}));
}

#[test]
fn delete_asks_for_what_is_lost() {
    let api = account();
    let refused = |args: &[&str]| {
        let output = api.run(&[&["vm", "delete"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        stderr(&output)
    };
    assert!(refused(&["sprites/dev"]).contains("--confirm sprites/dev"));
    assert!(refused(&["sprites/dev", "--yes"]).contains("delete sandbox `sprites/dev`"));
    assert!(refused(&["sprites/web-*", "--confirm-count", "2"]).contains("3 would be lost"));
    assert!(refused(&[]).contains("needs the name of a machine"));
    assert!(!api.asked().iter().any(|asked| asked.starts_with("DELETE")));
    let output = api.run(&["vm", "delete", "sprites/dev", "--confirm", "sprites/dev"]);
    assert_eq!((stdout(&output), stderr(&output)), (String::new(), "deleted sandbox `sprites/dev`\n".to_owned()));
    let rows = json(&api.run(&["vm", "rm", "sprites/web-*", "--confirm-count", "3", "-o", "json"]));
    assert_eq!(rows.as_array().map(Vec::len), Some(3));
    assert!(!api.has("web-1") && !api.has("web-3") && api.has("api"));
    assert_eq!(api.run(&["vm", "rm", "sprites/nope", "--confirm", "sprites/nope"]).status.code(), Some(6));
}

#[test]
fn a_delete_whose_answer_got_lost_is_asked_again_and_found_done() {
    let api = Api::bent(&[], |asked| match (asked.method.as_str(), asked.nth) {
        ("DELETE", 0) => Some(Reply::Hangup),
        ("DELETE", _) => Some(document(404, &json!({"error": "sprite not found"}))),
        _ => None,
    });
    let output = api.run(&["vm", "delete", "sprites/dev", "--confirm", "sprites/dev"]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn update_replaces_labels_and_clears_them() {
    let api = account();
    let updated = json(&api.run(&["vm", "update", "sprites/dev", "--label", "a", "--label", "b", "-o", "json"]));
    assert_eq!((&updated["labels"], api.body("PUT")), (&json!(["a", "b"]), json!({"labels": ["a", "b"]})));
    let output = api.run(&["vm", "update", "sprites/dev", "--clear-labels"]);
    assert_eq!(stderr(&output), "updated sandbox `sprites/dev`\n");
    assert_eq!(api.body("PUT"), json!({"clear_labels": true}));
    api.run(&["vm", "update", "sprites/dev", "--access", "sprite", "--set", "private_access=admins"]);
    assert_eq!(api.body("PUT"), json!({"url_settings": {"auth": "sprite", "private_access": "admins"}}));
}

#[test]
fn the_address_is_printed_alone_and_opened() {
    let api = account();
    assert_eq!(stdout(&api.run(&["vm", "url", "sprites/dev"])), "https://dev-acme.sprites.app\n");
    let output = api.run(&["vm", "url", "sprites/dev", "--access", "public", "-o", "json"]);
    let shown = json(&output);
    assert_eq!((&shown["url"], &shown["access"]), (&json!("https://dev-acme.sprites.app"), &json!("public")));
    assert_eq!(stderr(&output), "the address of sandbox `sprites/dev` is `public` now\n");
    let refusing = Api::bent(&[sandbox("dev", "cold", &[])], |asked| {
        let why = json!({"errors": ["invalid auth type, must be one of: sprite, public"]});
        (asked.method == "PUT").then(|| document(400, &why))
    });
    let output = refusing.run(&["vm", "url", "sprites/dev", "--access", "everybody"]);
    assert_eq!(output.status.code(), Some(8));
    assert!(stderr(&output).contains("must be one of: sprite, public"));
}

#[test]
fn restart_and_upgrade_wait_and_are_sent_once() {
    let api = account();
    assert_eq!(stderr(&api.run(&["vm", "restart", "sprites/dev"])), "restarted sandbox `sprites/dev`\n");
    let output = api.run(&["vm", "upgrade", "sprites/dev", "--to", "v9"]);
    assert_eq!(stderr(&output), "upgraded sandbox `sprites/dev`\n");
    assert_eq!(api.body("POST"), json!({"version": "v9"}));
    let asked = api.asked();
    assert_eq!(asked[..2], ["POST /v1/sprites/dev/restart", "GET /v1/sprites/dev/check"]);
    let api = Api::bent(&[], |asked| (asked.method == "POST").then_some(Reply::Hangup));
    let error = error_of(&api.run(&["vm", "restart", "sprites/dev", "-o", "json"]));
    assert!(error["causes"].to_string().contains("nobody knows whether it was done"), "{error}");
    assert_eq!(api.asked().len(), 1);
}

#[test]
fn health_is_an_exit_code_too() {
    let api = Api::bent(&[], |asked| {
        let status = if asked.path.contains("sick") { "unhealthy" } else { "hibernated" };
        Some(document(200, &json!({"status": status, "reason": "disk full", "elapsed": 0.1})))
    });
    let output = api.run(&["vm", "health", "sprites/dev", "-o", "json"]);
    let health = json(&output);
    assert_eq!((&health["healthy"], &health["status"]), (&json!(true), &json!("hibernated")));
    assert_eq!(api.run(&["vm", "health", "sprites/sick"]).status.code(), Some(1));
    assert_eq!(api.run(&["vm", "health", "sprites/dev", "sprites/sick"]).status.code(), Some(1));
}

#[test]
fn wait_is_met_or_can_no_longer_be() {
    let code = |api: &Api, condition: &str| {
        api.run(&["vm", "wait", "sprites/dev", "--for", condition, "--timeout", "1s"]).status.code()
    };
    // Asleep at first, then awake.
    let api = Api::bent(&[sandbox("dev", "running", &[])], |asked| {
        (asked.nth < 2).then(|| document(200, &sandbox("dev", "cold", &[])))
    });
    assert_eq!(code(&api, "running"), Some(0));
    assert_eq!(api.asked().len(), 3);
    let api = account();
    assert_eq!(code(&api, "running"), Some(9));
    assert_eq!(code(&api, "usable"), Some(0));
    assert_eq!(code(&api, "deleted"), Some(9));
    let gone = |nth: usize| {
        move |asked: &crate::support::fake::Asked| {
            (asked.nth < nth).then(|| document(200, &sandbox("dev", "cold", &[])))
        }
    };
    assert_eq!(code(&Api::bent(&[], gone(1)), "deleted"), Some(0));
    assert_eq!(code(&Api::bent(&[], gone(1)), "running"), Some(7));
    assert_eq!(code(&Api::bent(&[], gone(0)), "running"), Some(6));
}
