//! `files` against servers whose answers are cut short, garbled or contradict themselves: what is there stays.

use super::{Ended, names};
use crate::support::fake::{Asked, Fake, Reply, refused, sync};
use assert_cmd::Command;
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

const FORM: &str = "multipart/form-data; boundary=B";

/// The part of a form that holds a file, from its boundary on.
fn file(path: &str, content: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{path}\"\r\n\r\n{content}\r\n")
}

/// The part with the verdicts, and the end of the form.
fn response(json: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; name=\"response\"\r\n\r\n{json}\r\n--B--\r\n")
}

fn verdicts(result: Value) -> String {
    response(&json!({"type": "sync", "status-code": 200, "result": result}).to_string())
}

/// A whole answer of this type.
fn typed(kind: &str, body: &str) -> Reply {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
    Reply::Raw((head + body).into_bytes())
}

/// An answer of this type whose connection ends before it does.
fn cut(body: &str) -> Reply {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n");
    Reply::Raw(format!("{head}{:x}\r\n{body}\r\n", body.len()).into_bytes())
}

fn what(reply: &Reply) -> String {
    match reply {
        Reply::Raw(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    }
}

fn entry(name: &str, path: &str, kind: &str) -> Value {
    json!({"path": path, "name": name, "type": kind, "size": 3, "permissions": "644"})
}

/// A server that has a file `/f` and a directory `/out` with the files `a` and `b`, and `answer`s what else it is asked.
fn server(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Fake {
    Fake::start(move |asked| {
        let has = |words: &str| asked.query.contains(words);
        if !has("action=list") {
            answer(asked)
        } else if has("new") {
            sync(json!([]))
        } else if has("pattern=out") || has("itself=true") && has("out") {
            sync(json!([entry("out", "/out", "directory")]))
        } else if has("pattern=") || has("itself=true") {
            sync(json!([entry("f", "/f", "file")]))
        } else {
            sync(json!([entry("a", "/out/a", "file"), entry("b", "/out/b", "file")]))
        }
    })
}

/// `esker files`, where `precious`, `out/a` and `out/b` are old.
fn files(server: &Fake, args: &[&str]) -> (TempDir, Ended) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("out")).unwrap();
    for name in ["precious", "out/a", "out/b"] {
        fs::write(dir.path().join(name), "old").unwrap();
    }
    let mut command: Command = server.esker();
    let ended = Ended::of(command.current_dir(dir.path()).arg("files").args(args));
    (dir, ended)
}

