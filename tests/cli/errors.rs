//! What goes wrong, as programs see it: kinds, exit codes and the error object, beside the exceptions of the Python
//! client in the same situations.

use crate::support::daemon::Daemon;
use crate::support::fake::{Fake, Reply, refused};
use crate::support::nobody::{esker_as_nobody, nobody};
use crate::support::shown::{assert_shown, shown, status};
use crate::support::{ERROR_KEYS, error_of, esker, esker_on, home, peers};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};

/// Checks the error object of a failure and returns its kind and its exit code.
fn kind_and_code(output: &Output) -> (String, i64) {
    let error = error_of(output);
    let keys: Vec<&str> = error.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ERROR_KEYS);
    let code = error["exit_code"].as_i64().expect("a number");
    assert_eq!(output.status.code().map(i64::from), Some(code), "{error}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    (error["kind"].as_str().expect("text").to_owned(), code)
}

const LAYER: &str = "
services:
  web: {override: replace, command: sleep 1000}
  quick: {override: replace, command: sh -c 'echo oops; exit 3'}
  stubborn-too: {override: replace, command: sh -c 'trap \"\" TERM; while :; do sleep 1; done', kill-delay: 1h}
  stubborn: {override: replace, command: sh -c 'trap \"\" TERM; while :; do sleep 1; done', kill-delay: 1h}
";

/// The class and the message of the exception that `code` raises in the Python client.
fn exception(socket: &Path, code: &str) -> Option<String> {
    let program = format!(
        "
import sys
import ops.pebble as pebble
client = pebble.Client(socket_path=sys.argv[1])
try:
    {code}
except pebble.Error as error:
    print(type(error).__name__, getattr(error, 'code', getattr(error, 'kind', '')))
"
    );
    let output = Command::new(peers::python()?).arg("-c").arg(program).arg(socket).output().expect("it runs");
    assert!(output.status.success(), "{code}: {}", shown(&output));
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[test]
fn each_exception_of_the_python_client_has_its_kind() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", LAYER)]);
    assert!(
        esker_on(&daemon)
            .args(["svc", "start", "stubborn", "stubborn-too"])
            .output()
            .expect("it runs")
            .status
            .success()
    );
    let cases: [(&str, &str, &[&str], (&str, i64)); 9] = [
        ("client.get_change('999')", "APIError 404", &["svc", "change", "show", "999"], ("not_found", 6)),
        ("client.start_services(['nope'])", "APIError 400", &["svc", "start", "nope"], ("not_found", 6)),
        ("client.autostart_services()", "APIError 400", &["svc", "autostart"], ("conflict", 7)),
        ("client.stop_checks(['nope'])", "APIError 400", &["svc", "check", "stop", "nope"], ("not_found", 6)),
        ("client.send_signal('SIGHUP', ['web'])", "APIError 500", &["svc", "signal", "HUP", "web"], ("conflict", 7)),
        (
            "client.notify(pebble.NoticeType.CUSTOM, 'nodomain')",
            "APIError 400",
            &["svc", "notice", "notify", "nodomain"],
            ("rejected", 8),
        ),
        ("client.get_notice('999')", "APIError 404", &["svc", "notice", "show", "999"], ("not_found", 6)),
        ("client.start_services(['quick'])", "ChangeError", &["svc", "start", "quick"], ("failure", 1)),
        (
            "client.stop_services(['stubborn'], timeout=0.1)",
            "TimeoutError",
            &["svc", "stop", "stubborn-too", "--timeout", "100ms"],
            ("timeout", 9),
        ),
    ];
    for (code, raised, args, (kind, exit)) in cases {
        if let Some(theirs) = exception(&daemon.socket(), code) {
            assert_eq!(theirs, raised, "{code}");
        }
        let output = esker_on(&daemon).args(args).args(["-o", "json"]).output().expect("it runs");
        assert_eq!(kind_and_code(&output), (kind.to_owned(), exit), "{args:?}: {}", shown(&output));
        assert_eq!(error_of(&output)["provider"], "pebble", "{args:?}");
        assert_eq!(error_of(&output)["target"], "pebble", "{args:?}");
    }
}

