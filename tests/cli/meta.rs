//! Configuration, completion and the other commands about esker itself, end to end.

use crate::support::daemon::Daemon;
use crate::support::{ERROR_KEYS, esker, home, peers};
use esker::cli::{self, Kind, Node};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

const LAYER: &str =
    "services: {web: {override: replace, command: sleep 1000}, db: {override: replace, command: sleep 1000}}";

fn config_file() -> PathBuf {
    home().join("config/esker/config.yaml")
}

fn write_config(text: &str) {
    fs::create_dir_all(home().join("config/esker")).expect("a directory for the config");
    fs::write(config_file(), text).expect("a config");
}

fn config() -> String {
    fs::read_to_string(config_file()).unwrap_or_default()
}

fn run(args: &[&str]) -> Output {
    esker().args(args).output().expect("esker runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The status and what was said on stderr.
fn said(args: &[&str]) -> (i32, String) {
    let output = run(args);
    (output.status.code().expect("an exit status"), text(&output.stderr))
}

fn json(args: &[&str]) -> Value {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one document")
}

#[test]
fn nothing_is_written_by_looking() {
    for args in [
        &["target", "list"][..],
        &["endpoint", "list"],
        &["config", "show"],
        &["config", "path"],
        &["target", "show"],
        &["endpoint", "logout", "pebble"],
    ] {
        assert_eq!(said(args).0, 0, "{args:?}");
    }
    assert_eq!(fs::read_dir(home()).unwrap().count(), 0);
}

#[test]
fn edits_keep_what_somebody_wrote() {
    write_config("# mine\nendpoints:\n  prod: { provider: pebble, socket: /run/p.sock } # careful\n");
    assert_eq!(said(&["target", "add", "web", "prod"]), (0, "`web` stands for `prod`\n".to_owned()));
    assert_eq!(said(&["target", "use", "web"]).0, 0);
    assert_eq!(said(&["endpoint", "add", "lab", "--provider", "pebble", "--set", "url=http://127.0.0.1:1"]).0, 0);
    assert_eq!(
        config(),
        "# mine\nendpoints:\n  prod: { provider: pebble, socket: /run/p.sock } # careful\n  lab:\n    provider: pebble\n    \
         url: http://127.0.0.1:1\ntargets:\n  web: prod\ndefault_target: web\n"
    );
    let shown = json(&["target", "show", "-o", "json"]);
    assert_eq!((&shown["target"], &shown["settings"]), (&json!("prod"), &json!({"socket": "/run/p.sock"})));
    assert_eq!(shown["chosen_by"], format!("{}:9", config_file().display()));
    assert_eq!(said(&["target", "remove", "web"]), (0, "removed `web`, which was the default target\n".to_owned()));
    assert_eq!(said(&["endpoint", "rm", "lab"]).0, 0);
    assert!(config().starts_with("# mine\n") && config().contains("# careful\n") && !config().contains("lab"));
}

#[test]
fn a_result_is_an_object_for_programs() {
    let added = json(&["target", "add", "web", "pebble", "-o", "json"]);
    let result = json!({"provider": "pebble", "target": "pebble", "name": "web", "action": "add", "changed": true,
        "state": null, "operation_id": null});
    assert_eq!(added, result);
    assert_eq!(json(&["target", "add", "web", "pebble", "-o", "json"])["changed"], false);
    assert_eq!(said(&["target", "add", "web", "unix:/x"]).0, 7);
    assert_eq!(said(&["target", "add", "web", "unix:/x", "--replace"]).0, 0);
    assert_eq!(json(&["target", "remove", "web", "-o", "json"])[0]["action"], "remove");
}

#[test]
fn names_that_clash_or_cannot_be_are_refused() {
    write_config("endpoints: {}\n");
    for (args, status) in [
        (&["target", "add", "pebble", "unix:/x"][..], 7),
        (&["target", "add", "a/b", "pebble"], 2),
        (&["target", "add", "web", "nowhere"], 6),
        (&["target", "add", "web", "*"], 2),
        (&["target", "remove", "web"], 6),
        (&["target", "use", "nowhere"], 6),
        (&["endpoint", "add", "x", "--provider", "pbble"], 2),
        (&["endpoint", "add", "x", "--provider", "pebble", "--set", "password=hunter2"], 2),
        (&["endpoint", "remove", "pebble"], 7),
        (&["endpoint", "show", "nowhere"], 6),
        (&["endpoint", "import", "nobody"], 2),
    ] {
        let (is, said) = said(args);
        assert_eq!(is, status, "{args:?}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert_eq!(config(), "endpoints: {}\n");
}

#[test]
fn an_endpoint_in_use_is_kept() {
    write_config("endpoints:\n  prod: { provider: pebble }\ntargets:\n  web: prod\n");
    let (status, said) = said(&["endpoint", "remove", "prod"]);
    assert_eq!((status, said.contains("esker target remove web")), (7, true), "{said}");
}

#[test]
fn a_login_is_private_and_shown_nowhere() {
    write_config("endpoints:\n  prod: { provider: pebble, socket: /s, username: ops }\n");
    let output =
        esker().args(["endpoint", "login", "prod", "--password-stdin"]).write_stdin("hunter2\n").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let login = home().join("state/esker/logins/prod.json");
    assert_eq!(fs::read_to_string(&login).unwrap(), r#"{"password":"hunter2"}"#);
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&login).unwrap().permissions()) & 0o777, 0o600);
    assert_eq!(json(&["endpoint", "show", "prod", "-o", "json"])["credential"], "login");
    for args in
        [&["endpoint", "list", "-o", "json"][..], &["config", "show", "-o", "json"], &["endpoint", "show", "prod"]]
    {
        assert!(!text(&run(args).stdout).contains("hunter2"), "{args:?}");
    }
    assert_eq!(said(&["endpoint", "logout", "prod"]), (0, "forgot the login of `prod`\n".to_owned()));
    assert!(!login.exists());
    // Nobody can be asked here, and no provider of that name has a token.
    assert_eq!(said(&["endpoint", "login", "prod"]).0, 2);
    assert_eq!(said(&["endpoint", "login", "prod", "--token-file", "/nowhere"]).0, 11);
    let twice = esker().args(["endpoint", "login", "prod", "--password-stdin"]).write_stdin("a\nb\n").output().unwrap();
    assert_eq!(twice.status.code(), Some(3), "{twice:?}");
}

#[test]
fn the_pebbles_of_a_juju_unit_are_taken_over_once() {
    let root = home().join("unit");
    for container in ["web", "db"] {
        let dir = root.join("charm/containers").join(container);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("pebble.socket"), "").unwrap();
    }
    fs::create_dir_all(root.join("charm/containers/none")).unwrap();
    let root = root.display().to_string();
    let import = ["endpoint", "import", "juju", "--root", &root, "-o", "json"];
    let names = |rows: &Value| -> Vec<(Value, Value)> {
        rows.as_array().unwrap().iter().map(|row| (row["name"].clone(), row["changed"].clone())).collect()
    };
    assert_eq!(names(&json(&import)), [(json!("db"), json!(true)), (json!("web"), json!(true))]);
    assert_eq!(names(&json(&import)), [(json!("db"), json!(false)), (json!("web"), json!(false))]);
    let shown = json(&["endpoint", "show", "db", "-o", "json"]);
    assert_eq!(shown["settings"]["socket"], format!("{root}/charm/containers/db/pebble.socket"));
    assert_eq!(said(&["endpoint", "import", "juju", "--root", "/nowhere"]).0, 6);
}

#[test]
fn flag_beats_variable_beats_directory_beats_config() {
    let value = |key: &str, command: &mut assert_cmd::Command| -> (Value, String) {
        let output = command.args(["config", "show", "--origin", "-o", "json"]).output().unwrap();
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let row = rows.iter().find(|row| row["key"] == key).unwrap();
        (row["value"].clone(), row["origin"].as_str().unwrap().to_owned())
    };
    let file = config_file().display().to_string();
    assert_eq!(value("default_target", &mut esker()), (Value::Null, "default".into()));
    write_config("default_target: c\ntimeout: 90s\ntargets: {c: pebble, d: pebble, v: pebble, f: pebble}\n");
    assert_eq!(value("default_target", &mut esker()), (json!(["c"]), format!("{file}:1")));
    fs::write(home().join(".esker.yaml"), "target: d\n").unwrap();
    let directory = home().join(".esker.yaml").display().to_string();
    assert_eq!(value("default_target", &mut esker()), (json!(["d"]), format!("{directory}:1")));
    let variable = |command: &mut assert_cmd::Command| value("default_target", command.env("ESKER_TARGET", "v"));
    assert_eq!(variable(&mut esker()), (json!(["v"]), "ESKER_TARGET".into()));
    assert_eq!(variable(esker().args(["--target", "f"])), (json!(["f"]), "--target".into()));
    assert_eq!(value("default_target", esker().env("ESKER_TARGET", "")), (json!(["d"]), format!("{directory}:1")));
    assert_eq!(value("timeout", &mut esker()), (json!("1m30s"), format!("{file}:2")));
    assert_eq!(value("timeout", esker().env("ESKER_TIMEOUT", "5")), (json!("5s"), "ESKER_TIMEOUT".into()));
}

#[test]
fn what_is_wrong_with_the_config_is_told_with_its_line() {
    let cases = [
        (
            "endpoints:\n  prod:\n    provider: pebble\n    scoket: /x\n",
            "line 4: unknown key `scoket` in endpoint `prod`",
            "socket",
        ),
        ("defualt_target: x\n", "line 1: unknown key `defualt_target`", "default_target"),
        ("timeout: soon\n", "line 1: invalid value `soon` of `timeout`", ""),
    ];
    for (config, message, near) in cases {
        write_config(config);
        let (status, said) = said(&["target", "list"]);
        assert_eq!(status, 3, "{said}");
        assert!(said.contains(message) && said.contains(near), "{said}");
    }
    let (status, said) = said(&["target", "list", "--config", "/nowhere.yaml"]);
    assert_eq!((status, said.contains("it is named by --config")), (3, true), "{said}");
    for (name, value) in [("ESKER_TIMEOUT", "soon"), ("ESKER_QUIET", "maybe"), ("ESKER_OUTPUT", "jsno")] {
        write_config("");
        let output = esker().arg("target").arg("list").env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{name}");
        assert!(text(&output.stderr).contains(name), "{output:?}");
    }
}

#[test]
fn an_edited_config_is_kept_only_if_it_is_valid() {
    write_config("# mine\n");
    let edit = |editor: &str| {
        let output = esker().args(["config", "edit"]).env("EDITOR", editor).env("TMPDIR", home()).output().unwrap();
        (output.status.code().unwrap(), text(&output.stderr))
    };
    assert_eq!(edit("true"), (0, "nothing changed\n".to_owned()));
    assert_eq!(edit("echo 'timeout: 5s' >>").0, 0);
    assert_eq!(config(), "# mine\ntimeout: 5s\n");
    let (status, said) = edit("echo 'tiemout: 5s' >>");
    assert_eq!(status, 3);
    assert_eq!(config(), "# mine\ntimeout: 5s\n");
    let (_, kept) = said.split_once("the edited copy is kept: `").expect("the copy is named");
    let (kept, _) = kept.split_once('`').unwrap();
    assert_eq!(fs::read_to_string(kept).unwrap(), "# mine\ntimeout: 5s\ntiemout: 5s\n");
    assert_eq!(edit("false").0, 1);
    // It is the way to repair a file that no other command can read.
    write_config("tiemout: 5s\n");
    assert_eq!(edit("sed -i s/tiemout/timeout/").0, 0);
    assert_eq!(config(), "timeout: 5s\n");
    assert_eq!(text(&run(&["config", "path"]).stdout), format!("{}\n", config_file().display()));
}

#[test]
fn unknown_fields_are_told_with_what_there_is() {
    let cases = [
        (&["target", "list", "--fields", "nmae"][..], "did you mean `name`?"),
        (&["target", "list", "--sort", "nmae"], "did you mean `name`?"),
        (&["providers", "--fields", "xyzzy"], "the fields are feature, summary, pebble"),
        (&["target", "list", "-o", "json", "--fields", "orign"], "did you mean `origin`?"),
        (&["target", "list", "-o", "name", "--fields", "name"], "does not apply"),
    ];
    for (args, hint) in cases {
        let (status, said) = said(args);
        assert_eq!(status, 2, "{said}");
        assert!(said.contains(hint), "{said}");
    }
    assert_eq!(
        text(&run(&["target", "list", "--fields", "origin,name", "-o", "csv"]).stdout),
        "origin,name\ndefault,pebble\n"
    );
}

#[test]
fn a_failure_ends_with_one_object_for_programs() {
    for format in ["json", "jsonl", "yaml"] {
        let output = run(&["target", "show", "nowhere", "-o", format]);
        assert_eq!(output.status.code(), Some(6));
        assert!(output.stdout.is_empty());
        let last: Value = serde_json::from_str(text(&output.stderr).lines().last().unwrap()).unwrap();
        let error = last["error"].as_object().unwrap();
        let keys: Vec<_> = error.keys().map(String::as_str).collect();
        assert_eq!(keys, ERROR_KEYS);
        assert_eq!((&error["kind"], &error["exit_code"]), (&json!("not_found"), &json!(6)));
    }
    // A line that cannot be read has the same form.
    let output = run(&["target", "lst", "-o", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["kind"], "usage");
}

#[test]
fn a_reader_that_left_is_no_failure_and_a_full_disk_is_one() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_esker"));
    let output = child.arg("schema").stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    if let Ok(full) = fs::File::options().write(true).open("/dev/full") {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_esker"));
        let output =
            child.arg("schema").stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("cannot write to standard output"));
    }
}

