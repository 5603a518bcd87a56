//! Who can read what is written, and where credentials go.

use crate::support::fake::{Fake, Reply};
use crate::support::playground::Playground;
use crate::support::running::Running;
use crate::support::{esker, home};
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

const SECRET: &str = "acme/org-1/tok-1/hunter2";

/// A redirect to another server.
fn redirect(status: u16, port: u16) -> Reply {
    let head = format!(
        "HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{port}/v1/elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    Reply::Raw(head.into_bytes())
}

#[test]
fn a_token_is_never_taken_to_where_a_server_points() {
    for status in [301, 302, 303, 307, 308] {
        let other = Fake::start_on_tcp(|_| Reply::Text(200, "[]".to_owned()));
        let port = other.port();
        let server = Fake::start_on_tcp(move |_| redirect(status, port));
        let url = format!("http://127.0.0.1:{}", server.port());
        for args in [
            &["vm", "list", "sprites"][..],
            &["vm", "list", "rexec"],
            &["api", "GET", "/v1/sprites", "--target", "sprites"],
            &["api", "POST", "/api/containers", "--target", "rexec"],
            &["api", "GET", "/v1/sprites", "--target", "sprites", "--paginate"],
        ] {
            let output = esker()
                .env("SPRITES_ENDPOINT", &url)
                .env("SPRITES_TOKEN", SECRET)
                .env("REXEC_URL", &url)
                .env("REXEC_TOKEN", SECRET)
                .args(args)
                .args(["--timeout", "20s"])
                .output()
                .unwrap();
            assert!(other.asked().is_empty(), "{status} {args:?}: {:?}", other.asked().len());
            let said = [output.stdout, output.stderr].concat();
            assert!(!String::from_utf8_lossy(&said).contains("hunter2"), "{status} {args:?}");
        }
        assert!(!server.asked().is_empty());
    }
}

/// Everything below `dir`.
fn below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn what_is_written_is_for_the_user_alone() {
    let world = Playground::sandbox(&[]);
    let login = ["endpoint", "login", "sprites", "--token-file", "-", "-q"];
    let _ = world.esker().args(login).write_stdin(format!("{SECRET}\n")).output().unwrap();
    world
        .esker()
        .args(["endpoint", "add", "rx", "--provider", "rexec", "--set", "url=http://127.0.0.1:1", "-q"])
        .assert()
        .success();
    let _ = world.esker().env("COMPLETE", "fish").args(["--", "esker", "checkpoint", "show", ""]).output().unwrap();
    // Secrets are in the state, names of what is there in the cache.
    for dir in ["state", "cache"] {
        for path in below(&home().join(dir).join("esker")) {
            let mode = fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
        }
    }
    let config = home().join("config/esker/config.yaml");
    assert_eq!(fs::metadata(config).unwrap().permissions().mode() & 0o022, 0);
}

#[test]
fn nobody_else_gets_at_the_sockets_of_a_playground() {
    let dir = home().join("world");
    let mut command = crate::support::esker_process();
    command.args(["playground", "--only", "pebble", "--print-env", "--dir"]).arg(&dir);
    let mut running = Running::start(&mut command);
    running.says("PEBBLE=");
    let open = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
    let sockets: Vec<PathBuf> = below(&dir)
        .into_iter()
        .filter(|path| fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket()))
        .collect();
    assert!(!sockets.is_empty(), "{:?}", below(&dir));
    for socket in sockets {
        // A directory above that nobody else may enter is as good as the socket's own mode.
        let closed = socket.ancestors().take_while(|path| path.starts_with(&dir)).any(|path| open(path) & 0o011 == 0);
        assert!(closed, "{}", socket.display());
    }
}
