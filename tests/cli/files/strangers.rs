//! Servers and neighbours that mean no good: nothing leads out of the destination.

use super::{Bench, names};
use crate::support::esker;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// A server that answers every listing with `entries`, and every read with the same content.
fn liar(socket: &Path, entries: &str) {
    let listener = UnixListener::bind(socket).unwrap();
    let entries = entries.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, entries) = (stream.unwrap(), entries.clone());
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while let Some(Ok(request)) = lines.next() {
                    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                    let (kind, body) = answer(&request, &entries);
                    let head =
                        format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
                    if stream.write_all((head + &body).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

fn answer(request: &str, entries: &str) -> (&'static str, String) {
    let sync = |result: &str| format!(r#"{{"type":"sync","status-code":200,"status":"OK","result":{result}}}"#);
    if request.contains("action=read") {
        let query = request.split(' ').nth(1).unwrap();
        let paths: Vec<_> = query.split('&').filter_map(|pair| pair.strip_prefix("path=")).collect();
        let mut body = String::new();
        for path in &paths {
            write!(body, "--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{path}\"\r\n\r\nevil\r\n")
                .unwrap();
        }
        let verdicts: Vec<_> = paths.iter().map(|path| format!(r#"{{"path":"{path}"}}"#)).collect();
        body += "--B\r\nContent-Disposition: form-data; name=\"response\"\r\n\r\n";
        body += &sync(&format!("[{}]", verdicts.join(",")));
        return ("multipart/form-data; boundary=B", body + "\r\n--B--\r\n");
    }
    if request.contains("itself=true") {
        return ("application/json", sync(r#"[{"path":"/srv","name":"srv","type":"directory","permissions":"755"}]"#));
    }
    ("application/json", sync(entries))
}

#[test]
fn a_server_cannot_name_what_is_not_in_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let entry = |name: &str, path: &str| format!(r#"{{"path":"{path}","name":"{name}","type":"file","size":4}}"#);
    let entries = [
        entry("..", "/srv/.."),
        entry(".", "/srv/."),
        entry("", "/srv/"),
        entry("../../escaped", "/srv/../../escaped"),
        entry("/etc/escaped", "/etc/escaped"),
        entry("a/b", "/srv/a/b"),
        entry(r"nul\u0000", r"/srv/nul\u0000"),
        entry("good", "/srv/good"),
    ];
    liar(&socket, &format!("[{}]", entries.join(",")));
    fs::create_dir_all(dir.path().join("x/y/z")).unwrap();
    let output = esker()
        .current_dir(dir.path().join("x/y/z"))
        .args(["files", "cp", "-r", &format!("unix:{}:/srv", socket.display()), "out"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(12), "{said}");
    assert_eq!(said.matches("error: refusing ").count(), 7, "{said}");
    assert_eq!(names(&dir.path().join("x/y/z/out")), ["good"]);
    assert_eq!(names(&dir.path().join("x/y/z")), ["out"]);
    assert_eq!(names(&dir.path().join("x")), ["y"]);
}

#[test]
fn a_server_cannot_send_a_listing_round_in_circles() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let entries = [("..", "/srv/.."), (".", "/srv/."), ("", "/srv/"), ("a/b", "/srv/a/b"), ("srv", "/srv/x")];
    let entries = entries.map(|(name, path)| format!(r#"{{"path":"{path}","name":"{name}","type":"directory"}}"#));
    liar(&socket, &format!("[{}]", entries.join(",")));
    let place = format!("unix:{}:/srv", socket.display());
    let output = esker().args(["files", "ls", "-R", &place]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert_eq!(said.matches(": refusing `").count(), 5, "{said}");
}

#[test]
fn a_link_in_the_destination_is_not_written_through() {
    let Some(bench) = Bench::new() else { return };
    fs::create_dir_all(bench.far("tree/sub")).unwrap();
    fs::write(bench.far("tree/sub/a"), "new").unwrap();
    fs::write(bench.far("tree/b"), "new").unwrap();
    fs::write(bench.far("tree/c"), "new").unwrap();
    // Somebody has put links where the copy is going to write.
    let outside = bench.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("b"), "old").unwrap();
    fs::create_dir_all(bench.near("tree")).unwrap();
    symlink(&outside, bench.near("tree/sub")).unwrap();
    symlink(outside.join("b"), bench.near("tree/b")).unwrap();
    let ended = bench.run(&["cp", "-r", &bench.there("tree"), "."]).fails(12, "refusing to write through");
    assert_eq!(names(&outside), ["b"]);
    assert_eq!(fs::read_to_string(outside.join("b")).unwrap(), "old");
    // A link in the place of a file is replaced by the file.
    assert_eq!(fs::read_to_string(bench.near("tree/b")).unwrap(), "new", "{}", ended.err);
    assert_eq!(fs::read_to_string(bench.near("tree/c")).unwrap(), "new");
}