#[test]
fn every_document_has_a_schema_that_it_keeps() {
    fn leaves(nodes: &'static [Node], path: &str, all: &mut Vec<String>) {
        for node in nodes {
            let path = format!("{path} {}", node.name).trim().to_owned();
            match &node.kind {
                Kind::Leaf { .. } => all.push(path),
                Kind::Group { children, .. } => leaves(children, &path, all),
            }
        }
    }
    let mut all = Vec::new();
    leaves(cli::TREE, "", &mut all);
    let schemas = json(&["schema"]);
    for name in all.iter().filter(|name| name.ends_with(" list") || name.ends_with(" show")) {
        assert!(schemas.get(name).is_some(), "`{name}` has no schema");
    }
    for name in schemas.as_object().expect("an object").keys() {
        let command = name.strip_suffix(" events").unwrap_or(name);
        let is_known = ["error", "exec --sessions", "files sync --dry-run"].contains(&command)
            || command.starts_with("vm resource ")
            || all.iter().any(|leaf| leaf == command);
        assert!(is_known, "`{name}` has a schema and is no command");
    }
    for (args, name) in [(&["version"][..], "version"), (&["target", "show"], "target show")] {
        must_fit(&json(&[args, &["-o", "json"]].concat()), &schemas[name], name);
    }
    assert_eq!(json(&["schema", "svc", "list"]), schemas["svc list"]);
    assert_eq!(said(&["schema", "svc", "lst"]).0, 6);
}

