//! `vm list` and `vm show`: pages, filters, formats, several endpoints.

use super::{account, json, lines, stderr};
use crate::support::fake::Reply;
use crate::support::shown::{assert_shown, shown};
use crate::support::sprites::{Api, TOKEN, document, parameter, sandbox};
use crate::support::{error_of, esker, home};
use serde_json::json;
use std::fs;

#[test]
fn every_page_is_read_and_filters_choose() {
    let api = account();
    let names = |args: &[&str]| lines(&api.run(&[&["vm", "list", "-o", "name"], args].concat()));
    let all = ["sprites/api", "sprites/dev", "sprites/web-1", "sprites/web-2", "sprites/web-3"];
    assert_eq!(names(&[]), all);
    assert_eq!(names(&["sprites"]), all);
    assert_eq!(names(&["--target", "sprites"]), all);
    assert_eq!(names(&["--all"]), all);
    assert_eq!(names(&["--target", "spr*"]), all);
    assert_eq!(names(&["--prefix", "web-"]), all[2..]);
    assert_eq!(names(&["--label", "ci", "--label", "team=a"]), ["sprites/web-1"]);
    assert_eq!(names(&["--status", "Running"]), ["sprites/api", "sprites/web-1"]);
    assert_eq!(names(&["sprites/web-*", "--status", "cold"]), ["sprites/web-3"]);
    assert_eq!(names(&["sprites/dev", "sprites/*-1", "sprites/web-?"]), all[1..]);
    assert_eq!(names(&["--sort", "name:desc", "--limit", "1"]), ["sprites/web-3"]);
    // A glob asks for what begins so.
    let asked = api.fake.asked();
    assert!(asked.iter().any(|asked| parameter(&asked.query, "prefix") == Some("web-")), "{asked:?}");
}

#[test]
fn a_list_that_never_says_it_ends_ends() {
    // The token is missing, or the same again: each page announces more.
    for next in [json!(null), json!(""), json!("again")] {
        let api = Api::bent(&[], move |asked| {
            (asked.path == "/v1/sprites").then(|| {
                let name = format!("s{}", asked.nth);
                let page = json!({"sprites": [sandbox(&name, "cold", &[])], "has_more": true, "next_continuation_token": next});
                document(200, &page)
            })
        });
        let found = lines(&api.run(&["vm", "list", "-o", "name"]));
        assert!(found.len() <= 2 && found[0] == "sprites/s0", "{found:?}");
    }
}

#[test]
fn a_machine_is_shown_whatever_its_name() {
    let api = Api::bent(&[], |asked| Some(document(200, &sandbox(&format!("seen-{}", asked.nth), "warm", &[]))));
    let shown = json(&api.run(&["vm", "show", "sprites/a%2Fb%25ü %3a", "-o", "json"]));
    assert_eq!(api.asked(), ["GET /v1/sprites/a%2Fb%25%C3%BC%20%3A"]);
    assert_eq!(shown["target"], "sprites/a%2Fb%25ü%20%3A");
    assert_eq!((&shown["status"], &shown["extra"]["version"]), (&json!("warm"), &json!("v0.0.1-rc48")));
    // Several are an array.
    let both = json(&api.run(&["vm", "show", "sprites/a", "sprites/b", "-o", "json"]));
    assert_eq!(both.as_array().map(Vec::len), Some(2));
}

#[test]
fn one_inventory_of_all_endpoints_where_none_hides_another() {
    let (one, other) = (account(), Api::start(&[sandbox("far", "running", &[])]));
    let text = format!(
        "endpoints:\n  one: {{provider: sprites, url: '{}', token: {TOKEN}}}\n  other: {{provider: sprites, url: '{}', \
         token: {TOKEN}}}\n  dead: {{provider: sprites, url: 'unix:{}/nobody', token: {TOKEN}}}\n  \
         prod: {{provider: pebble}}\ndefault_target: prod\n",
        one.url(),
        other.url(),
        home().display()
    );
    let config = home().join("vm.yaml");
    fs::write(&config, text).unwrap();
    let run = |args: &[&str]| esker().arg("--config").arg(&config).args(args).output().unwrap();
    let output = run(&["vm", "list", "--status", "running", "-o", "json"]);
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let targets: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["target"].as_str().unwrap()).collect();
    assert_eq!(targets, ["one/api", "one/web-1", "other/far"]);
    assert_eq!(output.status.code(), Some(12));
    let error = error_of(&output);
    assert_eq!(error["kind"], "partial");
    assert_eq!(error["items"][0]["target"], "dead");
    // What was named must have machines.
    assert_eq!(run(&["vm", "list", "prod"]).status.code(), Some(11));
    assert_eq!(run(&["vm", "list", "o*", "-o", "name"]).status.code(), Some(0));
    assert_eq!(run(&["vm", "list", "one", "--target", "other"]).status.code(), Some(2));
    // Nobody has any.
    let output = esker().args(["vm", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{output:?}");
}

#[test]
fn names_complete_live() {
    let api = account();
    let complete = |words: &[&str]| -> Vec<String> {
        let output = api.esker().env("COMPLETE", "fish").arg("--").arg("esker").args(words).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(|line| line.split('\t').next().unwrap().to_owned())
            .collect()
    };
    // A busy machine may take longer than a completion waits; then the next one has it.
    let until = |words: &[&str], wanted: &[&str]| {
        let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
        while complete(words) != wanted {
            assert!(std::time::Instant::now() < deadline, "{words:?}: {:?}", complete(words));
        }
    };
    until(&["vm", "show", "sprites/w"], &["sprites/web-1", "sprites/web-2", "sprites/web-3"]);
    until(&["vm", "show", "sprites/d"], &["sprites/dev"]);
    until(&["exec", "sprites/d"], &["sprites/dev"]);
    until(&["svc", "list", "--target", "sprites/a"], &["sprites/api"]);
    until(&["vm", "delete", "spr"], &["sprites/api", "sprites/dev", "sprites/web-1", "sprites/web-2", "sprites/web-3"]);
}

#[test]
fn an_unknown_machine_is_told_what_was_meant() {
    let api = account();
    let output = api.run(&["vm", "show", "sprites/deb"]);
    assert_eq!(output.status.code(), Some(6));
    assert!(stderr(&output).contains("did you mean `dev`?"), "{output:?}");
    let output = api.run(&["vm", "show", "sprites"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("write ENDPOINT/NAME"), "{output:?}");
    // An old server fails where it should say so.
    let failing = json!({"error": "failed to retrieve sprite"}).to_string();
    let api =
        Api::bent(&[], move |asked| (asked.path == "/v1/sprites/gone").then(|| Reply::Text(500, failing.clone())));
    assert_eq!(api.run(&["vm", "show", "sprites/gone"]).status.code(), Some(6));
}