#[test]
fn each_path_error_of_the_python_client_has_its_kind() {
    if peers::pebble().is_none() {
        return;
    }
    // Root may do everything, so the daemon is nobody.
    let daemon = Daemon::options().unprivileged().start();
    let dir = tempfile::Builder::new().prefix("esk").tempdir_in("/tmp").expect("a temporary directory");
    let mode = |mode| fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).expect("a mode");
    fs::write(dir.path().join("file"), "old").expect("a file");
    fs::write(dir.path().join("secret"), "old").expect("a file");
    fs::set_permissions(dir.path().join("secret"), fs::Permissions::from_mode(0o000)).expect("a mode");
    fs::create_dir_all(dir.path().join("open/full/sub")).expect("a directory");
    fs::set_permissions(dir.path().join("open"), fs::Permissions::from_mode(0o777)).expect("a mode");
    mode(0o555);
    let at = |name: &str| dir.path().join(name).display().to_string();
    let local = home().join("local");
    fs::write(&local, "new").expect("a file");
    let local = local.display().to_string();
    // What the Python client does, the word of the daemon, and what esker does and says.
    let push: fn(&str) -> String = |path| format!("client.push('{path}', 'new')");
    let pull: fn(&str) -> String = |path| format!("client.pull('{path}')");
    let make: fn(&str) -> String = |path| format!("client.make_dir('{path}')");
    let remove: fn(&str) -> String = |path| format!("client.remove_path('{path}')");
    let cases: [(fn(&str) -> String, &str, &str, &[&str], (&str, i64)); 11] = [
        (pull, "nope", "not-found", &["cat"], ("not_found", 6)),
        (pull, "secret", "permission-denied", &["cat"], ("forbidden", 5)),
        (pull, "open/full", "generic-file-error", &["cat"], ("rejected", 8)),
        (push, "nope/file", "not-found", &["cp", &local], ("not_found", 6)),
        (push, "new", "permission-denied", &["cp", &local], ("forbidden", 5)),
        (make, "nope/dir", "not-found", &["mkdir"], ("not_found", 6)),
        (make, "new", "permission-denied", &["mkdir"], ("forbidden", 5)),
        (make, "file", "generic-file-error", &["mkdir"], ("conflict", 7)),
        (remove, "nope", "not-found", &["rm"], ("not_found", 6)),
        (remove, "file", "permission-denied", &["rm"], ("forbidden", 5)),
        (remove, "open/full", "generic-file-error", &["rm"], ("conflict", 7)),
    ];
    for (code, name, word, args, (kind, exit)) in cases {
        let (code, path) = (code(&at(name)), format!(":{}", at(name)));
        if let Some(theirs) = exception(&daemon.socket(), &code) {
            assert_eq!(theirs, format!("PathError {word}"), "{code}");
        }
        let output = esker_on(&daemon).arg("files").args(args).args([&path, "-o", "json"]).output().expect("it runs");
        let error = error_of(&output);
        assert_eq!(kind_and_code(&output), (kind.to_owned(), exit), "{args:?} {name}: {}", shown(&output));
        assert_eq!(error["provider_kind"], word, "{args:?} {name}: {error}");
        assert_eq!((&error["provider"], &error["target"]), (&json!("pebble"), &json!("pebble")), "{args:?} {name}");
        assert!(error["provider_message"].as_str().is_some_and(|said| !said.is_empty()), "{args:?} {name}: {error}");
    }
    mode(0o755);
}

#[test]
fn what_an_exec_error_tells_is_in_the_result() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[]);
    let run = |args: &[&str]| esker_on(&daemon).args(["exec", "-o", "json"]).args(args).output().expect("it runs");
    // A program that fails is a result, with all that the exception holds.
    if let Some(theirs) = exception(&daemon.socket(), "client.exec(['sh', '-c', 'exit 3']).wait()") {
        assert_eq!(theirs, "ExecError");
    }
    let output = run(&["--", "sh", "-c", "echo out; echo err >&2; exit 3"]);
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(status(&output), "3", "{}", shown(&output));
    assert_eq!(
        (&result["exit_code"], &result["stdout"], &result["stderr"]),
        (&json!(3), &json!("out\n"), &json!("err\n"))
    );
    // One that does not come to its end is an error.
    let cases: [(&str, &str, &[&str], (&str, i64)); 3] = [
        ("client.exec(['surely-not-there'])", "APIError 400", &["--", "surely-not-there"], ("not_found", 127)),
        (
            "client.exec(['true'], working_dir='/surely/not/there')",
            "APIError 500",
            &["-w", "/surely/not/there", "--", "true"],
            ("rejected", 125),
        ),
        (
            "client.exec(['sleep', '1000'], timeout=0.1).wait()",
            "ChangeError",
            &["--timeout", "100ms", "--", "sleep", "1000"],
            ("timeout", 124),
        ),
    ];
    for (code, raised, args, (kind, exit)) in cases {
        if let Some(theirs) = exception(&daemon.socket(), code) {
            assert_eq!(theirs, raised, "{code}");
        }
        let output = run(args);
        assert_eq!(kind_and_code(&output), (kind.to_owned(), exit), "{args:?}: {}", shown(&output));
    }
}