/// A document against a schema: every required key is there, and no unknown one.
fn must_fit(document: &Value, schema: &Value, name: &str) {
    let keys: Vec<_> = document.as_object().expect("an object").keys().collect();
    let known = schema["properties"].as_object().expect("an object schema");
    for key in &keys {
        assert!(known.contains_key(*key), "{name}: `{key}` is not in the schema");
    }
    for key in schema["required"].as_array().into_iter().flatten() {
        assert!(keys.iter().any(|is| *is == key), "{name}: `{key}` is missing");
    }
}

#[test]
fn what_a_daemon_answers_fits_its_schema() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::options().layers(&[("base", LAYER)]).autostart().start();
    let schemas = json(&["schema"]);
    let lines = |args: &[&str]| -> Vec<Value> {
        let output = esker().env("PEBBLE", daemon.dir()).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    for name in ["svc list", "svc change list", "svc notice list", "svc identity list", "svc metrics", "endpoint list"]
    {
        let words: Vec<&str> = name.split(' ').chain(["-o", "jsonl"]).collect();
        // A list is an array of a definition.
        let item = &schemas[name]["items"];
        let item = item["$ref"]
            .as_str()
            .map_or(item, |path| schemas[name].pointer(path.trim_start_matches('#')).expect("the definition is there"));
        for row in lines(&words) {
            must_fit(&row, item, name);
        }
    }
    for (words, name) in [(&["svc", "show", "web"][..], "svc show"), (&["svc", "info"], "svc info")] {
        for row in lines(&[words, &["-o", "jsonl"]].concat()) {
            must_fit(&row, &schemas[name], name);
        }
    }
    let events = lines(&["exec", "-o", "jsonl", "--", "sh", "-c", "echo a; echo b >&2"]);
    assert!(events.len() >= 3, "{events:?}");
    for event in events {
        let kinds = schemas["exec events"]["oneOf"].as_array().unwrap();
        let kind = kinds.iter().find(|kind| kind["properties"]["type"]["const"] == event["type"]);
        let known = &kind.expect("the kind is in the schema")["properties"];
        assert!(event.as_object().unwrap().keys().all(|key| known.get(key).is_some()), "{event}");
    }
}

