//! `checkpoint` on Sprites, against a server that says what production was recorded to say, and what it should not.

use crate::support::scripted::{Asked, Scripted, chunks, json, text};
use crate::support::shown::shown;
use crate::support::{error_of, shown::assert_shown};
use esker::transport::server::Response;
use serde_json::{Value, json as value};

/// The recorded texts of a checkpoint that is made (section 2.4).
const CREATED: [&str; 10] = [
    r#"{"type":"info","data":"Creating checkpoint...","time":"2026-01-31T12:20:23.123456789Z"}"#,
    r#"{"type":"info","data":"Checkpoint created successfully","time":"2026-01-31T12:20:24.1Z"}"#,
    r#"{"type":"info","data":"\nCheckpoint Details:","time":"2026-01-31T12:20:24.1Z"}"#,
    r#"{"type":"info","data":"  ID: v1","time":"2026-01-31T12:20:24.1Z"}"#,
    r#"{"type":"info","data":"  Created: 2026-01-31 12:20:24","time":"2026-01-31T12:20:24.1Z"}"#,
    r#"{"type":"info","data":"  Path: checkpoints/v1","time":"2026-01-31T12:20:24.1Z"}"#,
    r#"{"type":"info","data":"\nTo restore this checkpoint:","time":"2026-01-31T12:20:24.1Z"}"#,
    r#"{"type":"info","data":"  sprite checkpoint restore v1","time":"2026-01-31T12:20:24.1Z"}"#,
    r#"{"type":"info","data":"  curl -X POST ...","time":"2026-01-31T12:20:24.1Z"}"#,
    r#"{"type":"complete","data":"Checkpoint v1 created successfully","time":"2026-01-31T12:20:24.2Z"}"#,
];

fn v1() -> Value {
    value!({
        "id": "v1", "create_time": "2026-01-31T12:20:24.1Z", "comment": "before", "history": ["v0"],
        "is_auto": false, "source_id": "v0", "size": 7,
    })
}

/// The lines of a stream as one text.
fn lines(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

fn whole(text: &str) -> Response {
    chunks([text.as_bytes().to_vec()], false)
}

/// A server that makes a checkpoint with this stream.
fn making(stream: impl Fn() -> Response + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |asked| match asked.line().as_str() {
        "POST /v1/sprites/dev/checkpoint" => stream(),
        "GET /v1/sprites/dev/checkpoints/v1" => json(200, &v1()),
        _ => text(404, "no such thing"),
    })
}

fn run(server: &Scripted, arguments: &[&str]) -> std::process::Output {
    server.esker().args(["checkpoint"]).args(arguments).args(["--target", "sprites/dev"]).output().unwrap()
}

#[test]
fn what_is_made_is_named() {
    let server = making(|| whole(&lines(&CREATED)));
    assert_shown!(shown(&run(&server, &["create", "--comment", "before"])), @r"
    --- stderr
    created checkpoint `v1` of `sprites/dev`
    [exit status: 0]
    ");
    assert_eq!(server.asked()[0].json(), value!({"comment": "before"}));
    assert_eq!(server.asked()[0].token.as_deref(), Some("org/1/2/s3cret"));
    assert_shown!(shown(&run(&server, &["create", "-q", "-o", "name"])), @r"
    v1
    [exit status: 0]
    ");
    assert_shown!(shown(&run(&server, &["create", "-q", "-o", "json"])), @r#"
    {
      "provider": "sprites",
      "target": "sprites/dev",
      "id": "v1",
      "comment": "before",
      "created_at": "[TIME+]",
      "expires_at": null,
      "auto": false,
      "source_id": "v0",
      "history": [
        "v0"
      ],
      "health": null,
      "extra": {
        "size": 7
      }
    }
    [exit status: 0]
    "#);
}

#[test]
fn messages_are_relayed_with_the_seeds_five_names_and_end_with_a_result() {
    let server = making(|| whole(&lines(&CREATED)));
    let output = run(&server, &["create", "-o", "jsonl"]);
    let events: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), CREATED.len() + 1);
    assert_eq!(
        events[3],
        value!({
            "type": "checkpoint.info", "provider": "sprites", "target": "sprites/dev",
            "data": {
                "type": "info", "data": "  ID: v1", "time": "2026-01-31T12:20:24.1Z", "message": "ID: v1", "error": null,
            },
        })
    );
    assert_eq!(events[9]["type"], "checkpoint.complete");
    assert_eq!((events[10]["type"].as_str(), events[10]["id"].as_str()), (Some("result"), Some("v1")));
}

#[test]
fn a_stream_is_read_however_it_is_cut_into_pieces() {
    let text = lines(&CREATED);
    let long = format!(r#"{{"type":"info","data":"{}"}}"#, "x".repeat(1 << 20));
    let variants: Vec<Vec<Vec<u8>>> = vec![
        // 48: split at odd bytes, no final newline, CRLF and blank lines, a line of a megabyte, a malformed line in the
        // middle. 55: an unknown type.
        text.bytes().map(|byte| vec![byte]).collect(),
        vec![text.trim_end().as_bytes().to_vec()],
        vec![text.replace('\n', "\r\n\r\n").into_bytes()],
        vec![format!("{long}\n{text}").into_bytes()],
        vec![text.replacen('\n', "\n{not json\n", 2).into_bytes()],
        vec![format!("{{\"type\":\"novelty\",\"data\":{{\"a\":1}}}}\n{{}}\n{text}").into_bytes()],
    ];
    for variant in variants {
        let about = String::from_utf8_lossy(&variant.concat()).chars().take(60).collect::<String>();
        let server = making(move || chunks(variant.clone(), false));
        let output = run(&server, &["create", "-o", "name"]);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"v1\n"[..]), "{about} {output:?}");
    }
}

