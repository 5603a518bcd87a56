//! Containers: made, found, changed, deleted.

use super::{exec, stderr, stdout};
use crate::support::error_of;
use crate::support::playground::Playground;
use serde_json::{Value, json};
use std::process::Output;

fn run(playground: &Playground, args: &[&str]) -> Output {
    playground.esker().args(args).output().expect("esker runs")
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// 1, 2, 6, 7: the life of a container, by every kind of id, through a change of its Docker id.
#[test]
fn the_life_of_a_container() {
    let playground = Playground::rexec(&[]);
    let run = |args: &[&str]| run(&playground, args);
    let create = ["vm", "create", "rexec/box", "--image", "ubuntu:24.04", "--memory", "512MiB", "--cpus", "0.5"];
    let made = document(&run(&[&create[..], &["--label", "ci", "--env", "GREETING=hello you", "-o", "json"]].concat()));
    assert_eq!(
        (&made["status"], &made["image"], &made["labels"]),
        (&json!("running"), &json!("ubuntu"), &json!(["ci"]))
    );
    assert_eq!((&made["memory_bytes"], &made["cpus"]), (&json!(512 << 20), &json!(0.5)));
    let (key, id) = (made["key"].as_str().unwrap(), made["extra"]["id"].as_str().unwrap());
    for name in ["box", key, id, &id[..8], &key[..8]] {
        let target = format!("rexec/{name}");
        assert_eq!(document(&run(&["vm", "show", &target, "-o", "json"]))["name"], "box", "{name}");
        let printed = run(&["exec", &target, "--", "printenv", "GREETING"]);
        assert_eq!(String::from_utf8_lossy(&printed.stdout), "hello you\n", "{name}: {printed:?}");
    }
    assert_eq!(document(&run(&["vm", "list", "rexec", "--label", "ci", "-o", "json"])).as_array().unwrap().len(), 1);
    assert_eq!(run(&["vm", "create", "rexec/box"]).status.code(), Some(7));
    assert_eq!(run(&["vm", "create", "rexec/_box"]).status.code(), Some(8));
    assert_eq!(run(&["vm", "show", "rexec/bux"]).status.code(), Some(6));
    assert!(run(&["exec", "rexec/box", "--", "sh", "-c", "echo kept >~/file"]).status.success());
    let resized = run(&["vm", "resize", "rexec/box", "--memory", "1GiB", "-o", "json"]);
    let resized = document(&resized);
    assert_eq!((&resized["memory_bytes"], &resized["cpus"]), (&json!(1 << 30), &json!(0.5)));
    assert_ne!(resized["extra"]["id"], made["extra"]["id"]);
    assert_eq!(resized["key"], made["key"]);
    for verb in ["stop", "stop", "start", "start", "restart"] {
        assert!(run(&["vm", verb, "rexec/box"]).status.success(), "{verb}");
    }
    let printed = run(&["exec", "rexec/box", "--", "sh", "-c", "cat ~/file"]);
    assert_eq!(String::from_utf8_lossy(&printed.stdout), "kept\n", "{printed:?}");
    let stats = document(&run(&["vm", "stats", "rexec/box", "-o", "json"]));
    assert_eq!(stats["memory_limit_bytes"], json!(1 << 30), "{stats}");
    assert!(run(&["vm", "health", "rexec/box"]).status.success());
    assert!(run(&["vm", "stop", "rexec/box"]).status.success());
    assert_eq!(run(&["exec", "rexec/box", "--", "true"]).status.code(), Some(125));
    assert!(run(&["vm", "delete", "rexec/box", "--confirm", "rexec/box"]).status.success());
    assert!(run(&["vm", "wait", "rexec/box", "--for", "deleted"]).status.success());
}

/// 3: why a creation failed is said in events alone, and told.
#[test]
fn a_creation_that_fails_says_why() {
    for (fault, why) in [("create-fails", "manifest unknown"), ("create-lost", "lost its record")] {
        let playground = Playground::rexec(&[fault]);
        let output = run(&playground, &["vm", "create", "rexec/box", "-o", "json"]);
        let error = error_of(&output);
        assert_eq!(error["kind"], "failure", "{error}");
        assert!(error["message"].as_str().unwrap().contains(why), "{error}");
    }
}

/// 5, 6: images that are no key, and limits that are less than was asked for.
#[test]
fn images_are_mapped_and_limits_are_told() {
    let playground = Playground::rexec(&[]);
    let image = |name: &str, image: &str| {
        let output = run(&playground, &["vm", "create", &format!("rexec/{name}"), "--image", image, "-o", "json"]);
        (output.status.code(), output)
    };
    let (code, output) = image("a", "alpine:3.5");
    assert_eq!((code, &document(&output)["image"]), (Some(0), &json!("custom:alpine:3.5")));
    assert_eq!(image("b", "registry:5000/x:tag").0, Some(8));
    assert_eq!(image("c", "no-such-key").0, Some(8));
    let output = run(&playground, &["vm", "create", "rexec/d", "--memory", "64GiB"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("4096 MiB of memory"), "{output:?}");
}

/// 35: several at once: names with numbers, a limit that some of them meet, and all or nothing.
#[test]
fn a_batch_of_containers() {
    let playground = Playground::rexec(&[]);
    let batch = |name: &str, count: &str, more: &[&str]| {
        run(
            &playground,
            &[&["vm", "create", &format!("rexec/{name}-{{n}}"), "--count", count, "-q"][..], more].concat(),
        )
    };
    let names = || document(&run(&playground, &["vm", "list", "rexec", "-o", "json"])).as_array().unwrap().len();
    assert!(batch("w", "5", &[]).status.success());
    assert_eq!(names(), 5);
    // There may be twenty.
    assert_eq!(batch("x", "17", &[]).status.code(), Some(12));
    assert_eq!(names(), 20);
    assert!(run(&playground, &["vm", "rm", "rexec/x-*", "--confirm-count", "15", "-q"]).status.success());
    assert_eq!(batch("y", "16", &["--all-or-nothing"]).status.code(), Some(8));
    assert_eq!(names(), 5);
    assert_eq!(run(&playground, &["vm", "create", "rexec/z-{n}"]).status.code(), Some(2));
}

/// Snippets run as programs do; recordings become what players read; raw requests reach the rest.
#[test]
fn snippets_recordings_and_raw_requests() {
    let playground = Playground::container("alpine", &[]);
    let api = |method: &str, path: &str, body: &str| {
        playground
            .esker()
            .args(["api", method, path, "--target", "rexec", "--body", "-"])
            .write_stdin(body)
            .output()
            .unwrap()
    };
    let body = r#"{"name":"say","content":"echo \"$1\"; exit 4","language":"bash"}"#;
    assert!(api("POST", "/api/snippets", body).status.success());
    let listed = document(&run(&playground, &["vm", "snippet", "list", "-o", "json"]));
    assert_eq!((&listed[0]["name"], &listed[0]["uses"]), (&json!("say"), &json!(0)));
    let ran = run(&playground, &["vm", "snippet", "run", "say", "--", "a b"]);
    assert_eq!((ran.status.code(), String::from_utf8_lossy(&ran.stdout).as_ref()), (Some(4), "a b\n"), "{ran:?}");
    assert_eq!(run(&playground, &["vm", "snippet", "run", "soy"]).status.code(), Some(125));
    let id = document(&run(&playground, &["vm", "show", "rexec/box", "-o", "json"]))["key"].clone();
    assert!(
        api("POST", "/api/recordings/start", &json!({"container_id": id, "title": "demo"}).to_string())
            .status
            .success()
    );
    exec(&playground, &["-t", "--tty-size", "80x24", "--", "echo", "hello"]).code(0);
    assert!(api("POST", &format!("/api/recordings/stop/{}", id.as_str().unwrap()), "").status.success());
    let recording = document(&run(&playground, &["vm", "record", "list", "-o", "json"]))[0].clone();
    assert_eq!((&recording["title"], &recording["machine"]), (&json!("demo"), &id));
    let cast = run(&playground, &["vm", "record", "export", recording["id"].as_str().unwrap()]);
    let head: Value = serde_json::from_str(String::from_utf8_lossy(&cast.stdout).lines().next().unwrap()).unwrap();
    assert!(head["timestamp"].is_i64() && head["version"] == 2, "{head}");
    for path in ["/api/ssh/keys", "/api/tokens", "/api/audit-logs", "/api/collab/sessions"] {
        assert!(run(&playground, &["api", "GET", path, "--target", "rexec"]).status.success(), "{path}");
    }
}

/// 34: a port in a container, one forward per connection.
#[test]
fn ports_are_reached_again_and_again() {
    let playground = Playground::container("debian-12", &[]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        for _ in 0..3 {
            let (mut connection, _) = listener.accept().unwrap();
            std::io::Write::write_all(&mut connection, b"hello\n").unwrap();
        }
    });
    for _ in 0..3 {
        let output = run(&playground, &["vm", "proxy", "rexec/box", "-W", &format!(":{port}")]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\n", "{output:?}");
    }
    server.join().unwrap();
}

/// Credentials: guests, the file of the system's own client, and what is missing.
#[test]
fn credentials() {
    let playground = Playground::rexec(&[]);
    let url = playground.variables()["REXEC_URL"].clone();
    let bare = |home: &std::path::Path| {
        let mut command = playground.esker();
        command.env_remove("REXEC_TOKEN").env("HOME", home).env("XDG_STATE_HOME", home.join("state"));
        command
    };
    let home = tempfile::tempdir().unwrap();
    let none = bare(home.path()).args(["vm", "list", "rexec"]).assert().code(4);
    assert!(stderr(&none).contains("--guest"), "{}", stderr(&none));
    bare(home.path()).args(["endpoint", "login", "rexec", "--guest", "--guest-name", "ada"]).assert().success();
    assert_eq!(stdout(&bare(home.path()).args(["vm", "list", "rexec", "-o", "json"]).assert().success()), "[]\n");
    // A guest has one container.
    bare(home.path()).args(["vm", "create", "rexec/one", "-q"]).assert().success();
    bare(home.path()).args(["vm", "create", "rexec/two", "-q"]).assert().code(8);
    // The file of the system's own client is for the server that it names.
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".rexec")).unwrap();
    let token = &playground.variables()["REXEC_TOKEN"];
    let write = |host: &str| {
        std::fs::write(home.path().join(".rexec/config.json"), json!({"host": host, "token": token}).to_string())
            .unwrap();
    };
    write(&url);
    bare(home.path()).args(["vm", "list", "rexec"]).assert().success();
    bare(home.path()).env_remove("REXEC_URL").args(["vm", "list", "rexec"]).assert().success();
    bare(home.path()).args(["endpoint", "import", "rexec"]).assert().success();
    write("https://elsewhere.example");
    std::fs::remove_dir_all(home.path().join("state")).unwrap();
    bare(home.path()).args(["vm", "list", "rexec"]).assert().code(4);
    let both = bare(home.path()).env("REXEC_HOST", "http://127.0.0.1:1").args(["vm", "list", "rexec"]).assert().code(3);
    assert!(stderr(&both).contains("REXEC_HOST"));
}