#[test]
fn the_doctor_names_what_is_wrong() {
    let statuses = |command: &mut assert_cmd::Command| -> (Option<i32>, Vec<(String, String)>) {
        let output = command.args(["doctor", "-o", "json"]).output().unwrap();
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let word = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        (output.status.code(), rows.iter().map(|row| (word(row, "check"), word(row, "status"))).collect())
    };
    let pair = |check: &str, status: &str| (check.to_owned(), status.to_owned());
    let (status, found) = statuses(esker().env("PEBBLE", "/nowhere").env("ESKER_OUTPU", "x"));
    assert_eq!(status, Some(1));
    assert_eq!(
        found,
        [
            pair("config", "pass"),
            pair("modes", "pass"),
            pair("variables", "warn"),
            pair("reach", "fail"),
            pair("access", "skip"),
            pair("features", "skip"),
        ]
    );
    write_config("nonsense: 1\n");
    let (status, found) = statuses(&mut esker());
    assert_eq!((status, &found[0]), (Some(1), &pair("config", "fail")));
    if peers::pebble().is_none() {
        return;
    }
    write_config("");
    let daemon = Daemon::start(&[("base", LAYER)]);
    let (status, found) = statuses(esker().env("PEBBLE", daemon.dir()));
    assert_eq!((status, found.iter().all(|(_, status)| status == "pass")), (Some(0), true), "{found:?}");
}

