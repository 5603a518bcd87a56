//! `api --paginate`.

use crate::support::playground::Playground;
use serde_json::Value;

fn documents(output: &std::process::Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::Deserializer::from_slice(&output.stdout).into_iter().collect::<Result<_, _>>().expect("documents")
}

#[test]
fn every_page_is_asked_for_by_its_token() {
    let world = Playground::sprites();
    let names: Vec<String> = (0..5).map(|number| format!("sprites/s{number}")).collect();
    world.esker().args(["vm", "create", "-q"]).args(&names).assert().success();
    let api = |flags: &[&str]| {
        let mut command = world.esker();
        command.args(["api", "GET", "/v1/sprites?max_results=2", "--target", "sprites"]).args(flags).output().unwrap()
    };
    assert_eq!(documents(&api(&[])).len(), 1);
    let pages = documents(&api(&["--paginate"]));
    let found = pages.iter().flat_map(|page| page["sprites"].as_array().unwrap());
    let found: Vec<&str> = found.map(|sprite| sprite["name"].as_str().unwrap()).collect();
    assert_eq!((pages.len(), found), (3, vec!["s0", "s1", "s2", "s3", "s4"]));
}

#[test]
fn every_page_is_asked_for_by_its_offset() {
    let world = Playground::vergeos();
    let api = |path: &str, flags: &[&str]| {
        let mut command = world.esker();
        documents(&command.args(["api", "GET", path, "--target", "vergeos"]).args(flags).output().unwrap())
    };
    let rows = |pages: &[Value]| pages.iter().map(|page| page.as_array().unwrap().len()).sum::<usize>();
    let whole = api("/api/v4/vnets?fields=name", &[]);
    let pages = api("/api/v4/vnets?fields=name&limit=1", &["--paginate"]);
    assert_eq!(rows(&whole), rows(&pages));
    assert!(pages.len() > 1, "{pages:?}");
}

#[test]
fn what_has_no_pages_is_one_and_what_changes_something_has_none() {
    let world = Playground::sprites();
    world.esker().args(["api", "POST", "/v1/sprites", "--paginate", "--target", "sprites"]).assert().code(2);
    world.esker().args(["api", "GET", "/v1/nothing", "--paginate", "--target", "sprites"]).assert().code(6);
}
