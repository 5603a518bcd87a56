//! The file by which the official client names the sandbox of a directory; and what `doctor` finds.

use super::{account, json, stderr, stdout};
use crate::support::fake::Reply;
use crate::support::sprites::{Api, document, sandbox};
use crate::support::{esker, home};
use serde_json::{Value, json};
use std::fs;

#[test]
fn a_sprite_file_names_the_default_target() {
    let api = account();
    let work = home().join("work/deep");
    fs::create_dir_all(work.join(".sprite")).unwrap();
    let file = home().join("work/.sprite");
    fs::write(&file, r#"{"organization":"acme","sprite":"dev"}"#).unwrap();
    let run = |args: &[&str]| api.esker().current_dir(&work).args(args).output().unwrap();
    assert_eq!(json(&run(&["vm", "show", "-o", "json"]))["target"], "sprites/dev");
    let settings = stdout(&run(&["config", "show", "--origin"]));
    let line = settings.lines().find(|line| line.starts_with("default_target")).unwrap();
    assert!(line.contains("sprites/dev") && line.contains("work/.sprite:1"), "{line}");
    let shown = json(&run(&["target", "show", "-o", "json"]));
    assert_eq!(shown["place"], "dev");
    // Flag, variable and directory file come first; the user's own default does not.
    assert_eq!(json(&run(&["vm", "show", "--target", "sprites/api", "-o", "json"]))["name"], "api");
    fs::create_dir_all(home().join("config/esker")).unwrap();
    fs::write(home().join("config/esker/config.yaml"), "default_target: one\ntargets: {one: sprites/web-1}\n").unwrap();
    assert_eq!(json(&run(&["vm", "show", "-o", "json"]))["name"], "dev");
    let output = run(&["target", "use", "sprites/web-2"]);
    assert!(
        stderr(&output).contains("`sprites/dev` from") && stderr(&output).contains("comes first here"),
        "{output:?}"
    );
    fs::write(home().join(".esker.yaml"), "target: one\n").unwrap();
    assert_eq!(json(&run(&["vm", "show", "-o", "json"]))["name"], "web-1");
    // What is something else by that name is in nobody's way.
    fs::remove_file(home().join(".esker.yaml")).unwrap();
    fs::write(&file, "GIF89a").unwrap();
    assert_eq!(json(&run(&["vm", "show", "-o", "json"]))["name"], "web-2");
    // A listing is of what there is, wherever one stands.
    fs::write(&file, r#"{"sprite":"dev"}"#).unwrap();
    assert_eq!(stdout(&run(&["vm", "list", "-o", "name"])).lines().count(), 5);
    // Nothing is deleted because of where one stands.
    assert_eq!(run(&["vm", "delete", "--confirm", "sprites/dev"]).status.code(), Some(2));
}

/// The checks that doctor made of an endpoint, by name.
fn doctor(command: &mut assert_cmd::Command, target: &str) -> (Option<i32>, Vec<(String, String)>) {
    let output = command.args(["doctor", "--target", target, "-o", "json"]).output().unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let ours = rows.iter().filter(|row| row["target"] == target);
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    (output.status.code(), ours.map(|row| (text(row, "check"), text(row, "status"))).collect())
}

fn status<'a>(found: &'a [(String, String)], check: &str) -> Option<&'a str> {
    found.iter().find(|(name, _)| name == check).map(|(_, status)| status.as_str())
}

#[test]
fn doctor_finds_what_the_service_is_known_for() {
    let api = account();
    // This API runs no programs, which is found too: those checks have tests of their own.
    let (code, found) = doctor(&mut api.esker(), "sprites/dev");
    assert_eq!(code, Some(1), "{found:?}");
    for (check, wanted) in [
        ("reach", "pass"),
        ("access", "pass"),
        ("organization", "pass"),
        ("paging", "pass"),
        ("unknown", "pass"),
        ("sandbox", "pass"),
        ("health", "pass"),
        ("version", "warn"),
        ("control", "pass"),
    ] {
        assert_eq!(status(&found, check), Some(wanted), "{check}: {found:?}");
    }
    let bent = Api::bent(&[sandbox("dev", "cold", &[])], |asked| match asked.path.as_str() {
        "/v1/organization" => Some(document(
            200,
            &json!({"organization": {"slug": "acme", "active_sprites": ["a", "b"], "active_sprite_limit": 2}}),
        )),
        "/v1/sprites" => {
            Some(document(200, &json!({"sprites": [], "has_more": true, "next_continuation_token": null})))
        }
        "/v1/sprites/dev/check" => Some(document(200, &json!({"status": "error", "reason": "mount failed"}))),
        path if path.contains("doctor") => {
            Some(Reply::Text(500, r#"{"error":"failed to retrieve sprite"}"#.to_owned()))
        }
        _ => None,
    });
    let (code, found) = doctor(&mut bent.esker(), "sprites/dev");
    assert_eq!(code, Some(1));
    for (check, wanted) in [("organization", "warn"), ("paging", "warn"), ("unknown", "warn"), ("health", "fail")] {
        assert_eq!(status(&found, check), Some(wanted), "{check}: {found:?}");
    }
    let (code, found) = doctor(&mut account().esker(), "sprites/nope");
    assert_eq!((code, status(&found, "sandbox"), status(&found, "version")), (Some(1), Some("fail"), None));
}

#[test]
fn doctor_tells_a_refused_token_from_a_server_that_is_not_there() {
    let refused = Api::bent(&[], |_| Some(document(401, &json!({"error": "authentication failed"}))));
    let (code, found) = doctor(&mut refused.esker(), "sprites");
    assert_eq!((code, status(&found, "access"), status(&found, "reach")), (Some(1), Some("fail"), None));
    let mut lost = esker();
    lost.env("SPRITES_ENDPOINT", format!("unix:{}/nobody", home().display())).env("SPRITES_TOKEN", "x");
    let (code, found) = doctor(&mut lost, "sprites");
    assert_eq!((code, status(&found, "reach")), (Some(1), Some("fail")), "{found:?}");
}
