//! The Python client that applications use and esker, on the same daemon: what one does, the other sees.

use crate::support::daemon::Daemon;
use crate::support::shown::shown;
use crate::support::{esker_on, peers};
use serde_json::{Value, json};
use std::process::Command;

const PRELUDE: &str = "
import json, sys
import ops.pebble as pebble
client = pebble.Client(socket_path=sys.argv[1])
def show(value): print(json.dumps(value, default=str))
";

const LAYER: &str = "
services:
  web: {override: replace, command: sleep 1000}
  quick: {override: replace, command: sh -c 'echo oops; exit 3'}
checks:
  good: {override: replace, level: alive, period: 1h, exec: {command: 'true'}}
";

/// Runs `code` with a `client` of the daemon; returns what it passed to `show`.
fn ops(daemon: &Daemon, code: &str) -> Value {
    let python = peers::python().expect("the caller has checked");
    let mut command = Command::new(python);
    let output = command.arg("-c").arg(format!("{PRELUDE}{code}")).arg(daemon.socket()).output().expect("it runs");
    assert!(output.status.success(), "{code}: {}", shown(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Runs esker; returns its JSON.
fn esker(daemon: &Daemon, args: &[&str]) -> Value {
    let output = esker_on(daemon).args(args).args(["-o", "json"]).output().expect("it runs");
    assert!(output.status.success(), "{args:?}: {}", shown(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn daemon() -> Option<Daemon> {
    (peers::pebble().is_some() && peers::python().is_some()).then(|| Daemon::start(&[("base", LAYER)]))
}

#[test]
fn layers_go_both_ways() {
    let Some(daemon) = daemon() else { return };
    ops(&daemon, "client.add_layer('theirs', {'services': {'added': {'override': 'replace', 'command': 'sleep 1'}}})");
    assert_eq!(esker(&daemon, &["svc", "plan"])["plan"]["services"]["added"]["command"], "sleep 1");
    let layer = "services: {mine: {override: replace, command: sleep 2}}";
    let added = esker_on(&daemon).args(["svc", "layer", "add", "ours", "-"]).write_stdin(layer).output().expect("runs");
    assert!(added.status.success(), "{}", shown(&added));
    assert_eq!(ops(&daemon, "show(client.get_plan().services['mine'].command)"), "sleep 2");
    let refused = "
try: client.add_layer('ours', 'services: {}')
except pebble.APIError as error: show([error.code, error.message])
";
    assert_eq!(ops(&daemon, refused), json!([400, "layer \"ours\" already exists"]));
}

#[test]
fn services_and_their_changes_go_both_ways() {
    let Some(daemon) = daemon() else { return };
    let id = ops(&daemon, "show(str(client.start_services(['web'])))");
    assert_eq!(esker(&daemon, &["svc", "list", "web"])[0]["state"], "active");
    let change = esker(&daemon, &["svc", "change", "show", id.as_str().expect("an id")]);
    assert_eq!((&change["kind"], &change["status"], &change["ready"]), (&json!("start"), &json!("Done"), &json!(true)));
    let stopped = esker(&daemon, &["svc", "stop", "web"]);
    let state = "show(client.get_services(['web'])[0].current.value)";
    assert_eq!(ops(&daemon, state), "inactive");
    let id = stopped["operation_id"].as_str().expect("an id");
    let seen = ops(&daemon, &format!("c = client.get_change('{id}'); show([c.kind, c.status, c.ready])"));
    assert_eq!(seen, json!(["stop", "Done", true]));
    let theirs = ops(&daemon, "show([c.id for c in client.get_changes(pebble.ChangeState.ALL)])");
    let ours = esker(&daemon, &["svc", "change", "list"]);
    let ours: Vec<&str> = ours.as_array().expect("an array").iter().map(|c| c["id"].as_str().expect("text")).collect();
    let mut theirs: Vec<&str> =
        theirs.as_array().expect("an array").iter().map(|c| c.as_str().expect("text")).collect();
    theirs.sort_by_key(|id| id.parse::<u32>().expect("a number"));
    assert_eq!(ours.len(), theirs.len());
    assert!(theirs.iter().all(|id| ours.contains(id)), "{ours:?} {theirs:?}");
}

#[test]
fn a_change_error_is_told_with_the_same_words() {
    let Some(daemon) = daemon() else { return };
    let theirs = ops(
        &daemon,
        "
try: client.start_services(['quick'])
except pebble.ChangeError as error: show([error.err, error.change.tasks[0].log])
",
    );
    let output = esker_on(&daemon).args(["svc", "start", "quick", "-o", "json"]).output().expect("it runs");
    let error = crate::support::error_of(&output);
    let why = "exited quickly with code 3";
    assert!(theirs[0].as_str().is_some_and(|text| text.contains(why)), "{theirs}");
    assert!(error["message"].as_str().is_some_and(|text| text.contains(why)), "{error}");
    assert_eq!(error["log"].as_array().expect("an array").len(), theirs[1].as_array().expect("an array").len());
}

#[test]
fn checks_go_both_ways() {
    let Some(daemon) = daemon() else { return };
    assert_eq!(ops(&daemon, "show(client.stop_checks(['good']))"), json!(["good"]));
    assert_eq!(esker(&daemon, &["svc", "check", "list"])[0]["status"], "inactive");
    assert_eq!(esker(&daemon, &["svc", "check", "start", "good"])["changed"], true);
    assert_eq!(ops(&daemon, "show(client.get_checks()[0].status.value)"), "up");
    assert_eq!(esker(&daemon, &["svc", "check", "start", "good"])["changed"], false);
}

#[test]
fn notices_go_both_ways() {
    let Some(daemon) = daemon() else { return };
    let id = ops(&daemon, "show(client.notify(pebble.NoticeType.CUSTOM, 'example.com/a', data={'k': '<v>'}))");
    let shown = esker(&daemon, &["svc", "notice", "show", id.as_str().expect("an id")]);
    assert_eq!((&shown["key"], &shown["data"]["k"]), (&json!("example.com/a"), &json!("<v>")));
    let noted = esker(&daemon, &["svc", "notice", "notify", "example.com/b", "a=1", "--repeat-after", "90s"]);
    let id = noted["id"].as_str().expect("an id");
    let seen = ops(
        &daemon,
        &format!("n = client.get_notice('{id}'); show([n.key, n.last_data, n.repeat_after.total_seconds()])"),
    );
    assert_eq!(seen, json!(["example.com/b", {"a": "1"}, 90.0]));
}

#[test]
fn identities_go_both_ways() {
    let Some(daemon) = daemon() else { return };
    ops(
        &daemon,
        "client.replace_identities({'bob': pebble.Identity(access=pebble.IdentityAccess.READ, local=pebble.LocalIdentity(user_id=1001))})",
    );
    let bob = esker(&daemon, &["svc", "identity", "show", "bob"]);
    assert_eq!((&bob["access"], &bob["user_id"], &bob["types"]), (&json!("read"), &json!(1001), &json!(["local"])));
    esker(&daemon, &["svc", "identity", "remove", "bob"]);
    assert_eq!(ops(&daemon, "show(list(client.get_identities()))"), json!([]));
}