#[test]
fn a_raw_request_prints_what_comes_and_ends_by_its_status() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", LAYER)]);
    let api = |args: &[&str], input: &str| {
        esker().env("PEBBLE", daemon.dir()).arg("api").args(args).write_stdin(input.to_owned()).output().unwrap()
    };
    let output = api(&["get", "/v1/system-info"], "");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &document["status-code"]), (Some(0), &json!(200)));
    let output = api(&["GET", "/v1/changes/99", "--include"], "");
    assert_eq!(output.status.code(), Some(6));
    let said = text(&output.stdout);
    assert!(said.starts_with("HTTP 404\n") && said.contains("\n\n{"), "{said}");
    assert!(text(&output.stderr).contains("status 404"));
    let body = r#"{"action":"start","services":["nope"]}"#;
    assert_eq!(api(&["POST", "/v1/services", "--body", "-"], body).status.code(), Some(8));
    let file = home().join("body.json");
    fs::write(&file, r#"{"action":"start","services":["web"]}"#).unwrap();
    let output = api(&["POST", "/v1/services", "--body", file.to_str().unwrap(), "--header", "X-A: b"], "");
    assert!(output.status.success() && text(&output.stdout).contains("\"change\""), "{output:?}");
    let output = api(&["GET", "/v1/system-info", "--header", "Authorization: Basic aHVudGVyMg==", "-vvv"], "");
    assert!(!text(&output.stderr).contains("aHVudGVyMg"), "{output:?}");
    assert_eq!(api(&["GET", "v1/x"], "").status.code(), Some(2));
    assert_eq!(api(&["POST", "/v1/x", "--body", "/nowhere"], "").status.code(), Some(3));
}