#[test]
fn a_connection_error_and_a_protocol_error_have_their_kinds() {
    let nowhere = home().join("no.socket");
    if let Some(theirs) = exception(&nowhere, "client.get_services()") {
        assert_eq!(theirs, "ConnectionError");
    }
    let output = esker().env("PEBBLE_SOCKET", &nowhere).args(["svc", "list", "-o", "json"]).output().expect("it runs");
    assert_eq!(kind_and_code(&output), ("unreachable".to_owned(), 10));
    let broken: [(fn() -> Reply, &str, i64); 5] = [
        (|| Reply::Text(200, "{\"type\":\"sync\",\"result\":[{\"name\":".to_owned()), "failure", 1),
        (|| Reply::Text(200, "<html>".to_owned()), "failure", 1),
        (|| Reply::Text(200, "{\"type\":\"sync\",\"result\":{\"services\":[]}}".to_owned()), "failure", 1),
        (|| Reply::Garbage, "unreachable", 10),
        (|| Reply::Cut("{\"type\":\"sync\",\"result\":[{\"name\":".to_owned()), "unreachable", 10),
    ];
    for (reply, kind, code) in broken {
        let daemon = Fake::start(move |_| reply());
        let output = daemon.esker().args(["svc", "list", "-o", "json"]).output().expect("it runs");
        assert_eq!(kind_and_code(&output), (kind.to_owned(), code), "{:?}: {}", reply(), shown(&output));
        assert!(output.stdout.is_empty(), "{}", shown(&output));
    }
}

#[test]
fn a_failed_change_is_told_whole() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", LAYER)]);
    let output = esker_on(&daemon).args(["svc", "start", "quick", "-o", "json"]).output().expect("it runs");
    let error = error_of(&output);
    assert_eq!(error["operation_id"], "1");
    let log = error["log"].as_array().expect("an array");
    assert_eq!(log.len(), 2, "{error}");
    assert!(log[0].as_str().is_some_and(|entry| entry.contains("oops")), "{error}");
    let text = esker_on(&daemon).args(["svc", "start", "quick"]).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&text.stdout), "");
    let waited = esker_on(&daemon).args(["svc", "change", "wait", "1", "-o", "json"]).output().expect("it runs");
    assert_eq!(kind_and_code(&waited), ("failure".to_owned(), 1));
    assert_eq!(error_of(&waited)["log"], error["log"], "{}", shown(&waited));
}

#[test]
fn each_way_not_to_reach_a_daemon_has_its_own_words() {
    let dir = tempfile::Builder::new().prefix("esk").tempdir_in("/tmp").expect("a temporary directory");
    let stale = dir.path().join("stale");
    drop(UnixListener::bind(&stale).expect("a socket"));
    let file = dir.path().join("file");
    fs::write(&file, "").expect("a file");
    let long = dir.path().join("x".repeat(200));
    let mut text = String::new();
    for path in [dir.path().join("absent"), stale, file, dir.path().to_owned(), long] {
        let output = esker().env("PEBBLE_SOCKET", &path).args(["svc", "list"]).output().expect("it runs");
        text.push_str(&shown(&output));
    }
    assert_shown!(text, @r#"
    --- stderr
    error: cannot list services on `pebble`: no socket at `[DIR]/absent`
    hint: is the daemon running there? the path comes from PEBBLE_SOCKET, or name another with --target unix:/PATH
    [exit status: 10]
    --- stderr
    error: cannot list services on `pebble`: connection refused at `[DIR]/stale`: nobody listens on the socket
    hint: the daemon is not running; start it with `pebble run`
    [exit status: 10]
    --- stderr
    error: cannot list services on `pebble`: `[DIR]/file` is not a socket
    hint: the path comes from PEBBLE_SOCKET
    [exit status: 10]
    --- stderr
    error: cannot list services on `pebble`: `[DIR]` is not a socket
    hint: the path comes from PEBBLE_SOCKET
    [exit status: 10]
    --- stderr
    error: cannot list services on `pebble`: no socket at `[DIR]/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`
    hint: is the daemon running there? the path comes from PEBBLE_SOCKET, or name another with --target unix:/PATH
    [exit status: 10]
    "#);
}

#[test]
fn a_directory_that_is_closed_is_told_from_one_that_is_not_there() {
    let dir = tempfile::Builder::new().prefix("esk").tempdir_in("/tmp").expect("a temporary directory");
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).expect("a directory");
    let socket = closed.join("s");
    let _listener = UnixListener::bind(&socket).expect("a socket");
    let mode = |mode| fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).expect("a mode");
    mode(0o000);
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    let output = match esker_as_nobody() {
        Some((_home, mut command)) => command.env("PEBBLE_SOCKET", &socket).args(["svc", "list"]).output(),
        None => esker().env("PEBBLE_SOCKET", &socket).args(["svc", "list"]).output(),
    };
    mode(0o700);
    assert_shown!(shown(&output.expect("it runs")), @r#"
    --- stderr
    error: cannot list services on `pebble`: not permitted to open `[DIR]/closed/s`
    hint: run it as root or as the daemon's user
    [exit status: 10]
    "#);
}