#[test]
fn a_malformed_line_is_a_warning() {
    let server = making(|| whole(&lines(&CREATED).replacen('\n', "\n{\"type\":\n", 1)));
    assert_shown!(shown(&run(&server, &["create"])), @r#"
    --- stderr
    warning: a line of the stream cannot be read: {"type":
    created checkpoint `v1` of `sprites/dev`
    [exit status: 0]
    "#);
}

#[test]
fn without_complete_it_failed_and_may_be_there() {
    // 49.
    let server = making(|| whole(&lines(&CREATED[..9])));
    assert_shown!(shown(&run(&server, &["create"])), @r"
    --- stderr
    error: cannot create a checkpoint of `dev` on `sprites`: the stream ended before it was complete
    cause: nobody knows whether it was done
    hint: `esker checkpoint list --target sprites/dev` tells what became of it
    [exit status: 1]
    ");
    let server = making(|| chunks([lines(&CREATED[..4]).into_bytes()], true));
    let output = run(&server, &["create", "-o", "json"]);
    assert_eq!(output.status.code(), Some(10));
    let error = error_of(&output);
    assert_eq!(error["hint"], "`esker checkpoint list --target sprites/dev` tells what became of it");
    assert_eq!(server.lines().len(), 1, "what may have been done is not done again");
}

#[test]
fn an_error_line_in_a_stream_of_status_200_is_a_failure() {
    // 50: even if the stream says that it is complete.
    let told = [CREATED[0], r#"{"type":"error","error":"disk is full"}"#, CREATED[9]];
    let server = making(move || whole(&lines(&told)));
    assert_shown!(shown(&run(&server, &["create"])), @r"
    --- stderr
    error: cannot create a checkpoint of `dev` on `sprites`: disk is full
    cause: nobody knows whether it was done
    hint: `esker checkpoint list --target sprites/dev` tells what became of it
    [exit status: 1]
    ");
}

#[test]
fn the_id_is_found_wherever_it_is_told() {
    let server = making(|| whole(&lines(&CREATED[9..])));
    assert_eq!(run(&server, &["create", "-o", "name"]).stdout, b"v1\n");
    // Nowhere: the newest of the list that is no older than the stream.
    let server = Scripted::start(|asked| match asked.line().as_str() {
        "POST /v1/sprites/dev/checkpoint" => {
            whole(&lines(&[CREATED[0], r#"{"type":"complete","data":"done","time":"2026-01-31T12:20:24Z"}"#]))
        }
        "GET /v1/sprites/dev/checkpoints" => {
            let mut old = v1();
            old["id"] = "v0".into();
            old["create_time"] = "2026-01-31T12:20:20Z".into();
            json(200, &value!([{"id": "Current", "create_time": "2026-01-31T12:20:25Z", "is_auto": false}, v1(), old]))
        }
        _ => text(404, "no such thing"),
    });
    assert_eq!(run(&server, &["create", "--comment", "before", "-o", "name"]).stdout, b"v1\n");
}

#[test]
fn a_comment_arrives_byte_for_byte() {
    // 54.
    let server = making(|| whole(&lines(&CREATED)));
    let comment = "\"quoted\" \\ new\nline ü 🙂";
    assert_eq!(run(&server, &["create", "--comment", comment]).status.code(), Some(0));
    assert_eq!(server.asked()[0].json(), value!({ "comment": comment }));
}

#[test]
fn a_sandbox_that_wakes_up_is_asked_again_and_a_lost_gateway_is_not() {
    let waking = |status: u16| {
        Scripted::start(move |asked: &Asked| match (asked.line().as_str(), asked.nth) {
            ("POST /v1/sprites/dev/checkpoint", 0) => text(status, "Storage not ready"),
            ("POST /v1/sprites/dev/checkpoint", _) => whole(&lines(&CREATED)),
            _ => json(200, &v1()),
        })
    };
    let server = waking(503);
    assert_eq!(run(&server, &["create"]).status.code(), Some(0));
    assert_eq!(server.lines().len(), 3);
    // After a 502 nobody knows whether one is made already.
    let server = waking(502);
    let output = run(&server, &["create", "-o", "json"]);
    assert_eq!((output.status.code(), server.lines().len()), (Some(13), 1));
    assert_eq!(error_of(&output)["hint"], "`esker checkpoint list --target sprites/dev` tells what became of it");
}

#[test]
fn what_this_wire_lacks_is_refused_before_anything_is_sent() {
    let server = making(|| whole(&lines(&CREATED)));
    for (arguments, feature) in [
        (&["create", "--no-wait"][..], "checkpoint.operation"),
        (&["create", "--expires", "2d"], "checkpoint.expiry"),
        (&["create", "--expires", "never"], "checkpoint.expiry"),
        (&["restore", "v1", "--to", "copy"], "checkpoint.clone"),
    ] {
        let output = run(&server, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(11), "{stderr}");
        assert!(stderr.contains(feature), "{stderr}");
    }
    assert!(server.lines().is_empty());
}

/// A server with a list; `history` is answered by `search`.
fn listing(search: impl Fn() -> Response + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |asked| {
        let current =
            value!({"id": "Current", "create_time": "2026-02-01T00:00:00Z", "is_auto": false, "history": ["v0", "v1"]});
        let auto =
            value!({"id": "auto-3", "create_time": "2026-01-31T12:30:00Z", "is_auto": true, "history": ["v0", "v1"]});
        let broken = value!({"id": "v0", "create_time": "", "is_auto": false, "health": "mount_failed", "history": []});
        match (asked.line().as_str(), asked.query.as_str()) {
            ("GET /v1/sprites/dev/checkpoints", "") => json(200, &value!([current, v1(), broken])),
            ("GET /v1/sprites/dev/checkpoints", "includeAuto=true") => {
                json(200, &value!([current, auto, v1(), broken]))
            }
            ("GET /v1/sprites/dev/checkpoints", _) => search(),
            ("GET /v1/sprites/dev/checkpoints/v1", _) => json(200, &v1()),
            (line, _) => {
                let id = line.rsplit('/').next().unwrap_or_default();
                text(500, &format!("Failed to get checkpoint: checkpoint with path checkpoints/{id} not found"))
            }
        }
    })
}

#[test]
fn a_list_holds_what_can_be_gone_back_to() {
    let server = listing(|| json(200, &value!([])));
    assert_shown!(shown(&run(&server, &["list"])), @r"
    ID  CREATED               SOURCE  HEALTH        COMMENT
    v1  [TIME]  v0      -             before
    v0  -                     -       mount_failed  -
    [exit status: 0]
    ");
    assert_eq!(run(&server, &["ls", "--include-auto", "-o", "name"]).stdout, b"auto-3\nv1\nv0\n");
}

#[test]
fn history_is_read_as_text_as_json_and_by_hand() {
    // 53: production answers with lines of a search.
    let server = listing(|| text(200, "v1: checkpoints/v1/meta: v0\nv1: again\n\nno colon\n"));
    assert_eq!(run(&server, &["list", "--history", "v0", "-o", "name"]).stdout, b"v1\n");
    assert_eq!(server.asked()[0].query, "history=v0");
    let server = listing(|| json(200, &value!([v1()])));
    assert_eq!(run(&server, &["list", "--history", "v0", "-o", "name"]).stdout, b"v1\n");
    // A server that does not know the parameter answers with everything, an older one with nothing.
    let server = listing(|| json(200, &value!([v1(), {"id": "v9", "history": []}])));
    assert_eq!(run(&server, &["list", "--history", "v0", "-o", "name"]).stdout, b"v1\n");
    let server = listing(|| text(200, ""));
    assert_eq!(run(&server, &["list", "--history", "v0", "-o", "name"]).stdout, b"v1\n");
    let output = run(&server, &["list", "--history", "v7", "-o", "json"]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"[]\n"[..]));
}

#[test]
fn an_unknown_checkpoint_is_not_found_whatever_the_status_says() {
    // 52: 500, as text.
    let server = listing(|| json(200, &value!([])));
    assert_shown!(shown(&run(&server, &["show", "v9"])), @r"
    --- stderr
    error: cannot find checkpoint `v9` of `dev` on `sprites`: Failed to get checkpoint: checkpoint with path checkpoints/v9 not found
    hint: `esker checkpoint list --target sprites/dev` shows all
    [exit status: 6]
    ");
    let output = run(&server, &["show", "v1", "-o", "json"]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["source_id"], &shown["history"]), (&value!("v0"), &value!(["v0"])));
}

const RESTORED: [&str; 3] = [
    r#"{"type":"info","data":"Restoring from checkpoint v1..."}"#,
    r#"{"type":"info","data":"Container components started successfully"}"#,
    r#"{"type":"complete","data":"Restore from v1 complete"}"#,
];

fn restoring() -> Scripted {
    Scripted::start(|asked| match (asked.line().as_str(), asked.nth) {
        ("POST /v1/sprites/dev/checkpoints/v1/restore", _) => whole(&lines(&RESTORED)),
        ("POST /v1/sprites/dev/checkpoints/v9/restore", _) => whole(&lines(&[
            RESTORED[0],
            r#"{"type":"error","error":"Failed to restore checkpoint: checkpoint with path checkpoints/v9 not found"}"#,
        ])),
        ("GET /v1/sprites/dev/exec", 0) => text(502, "Bad gateway"),
        ("GET /v1/sprites/dev/exec", 1) => text(503, "Process not ready"),
        ("GET /v1/sprites/dev/exec", _) => json(200, &value!({"count": 0, "sessions": []})),
        _ => text(404, "no such thing"),
    })
}

#[test]
fn a_restore_is_done_once_the_sandbox_answers_again() {
    let server = restoring();
    assert_shown!(shown(&run(&server, &["restore", "v1", "--confirm", "sprites/dev"])), @r"
    --- stderr
    restored `v1` on `sprites/dev`
    [exit status: 0]
    ");
    let asked = server.lines().iter().filter(|line| *line == "GET /v1/sprites/dev/exec").count();
    assert_eq!(asked, 3);
    let output = run(&server, &["restore", "v1", "--confirm", "sprites/dev", "-q", "-o", "jsonl"]);
    let last = String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned();
    assert_eq!(
        last,
        r#"{"type":"result","provider":"sprites","target":"sprites/dev","checkpoint":"v1","machine":"dev"}"#
    );
}

#[test]
fn a_restore_wants_the_name_of_what_is_lost() {
    let server = restoring();
    for arguments in [&["restore", "v1"][..], &["restore", "v1", "--yes"], &["restore", "v1", "--confirm", "dev"]] {
        assert_eq!(run(&server, arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert!(server.lines().is_empty());
    assert_shown!(shown(&run(&server, &["restore", "v1"])), @r"
    --- stderr
    error: refusing to restore `v1` over the state of `sprites/dev` without confirmation (stdin is not a terminal)
    hint: pass --confirm sprites/dev
    [exit status: 2]
    ");
}

#[test]
fn the_restore_of_an_unknown_checkpoint_is_not_found() {
    // 51: 200, an error line, and no complete.
    let server = restoring();
    let output = run(&server, &["restore", "v9", "--confirm", "sprites/dev"]);
    assert_shown!(shown(&output), @r"
    --- stderr
    error: cannot restore checkpoint `v9` of `dev` on `sprites`: Failed to restore checkpoint: checkpoint with path checkpoints/v9 not found
    hint: `esker checkpoint list --target sprites/dev` shows all
    [exit status: 6]
    ");
}

#[test]
fn each_of_several_is_deleted_and_each_failure_is_named() {
    let server = Scripted::start(|asked| match asked.line().as_str() {
        "DELETE /v1/sprites/dev/checkpoints/v1" => text(204, ""),
        "DELETE /v1/sprites/dev/checkpoints/a%2Fb" => text(204, ""),
        "DELETE /v1/sprites/dev/checkpoints/v2" => json(409, &value!({"error": "checkpoint is active"})),
        _ => json(404, &value!({"error": "checkpoint not found"})),
    });
    assert_eq!(run(&server, &["delete", "v1"]).status.code(), Some(2));
    assert!(server.lines().is_empty());
    assert_shown!(shown(&run(&server, &["rm", "v1", "a/b", "--yes"])), @r"
    --- stderr
    deleted checkpoint `v1` of `sprites/dev`
    deleted checkpoint `a/b` of `sprites/dev`
    [exit status: 0]
    ");
    assert_eq!(run(&server, &["delete", "v2", "--yes"]).status.code(), Some(7));
    assert_eq!(run(&server, &["delete", "v3", "--yes"]).status.code(), Some(6));
    assert_eq!(run(&server, &["delete", "Current", "--yes"]).status.code(), Some(7));
    let output = run(&server, &["delete", "v1", "v3", "--yes", "-o", "json"]);
    assert_eq!(output.status.code(), Some(12));
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["name"]), (1, &value!("v1")));
}