#[test]
fn an_answer_that_is_not_whole_replaces_nothing() {
    let part = file("/f", "new");
    let ok = verdicts(json!([{"path": "/f"}]));
    let no = |kind: &str| json!([{"path": "/f", "error": {"message": "read /f: input/output error", "kind": kind}}]);
    let form = |body: String| typed(FORM, &body);
    let cases: Vec<(Reply, i32, &str)> = vec![
        // Cut off by the connection, at every place that differs.
        (cut(""), 10, ""),
        (cut(&part[..part.len() - 4]), 10, "lost the connection"),
        (cut(&part), 10, "lost the connection"),
        (cut(&(part.clone() + &ok[..3])), 10, "lost the connection"),
        (cut(&(part.clone() + &ok[..ok.len() - 20])), 10, "lost the connection"),
        // Complete as far as HTTP can tell.
        (form(String::new()), 10, "ended early"),
        (form(part[..part.len() - 4].to_owned()), 10, "ended early"),
        (form(part.clone()), 10, "ended early"),
        (form(part.clone() + "--B--\r\n"), 1, "not followed by a verdict"),
        (form(part.clone() + &response("")), 1, ""),
        (form(part.clone() + &response("<html>")), 1, ""),
        (form(part.clone() + &response("{}")), 1, ""),
        (form(part.clone() + &verdicts(json!([]))), 1, "says nothing about it"),
        (form(part.clone() + &verdicts(json!({}))), 1, ""),
        (form(part.clone() + &part + &ok), 1, "not followed by a verdict"),
        (form(ok.clone()), 1, "no content"),
        (form(file("/g", "new") + &ok), 1, "something else"),
        // The verdict takes back what was sent.
        (form(part.clone() + &verdicts(no("generic-file-error"))), 8, "input/output error"),
        (form(part.clone() + &verdicts(no("permission-denied"))), 5, "input/output error"),
        (form(part.clone() + &verdicts(no("not-found"))), 6, "input/output error"),
        (form(part.clone() + &verdicts(no("of a later version"))), 8, "input/output error"),
        // No form at all.
        (typed("text/html", "<html>"), 1, "not a multipart form"),
        (typed("multipart/form-data", &(part.clone() + &ok)), 1, "not a multipart form"),
        (typed("application/json", "{\"type\":\"sync\",\"result\":[]}"), 1, "not a multipart form"),
        (Reply::Text(200, "garbage".to_owned()), 1, "not a multipart form"),
        (refused(500, "internal error"), 1, "internal error"),
        (refused(503, "busy"), 13, "busy"),
    ];
    for (reply, code, says) in cases {
        let answer = reply.clone();
        let server = server(move |_| answer.clone());
        for (args, is_copy) in [(&["cp", ":/f", "precious"][..], true), (&["cat", ":/f"], false)] {
            let (dir, ended) = files(&server, args);
            let shown = format!("{args:?} {}", what(&reply));
            assert_eq!(ended.code, Some(code), "{shown}: {}", ended.err);
            assert!(ended.err.contains(says), "{shown}: {says:?} is not in {}", ended.err);
            assert!(!is_copy || ended.out.is_empty());
            assert_eq!(fs::read_to_string(dir.path().join("precious")).unwrap(), "old", "{shown}");
            assert_eq!(names(dir.path()), ["out", "precious"], "{shown}");
        }
    }
}

#[test]
fn content_that_looks_like_a_boundary_is_content() {
    for content in ["\r\n--", "\r\n--\r\n--A\r\n\r--B\n--B\r\n", "--B", "\r\n-\r\n-", "\r", ""] {
        let body = file("/f", content) + &verdicts(json!([{"path": "/f"}]));
        let server = server(move |_| typed(FORM, &body));
        let (dir, ended) = files(&server, &["cp", ":/f", "precious"]);
        ended.ok();
        assert_eq!(fs::read_to_string(dir.path().join("precious")).unwrap(), content);
    }
}

#[test]
fn of_several_files_only_those_with_a_verdict_are_replaced() {
    let (a, b) = (file("/out/a", "new"), file("/out/b", "new"));
    let bad = json!({"message": "read /out/b: input/output error", "kind": "generic-file-error"});
    let half = verdicts(json!([{"path": "/out/a"}, {"path": "/out/b", "error": bad}]));
    let cases = [
        // a, b, and what was asked for.
        (typed(FORM, &(a.clone() + &b + &half)), "new", 12),
        (typed(FORM, &(a.clone() + &b + &verdicts(json!([{"path": "/out/a"}])))), "new", 12),
        (typed(FORM, &(a.clone() + &verdicts(json!([{"path": "/out/a"}, {"path": "/out/b"}])))), "new", 12),
        (cut(&a), "old", 10),
        (cut(&(a.clone() + &b[..b.len() - 5])), "old", 10),
        (typed(FORM, &(a.clone() + &b + "--B--\r\n")), "old", 1),
        (typed(FORM, &(a.clone() + &file("/out/c", "new"))), "old", 1),
    ];
    for (reply, first, code) in cases {
        let answer = reply.clone();
        let server = server(move |_| answer.clone());
        let (dir, ended) = files(&server, &["cp", "-r", ":/out", "."]);
        let shown = format!("{}: {}", what(&reply), ended.err);
        let content = |name: &str| fs::read_to_string(dir.path().join("out").join(name)).unwrap();
        assert_eq!((content("a").as_str(), content("b").as_str()), (first, "old"), "{shown}");
        assert_eq!(names(&dir.path().join("out")), ["a", "b"], "{shown}");
        assert!(ended.code == Some(12) || ended.code == Some(code), "{:?} {shown}", ended.code);
    }
}