#[test]
fn changes_to_nobody_are_not_tried_again() {
    let daemon = Fake::start(|_| Reply::Hangup);
    let output = daemon.esker().args(["svc", "start", "web", "-o", "json"]).output().expect("it runs");
    assert_eq!(daemon.count("/v1/services"), 1, "a change is sent once");
    assert_eq!(kind_and_code(&output), ("unreachable".to_owned(), 10));
    let causes = error_of(&output)["causes"].to_string();
    assert!(causes.contains("nobody knows whether it was done"), "{causes}");
}

/// What a user who may only read can and cannot do.
fn reader(mut esker: impl FnMut(&[&str]) -> Output) {
    for args in [&["start", "web"][..], &["plan"], &["identity", "remove", "bob"], &["signal", "HUP", "web"]] {
        let output = esker(&[&["svc"], args, &["-o", "json"]].concat());
        let error = error_of(&output);
        assert_eq!(
            (&error["kind"], &error["exit_code"], &error["status"]),
            (&json!("forbidden"), &json!(5), &json!(401))
        );
        assert_eq!(
            (&error["provider_kind"], &error["provider_message"]),
            (&json!("login-required"), &json!("access denied"))
        );
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("root")), "{error}");
    }
    for args in [
        &["list"][..],
        &["show", "web"],
        &["check", "list"],
        &["change", "list"],
        &["logs"],
        &["notice", "list"],
        &["identity", "list"],
        &["warning", "list"],
        &["metrics"],
        &["info"],
        &["health"],
    ] {
        let output = esker(&[&["svc"], args].concat());
        assert_eq!(status(&output), "0", "{args:?}: {}", shown(&output));
    }
}

#[test]
fn an_identity_that_may_only_read_is_refused_changes() {
    if peers::pebble().is_none() {
        return;
    }
    let daemon = Daemon::start(&[("base", LAYER)]);
    let user = rustix::process::geteuid().as_raw();
    let me = format!("me: {{access: read, local: {{user-id: {user}}}}}");
    let demoted = esker_on(&daemon).args(["svc", "identity", "add", "--from", "-"]).write_stdin(me).output();
    assert!(demoted.expect("it runs").status.success());
    reader(|args| esker_on(&daemon).args(args).output().expect("it runs"));
}

#[test]
fn a_local_user_without_rights_may_read() {
    let (Some(_), Some((home, command))) = (peers::pebble(), esker_as_nobody()) else { return };
    let daemon = Daemon::start(&[("base", LAYER)]);
    fs::set_permissions(daemon.dir(), fs::Permissions::from_mode(0o755)).expect("a mode");
    reader(|args| {
        let mut command = nobody(command.get_program(), home.path());
        command.env("PEBBLE", daemon.dir()).args(args).output().expect("it runs")
    });
}

#[test]
fn a_daemon_that_fails_at_everything_is_told_apart_from_an_unknown_outcome() {
    let daemon = Fake::start(|_| refused(500, "internal error: state is broken"));
    for (args, is_change) in
        [(&["svc", "list"][..], false), (&["svc", "start", "web"], true), (&["svc", "health"], false)]
    {
        let output = daemon.esker().args(args).args(["-o", "json"]).output().expect("it runs");
        assert_eq!(kind_and_code(&output), ("failure".to_owned(), 1));
        let causes: Vec<Value> = error_of(&output)["causes"].as_array().cloned().expect("an array");
        assert_eq!(causes.contains(&json!("nobody knows whether it was done")), is_change, "{args:?} {causes:?}");
    }
}