/// The candidates for the last word, as fish asks for them; nothing may be said on stderr.
fn complete(command: &mut assert_cmd::Command, words: &[&str]) -> Vec<String> {
    let output = command.env("COMPLETE", "fish").arg("--").arg("esker").args(words).output().expect("esker runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
    text(&output.stdout).lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn commands_targets_and_flags_complete_without_a_daemon() {
    write_config("endpoints:\n  prod: { provider: pebble }\ntargets:\n  web: prod\n");
    let target = complete(&mut esker(), &["target", ""]);
    assert!(target.contains(&"list".to_owned()) && !target.contains(&"--quiet".to_owned()), "{target:?}");
    assert_eq!(
        complete(&mut esker(), &["svc", "list", "--target", ""]),
        ["web", "prod", "pebble", "sprites", "rexec", "vergeos", "pi", "omp"]
    );
    assert_eq!(complete(&mut esker(), &["target", "use", "pr"]), ["prod"]);
    assert_eq!(complete(&mut esker(), &["target", "remove", ""])[0], "web");
    assert_eq!(complete(&mut esker(), &["endpoint", "add", "x", "--provider", "p"]), ["pebble", "pi"]);
    assert_eq!(complete(&mut esker(), &["svc", "list", "--qui"]), ["--quiet"]);
    assert_eq!(complete(&mut esker(), &["-o", "js"]), ["json", "jsonl"]);
    // What is broken completes nothing, and says nothing.
    complete(esker().env("PEBBLE", "/nowhere"), &["svc", "show", "w"]);
    write_config("nonsense: [\n");
    assert_eq!(complete(&mut esker(), &["svc", "list", "--target", "w"]), Vec::<String>::new());
    // The variable alone, or with a shell that nobody knows, is in nobody's way.
    let output = esker().env("COMPLETE", "bash").arg("version").output().unwrap();
    assert_eq!(text(&output.stdout), "esker 0.1.0\n");
    assert!(esker().env("COMPLETE", "cobol").arg("version").output().unwrap().status.success());
}

#[test]
fn names_of_a_target_complete_and_are_kept_for_a_while() {
    if peers::pebble().is_none() {
        return;
    }
    let mut daemon = Daemon::start(&[("base", LAYER)]);
    let dir = daemon.dir().to_owned();
    let services = |words: &[&str]| complete(esker().env("PEBBLE", &dir), &[&["svc", "show"], words].concat());
    // A busy machine may take longer than a completion waits; then the next one has it.
    let deadline = Instant::now() + Duration::from_mins(1);
    while services(&["w"]) != ["web"] {
        assert!(Instant::now() < deadline, "nothing is completed");
    }
    daemon.kill();
    assert_eq!(services(&["d"]), ["db"], "from the cache");
    let cache = home().join("cache/esker/completion");
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 1);
    fs::remove_dir_all(&cache).unwrap();
    assert_eq!(services(&["d"]), Vec::<String>::new());
    // A password that a command prints may have to be asked for: that is not for a completion.
    let ran = home().join("ran");
    write_config(&format!(
        "endpoints:\n  prod: {{ provider: pebble, dir: {}, username: u, password_command: [touch, {}] }}\n",
        dir.display(),
        ran.display()
    ));
    complete(&mut esker(), &["svc", "show", "--target", "prod", "w"]);
    assert!(!ran.exists());
}

#[test]
fn every_shell_asks_the_binary() {
    for (shell, ..) in cli::completion::SCRIPTS {
        let script = text(&run(&["completion", shell]).stdout);
        assert!(script.contains("COMPLETE") && script.contains("esker"), "{shell}: {script}");
    }
    assert_eq!(said(&["completion", "cobol"]).0, 2);
}

#[test]
fn bash_reads_its_script_and_completes() {
    let Ok(bash) = std::process::Command::new("bash").arg("--version").output() else { return };
    assert!(bash.status.success());
    let dir = PathBuf::from(env!("CARGO_BIN_EXE_esker")).parent().unwrap().to_owned();
    let path = std::env::join_paths(
        std::iter::once(dir).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    )
    .unwrap();
    let script = "source <(esker completion bash)
        COMP_WORDS=(esker target us) COMP_CWORD=2 COMP_TYPE=9
        _clap_complete_esker esker us target
        echo \"${COMPREPLY[@]}\"";
    let output = std::process::Command::new("bash")
        .args(["--norc", "-c", script])
        .env("PATH", path)
        .env("HOME", home())
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "use\n", "{}", text(&output.stderr));
}
