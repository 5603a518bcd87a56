//! Bytes in, bytes out: nothing is added, lost or mixed.

use super::{by_hand, daemon, exec, stderr, stdout};
use crate::support::esker;
use crate::support::process::{Running, gone};
use std::io::Write;

/// Bytes that are no text: every value, NUL and invalid UTF-8 included, in no short period.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn arguments_arrive_byte_for_byte() {
    let Some(daemon) = daemon() else { return };
    let words = ["", " ", "a b", "\"'`$HOME\\", "two\nlines", "--", "-t", "é\u{1F600}", "*", ""];
    let run = exec(&daemon, &[&["--", "printf", "<%s>"], words.as_slice()].concat()).code(0);
    assert_eq!(stdout(&run), words.map(|word| format!("<{word}>")).concat());
}

#[test]
fn an_argument_that_json_cannot_carry_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let Some(daemon) = daemon() else { return };
    let bytes = std::ffi::OsStr::from_bytes(b"\xff");
    let run = esker().env("PEBBLE", daemon.dir()).args(["exec", "--", "echo"]).arg(bytes).assert().code(125).stdout("");
    assert!(stderr(&run).contains("not UTF-8"), "{}", stderr(&run));
}

#[test]
fn the_two_streams_stay_apart() {
    let Some(daemon) = daemon() else { return };
    let script = "for i in 1 2 3; do echo out$i; echo err$i >&2; done; printf tail; printf end >&2";
    exec(&daemon, &["--", "sh", "-c", script]).code(0).stdout("out1\nout2\nout3\ntail").stderr("err1\nerr2\nerr3\nend");
}

#[test]
fn bytes_of_any_kind_pass_both_ways_unchanged() {
    let Some(daemon) = daemon() else { return };
    for length in [0, 1, 200_000, 64 << 20] {
        let bytes = noise(length);
        let run = esker().env("PEBBLE", daemon.dir()).args(["exec", "--", "cat"]).write_stdin(bytes.clone()).assert();
        let output = run.code(0).stderr("").get_output().stdout.clone();
        assert!(output == bytes, "{length} bytes came back as {} others", output.len());
    }
}

#[test]
fn stderr_holds_as_much_as_stdout() {
    let Some(daemon) = daemon() else { return };
    let bytes = noise(4 << 20);
    let run = esker()
        .env("PEBBLE", daemon.dir())
        .args(["exec", "--", "sh", "-c", "tee /dev/stderr"])
        .write_stdin(bytes.clone())
        .assert();
    let output = run.code(0).get_output().clone();
    assert!(output.stdout == bytes && output.stderr == bytes);
}

#[test]
fn a_file_is_read_from_where_it_stands() {
    use std::io::{Seek, SeekFrom};
    let Some(daemon) = daemon() else { return };
    let path = daemon.dir().join("input");
    std::fs::write(&path, b"skip this").unwrap();
    let mut file = std::fs::File::open(&path).unwrap();
    file.seek(SeekFrom::Start(5)).unwrap();
    let output = by_hand(&daemon, &["--", "cat"]).stdin(file).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), b"this".as_slice()));
}

#[test]
fn a_stdin_that_is_off_is_empty() {
    let Some(daemon) = daemon() else { return };
    let mut command = esker();
    command.env("PEBBLE", daemon.dir()).args(["exec", "-I", "--", "cat"]).write_stdin("not for you");
    command.assert().code(0).stdout("");
}

#[test]
fn a_stdin_that_stays_open_delays_nothing() {
    let Some(daemon) = daemon() else { return };
    let mut running = Running::start(by_hand(&daemon, &["--", "sh", "-c", "exit 5"]));
    assert_eq!(running.wait(), (5, String::new()));
}

#[test]
fn a_stdin_that_nobody_reads_delays_nothing() {
    let Some(daemon) = daemon() else { return };
    let mut command = esker();
    command.env("PEBBLE", daemon.dir()).args(["exec", "--", "sh", "-c", "exit 6"]).write_stdin(noise(8 << 20));
    command.assert().code(6).stderr("");
}

#[test]
fn a_dialogue_is_answered_line_by_line() {
    let Some(daemon) = daemon() else { return };
    let script = "while read -r line; do echo \"got $line\"; done; echo bye";
    let mut running = Running::start(by_hand(&daemon, &["--", "sh", "-c", script]));
    for word in ["one", "two"] {
        writeln!(running.0.stdin.as_mut().unwrap(), "{word}").unwrap();
        assert_eq!(running.line(), format!("got {word}"));
    }
    drop(running.0.stdin.take());
    assert_eq!(running.line(), "bye");
    assert_eq!(running.end(), (0, String::new()));
}

