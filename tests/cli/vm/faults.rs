//! What an API and the way to it can do wrong (section 9 of the reference).

use super::{lines, stderr};
use crate::support::fake::{Fake, Reply};
use crate::support::sprites::{Api, TOKEN, document, sandbox};
use crate::support::{error_of, esker, home};
use serde_json::json;
use std::fs;

#[test]
fn a_refused_token_is_named_by_its_place_and_never_shown() {
    let refused = json!({"error": "authentication failed"});
    let api = Api::bent(&[], move |_| Some(document(401, &refused)));
    let output = api.run(&["vm", "list", "-o", "json", "-vvv"]);
    assert_eq!(output.status.code(), Some(4));
    let said = stderr(&output);
    assert!(said.contains("the token from SPRITES_TOKEN was refused"), "{said}");
    assert!(!said.contains("hunter2") && said.contains("***"), "{said}");
    assert_eq!(api.asked().len(), 1, "a refused token is not tried again");
}

#[test]
fn an_endpoint_has_deadlines_of_its_own() {
    let api = Api::bent(&[], |_| Some(Reply::Stall));
    let config = home().join("deadlines.yaml");
    let text = format!(
        "endpoints:\n  slow: {{provider: sprites, url: '{}', token: {TOKEN}, request_timeout: 150ms}}\n",
        api.url()
    );
    fs::write(&config, text).unwrap();
    let output = esker().arg("--config").arg(&config).args(["vm", "list", "slow", "-o", "json"]).output().unwrap();
    let error = error_of(&output);
    assert_eq!((output.status.code(), &error["kind"]), (Some(9), &json!("timeout")), "{error}");
    assert!(error.to_string().contains("within 150ms (first-byte deadline)"), "{error}");
}

#[test]
fn a_rate_limit_is_told_and_waited_for_where_that_is_harmless() {
    let limited = |body: &'static str, header: &'static str| {
        let reply = format!("HTTP/1.1 429 -\r\n{header}Content-Length: {}\r\n\r\n{body}", body.len());
        Api::bent(&[sandbox("a", "cold", &[])], move |asked| {
            (asked.method == "POST" || asked.nth == 0).then(|| Reply::Raw(reply.clone().into_bytes()))
        })
    };
    let body = r#"{"error":"sprite_creation_rate_limited","limit":10,"window_seconds":60,"retry_after_seconds":42}"#;
    for (body, header) in [(body, ""), ("{}", "Retry-After: 42\r\n")] {
        let output = limited(body, header).run(&["vm", "create", "sprites/x", "-o", "json"]);
        let error = error_of(&output);
        assert_eq!((&error["kind"], &error["exit_code"]), (&json!("try_later"), &json!(13)));
        assert_eq!(error["hint"], "try again in 42s");
    }
    let api = limited(r#"{"retry_after_seconds":0.01}"#, "");
    assert_eq!(lines(&api.run(&["vm", "list", "-o", "name"])), ["sprites/a"]);
    // A day is not waited for.
    let output = limited("", "Retry-After: 86400\r\n").run(&["vm", "list"]);
    assert_eq!(output.status.code(), Some(13));
}

#[test]
fn a_full_house_is_a_refusal_with_its_numbers() {
    let full = json!({"error": "concurrent_sprite_limit_exceeded", "limit": 3, "current_count": 3,
        "upgrade_url": "https://example.com/more"});
    let api = Api::bent(&[], move |_| Some(document(429, &full)));
    let error = error_of(&api.run(&["vm", "create", "sprites/x", "-o", "json"]));
    assert_eq!(
        (&error["kind"], &error["provider_kind"]),
        (&json!("rejected"), &json!("concurrent_sprite_limit_exceeded"))
    );
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("3 of 3 sandboxes run") && hint.contains("https://example.com/more"), "{hint}");
}

#[test]
fn what_wakes_up_is_asked_again() {
    let api = Api::bent(&[sandbox("dev", "warm", &[])], |asked| {
        (asked.nth < 2).then(|| Reply::Text(503, "Storage not ready".to_owned()))
    });
    assert!(api.run(&["vm", "show", "sprites/dev"]).status.success());
    let api = Api::bent(&[sandbox("dev", "warm", &[])], |asked| (asked.nth < 1).then_some(Reply::Hangup));
    assert!(api.run(&["vm", "show", "sprites/dev"]).status.success());
}

#[test]
fn answers_that_are_none_are_told_as_such() {
    for reply in [
        Reply::Text(200, "<html>hello</html>".to_owned()),
        Reply::Text(200, "{\"sprites\": 7}".to_owned()),
        Reply::Text(502, "<html>Bad gateway</html>".to_owned()),
        Reply::Text(500, "boom".to_owned()),
        Reply::Cut("{\"sprites\": [".to_owned()),
        Reply::Garbage,
    ] {
        let api = Api::bent(&[], move |_| Some(reply.clone()));
        let output = api.run(&["vm", "list", "-o", "json"]);
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        let error = error_of(&output);
        assert!(error["message"].as_str().unwrap().starts_with("cannot list sandboxes"), "{error}");
    }
}

#[test]
fn a_redirect_is_not_followed_and_the_token_stays_here() {
    let elsewhere = Fake::start_on_tcp(|_| Reply::Text(200, "{}".to_owned()));
    let location = format!("http://127.0.0.1:{}/v1/sprites", elsewhere.port());
    let api = Api::bent(&[], move |_| {
        let head = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        Some(Reply::Raw(head.into_bytes()))
    });
    let output = api.run(&["vm", "list"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("redirects are not followed"), "{output:?}");
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn a_base_with_a_path_and_a_slash_is_kept_and_a_line_end_after_a_token_is_cut_off() {
    let fake = Fake::start_on_tcp(|_| Reply::Text(200, json!({"sprites": [], "has_more": false}).to_string()));
    let output = esker()
        .env("SPRITES_API_URL", format!("http://127.0.0.1:{}/proxy/sprites/", fake.port()))
        .env("SPRITE_TOKEN", format!("{TOKEN}\r\n"))
        .args(["vm", "list"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let asked = &fake.asked()[0];
    assert_eq!(asked.path, "/proxy/sprites/v1/sprites");
    assert_eq!(asked.authorization.as_deref(), Some(format!("Bearer {TOKEN}").as_str()));
    // A line end inside is another matter.
    let output = esker().env("SPRITE_TOKEN", "a\nb").args(["vm", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}
