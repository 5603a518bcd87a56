//! Where a token comes from: variables, a stored login, one of Fly.io, the official client's file.

use super::{json, lines, stderr};
use crate::support::fake::Reply;
use crate::support::sprites::{Api, TOKEN, document, sandbox};
use crate::support::{error_of, esker, home};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn every_variable_counts_and_two_that_differ_are_refused() {
    let api = Api::start(&[sandbox("a", "cold", &[])]);
    for (url, token) in [
        ("SPRITES_ENDPOINT", "SPRITES_TOKEN"),
        ("SPRITES_API_URL", "SPRITE_TOKEN"),
        ("SPRITES_API_URL", "SPRITE_API_TOKEN"),
    ] {
        let output = esker().env(url, api.url()).env(token, TOKEN).args(["vm", "list", "-o", "name"]).output().unwrap();
        assert_eq!(lines(&output), ["sprites/a"]);
    }
    let asked = api.fake.asked();
    assert!(asked.iter().all(|asked| asked.authorization.as_deref() == Some(&*format!("Bearer {TOKEN}"))));
    let output = api.esker().env("SPRITE_TOKEN", "other").args(["vm", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("SPRITES_TOKEN and SPRITE_TOKEN are both set and differ"), "{output:?}");
}

#[test]
fn a_token_of_another_organization_is_not_used() {
    let api = Api::start(&[]);
    let run = |organization: &str| api.esker().env("SPRITE_ORG", organization).args(["vm", "list"]).output().unwrap();
    let output = run("other");
    assert_eq!((output.status.code(), api.asked().len()), (Some(4), 0), "{output:?}");
    assert!(stderr(&output).contains("is of organization `acme`, not of `other`"), "{output:?}");
    assert!(run("acme").status.success());
}

#[test]
fn a_token_is_made_from_one_of_fly_and_kept_in_private() {
    let api = Api::bent(&[sandbox("a", "cold", &[])], |asked| {
        asked.path.starts_with("/v1/organizations/").then(|| document(201, &json!({ "token": TOKEN })))
    });
    let run = |args: &[&str]| esker().env("SPRITES_ENDPOINT", api.url()).args(args).output().unwrap();
    let login = ["endpoint", "login", "sprites", "--from-fly"];
    // No organization, then no token.
    assert_eq!(run(&login).status.code(), Some(2));
    assert_eq!(run(&[&login[..], &["--org", "acme"]].concat()).status.code(), Some(4));
    fs::create_dir(home().join(".fly")).unwrap();
    fs::write(home().join(".fly/config.yml"), "access_token: fm2_hunter3,fm2_b\n").unwrap();
    fs::write(home().join("code"), "invite-1\n").unwrap();
    let code = home().join("code").display().to_string();
    let output = run(&[&login[..], &["--org", "acme", "--invite-code-file", &code, "-vvv"]].concat());
    assert!(output.status.success(), "{output:?}");
    let said = stderr(&output);
    assert!(!said.contains("hunter") && !said.contains("invite-1"), "{said}");
    let asked = &api.fake.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/v1/organizations/acme/tokens"));
    assert_eq!(asked.authorization.as_deref(), Some("FlyV1 fm2_hunter3,fm2_b"));
    assert_eq!(api.body("POST"), json!({"description": "esker", "invite_code": "invite-1"}));
    let stored = home().join("state/esker/logins/sprites.json");
    assert_eq!(fs::metadata(&stored).unwrap().permissions().mode() & 0o777, 0o600);
    // From here on it is used, also by an inventory that names nobody.
    assert_eq!(lines(&run(&["vm", "list", "-o", "name"])), ["sprites/a"]);
    let output = run(&["endpoint", "login", "pebble", "--from-fly", "--org", "acme"]);
    assert_eq!(output.status.code(), Some(11));
}

#[test]
fn an_organization_that_may_not_is_told_about_invite_codes() {
    let api = Api::bent(&[], |_| Some(Reply::Text(403, "Sprites not enabled for this organization".to_owned())));
    let output = esker()
        .env("SPRITES_ENDPOINT", api.url())
        .env("FLY_API_TOKEN", "FlyV1 fm2_hunter3")
        .args(["endpoint", "login", "sprites", "--from-fly", "--org", "a/b", "-o", "json"])
        .output()
        .unwrap();
    let error = error_of(&output);
    assert_eq!(error["kind"], "forbidden");
    assert!(error["hint"].as_str().unwrap().contains("--invite-code-file"), "{error}");
    assert_eq!(api.asked(), ["POST /v1/organizations/a%2Fb/tokens"]);
    assert!(!home().join("state/esker/logins").exists());
}

#[test]
fn the_set_up_of_the_official_client_is_taken_over() {
    let api = Api::start(&[sandbox("a", "cold", &[])]);
    let import = |args: &[&str]| esker().args([&["endpoint", "import", "sprite"], args].concat()).output().unwrap();
    assert_eq!(import(&[]).status.code(), Some(6));
    fs::create_dir(home().join(".sprites")).unwrap();
    let file = home().join(".sprites/sprites.json");
    let url = api.url();
    let setup = json!({"version": "1", "current_selection": {"url": url, "org": "acme"}, "disable_keyring": true,
        "urls": {&url: {"url": url, "orgs": {"acme": {"name": "acme", "token": TOKEN}}}}});
    fs::write(&file, setup.to_string()).unwrap();
    let rows = json(&import(&["-o", "json"]));
    assert_eq!((&rows[0]["name"], &rows[0]["changed"]), (&json!("sprites"), &json!(true)));
    let list = || lines(&esker().args(["vm", "list", "-o", "name"]).output().unwrap());
    assert_eq!(list(), ["sprites/a"]);
    let rows = json(&import(&["-o", "json"]));
    assert_eq!(rows[0]["changed"], false);
    // What a keyring holds is named, and hides nothing else.
    let mut setup = setup;
    setup["urls"][&url]["orgs"]["hidden"] = json!({"name": "hidden", "use_keyring": true, "keyring_key": "k"});
    fs::write(&file, setup.to_string()).unwrap();
    let output = import(&["-o", "json"]);
    assert_eq!(output.status.code(), Some(12));
    assert!(stderr(&output).contains("`hidden`") && stderr(&output).contains("--from-fly --org hidden"), "{output:?}");
    fs::write(&file, "{\"urls\": \"hunter2").unwrap();
    let output = import(&[]);
    assert!(output.status.code() == Some(3) && !stderr(&output).contains("hunter2"), "{output:?}");
}