#[test]
fn a_reader_that_leaves_ends_it_all_in_silence() {
    let Some(daemon) = daemon() else { return };
    let mut running = Running::start(by_hand(&daemon, &["--", "sh", "-c", "echo $$; exec yes"]));
    let pid = running.line().parse().unwrap();
    drop(running.0.stdout.take());
    assert_eq!(running.end(), (0, String::new()));
    assert!(gone(pid), "the program goes on for nobody");
}

#[test]
fn the_environment_is_added_to_and_the_directory_is_taken() {
    let Some(daemon) = daemon() else { return };
    let script = "echo \"$A|$B|$COPIED|${PATH:+path}\"; pwd";
    let run = esker()
        .env("PEBBLE", daemon.dir())
        .env("COPIED", "from here")
        .args(["exec", "--env", "A=1", "--env", "B=x=y", "--env", "COPIED", "-w", "/usr", "--", "sh", "-c", script])
        .assert()
        .code(0);
    assert_eq!(stdout(&run), "1|x=y|from here|path\n/usr\n");
}

#[test]
fn a_service_lends_its_surroundings() {
    use crate::support::{daemon::Daemon, peers};
    if peers::pebble().is_none() {
        return;
    }
    let layer = "services: {web: {override: replace, command: sleep 1, working-dir: /usr, environment: {A: web}}}";
    let daemon = Daemon::start(&[("base", layer)]);
    let run = exec(&daemon, &["--context", "web", "--env", "B=ours", "--", "sh", "-c", "echo $A $B; pwd"]).code(0);
    assert_eq!(stdout(&run), "web ours\n/usr\n");
}

#[test]
fn another_user_runs_it_where_the_daemon_may_switch() {
    let Some(daemon) = daemon() else { return };
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for user in ["65534:65534", "nobody"] {
        let run = exec(&daemon, &["-u", user, "-w", "/", "--", "id", "-u"]).code(0);
        assert_eq!(stdout(&run), "65534\n", "{user}");
    }
}

#[test]
fn the_result_is_a_document_where_that_is_asked_for() {
    let Some(daemon) = daemon() else { return };
    let script = "echo out; echo err >&2; exit 3";
    let run = exec(&daemon, &["-o", "json", "--", "sh", "-c", script]).code(3).stderr("");
    let document: serde_json::Value = serde_json::from_str(&stdout(&run)).unwrap();
    let keys = ["provider", "target", "stdout", "stderr", "exit_code", "signal", "operation_id", "duration_seconds"];
    assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
    assert_eq!(
        (&document["stdout"], &document["stderr"], &document["exit_code"], &document["target"]),
        (&"out\n".into(), &"err\n".into(), &3.into(), &"pebble".into())
    );
    let run = exec(&daemon, &["-o", "json", "--", "printf", "\\377"]).code(0);
    let document: serde_json::Value = serde_json::from_str(&stdout(&run)).unwrap();
    assert_eq!((&document["stdout"], &document["stdout_base64"]), (&serde_json::Value::Null, &"/w==".into()));
    let run = exec(&daemon, &["-o", "yaml", "--", "echo", "no"]).code(0);
    assert!(stdout(&run).contains("stdout: \"no\\n\"\n"), "{}", stdout(&run));
}

#[test]
fn the_result_is_events_as_they_come() {
    let Some(daemon) = daemon() else { return };
    let run = exec(&daemon, &["-o", "jsonl", "--", "sh", "-c", "echo out; echo err >&2; exit 3"]).code(3);
    let mut events: Vec<serde_json::Value> =
        stdout(&run).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = events.pop().unwrap();
    assert_eq!((&last["type"], &last["exit_code"], &last["target"]), (&"result".into(), &3.into(), &"pebble".into()));
    // The two streams are two connections: which is heard first is nobody's promise.
    events.sort_by_key(|event| event["type"].to_string());
    let pieces: Vec<_> = events.iter().map(|event| (event["type"].as_str(), event["data"].as_str())).collect();
    assert_eq!(pieces, [(Some("stderr"), Some("err\n")), (Some("stdout"), Some("out\n"))]);
}

#[test]
fn a_format_from_the_environment_leaves_the_bytes_alone() {
    let Some(daemon) = daemon() else { return };
    let run =
        esker().env("PEBBLE", daemon.dir()).env("ESKER_OUTPUT", "json").args(["exec", "--", "echo", "hi"]).assert();
    run.code(0).stdout("hi\n");
}

#[test]
fn an_error_is_an_object_where_the_result_is_a_document() {
    let Some(daemon) = daemon() else { return };
    let run = exec(&daemon, &["-o", "json", "--", "surely-not-there"]).code(127);
    let error: serde_json::Value = serde_json::from_str(stderr(&run).lines().last().unwrap()).unwrap();
    assert_eq!((&error["error"]["kind"], &error["error"]["exit_code"]), (&"not_found".into(), &127.into()));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&stdout(&run)).unwrap()["exit_code"], 127);
}