#[test]
fn a_write_without_a_verdict_is_no_success() {
    let bad = json!({"path": "/out/b", "error": {"message": "disk quota exceeded", "kind": "generic-file-error"}});
    let cases = [
        (sync(json!([])), &["cp", "precious", ":/f"][..], 1, "says nothing about it"),
        (sync(json!([bad])), &["cp", "precious", ":/f"], 8, "disk quota exceeded"),
        (sync(json!([{"path": "/out/a"}, bad])), &["cp", "-r", "out", ":/new"], 12, "disk quota exceeded"),
        (sync(json!([{"path": "/out/a"}])), &["cp", "-r", "out", ":/new"], 12, "says nothing about it"),
        (sync(json!([])), &["cp", "-r", "out", ":/new"], 1, "says nothing about it"),
        (Reply::Text(200, "<html>".to_owned()), &["cp", "precious", ":/f"], 1, ""),
        (sync(json!(null)), &["cp", "precious", ":/f"], 1, ""),
        (refused(400, "no metadata for path"), &["cp", "precious", ":/f"], 8, "no metadata for path"),
        (refused(503, "busy"), &["cp", "precious", ":/f"], 13, "busy"),
        (Reply::Hangup, &["cp", "precious", ":/f"], 10, ""),
        (sync(json!([])), &["mkdir", ":/out/x"], 1, "says nothing about it"),
        (sync(json!([bad])), &["mkdir", ":/out/x"], 8, "disk quota exceeded"),
        (sync(json!([])), &["rm", ":/f"], 1, "says nothing about it"),
        (sync(json!([bad])), &["rm", ":/f"], 8, "disk quota exceeded"),
        (sync(json!([{"path": "/out/a"}, bad])), &["rm", ":/out/a", ":/out/b"], 12, "disk quota exceeded"),
        (Reply::Hangup, &["rm", ":/f"], 10, ""),
    ];
    for (reply, args, code, says) in cases {
        let answer = reply.clone();
        let made = sync(json!([{"path": "/new"}]));
        let is_tree = args[0] == "cp" && args[1] == "-r";
        let server = server(move |asked| if is_tree && !asked.is_form { made.clone() } else { answer.clone() });
        let (_dir, ended) = files(&server, args);
        assert_eq!(ended.code, Some(code), "{args:?} {reply:?}: {}", ended.err);
        assert!(ended.err.contains(says), "{args:?} {reply:?}: {}", ended.err);
        let posts = server.asked().iter().filter(|asked| asked.method == "POST").count();
        assert_eq!(posts, 1 + usize::from(is_tree), "a change is sent once: {args:?} {reply:?}");
    }
}

#[test]
fn a_listing_that_is_not_whole_is_no_listing() {
    let whole =
        json!({"type": "sync", "result": [entry("a", "/out/a", "file"), entry("b", "/out/b", "file")]}).to_string();
    let cut_short = whole[..whole.len() - 2].to_owned();
    let replies = [
        (Reply::Cut(whole.clone()), 10),
        (Reply::Cut(cut_short.clone()), 10),
        (Reply::Text(200, cut_short), 1),
        (Reply::Text(200, "<html>".to_owned()), 1),
        (Reply::Text(200, whole.replace("\"name\":\"b\"", "\"name\":2")), 1),
        (sync(json!({"a": 1})), 1),
        (refused(503, "busy"), 13),
    ];
    for (reply, code) in replies {
        let answer = reply.clone();
        let server = Fake::start(move |_| answer.clone());
        for args in [&["ls", ":/out", "-o", "json"][..], &["cp", "-r", ":/out", "."]] {
            let (dir, ended) = files(&server, args);
            assert_eq!(ended.code, Some(code), "{args:?} {reply:?}: {}", ended.err);
            assert_eq!(String::from_utf8_lossy(&ended.out), "", "{args:?} {reply:?}");
            assert_eq!(names(&dir.path().join("out")), ["a", "b"]);
        }
    }
}
